"""One question, from request to recorded answer."""

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from sidecar.core.bundle import Snapshot
from sidecar.core.model import Answer, Caller, Decision, Effect, ItemFault, PolicyRef, Request
from sidecar.core.policy import PolicySet
from sidecar.core.record import Checked, CheckedBatch, Entry, Recorded, Refused
from sidecar.errors import InvalidRequest, SidecarError


class Call(Struct, frozen=True):
    """A question and the system that asks it."""

    request: Request
    caller: Caller


class Facts(Protocol):
    """What the corridor needs of the facts room."""

    def snapshot(self, tenant: str, controller_id: str, patient_id: str, at_least: int = 0) -> Snapshot:
        """What is known now, at least as fresh as sequence `at_least`. Raises FactsTooOld.

        `patient` is None when the store cannot be read; an empty `patient_id` gives an empty bundle.
        """

    def token(self, tenant: str, seq: int) -> str:
        """The consistency token of a sequence."""

    def sequence(self, tenant: str, token: str) -> int:
        """The sequence a token names. Raises InvalidRequest for one this sidecar did not give to this tenant."""


class Policies(Protocol):
    """What the corridor needs of the authoring room."""

    @property
    def current(self) -> PolicySet:
        """The policy set in force. Raises PolicyUnavailable."""


class Ledger(Protocol):
    """What the corridor needs of the ledger room."""

    @property
    def origin(self) -> str:
        """The name of this sidecar's ledger."""

    def record(self, entries: Sequence[Entry], now: int) -> list[Recorded]:
        """Keep these entries with one write, in order, before anything is answered. Raises LedgerUnavailable."""


class Pdp:
    """Answers questions and leaves their records in the ledger, with one write for all."""

    def __init__(
        self, policies: Policies, facts: Facts, ledger: Ledger, clock: Callable[[], int], ticks: Callable[[], int]
    ) -> None:
        """`clock` gives the instant in microseconds, `ticks` nanoseconds for durations."""
        self._policies, self._facts, self._ledger = policies, facts, ledger
        self._clock, self._ticks = clock, ticks

    def check(self, calls: Sequence[Call | Refused]) -> list[Answer | SidecarError]:
        """Answer these questions; a refused call is recorded among them and gets its error back unchanged."""
        raise NotImplementedError
