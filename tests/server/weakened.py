"""The sidecar with one protection off: what the twins of the properties count."""

import os
import signal
from collections.abc import Callable, Sequence
from typing import Any

from sidecar.core.record import Entry, Recorded
from sidecar.errors import LedgerUnavailable
from sidecar.facts.room import FactsRoom
from sidecar.ledger.room import LedgerRoom


def answers_without_a_record() -> None:
    """The ledger room swallows its failure and names a place that does not exist."""
    record = LedgerRoom.record

    def swallowing(self: LedgerRoom, entries: Sequence[Entry], now: int) -> list[Recorded]:
        try:
            return record(self, entries, now)
        except LedgerUnavailable:
            return [Recorded(os.urandom(20).hex(), self.size) for _ in entries]

    LedgerRoom.record = swallowing  # type: ignore[method-assign]


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


WEAKENINGS = {
    weakening.__name__: weakening
    for weakening in (
        answers_without_a_record,
        dies_between_commit_and_leaf,
        dies_between_leaf_and_acknowledgement,
        forgets_pending_leaves,
    )
}
