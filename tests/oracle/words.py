"""Every word a rule may use (3.0.8), worked out from raw facts each time it is asked: no index, no memory.

True, False, or None: unknown. A ground that nothing says is False; a restriction that nothing says is unknown
unless it is known absent (3.0.1).
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from sidecar.core.model import Directive
from tests.oracle.days import SECOND, retention
from tests.oracle.junk import is_junk
from tests.oracle.others import Others

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
        "resource.hidden_from_patient",
        "resource.hidden_from_representative",
        "subject.over_volume",
        "subject.denied_too_often",
        "patient.blocked_subject",
        "patient.opposed_to_subject",
        "patient.deceased",
        "patient.deceased_since_more_than",
        "patient.flagged",
        "patient.protected_record",
    )
)
REFERENCES = {"ticket": "REL_TICKET", "case": "REL_CASE", "research": "REL_RESEARCH", "request": "REL_REQUEST"}


def any_of(*said: bool | None) -> bool | None:
    """Kleene's or."""
    return True if True in said else None if None in said else False


class Words(Others):
    """The words over one reading of the world."""

    def ask(self, word: str, arguments: tuple[str | int, ...] = ()) -> bool | None:
        """What a word says here; an unknown one is noted, and is absent where a lenient reading says so."""
        said = getattr(self, word.replace(".", "_"))(*arguments)
        if said is None:
            if word not in self.unsaid:
                self.unsaid.append(word)
            if self.lenient and word in RESTRICTIONS:
                return False
        return bool(said) if said is not None else None

    # ---- the patient's will

    def resource_masked_for_subject(self) -> bool | None:
        return self.willed(self.masked)

    def patient_blocked_subject(self) -> bool | None:
        return self.willed(self.blocked)

    def patient_opposed_to_subject(self) -> bool | None:
        return self.willed(self.opposed)

    def resource_hidden_from_representative(self) -> bool | None:
        asked, secret = self.request.resource, self.pack["vocabulary"]["secret_tags"]
        stated = "INVISIBLE_REPRESENTANTS_LEGAUX" in (asked.visibility or ()) or set(asked.tags or ()) & set(secret)
        if stated and self.will:
            return True
        unheard = None if asked.visibility is None or not self.readable else False
        doubts = (self.absent("directive") if unheard is None else False, None if asked.tags is None else False)
        return any_of(self.directed("visibility", self.me.id), *doubts)

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
        spared = {who, *self.units(who)}  # all but the unit that wrote it (3.1.5)
        if spared.intersection(directive.except_) or mode not in (directive.modes or (mode,)):
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
        if lifecycle in (stated, *(state.lifecycle for state in states)) or lifecycle == self.aged(states):
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
        return bool(grant.ended) or expired or closed

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

    def context_single_factor_allowed(self) -> bool:
        rules, grant = self.pack["break_glass"], self.open_grant()
        if self.request.action == rules["action"]:
            listed = self.request.context.motive in rules.get("single_factor_motives", ())
        else:
            listed = grant is not None and "single_factor" in grant.alerts
        return listed and bool(self.setting("bg_single_factor"))

    def context_blocked_override(self) -> bool:
        grant, rules = self.open_grant(), self.pack["break_glass"]
        listed = grant is not None and grant.motive in rules.get("blocked_motives", ())
        return listed and self.setting("blocked_bg") == "alert_allow"

    def context_motive_given(self) -> bool:
        return self.request.context.motive in self.pack["break_glass"]["motives"]

    def context_justified(self) -> bool:
        return self.says_why(self.request.context.motive, self.request.context.justification)

    def says_why(self, motive: str, justification: str) -> bool:
        """A motive of the list, and a text of the right length that is not plainly junk."""
        rules, text = self.pack["break_glass"], " ".join(justification.split())
        least = rules["justification_free" if motive in rules["free_text_motives"] else "justification_min"]
        fits = motive in rules["motives"] and least <= len(text) <= rules["justification_max"]
        return fits and (least == 0 or not is_junk(text))

    def context_ticket_open(self) -> bool:
        return self.context_has_ref("ticket")

    def context_has_ref(self, name: str) -> bool:
        return self.known_reference(REFERENCES[name], getattr(self.request.context.refs, name))

    def context_touches_workstation(self) -> bool | None:
        workstation = self.request.context.workstation
        return workstation != "none" if workstation else None

    def context_user_agreed(self) -> bool:
        return self.request.context.user_agreement is True

    def context_setting(self, name: str) -> bool:
        return bool(self.setting(name))
