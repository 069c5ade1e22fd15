"""Everything the corridors ask of the facts: what is known now, and how that changes."""

import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sidecar.core.bundle import FOREVER, Snapshot, TenantFacts
from sidecar.core.change import FactsChange, GrantChange, LeafMaker, NoticesChange, RequirementChange, Stored
from sidecar.core.model import KINDS, Grant, Request
from sidecar.core.reading import FactsPage, FactsQuery
from sidecar.errors import FactsTooOld, FactsUnavailable, InvalidRequest, NotFound
from sidecar.facts import pages, reads
from sidecar.facts.database import Database, open_database
from sidecar.facts.grants import Grants, ran_out
from sidecar.facts.held import HeldChanges
from sidecar.facts.patch import Patch, held_grants
from sidecar.facts.store import Pending, Store
from sidecar.facts.tokens import Tokens, token_key
from sidecar.facts.view import View

PAGE = 100
LARGEST_PAGE = 1000
# A store that cannot be written makes whoever asks wait; what is held is offered to it again after this long.
TRY_AGAIN_SECONDS = 5.0


class FactsRoom:
    """What is known of every tenant, on disk and in memory.

    A change is written with its pending leaf, appended to the ledger by the corridor, then acknowledged; only then
    does anybody see it, and only after every earlier change of its tenant.
    """

    def __init__(
        self,
        database: Database,
        tokens: Tokens,
        required: Mapping[str, tuple[str, ...]],
        patients: int,
        held: HeldChanges,
    ) -> None:
        """`required` names the sources that must report each kind; `patients` bounds those in memory of each tenant.

        `held` are the changes of grants that the store could not take.
        """
        self._database, self._tokens = database, tokens
        self.required = required
        self._store = Store(database, required)
        self.grants = Grants(database, tokens)
        self._view = View(self._store, patients, lambda tenant: _nothing(tenant, required))
        self._changing = threading.RLock()
        self._held, self._try_again_at = held, 0.0
        self._pending: dict[str, Pending] = {}
        self._acknowledged: set[str] = set()  # those of `_pending` that wait for an earlier one
        self._to_note: list[str] = []
        self._last_token: dict[str, tuple[int, str]] = {}

    def start(self) -> None:
        """Load every tenant, and the changes an earlier process left without their leaf. Raises FactsUnavailable."""
        self._pending = {change.change_id: change for change in self._store.pending()}
        for tenant in self._store.tenants():
            self._view.tenant_facts(tenant)
            if self._store.required(tenant) != self.required:
                self._to_note.append(tenant)

    def close(self) -> None:
        """Close the store and let another process have the folder."""
        self._database.close()

    # ---- what is known

    def snapshot(self, tenant: str, controller_id: str, patient_id: str, at_least: int = 0) -> Snapshot:
        """What is known now, at least as fresh as sequence `at_least`. Raises FactsTooOld.

        `patient` is None when the store cannot be read; an empty `patient_id` gives an empty bundle.
        """
        return self._view.snapshot(tenant, controller_id, patient_id, at_least)

    def tenant_facts(self, tenant: str) -> TenantFacts:
        """What is known of a tenant beside its patients; nothing when the store cannot be read."""
        return self._view.tenant_facts(tenant)

    def grant(self, tenant: str, grant_id: str) -> Grant:
        """A grant as it stands, however long ago it ended. Raises NotFound, FactsUnavailable."""
        held = self._view.tenant_facts(tenant).grants.get(grant_id) or self._store.grant(tenant, grant_id)
        if held is None:
            raise NotFound(f"no grant `{grant_id}`")
        return held

    def read_facts(self, tenant: str, controllers: Collection[str], query: FactsQuery) -> FactsPage:
        """The facts of these controllers that match, as they stand or stood, a page at a time.

        Raises InvalidRequest for a token or a page size that cannot be used, FactsTooOld for a token of a
        sequence that is not reached, FactsUnavailable.
        """
        if query.as_of_token and query.as_of is not None:
            raise InvalidRequest("as_of", "give `as_of` or `as_of_token`, not both")
        if not 0 <= query.page_size <= LARGEST_PAGE:
            raise InvalidRequest("page_size", f"from 1 to {LARGEST_PAGE}")
        if len(query.ids) > reads.CHUNK:
            raise InvalidRequest("ids", f"{reads.CHUNK} at most")
        if len(query.kinds) > len(KINDS):
            raise InvalidRequest("kinds", f"{len(KINDS)} at most")
        named = {query.controller_id} & set(controllers) if query.controller_id else set(controllers)
        with self._database.reading() as connection:
            visible = reads.visible(connection, tenant)
            at, after_row = visible, 0
            if query.page_token:
                at, after_row = self._tokens.read("page", tenant, query.page_token, "page_token")
            elif query.as_of_token:
                at, _ = self._tokens.read("sequence", tenant, query.as_of_token, "as_of_token")
            elif query.as_of is not None:
                at = min(visible, reads.sequence_at(connection, tenant, query.as_of))
            if at > visible:
                raise FactsTooOld(f"the facts are at sequence {visible}, and {at} was asked for")
            page = pages.page(connection, tenant, named, query, at, visible, after_row, query.page_size or PAGE)
            marks = pages.watermarks(connection, tenant, named, at)
        following = self._tokens.make("page", tenant, at, page.last_row) if page.last_row else ""
        return FactsPage(page.versions, following, self.token(tenant, at), marks)

    def past(self, tenant: str, controller_id: str, patient_id: str, request: Request, at: int) -> Snapshot:
        """What this question could see at sequence `at`, from the store.

        Raises FactsTooOld for a sequence that is not reached, as after an old copy was put back; FactsUnavailable.
        """
        return self._store.past(tenant, controller_id, patient_id, request, at)

    def ready(self) -> tuple[bool, str]:
        """Whether the store can be read, and what is wrong when it cannot."""
        try:
            self._store.tenants()
        except FactsUnavailable as fault:
            return False, str(fault)
        return True, ""

    def latest(self) -> int:
        """The latest instant a change was recorded at, of any tenant. Raises FactsUnavailable."""
        return self._store.latest()

    # ---- consistency tokens

    def token(self, tenant: str, seq: int) -> str:
        """The consistency token of a sequence."""
        last = self._last_token.get(tenant)
        if last is not None and last[0] == seq:
            return last[1]
        token = self._tokens.make("sequence", tenant, seq)
        self._last_token[tenant] = (seq, token)
        return token

    def sequence(self, tenant: str, token: str) -> int:
        """The sequence a token names. Raises InvalidRequest for one this sidecar did not give to this tenant."""
        return self._tokens.read("sequence", tenant, token, "context.consistency_token")[0]

    # ---- changes

    @contextmanager
    def changing(self) -> Iterator[None]:
        """One change at a time, from settling what is pending to the acknowledgement."""
        with self._changing:
            yield

    def pending(self) -> list[tuple[str, bytes]]:
        """The changes whose leaf was not acknowledged, oldest first: id and leaf."""
        with self._changing:
            return [(id_, change.leaf) for id_, change in self._pending.items() if id_ not in self._acknowledged]

    def previous(self, tenant: str, caller_id: str, request_id: str) -> Stored | None:
        """What became of an earlier request of this id, if there was one. Raises FactsUnavailable."""
        return self._store.previous(tenant, caller_id, request_id)

    def write(self, change: FactsChange, leaf: LeafMaker) -> Stored:
        """Keep a change of facts and its pending leaf, on disk; visible once acknowledged.

        The same request id and digest again gives what became of the first, `repeated`. Raises InvalidRequest
        when a key is named twice or the request id was used for something else; FactsUnavailable when nothing
        could be kept.
        """
        with self._changing:
            return self._waiting(change.tenant, *self._store.write(change, leaf))

    def save_grant(self, change: GrantChange, leaf: LeafMaker) -> Stored:
        """Keep a grant as it stands from now on, its notices, and its pending leaf; otherwise as `write`."""
        with self._changing:
            return self._waiting(change.tenant, *self._store.save_grant(change, leaf))

    def acknowledge_notices(self, change: NoticesChange, leaf: LeafMaker) -> Stored:
        """Keep that notices are known, and the pending leaf; otherwise as `write`."""
        with self._changing:
            return self._waiting(change.tenant, *self._store.acknowledge_notices(change, leaf))

    def ran_out(self, now: int) -> list[Grant]:
        """The grants whose time is past at `now` and whose end is not kept yet, of every tenant in memory."""
        return [grant for facts in self._view.held() for grant in ran_out(facts, now)]

    def not_ended(self) -> list[Grant]:
        """The grants whose end is not kept yet, of every tenant in memory."""
        return self.ran_out(FOREVER)

    # ---- grants that the store cannot take

    def hold(self, change: GrantChange, leaf: bytes) -> None:
        """Keep a change of a grant beside the store, which cannot be written, on disk. Raises FactsUnavailable."""
        with self._changing:
            self._held.add(change, leaf)

    def show_held(self, change_id: str) -> None:
        """Take note that the leaf of a change that is held is in the ledger: the change becomes visible."""
        with self._changing:
            change = self._held.show(change_id).change
            self._show_beside(change.tenant, change.now)

    def held(self) -> list[tuple[GrantChange, bytes, bool]]:
        """The changes that are held beside the store, their leaves, and whether they count yet; oldest first."""
        return [(held.change, held.leaf, held.shown) for held in self._held.changes.values()]

    def store_held(self, change_id: str, leaf: bytes) -> None:
        """Keep a change that was held in the store, its leaf pending as any other's. Raises FactsUnavailable."""
        with self._changing:
            change = self._held.changes[change_id].change
            if time.monotonic() < self._try_again_at:
                raise FactsUnavailable("the facts store could not be written a moment ago")
            try:
                if not self._store.has(change_id):
                    self._waiting(change.tenant, *self._store.save_grant(change, lambda seq, counts: leaf))
            except FactsUnavailable:
                self._try_again_at = time.monotonic() + TRY_AGAIN_SECONDS
                raise
            self._held.drop(change_id)
            self._show_beside(change.tenant, change.now)

    def _show_beside(self, tenant: str, now: int) -> None:
        waiting = [held.change for held in self._held.changes.values() if held.shown]
        self._view.show_beside(tenant, tuple(each.grant for each in waiting if each.tenant == tenant), now)

    # ---- the sources that must report

    def to_note(self) -> list[str]:
        """The tenants of which other sources are noted than those that must report now."""
        return list(self._to_note)

    def note_required(self, change: RequirementChange, leaf: LeafMaker) -> Stored:
        """Keep which sources must report each kind from now on, and the pending leaf; otherwise as `write`."""
        with self._changing:
            stored = self._waiting(change.tenant, *self._store.note_required(change, leaf))
            self._to_note.remove(change.tenant)
            return stored

    def acknowledge(self, change_id: str, index: int) -> None:
        """Take note that the leaf of a change is in the ledger, at `index`: the change becomes visible.

        Raises FactsUnavailable; the change is pending still.
        """
        with self._changing:
            change = self._pending.get(change_id)
            if change is None:
                return
            self._store.acknowledge(change_id, index)
            self._acknowledged.add(change_id)
            for waiting in [other for other in self._pending.values() if other.tenant == change.tenant]:
                if waiting.change_id not in self._acknowledged:
                    break
                self._show(waiting)

    def _waiting(self, tenant: str, stored: Stored, patch: Patch | None) -> Stored:
        if patch is not None:
            self._pending[stored.change_id] = Pending(stored.change_id, tenant, stored.seq, stored.leaf, patch)
        return stored

    def _show(self, change: Pending) -> None:
        del self._pending[change.change_id]
        self._acknowledged.discard(change.change_id)
        if change.patch is None:
            self._view.forget(change.tenant)
        else:
            self._view.apply(change.patch)


def open_room(
    folder: Path,
    required: Mapping[str, tuple[str, ...]],
    patients: int = 50_000,
    random: Callable[[int], bytes] = os.urandom,
) -> FactsRoom:
    """The facts of a data folder, migrated and loaded.

    Raises ConfigFault when the folder cannot be used, FactsUnavailable when what is there cannot be read.
    """
    database = open_database(folder)
    try:
        tokens, held = Tokens(token_key(folder / "token.key", random)), HeldChanges(folder)
        room = FactsRoom(database, tokens, required, patients, held)
        room.start()
    except BaseException:
        database.close()
        raise
    return room


def _nothing(tenant: str, required: Mapping[str, tuple[str, ...]]) -> TenantFacts:
    return TenantFacts(
        tenant=tenant,
        seq=0,
        assignments={},
        delegations={},
        contracts={},
        refs={},
        watermarks={},
        required=required,
        **held_grants((), 0),
    )
