"""Every word a rule may use (3.0.8), worked out from raw facts each time it is asked: no index, no memory.

True, False, or None: unknown. A ground that nothing says is False; a restriction that nothing says is unknown
unless it is known absent (3.0.1).
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from msgspec.structs import replace

from sidecar.core.model import Directive, Fact, Request, Subject
from tests.oracle.days import DAY, SECOND, begins, retention
from tests.oracle.world import Reading

# The words that forbid, as 3.0.8 marks them with R; all the others permit, or repeat the request.
RESTRICTIONS = frozenset(
    (
        "authentication.remote_without_channel",
        "device.compromised",
        "context.touches_workstation",
        "subject.reads_own_record",
        "resource.expired",
        "resource.archived",
        "resource.frozen",
        "resource.invalidated",
        "resource.sensitive",
        "resource.tagged",
        "resource.masked_for_subject",
        "patient.blocked_subject",
        "patient.opposed_to_subject",
        "patient.deceased",
        "patient.deceased_since_more_than",
        "patient.flagged",
        "patient.protected_record",
    )
)
BY_NAME = ("REL_TEAM", "REL_REQ", "REL_APPT")  # ties to a person, not through a unit
REFERENCES = {"ticket": "REL_TICKET", "case": "REL_CASE", "research": "REL_RESEARCH", "request": "REL_REQUEST"}
MAY = Callable[[Request], bool | None]  # what a delegator may do now


def any_of(*said: bool | None) -> bool | None:
    """Kleene's or."""
    return True if True in said else None if None in said else False


