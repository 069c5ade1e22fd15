"""What every change of what we know has in common: the row and its pending leaf, then the leaf, then the light."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from sidecar.core.bundle import Snapshot
from sidecar.core.change import FactsChange, GrantChange, LeafMaker, NoticesChange, RequirementChange, Stored
from sidecar.core.model import Caller, Grant, PolicyRef
from sidecar.core.notices import Notice
from sidecar.core.policy import PolicySet
from sidecar.core.reading import EventsPage, EventsQuery, GrantsPage, GrantsQuery
from sidecar.core.record import Changed, Entry, Recorded
from sidecar.errors import FactsUnavailable, InvalidRequest, PermissionDenied

ITSELF = "dpi-sidecar"  # who made a change that no caller asked for


class InForce(Protocol):
    """What names the policy in force."""

    @property
    def ref(self) -> PolicyRef | None:
        """None when none is."""


class Policies(Protocol):
    """What the corridor needs of the authoring room."""

    @property
    def current(self) -> PolicySet:
        """The policy set in force. Raises PolicyUnavailable."""

    @property
    def status(self) -> InForce:
        """Names the policy in force."""

    def put_in_force(self, policies: PolicySet) -> None:
        """Answer by this policy set from now on."""


class Grants(Protocol):
    """What the corridor needs of the grants and notices on disk. Every method raises FactsUnavailable."""

    def page(self, tenant: str, controllers: Sequence[str], query: GrantsQuery, now: int) -> GrantsPage:
        """The grants of these controllers that match. Raises InvalidRequest."""

    def events(self, tenant: str, controllers: Sequence[str], query: EventsQuery) -> EventsPage:
        """The notices after a cursor, in the order they were committed. Raises InvalidRequest."""

    def notices(self, tenant: str, grant_id: str) -> tuple[Notice, ...]:
        """Every notice of a grant, in the order they were committed."""

    def named_notices(self, tenant: str, ids: Sequence[str]) -> tuple[Notice, ...]:
        """The notices of these ids that there are, in the order they were committed."""


class Facts(Protocol):
    """What the corridor needs of the facts room."""

    @property
    def grants(self) -> Grants:
        """Grants and notices on disk."""

    def changing(self) -> AbstractContextManager[None]:
        """One change at a time, from settling to acknowledgement."""

    def pending(self) -> list[tuple[str, bytes]]:
        """(change id, leaf) of changes on disk whose leaf was not acknowledged, oldest first."""

    def previous(self, tenant: str, caller_id: str, request_id: str) -> Stored | None:
        """What became of the request of this id, if it was kept."""

    def write(self, change: FactsChange, leaf: LeafMaker) -> Stored:
        """Keep a change and its pending leaf in one transaction. Raises InvalidRequest, FactsUnavailable."""

    def save_grant(self, change: GrantChange, leaf: LeafMaker) -> Stored:
        """The same for a grant and its notices."""

    def acknowledge_notices(self, change: NoticesChange, leaf: LeafMaker) -> Stored:
        """The same for notices that are known."""

    @property
    def required(self) -> Mapping[str, tuple[str, ...]]:
        """The sources that must report each kind of fact."""

    def to_note(self) -> list[str]:
        """The tenants of which other sources are noted."""

    def note_required(self, change: RequirementChange, leaf: LeafMaker) -> Stored:
        """The same for the sources that must report from now on."""

    def acknowledge(self, change_id: str, index: int) -> None:
        """The leaf is on disk at `index`: from now the change is visible. Raises FactsUnavailable."""

    def hold(self, change: GrantChange, leaf: bytes) -> None:
        """Keep a change of a grant beside the store, which cannot be written. Raises FactsUnavailable."""

    def show_held(self, change_id: str) -> None:
        """The leaf of a change that is held is on disk: from now it is visible."""

    def held(self) -> list[tuple[GrantChange, bytes, bool]]:
        """The changes that are held beside the store, their leaves, and whether they count yet; oldest first."""

    def store_held(self, change_id: str, leaf: bytes) -> None:
        """Keep a change that was held, in the store, its leaf pending. Raises FactsUnavailable."""

    def grant(self, tenant: str, grant_id: str) -> Grant:
        """The grant as it stands. Raises NotFound, FactsUnavailable."""

    def ran_out(self, now: int) -> list[Grant]:
        """The grants whose time is past and whose end is not kept yet, of every tenant."""

    def not_ended(self) -> list[Grant]:
        """The grants whose end is not kept yet, of every tenant."""

    def snapshot(self, tenant: str, controller_id: str, patient_id: str, at_least: int = 0) -> Snapshot:
        """What is known now."""

    def token(self, tenant: str, seq: int) -> str:
        """The consistency token of a sequence."""


class Ledger(Protocol):
    """What the corridor needs of the ledger room."""

    @property
    def origin(self) -> str:
        """The name of this sidecar's ledger."""

    def record(self, entries: Sequence[Entry], now: int) -> list[Recorded]:
        """Keep these entries with one write. Raises LedgerUnavailable."""

    def change_leaf(self, entry: Changed, now: int) -> bytes:
        """The bytes of a change's leaf; nothing is written."""

    def append_change(self, leaf: bytes) -> Recorded:
        """Append a change's leaf; it is on disk on return. Raises LedgerUnavailable."""

    def change_recorded(self, leaf: bytes) -> Recorded | None:
        """Where this pending leaf already stands, if it does."""


