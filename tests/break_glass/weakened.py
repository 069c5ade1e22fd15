"""Emergencies with one protection off: what the twins of the properties show."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from sidecar import breaking_glass
from sidecar.breaking_glass import BreakingGlass
from sidecar.core.bundle import Snapshot
from sidecar.core.evidence import Evidence
from sidecar.core.model import Caller, Decision, Effect, Grant, Request
from sidecar.core.once import once
from sidecar.core.policy import PolicySet
from sidecar.core.record import Checked, Entry, Recorded
from sidecar.keeping import Keeping
from sidecar.ledger.room import LedgerRoom
from tests.break_glass.rooms import Rooms

Patch = pytest.MonkeyPatch


def _open_grant(patch: Patch, reads: Callable[[Evidence], Grant | None]) -> None:
    patch.setattr(Evidence, "open_grant", named := once(reads))
    named.name = "open_grant"


def _own(evidence: Evidence) -> Grant | None:
    grant = evidence.grant
    return grant if grant is not None and grant.profile == evidence.request.subject.profile else None


def a_grant_lasts_for_ever(patch: Patch) -> None:
    """Nobody looks at when a grant ends by itself."""

    def reads(evidence: Evidence) -> Grant | None:
        grant = _own(evidence)
        over = grant is None or grant.patient_id not in evidence.names or grant.closed_at is not None
        return None if over else grant

    _open_grant(patch, reads)


def an_end_changes_nothing(patch: Patch) -> None:
    """A grant that was closed or revoked goes on until its time is over."""

    def reads(evidence: Evidence) -> Grant | None:
        grant = _own(evidence)
        if grant is None or grant.patient_id not in evidence.names:
            return None
        return grant if evidence.holds(grant.opened_at, grant.until) else None

    _open_grant(patch, reads)


def a_grant_is_for_everybody_s_record(patch: Patch) -> None:
    """Nobody looks at whom a grant is for."""

    def reads(evidence: Evidence) -> Grant | None:
        grant = _own(evidence)
        if grant is None or grant.ended:
            return None
        return grant if evidence.holds(grant.opened_at, grant.until) else None

    _open_grant(patch, reads)


def a_grant_is_anybody_s(patch: Patch) -> None:
    """Whoever names a grant has it."""

    def reads(evidence: Evidence) -> Grant | None:
        return evidence.tenant.grants.get(evidence.request.context.grant)

    patch.setattr(Evidence, "grant", named := once(reads))
    named.name = "grant"


def a_grant_opens_whatever_is_asked(patch: Patch) -> None:
    """Under an open grant everything of its patient is permitted."""
    evaluate = PolicySet.evaluate

    def generous(
        self: PolicySet, request: Request, caller: Caller, controller_id: str, snapshot: Snapshot, now: int
    ) -> Decision:
        decision = evaluate(self, request, caller, controller_id, snapshot, now)
        grant = snapshot.tenant.grants.get(request.context.grant)
        own = grant is not None and grant.open_at(now) and grant.subject_id == request.subject.id
        if not own or grant.patient_id != request.resource.patient_id:
            return decision
        return replace(decision, effect=Effect.PERMIT, reason="ALLOW_BREAK_GLASS")

    patch.setattr(PolicySet, "evaluate", generous)


def a_grant_passes_masks(patch: Patch) -> None:
    """What the patient masked is read under a grant."""
    patch.setattr(Evidence, "will", False)


def the_clock_is_believed(patch: Patch) -> None:
    """A clock that moved back gives grants their time again."""
    patch.setattr(BreakingGlass, "clock_went_back", lambda self, before, now: None)


def nobody_is_told(patch: Patch) -> None:
    """A grant is kept without its notices."""
    patch.setattr(breaking_glass, "notices_of", lambda *given: ())


def a_permit_leaves_no_record(patch: Patch) -> None:
    """The record of a check under a grant is dropped, and a place named that does not exist."""
    record = LedgerRoom.record

    def dropping(self: LedgerRoom, entries: list[Entry], now: int) -> list[Recorded]:
        if any(isinstance(entry, Checked) and entry.request.context.grant for entry in entries):
            return [Recorded("00" * 20, self.size) for _ in entries]
        return record(self, entries, now)

    patch.setattr(LedgerRoom, "record", dropping)


def one_reviews_oneself(patch: Patch) -> None:
    """Whoever may review reviews anything."""
    patch.setattr(Grant, "reviewable_by", lambda self, reviewer, strict: True)


def a_verdict_is_forgotten(patch: Patch) -> None:
    """A review is answered and not kept."""
    save = BreakingGlass._save

    def forgetting(self: BreakingGlass, what: Any, *given: Any, **more: Any) -> None:
        if what != "review_grant":
            save(self, what, *given, **more)

    patch.setattr(BreakingGlass, "_save", forgetting)


def a_grant_counts_before_its_leaf(patch: Patch) -> None:
    """A change is shown whether or not the ledger took its leaf."""

    def showing(self: Keeping, stored: Any) -> None:
        if stored.leaf:
            try:
                place = self._ledger.append_change(stored.leaf).index
            except Exception:
                place = 0
            self._facts.acknowledge(stored.change_id, place)

    patch.setattr(Keeping, "_append", showing)


def a_restart_forgets_ends(patch: Patch) -> None:
    """What was closed is open again after a restart."""
    opens = Rooms.open

    def forgetting(self: Rooms) -> None:
        opens(self)
        tenant = self.facts.tenant_facts("default")
        for id_, grant in list(tenant.grants.items()):
            tenant.grants[id_] = replace(grant, ended="", closed_at=None)  # type: ignore[index]

    patch.setattr(Rooms, "open", forgetting)


WEAKENINGS = (
    a_grant_lasts_for_ever,
    an_end_changes_nothing,
    a_grant_is_for_everybody_s_record,
    a_grant_is_anybody_s,
    a_grant_opens_whatever_is_asked,
    a_grant_passes_masks,
    the_clock_is_believed,
    nobody_is_told,
    a_permit_leaves_no_record,
    one_reviews_oneself,
    a_verdict_is_forgotten,
    a_grant_counts_before_its_leaf,
    a_restart_forgets_ends,
)