class Words(Reading):
    """The words over one reading of the world. `may` answers for delegators; without it nobody acts for anybody."""

    may: MAY | None = None

    def ask(self, word: str, arguments: tuple[str | int, ...] = ()) -> bool | None:
        """What a word says here; an unknown one is noted, and is absent where a lenient reading says so."""
        said = getattr(self, word.replace(".", "_"))(*arguments)
        if said is None:
            if word not in self.unsaid:
                self.unsaid.append(word)
            if self.lenient and word in RESTRICTIONS:
                return False
        return bool(said) if said is not None else None

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
        if not job.get("closed_stay", False):
            return True
        parts = [fact for fact, stay in self.stays() if asked.stay and stay.stay_id == asked.stay]
        over = [self.come(fact.period.to) and self.fresh(fact, "stay") for fact in parts]
        return bool(parts) and all(over) if self.readable else None

    def writes(self) -> bool:
        return self.request.action in self.pack["vocabulary"]["write_actions"]

    def subject_is_provider(self) -> bool:
        return self.me.kind == "prestataire"

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

    def after(self, end: int | None, kind: str) -> int | None:
        """The end of a relation's window, given the end of its event."""
        seconds = self.pack["vocabulary"]["relations"].get(kind, {}).get("after", 0)
        return None if end is None else end + seconds * SECOND

    def ties(self, who: str) -> list[tuple[int | None, int | None, bool]]:
        """When somebody was in the care team: start, end, fresh."""
        responsible = [
            (fact.period.from_, self.after(fact.period.to, "REL_RESP"), self.fresh(fact, "stay"))
            for fact, stay in self.stays()
            if stay.responsible_id == who
        ]
        member = [
            (fact.period.from_, self.after(fact.period.to, "REL_TEAM"), self.fresh(fact, "relation"))
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
            and relation.subject_id == self.me.id
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

    # ---- the patient's will

    def resource_masked_for_subject(self) -> bool | None:
        return self.willed(self.masked)

    def patient_blocked_subject(self) -> bool | None:
        return self.willed(self.blocked)

    def patient_opposed_to_subject(self) -> bool | None:
        return self.willed(self.opposed)

    def willed(self, judge: Callable[[str], bool | None]) -> bool | None:
        """The will on the subject; or on every one of those the subject acts for (3.0.4)."""
        own = judge(self.me.id)
        if self.may is None or own is True:
            return own
        theirs = [judge(who) for who in self.delegators()]
        refused = bool(theirs) and (False if False in theirs else None if None in theirs else True)
        return any_of(own, refused)

    def blocked(self, who: str) -> bool | None:
        return any_of(self.directed("block", who), self.absent("directive"))

    def opposed(self, who: str) -> bool | None:
        if who != self.me.id and who == self.request.resource.author:
            return False
        return any_of(self.directed("opposition", who), self.absent("directive"))

    def masked(self, who: str) -> bool | None:
        asked = self.request.resource
        said = self.directed("mask", who)
        if asked.masked_for is not None and self.will:
            said = any_of(said, *(self.names_person(entry, who) for entry in asked.masked_for))
        if asked.masked_for is None or not self.readable:
            said = any_of(said, self.absent("directive"))
        switch = self.pack["vocabulary"]["safety"].get(asked.category)
        kept = switch is not None and not self.setting(switch) and self.in_team(who) is True
        if who != self.me.id:
            kept = kept or who == asked.author or self.produced(who) is True
        return False if kept else said

    def directed(self, kind: str, who: str) -> bool | None:
        """Whether a directive of this kind in force, however old, covers this person and this object."""
        said = [
            self.covered(directive, who)
            for fact, directive in self.of_patient("directive")
            if directive.kind == kind and self.current(fact)
        ]
        return any_of(*said) if self.will else False

    def covered(self, directive: Directive, who: str) -> bool | None:
        asked, scope = self.request.resource, directive.scope
        mode = self.request.context.access_mode if self.open_grant() else "normal"
        right = "write" if self.writes() else "read"
        if who in directive.except_ or mode not in (directive.modes or (mode,)):
            return False
        if right not in (directive.rights or (right,)) or asked.category not in (scope.categories or (asked.category,)):
            return False
        if scope.documents and asked.id not in scope.documents:
            return False
        # An object whose stay is not stated may be of that stay; a question about no object is about no stay.
        of_stay: bool | None = scope.stay_id in ("", asked.stay) or (None if asked.id and not asked.stay else False)
        target = directive.target
        at: bool | None = True
        if target.subject_id:
            at = target.subject_id == who
        elif target.unit:
            at = target.unit in self.said_units(who)
        elif target.profession:
            at = self.is_stated(who, self.me.profession, target.profession)
        elif target.structure:
            at = self.is_stated(who, self.me.structure, target.structure)
        return False if False in (of_stay, at) else None if None in (of_stay, at) else True

    def names_person(self, entry: str, who: str) -> bool | None:
        """Whether an entry of `masked_for` is this person."""
        word, _, value = entry.partition(":")
        if entry in ("tous", who):
            return True
        if word == "profile":
            return value in ([self.me.profile] if who == self.me.id else [work.profile for work in self.in_force(who)])
        if word == "unit":
            return value in self.said_units(who)
        if word == "profession":
            return self.is_stated(who, self.me.profession, value)
        return self.is_stated(who, self.me.structure, value) if word == "structure" else False

    def is_stated(self, who: str, stated: str, wanted: str) -> bool | None:
        """A profession or structure is known of the subject alone, where the request states it."""
        return stated == wanted if stated and who == self.me.id else None

    def in_force(self, who: str) -> list[Any]:
        """Assignments that hold now, rosters and old news too: for what forbids, every unit counts."""
        return [work for fact, work in self.assignments(who) if self.current(fact)]

    def said_units(self, who: str) -> set[str]:
        return {work.unit for work in self.in_force(who)} | (set(self.me.units) if who == self.me.id else set())

    def refuse_delegators(self) -> None:
        """Leave out the delegators whom the patient's will refuses (3.0.4)."""
        judges = (self.blocked, self.masked, self.opposed)
        self.unheard = {who for who in self.delegators() if any(judge(who) is True for judge in judges)}

    # ---- authentication, device, caller

    def authentication_present(self) -> bool:
        return self.request.authentication is not None

    def authentication_mfa(self) -> bool:
        given = self.request.authentication
        return given is not None and given.mfa is True

    def authentication_idle_within_limit(self) -> bool:
        given, profile = self.request.authentication, self.pack["vocabulary"]["profiles"].get(self.me.profile, {})
        portal = self.caller.channel == "portal" or profile.get("portal_idle", False)
        limit = self.setting("portal_idle_limit" if portal else "idle_limit")
        return given is not None and given.idle_s is not None and given.idle_s < limit

    def authentication_younger_than(self, seconds: int) -> bool:
        given = self.request.authentication
        if given is None or given.time is None:
            return False
        return self.within(given.time - 60 * SECOND, given.time + seconds * SECOND)

    def authentication_remote_without_channel(self) -> bool | None:
        given = self.request.authentication
        known = {"open": True, "none": False, "managed_channel": False}
        return known.get(given.remote or "") if given is not None else None

    def device_compromised(self) -> bool | None:
        device = self.request.device
        if device is not None and (device.compromised is not None or device.class_ == "workstation"):
            return device.compromised is True
        return None

    def device_managed(self) -> bool:
        return self.request.device is not None and self.request.device.managed is True

    def device_mobile(self) -> bool:
        return self.request.device is not None and self.request.device.class_ in ("tablet", "phone")

    def caller_acts_for(self) -> bool:
        stated = self.request.resource.controller_id or self.controller
        return stated == self.controller and stated in self.caller.controllers

    def caller_hosting_lawful(self) -> bool:
        return self.caller.hds in ("certified", "not_needed")

    # ---- the object and its record

    def resource_expired(self) -> bool | None:
        return self.in_life("expire")

    def resource_archived(self) -> bool | None:
        return self.in_life("archive")

    def resource_frozen(self) -> bool | None:
        return self.in_life("gele")

    def resource_invalidated(self) -> bool | None:
        return self.in_life("invalide")

    def in_life(self, lifecycle: str) -> bool | None:
        """Whether the object is there in its life: as the request says, as the record says, or by its age."""
        stated, states = self.request.resource.lifecycle, [state for _, state in self.states()]
        if lifecycle in (stated, *(state.lifecycle for state in states), self.aged(states)):
            return True
        known = stated in ("brouillon", "actif", "archive", "gele", "expire", "invalide")
        return False if known and self.readable else self.absent("record_state")

    def aged(self, states: list[Any]) -> str:
        """Where its age puts a record; where sources differ, the latest dates count."""
        care = [state.last_care for state in states if state.last_care is not None]
        if not care:
            return ""
        born, died = max(state.birth_date for state in states), max(state.death_date for state in states)
        old, due = retention(max(care), born, died)
        if self.day_has_come(due):
            return "archive" if self.patient_in_litigation() else "expire"
        return "archive" if self.day_has_come(old) else ""

    def patient_in_litigation(self) -> bool | None:
        claims = [self.fresh(fact, "record_state") for fact, state in self.states() if "litige" in state.flags]
        return any(claims) if self.readable else None

    def resource_draft(self) -> bool:
        return self.request.resource.lifecycle == "brouillon"

    def resource_sensitive(self) -> bool | None:
        tags = self.request.resource.tags
        return None if tags is None else len(tags) > 0

    def resource_tagged(self, tag: str) -> bool | None:
        tags = self.request.resource.tags
        return None if tags is None else tag in tags

    def resource_only_tagged(self, *tags: str) -> bool:
        carried = self.request.resource.tags
        return carried is not None and set(carried) <= set(tags)

    def patient_deceased(self) -> bool | None:
        died = any(state.death_date for _, state in self.states())
        return True if died else self.absent("record_state")

    def patient_deceased_since_more_than(self, days: int) -> bool | None:
        deaths = [date.fromisoformat(state.death_date) for _, state in self.states() if state.death_date]
        return self.day_has_come(min(deaths) + timedelta(days=days + 1)) if deaths else self.absent("record_state")

    def patient_flagged(self, *flags: str) -> bool | None:
        carried = {flag for _, state in self.states() for flag in state.flags}
        return True if carried & set(flags) else self.absent("record_state")

    def patient_protected_record(self) -> bool | None:
        return self.patient_flagged(*self.pack["vocabulary"]["protected_flags"])

    # ---- the circumstances

    def context_grant_open(self) -> bool:
        return self.open_grant() is not None

    def context_grant_ended(self) -> bool:
        grant = self.named_grant()
        if grant is None:
            return False
        expired, closed = self.come(grant.until), grant.closed_at is not None and self.come(grant.closed_at)
        return expired or closed

    def context_grant_for_other_patient(self) -> bool:
        grant = self.named_grant()
        return grant is not None and grant.patient_id not in self.names()

    def context_vital_motive(self) -> bool:
        grant = self.open_grant()
        return grant is not None and grant.motive in self.pack["break_glass"]["vital_motives"]

    def context_vital_override(self) -> bool:
        grant, rules = self.open_grant(), self.pack["break_glass"]
        if grant is None or not grant.second_confirmation or not self.setting("vital_override"):
            return False
        return grant.motive in rules["override_motives"] and grant.profile in rules["override_profiles"]

    def context_motive_given(self) -> bool:
        return self.request.context.motive in self.pack["break_glass"]["motives"]

    def context_justified(self) -> bool:
        return self.says_why(self.request.context.motive, self.request.context.justification)

    def says_why(self, motive: str, justification: str) -> bool:
        """A motive of the list, and a text of the right length that is not one letter over and over."""
        rules, text = self.pack["break_glass"], " ".join(justification.split())
        least = rules["justification_free" if motive in rules["free_text_motives"] else "justification_min"]
        letters = {letter for letter in text.casefold() if letter.isalpha()}
        fits = motive in rules["motives"] and least <= len(text) <= rules["justification_max"]
        return fits and (len(letters) >= 5 or least == 0)

    def context_ticket_open(self) -> bool:
        return self.context_has_ref("ticket")

    def context_has_ref(self, name: str) -> bool:
        ref = getattr(self.request.context.refs, name)
        return any(
            relation.kind == REFERENCES[name]
            and relation.ref == ref
            and (not relation.patient_id or relation.patient_id in self.names())
            and relation.subject_id in ("", self.me.id)
            and self.reaches(relation.scope)
            and self.in_window(fact, relation.kind)
            and self.fresh(fact, "relation")
            for fact, relation in self.facts("relation")
            if ref
        )

    def context_touches_workstation(self) -> bool | None:
        workstation = self.request.context.workstation
        return workstation != "none" if workstation else None

    def context_user_agreed(self) -> bool:
        return self.request.context.user_agreement is True

    def context_setting(self, name: str) -> bool:
        return bool(self.setting(name))
