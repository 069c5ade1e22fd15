"""Who is not of the care team (3.0.8): whom the patient consents to, the patient and their own, coders, archivists.

True, False, or None: unknown, as in `ties`.
"""

import re
from calendar import monthrange
from datetime import date, timedelta
from typing import Any

from sidecar.core.model import Directive
from tests.oracle.days import EPOCH, PARIS, years_after
from tests.oracle.ties import Ties

RPPS = re.compile("[0-9]{11}")


def months_after(instant: int, months: int) -> int:
    """The same time of the same Paris day some months later, or of the last day of that month."""
    moment = (EPOCH + timedelta(microseconds=instant)).astimezone(PARIS)
    years, month = divmod(moment.month - 1 + months, 12)
    last = monthrange(moment.year + years, month + 1)[1]
    later = moment.replace(year=moment.year + years, month=month + 1, day=min(moment.day, last), fold=0)
    return (later - EPOCH) // timedelta(microseconds=1)


class Others(Ties):
    """The words about everybody else, and about what the patient agreed to."""

    # ---- relations by name, and requests

    def subject_in_case_meeting(self) -> bool | None:
        return self.related(self.me.id, ("REL_RCP",)) if self.readable else None

    def subject_referring_on_request(self) -> bool | None:
        return self.related(self.me.id, ("REL_REFERENT",)) if self.readable else None

    def subject_answers_request_for(self) -> bool | None:
        asked, vocabulary = self.request.resource, self.pack["vocabulary"]
        # the request itself, administrative data and alerts are read beside what is tied to the request.
        beside = not self.writes() and asked.category in vocabulary["with_request"]
        found = any(
            relation.kind == "REL_REQ"
            and (relation.subject_id == self.me.id or relation.unit in self.units(self.me.id))
            and (beside or self.reaches(relation.scope))
            and self.in_window(fact, "REL_REQ")
            and self.fresh(fact, "relation")
            for fact, relation in self.of_patient("relation")
        )
        return found if self.readable else None

    def subject_same_specialty(self) -> bool:
        units, made_by = self.units(self.me.id), self.request.resource.unit
        listed = self.pack["vocabulary"]["specialties"].values()
        return made_by in units or any(made_by in alike and units & set(alike) for alike in listed)

    # ---- what the patient was told, and agreed to

    def patient_informed(self) -> bool | None:
        if self.request.context.patient_informed == "yes":
            return True
        return any(True for _ in self.given("informed")) if self.readable else None

    def patient_unable_to_answer(self) -> bool:
        return self.request.context.patient_informed == "impossible"

    def patient_consented_to_subject(self) -> bool | None:
        usual, category = self.pack["vocabulary"]["consent_categories"], self.request.resource.category
        return any(category in (each.scope.categories or usual) for each in self.given("consent")) or self.unread()

    def patient_agreed_to(self) -> bool | None:
        category = self.request.resource.category
        return any(category in each.scope.categories for each in self.given("consent")) or self.unread()

    def unread(self) -> bool | None:
        return False if self.readable else None

    def given(self, kind: str) -> list[Directive]:
        """The directives of this kind in force that give the subject the object; a doubt gives nothing."""
        mode, right = self.request.context.access_mode, "write" if self.writes() else "read"
        return [
            directive
            for fact, directive in self.of_patient("directive")
            if directive.kind == kind
            and self.me.id not in directive.except_
            and mode in (directive.modes or (mode,))
            and right in (directive.rights or (right,))
            and self.reaches(directive.scope)
            and self.aimed_at_me(directive.target)
            and self.stands(fact, "directive")
        ]

    def aimed_at_me(self, target: Any) -> bool:
        """Whether the target is the subject; what the request says of them counts where the caller may say it."""
        said = self.me if "identity" in self.caller.may_assert else None
        return (
            target.everyone
            or (bool(target.subject_id) and target.subject_id == self.me.id)
            or (bool(target.unit) and target.unit in self.units(self.me.id))
            or (said is not None and bool(target.profession) and target.profession == said.profession)
            or (said is not None and bool(target.structure) and target.structure == said.structure)
        )

    # ---- the patient in person, and who speaks for them

    def subject_is_holder(self) -> bool | None:
        if not self.readable:
            return None
        same = any(
            alias.kind == "same_person" and alias.other_id == self.me.id and self.stands(fact, "alias")
            for fact, alias in self.of_patient("alias")
        )
        return same or self.related(self.me.id, ("REL_SELF",))

    def subject_represents_patient(self) -> bool | None:
        if not self.readable:
            return None
        born = [(state.birth_date, fact) for fact, state in self.states() if state.birth_date]
        if not any(self.fresh(fact, "record_state") for _, fact in born):
            return False  # nobody is known to be under age
        day = years_after(date.fromisoformat(min(text for text, _ in born)), self.setting("majority"))
        return not self.day_has_come(day) and self.related(self.me.id, ("REL_REP",))

    def patient_untold_of_emergency(self) -> bool:
        return bool(self.untold_openings())

    def untold_openings(self) -> list[int]:
        """When each grant on the patient was opened of which it is not known that the patient knows."""
        told = self.pack["break_glass"].get("holder_audience", "")
        of_patient = [grant for grant in self.world.grants if grant.patient_id in self.names()]
        here = [
            each for each in of_patient if (each.tenant, each.controller_id) == (self.world.tenant, self.controller)
        ]
        return [grant.opened_at for grant in here if told not in grant.known_to]

    # ---- who reviews an emergency

    def subject_may_review(self) -> bool:
        for grant in self.world.grants:
            named = grant.id == self.request.context.grant and grant.tenant == self.world.tenant
            if named and grant.controller_id == self.controller:
                superior = "" if grant.opener is None else grant.opener.supervised_by
                strict = self.pack["break_glass"].get("review_strict", False)
                return self.me.id != grant.subject_id and not (strict and self.me.id == superior)
        return False

    def resource_hidden_from_patient(self) -> bool | None:
        asked = self.request.resource
        kept = asked.announced_since is not None or "INVISIBLE_PATIENT" in (asked.visibility or ())
        if self.will and kept:
            since = asked.announced_since
            if since is None or not self.come(months_after(since, self.setting("announcement_months"))):
                return True
        return False if asked.visibility is not None and self.readable else self.absent("directive")

    # ---- those who work on records

    def subject_delegated_by_dim(self) -> bool:
        purpose, asked = self.request.purpose, self.request.resource
        for fact, given in self.facts("delegation"):
            fits = (
                given.to_subject_id == self.me.id
                and given.from_subject_id not in self.unheard
                and asked.id in (given.documents or (asked.id,))
                and (not given.patient_id or given.patient_id in self.names())
                and asked.unit in (given.units or (asked.unit,))
                and asked.category in (given.categories or (asked.category,))
                and purpose in (given.purposes or (purpose,))
                and self.stands(fact, "delegation")
            )
            if fits and self.holds_one_of(given.from_subject_id, self.pack["vocabulary"]["dim_profiles"]):
                return True
        return False

    def holds_one_of(self, who: str, profiles: tuple[str, ...]) -> bool:
        return any(work.profile in profiles for work in self.works(who))

    def subject_codes_this_stay(self) -> bool | None:
        listed = any(
            relation.kind == "REL_CODE"
            and relation.subject_id in ("", self.me.id)
            and relation.structure in ("", self.me.structure)
            and (not relation.unit or relation.unit in self.units(self.me.id))
            and self.reaches(relation.scope)
            and self.in_window(fact, "REL_CODE")
            and self.fresh(fact, "relation")
            for fact, relation in self.of_patient("relation")
        )
        return listed if self.readable else None

    def context_supervisor_is(self, profile: str) -> bool:
        supervisor = self.request.context.refs.supervisor
        return bool(supervisor) and supervisor != self.me.id and self.holds_one_of(supervisor, (profile,))

    def context_archive_request_open(self) -> bool:
        refs = self.request.context.refs
        return any(self.known_reference("REL_ARCH", ref) for ref in (refs.request, refs.ticket))

    def known_reference(self, kind: str, ref: str) -> bool:
        """Whether a relation of this kind carries the reference, in its period, for this patient and subject."""
        return bool(ref) and any(
            relation.kind == kind
            and relation.ref == ref
            and (not relation.patient_id or relation.patient_id in self.names())
            and relation.subject_id in ("", self.me.id)
            and self.reaches(relation.scope)
            and self.in_window(fact, relation.kind)
            and self.fresh(fact, "relation")
            for fact, relation in self.facts("relation")
        )

    def context_recipient_identified(self) -> bool:
        recipient = self.request.context.recipient
        return bool(RPPS.fullmatch(recipient)) or (bool(recipient) and recipient in self.names())

    def context_notice_current(self) -> bool:
        current = self.setting("notice_version")
        return current == "" or self.request.context.notice_version == current

    def context_heir_motive(self) -> bool:
        return self.request.context.motive in self.pack["vocabulary"]["heir_motives"]

    # ---- the service's own counters

    def subject_over_volume(self) -> bool:
        return self.world.patients_this_hour > self.setting("bulk_threshold")

    def subject_denied_too_often(self) -> bool:
        return self.world.refusals_lately >= self.setting("denial_threshold")