class Keeping:
    """The rooms a change goes through, and how."""

    def __init__(
        self, policies: Policies, facts: Facts, ledger: Ledger, clock: Callable[[], int], ids: Callable[[], str]
    ) -> None:
        """`clock` gives the instant in microseconds; `ids` gives names nobody can guess, for changes and grants."""
        self._policies, self._facts, self._ledger = policies, facts, ledger
        self._clock, self._ids = clock, ids

    def _settle(self) -> None:
        """Finish what was interrupted: what was held goes to the store, and every change gets its leaf."""
        self._store_held()
        for change_id, leaf in self._facts.pending():
            place = self._ledger.change_recorded(leaf) or self._ledger.append_change(leaf)
            self._facts.acknowledge(change_id, place.index)

    def _store_held(self) -> None:
        """Give the store what it could not take; while it cannot, what an earlier process held counts all the same."""
        try:
            for change, leaf, _ in self._facts.held():
                self._facts.store_held(change.change_id, leaf)
        except FactsUnavailable:
            for change, leaf, shown in self._facts.held():
                if not shown:
                    if self._ledger.change_recorded(leaf) is None:
                        self._ledger.append_change(leaf)
                    self._facts.show_held(change.change_id)
            raise

    def _append(self, stored: Stored) -> None:
        if stored.leaf:
            self._facts.acknowledge(stored.change_id, self._ledger.append_change(stored.leaf).index)

    def _token(self, caller: Caller, controller_id: str) -> str:
        """The consistency token of what is known now."""
        return self._facts.token(caller.tenant, self._facts.snapshot(caller.tenant, controller_id, "").tenant.seq)


def controller_of(caller: Caller, controller_id: str, field: str) -> str:
    """The controller a caller speaks of: the one it names, or its only one.

    Raises InvalidRequest when that is not settled, PermissionDenied when the caller does not act for it.
    """
    if not controller_id:
        if len(caller.controllers) != 1:
            raise InvalidRequest(field, "required: the caller acts for several controllers, or for none")
        return caller.controllers[0]
    if controller_id not in caller.controllers:
        raise PermissionDenied(f"{field}: the caller does not act for this controller")
    return controller_id


def digest(value: object) -> str:
    """SHA-256 of the canonical bytes of a request, hexadecimal."""
    return hashlib.sha256(msgspec.msgpack.encode(value)).hexdigest()
