"""The sidecar with one protection off: what the twins of the properties count."""

import os
import signal
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
from msgspec.structs import replace

from sidecar.api import requests
from sidecar.authoring.live import Live
from sidecar.core.bundle import Snapshot
from sidecar.core.change import Stored
from sidecar.core.model import Answer, Grant, Subject
from sidecar.core.policy import PolicySet
from sidecar.core.reading import FactsPage, FactsQuery
from sidecar.core.record import Entry, Recorded, Refused
from sidecar.errors import LedgerUnavailable, NotFound, SidecarError
from sidecar.facts.room import FactsRoom
from sidecar.facts.store import Store
from sidecar.ledger.journal import Journal
from sidecar.ledger.room import LedgerRoom
from sidecar.pdp import Call, Pdp
from tests.ledger.disks import ToldDisk
from tests.ledger.weakened import ForgettingJournal

MOMENT = 0.2  # seconds


def answers_without_a_record() -> None:
    """The ledger room swallows its failure and names a place that does not exist."""
    record = LedgerRoom.record

    def swallowing(self: LedgerRoom, entries: Sequence[Entry], now: int) -> list[Recorded]:
        try:
            return record(self, entries, now)
        except LedgerUnavailable:
            return [Recorded(os.urandom(20).hex(), self.size) for _ in entries]

    LedgerRoom.record = swallowing  # type: ignore[method-assign]


def flushes_as_told() -> None:
    """No protection off: flushes fail, or hang, while the file `disk` beside the journal says so."""
    begin = Journal.__init__

    def told(self: Journal, folder: Path, *given: Any, **settings: Any) -> None:
        begin(self, folder, *given, **settings | {"sync_file": ToldDisk(folder.parent / "disk")})

    Journal.__init__ = told  # type: ignore[method-assign]


def flushes_as_told_and_goes_on() -> None:
    """After a flush that failed the ledger goes on in a fresh file, and takes what was acknowledged for stored."""
    flushes_as_told()
    Journal._resume = ForgettingJournal._resume  # type: ignore[method-assign]


def records_in_memory_alone() -> None:
    """The ledger writes nothing of what need not be durable until it stops."""
    begin = Journal.__init__

    def buffering(self: Journal, *given: Any, **settings: Any) -> None:
        begin(self, *given, **settings | {"buffered": True, "flush_s": 3600.0})

    Journal.__init__ = buffering  # type: ignore[method-assign]
    Journal._write_waiting = lambda self: None  # type: ignore[method-assign]


def dies_between_commit_and_leaf() -> None:
    """Killed when a change is on disk and its leaf is not."""
    _dies_after(FactsRoom, "write")
    _dies_after(FactsRoom, "save_grant")


def dies_between_leaf_and_acknowledgement() -> None:
    """Killed when a change and its leaf are on disk and nobody was told."""
    _dies_after(LedgerRoom, "append_change")


def _dies_after(room: type, name: str) -> None:
    does: Callable[..., Any] = getattr(room, name)

    def dying(*given: Any) -> None:
        does(*given)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(room, name, dying)


def forgets_pending_leaves() -> None:
    """Start-up takes every change for recorded."""
    FactsRoom.pending = lambda self: []  # type: ignore[method-assign]


def reads_any_tenants_patients() -> None:
    """What is known of a patient is looked up in the first tenant, whoever asks."""
    snapshot = FactsRoom.snapshot

    def leaking(self: FactsRoom, tenant: str, controller_id: str, patient_id: str, at_least: int = 0) -> Snapshot:
        return snapshot(self, "left", controller_id, patient_id, 0)

    FactsRoom.snapshot = leaking  # type: ignore[method-assign]


def reads_any_tenants_facts() -> None:
    """Facts are read back from the first tenant, whoever asks."""
    read_facts = FactsRoom.read_facts

    def leaking(self: FactsRoom, tenant: str, controllers: Collection[str], query: FactsQuery) -> FactsPage:
        return read_facts(self, "left", controllers, query)

    FactsRoom.read_facts = leaking  # type: ignore[method-assign]


def finds_any_tenants_grants() -> None:
    """A grant is found by its id alone."""
    grant = FactsRoom.grant

    def leaking(self: FactsRoom, tenant: str, grant_id: str) -> Grant:
        for other in (tenant, "left", "right"):
            with suppress(NotFound):
                return grant(self, other, grant_id)
        raise NotFound(grant_id)

    FactsRoom.grant = leaking  # type: ignore[method-assign]


def finds_any_tenants_requests() -> None:
    """A repeated request is recognised by its id alone."""
    previous = Store.previous

    def leaking(self: Store, tenant: str, caller_id: str, request_id: str) -> Stored | None:
        pairs = ((side, f"dpi-{side}") for side in ("left", "right"))
        return previous(self, tenant, caller_id, request_id) or next(
            filter(None, (previous(self, *pair, request_id) for pair in pairs)), None
        )

    Store.previous = leaking  # type: ignore[method-assign]


def shows_any_tenants_records() -> None:
    """Records are shown of the first tenant, whoever asks."""
    show = LedgerRoom.show
    LedgerRoom.show = lambda self, tenant, query: show(self, "left", query)  # type: ignore[method-assign]


def fills_in_the_account() -> None:
    """An account of which nothing is said is taken for a person's, in force."""
    read = requests._subject

    def generous(said: bytes) -> Subject:
        subject = read(said)
        return replace(subject, account_type=subject.account_type or "nominatif", status=subject.status or "actif")

    requests._subject = generous  # type: ignore[assignment]


def logs_what_it_was_asked() -> None:
    """A log line that quotes the question, in a field that may pass."""
    check = Pdp.check

    def telling(self: Pdp, calls: Sequence[Call | Refused]) -> list[Answer | SidecarError]:
        structlog.get_logger().info("asked", detail=repr(calls))
        return check(self, calls)

    Pdp.check = telling  # type: ignore[method-assign]


def breaks_when_asked() -> None:
    """A fault of our own, whose text quotes the question."""

    def breaking(self: Pdp, calls: Sequence[Call | Refused]) -> list[Answer | SidecarError]:
        raise ValueError(repr(calls))

    Pdp.check = breaking  # type: ignore[method-assign]


def changes_the_policy_in_place() -> None:
    """The policy in force gets its successor's name, then, a moment later, its successor's rules."""
    put_in_force = Live.put_in_force

    def in_place(self: Live, policies: PolicySet) -> None:
        if self.status.ref is not None:
            self.current.ref = policies.ref
            time.sleep(MOMENT)
        put_in_force(self, policies)

    Live.put_in_force = in_place  # type: ignore[method-assign]


WEAKENINGS = {
    weakening.__name__: weakening
    for weakening in (
        answers_without_a_record,
        flushes_as_told,
        flushes_as_told_and_goes_on,
        records_in_memory_alone,
        dies_between_commit_and_leaf,
        dies_between_leaf_and_acknowledgement,
        forgets_pending_leaves,
        reads_any_tenants_patients,
        reads_any_tenants_facts,
        finds_any_tenants_grants,
        finds_any_tenants_requests,
        shows_any_tenants_records,
        fills_in_the_account,
        logs_what_it_was_asked,
        breaks_when_asked,
        changes_the_policy_in_place,
    )
}
