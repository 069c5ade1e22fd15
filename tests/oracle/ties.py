"""Who asks, and what ties them to the patient and the object: account, care team, delegations (3.0.8, 3.1.1).

True, False, or None: unknown. What permits and is not said is False; nothing is unknown but a patient whose facts
cannot be read.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from msgspec.structs import replace

from sidecar.core.model import Fact, Request, Subject
from tests.oracle.days import DAY, SECOND, begins
from tests.oracle.world import Reading

BY_NAME = ("REL_TEAM", "REL_REQ", "REL_APPT")  # ties to a person, not through a unit
MAY = Callable[[Request], bool | None]  # what a delegator may do now


class Ties(Reading):
    """The words of `r.subject`. `may` answers for delegators; without it nobody acts for anybody."""

    may: MAY | None = None

    @property
    def me(self) -> Subject:
        """Who asks."""
        return self.request.subject

    def setting(self, name: str) -> Any:
        """A switch or a number of the pack."""
        return self.pack["settings"][name]["value"]

    # ---- the account

    def subject_named_account(self) -> bool:
        return self.me.account_type == "nominatif"

    def subject_active(self) -> bool:
        return self.me.status == "actif" and self.within(self.me.valid_from, self.me.valid_until)

    def subject_profile_held(self) -> bool:
        if self.me.kind not in self.pack["vocabulary"]["profiles"][self.me.profile]["kinds"]:
            return False
        held = {work.unit for work in self.works(self.me.id) if work.profile == self.me.profile}
        return "identity" in self.caller.may_assert or (bool(held) and held >= set(self.me.units))

    def subject_listed_job(self) -> bool:
        return self.me.id in self.pack["jobs"].get(self.me.profile, {"accounts": ()})["accounts"]

    def subject_job_allows(self) -> bool | None:
        job, asked = self.pack["jobs"].get(self.me.profile), self.request.resource
        if job is None or self.me.id not in job["accounts"]:
            return False
        if self.request.purpose not in job["purposes"] or asked.category not in job["categories"]:
            return False
        if self.request.action not in job["actions"]:
            return False
        if self.writes() and job.get("writes_need_author", True) and not asked.author:
            return False
        if self.writes() and asked.category not in (job.get("write_categories") or (asked.category,)):
            return False
        if not job.get("closed_stay", False):
            return True
        parts = [fact for fact, stay in self.stays() if asked.stay and stay.stay_id == asked.stay]
        over = [self.come(fact.period.to) and self.fresh(fact, "stay") for fact in parts]
        return bool(parts) and all(over) if self.readable else None

    def writes(self) -> bool:
        return self.request.action in self.pack["vocabulary"]["write_actions"]

    def subject_is_provider(self) -> bool:
        return self.me.kind == "prestataire"

    def subject_second_category(self) -> bool:
        return self.me.r1110_2_category[:1] == "2"

    def subject_under_contract(self) -> bool:
        if not self.me.structure or self.me.confidentiality_signed is False:
            return False
        return self.within(None, self.me.contract_until) and any(
            contract.approved and contract.confidentiality_signed and self.stands(fact, "contract")
            for fact, contract in self.facts("contract")
            if contract.provider_id == self.me.structure
        )

    def subject_one_activity(self) -> bool:
        return len(self.me.activities) < 2 or self.me.activity_id in self.me.activities

    def subject_purpose_allowed(self) -> bool:
        vocabulary, purpose = self.pack["vocabulary"], self.request.purpose
        listed = purpose in vocabulary["profiles"][self.me.profile]["purposes"]
        return listed and purpose not in vocabulary["denied_purposes"]

    # ---- ties to the patient; unknown when the patient's facts cannot be read

    def subject_in_care_team(self) -> bool | None:
        return self.in_team(self.me.id)

    def in_team(self, who: str) -> bool | None:
        """REL_ENC, REL_RESP, REL_TEAM."""
        if not self.readable:
            return None
        units = self.units(who)
        here = any(stay.unit in units and self.stands(fact, "stay") for fact, stay in self.stays())
        return here or self.responsible(who) or self.related(who, ("REL_TEAM",))

    def responsible(self, who: str) -> bool:
        """REL_RESP."""
        return any(
            stay.responsible_id == who and self.in_window(fact, "REL_RESP") and self.fresh(fact, "stay")
            for fact, stay in self.stays()
        )

    def related(self, who: str, kinds: tuple[str, ...], units: frozenset[str] = frozenset()) -> bool:
        """A relation of these kinds with this person, or one of these units, inside its window and scope."""
        return any(
            relation.kind in kinds
            and (relation.subject_id == who or relation.unit in units)
            and self.reaches(relation.scope)
            and self.in_window(fact, relation.kind)
            and self.fresh(fact, "relation")
            for fact, relation in self.of_patient("relation")
        )

    def overlaps(self, who: str) -> list[tuple[int | None, int | None, bool]]:
        """When somebody worked in the unit of a stay of the patient: start, end, and whether both facts are fresh."""
        found = []
        for stayed, stay in self.stays():
            for worked, work in self.assignments(who):
                if work.on_call or work.unit != stay.unit:
                    continue
                starts = [fact.period.from_ for fact in (stayed, worked) if fact.period.from_ is not None]
                ends = [fact.period.to for fact in (stayed, worked) if fact.period.to is not None]
                start, end = max(starts, default=None), min(ends, default=None)
                if start is None or end is None or start < end:
                    found.append((start, end, self.fresh(stayed, "stay") and self.fresh(worked, "assignment")))
        return found

    def ties(self, who: str) -> list[tuple[int | None, int | None, bool]]:
        """When somebody was in the care team: start, end, fresh."""
        responsible = [
            (*self.window(fact, "REL_RESP"), self.fresh(fact, "stay"))
            for fact, stay in self.stays()
            if stay.responsible_id == who
        ]
        member = [
            (*self.window(fact, "REL_TEAM"), self.fresh(fact, "relation"))
            for fact, relation in self.of_patient("relation")
            if relation.kind == "REL_TEAM" and relation.subject_id == who and self.reaches(relation.scope)
        ]
        return self.overlaps(who) + responsible + member

    def subject_was_in_care_team(self) -> bool | None:
        if not self.readable:
            return None
        ended = [self.come(end) and fresh for _, end, fresh in self.ties(self.me.id)]
        return any(ended) and not self.in_team(self.me.id)

    def left(self) -> int | None:
        """When the last overlap that is over ended."""
        ended = [end for _, end, fresh in self.overlaps(self.me.id) if end is not None and self.come(end) and fresh]
        return max(ended, default=None)

    def subject_left_unit_less_than(self, days: int) -> bool | None:
        left = self.left()
        return (left is not None and self.within(None, left + days * DAY)) if self.readable else None

    def resource_created_before_leaving(self) -> bool | None:
        left, created = self.left(), self.request.resource.created_at
        return (left is not None and created is not None and created < left) if self.readable else None

    def subject_responsible_for_stay(self) -> bool | None:
        return self.responsible(self.me.id) if self.readable else None

    def subject_in_team_at_death(self) -> bool | None:
        for fact, state in self.states():
            if not state.death_date or not self.fresh(fact, "record_state"):
                continue
            day = date.fromisoformat(state.death_date)
            first, next_day = begins(day), begins(day + timedelta(days=1))
            for start, end, fresh in self.ties(self.me.id):
                since = first if start is None else max(start, first)
                if since < (next_day if end is None else min(end, next_day)) and self.come(since) and fresh:
                    return True
        return False if self.readable else None

    def subject_on_call_here(self) -> bool | None:
        slots = [
            work.unit for fact, work in self.assignments(self.me.id) if work.on_call and self.stands(fact, "assignment")
        ]
        return any(self.stays_in(unit) for unit in slots) if self.readable else None

    def stays_in(self, unit: str, stay_id: str = "") -> bool:
        """Whether the patient's stay in this unit (this very stay, if named) is open."""
        return any(
            stay.unit == unit and stay_id in ("", stay.stay_id) and self.stands(fact, "stay")
            for fact, stay in self.stays()
        )

    def subject_expecting_transfer(self) -> bool | None:
        window = self.pack["vocabulary"]["relations"].get("REL_TRANSFER", {})
        before, after = window.get("before", 0) * SECOND, window.get("after", 0) * SECOND
        for fact, planned in self.of_patient("stay"):
            at = fact.period.from_
            if planned.status != "planned" or planned.unit not in self.units(self.me.id) or at is None:
                continue
            begun = any(
                (stay.unit, stay.stay_id) == (planned.unit, planned.stay_id)
                and other.period.from_ is not None
                and other.period.from_ >= at - before
                and self.come(other.period.from_)
                for other, stay in self.stays()
            )
            if self.within(at - before, at + after) and not begun and self.fresh(fact, "stay"):
                return True
        return False if self.readable else None

    def subject_has_appointment(self) -> bool | None:
        units = frozenset(self.units(self.me.id))
        return self.related(self.me.id, ("REL_APPT",), units) if self.readable else None

    def subject_named_in_care(self) -> bool | None:
        return (self.related(self.me.id, BY_NAME) or self.responsible(self.me.id)) if self.readable else None

    def subject_signed_request_for(self) -> bool | None:
        signed = any(
            relation.kind == "REL_REQ"
            and relation.requester_id == self.me.id
            and self.request.resource.id in relation.scope.documents
            and self.within(fact.period.from_, None)
            and self.fresh(fact, "relation")
            for fact, relation in self.of_patient("relation")
        )
        return signed if self.readable else None

    def subject_senior_in_team(self) -> bool | None:
        senior = self.me.supervised_by
        return self.in_team(senior) if senior and senior != self.me.id else False

    def subject_supervised(self) -> bool:
        supervisor = self.me.supervised_by
        return bool(supervisor) and supervisor != self.me.id and bool(self.works(supervisor))

    def subject_reads_own_record(self) -> bool | None:
        same = any(
            alias.kind == "same_person" and alias.other_id == self.me.id and self.current(fact)
            for fact, alias in self.of_patient("alias")
        )
        return True if same else self.absent("alias")

    # ---- ties to the object

    def subject_is_author(self) -> bool:
        return bool(self.me.id) and self.me.id == self.request.resource.author

    def subject_in_establishment(self) -> bool:
        return bool(self.works(self.me.id))

    def subject_in_tag_unit(self) -> bool:
        return self.request.resource.unit in self.units(self.me.id)

    def subject_in_producing_unit(self) -> bool | None:
        return self.produced(self.me.id)

    def produced(self, who: str) -> bool | None:
        """Whether their unit made the object and the patient still stays there, where the pack keeps its access."""
        asked = self.request.resource
        if asked.unit not in self.units(who) or not self.setting("producer_uf_keeps"):
            return False
        return self.stays_in(asked.unit, asked.stay) if self.readable else None

    # ---- delegations

    def covering(self) -> list[tuple[Fact, Any]]:
        """The delegations to the subject whose every filled field fits the object, and that name enough of it."""
        asked, found = self.request.resource, []
        for fact, given in self.facts("delegation"):
            if given.to_subject_id != self.me.id or given.from_subject_id in self.unheard:
                continue
            names_it = given.documents or given.patient_id or (given.units and given.categories)
            fits = (
                asked.id in (given.documents or (asked.id,))
                and (not given.patient_id or given.patient_id in self.names())
                and asked.unit in (given.units or (asked.unit,))
                and asked.category in (given.categories or (asked.category,))
            )
            if names_it and fits and self.fresh(fact, "delegation"):
                found.append((fact, given))
        return found

    def delegators(self) -> list[str]:
        """Who gave those of them that are in date and fit the purpose."""
        purpose = self.request.purpose
        return [
            given.from_subject_id
            for fact, given in self.covering()
            if purpose in (given.purposes or (purpose,)) and self.current(fact)
        ]

    def acts_for(self) -> tuple[str, bool | None]:
        """Who delegated and may do this themselves now, and True; else nobody, and False or unknown."""
        doubt = False
        profiles = self.pack["vocabulary"]["profiles"]
        for who in self.delegators() if self.may is not None else ():
            held = dict.fromkeys(work.profile for work in self.works(who) if work.profile in profiles)
            for profile in held:
                them = Subject(who, profiles[profile]["kinds"][0], profile, account_type="nominatif", status="actif")
                context = replace(self.request.context, access_mode="normal", grant="")
                said = self.may(replace(self.request, subject=them, context=context))
                if said:
                    return who, True
                doubt = doubt or said is None
        return "", None if doubt else False

    def subject_delegation_covers(self) -> bool:
        return bool(self.covering())

    def subject_delegated_for(self) -> bool | None:
        return self.acts_for()[1]
