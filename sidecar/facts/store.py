"""Changes on disk: rows and pending leaf in one transaction, then the leaf's place in the ledger.

A change is kept in two steps, because it spans this store and the ledger: `write` commits the rows together with
the bytes of the leaf; once the ledger has the leaf, `acknowledge` notes its index. What lacks an index at start
is appended then, and is not visible before.
"""

from collections.abc import Callable, Mapping

import sqlalchemy as sa
from msgspec import Struct

from sidecar.core.bundle import FOREVER, PatientFacts, Snapshot, TenantFacts
from sidecar.core.change import (
    Counts,
    FactsChange,
    GrantChange,
    LeafMaker,
    NoticesChange,
    RequirementChange,
    Stored,
)
from sidecar.core.model import Grant, Request
from sidecar.errors import FactsTooOld, InvalidRequest
from sidecar.facts import past, reads, rows, tables
from sidecar.facts.database import Database
from sidecar.facts.patch import Patch
from sidecar.facts.writes import keep_acknowledgement, keep_facts, keep_grant

_changes, _sequence = tables.changes.c, tables.sequence.c


class Pending(Struct, frozen=True):
    """A change whose leaf the ledger has not acknowledged. `patch` is None when an earlier process made it."""

    change_id: str
    tenant: str
    seq: int
    leaf: bytes
    patch: Patch | None


class Store:
    """The facts of every tenant, on disk."""

    def __init__(self, database: Database, required: Mapping[str, tuple[str, ...]]) -> None:
        """`required` names, for each kind of fact, the sources that must report it."""
        self._database, self._required = database, required

    def previous(self, tenant: str, caller_id: str, request_id: str) -> Stored | None:
        """What became of an earlier request of this id, if there was one. Raises FactsUnavailable."""
        with self._database.reading() as connection:
            return _previous(connection, tenant, caller_id, request_id)

    def write(self, change: FactsChange, leaf: LeafMaker) -> tuple[Stored, Patch | None]:
        """Keep a change of facts and its pending leaf; the patch is None when the request was kept before.

        Raises InvalidRequest when a key is named twice or the request id was used for something else,
        FactsUnavailable when nothing could be kept.
        """
        _check_keys(change)
        row = {"controller_id": change.controller_id, "what": "write_facts", "grant_id": ""}
        return self._keep(change, row, leaf, lambda tx, seq, at: keep_facts(tx, change, seq, at))

    def save_grant(self, change: GrantChange, leaf: LeafMaker) -> tuple[Stored, Patch | None]:
        """Keep a grant as it stands from now on, and its pending leaf; otherwise as `write`."""
        row = {"controller_id": change.grant.controller_id, "what": change.what, "grant_id": change.grant.id}
        return self._keep(change, row, leaf, lambda tx, seq, at: keep_grant(tx, change, seq, at))

    def acknowledge_notices(self, change: NoticesChange, leaf: LeafMaker) -> tuple[Stored, Patch | None]:
        """Keep that notices are known, and the pending leaf; otherwise as `write`."""
        row = {"controller_id": "", "what": "acknowledge_notices", "grant_id": ""}
        return self._keep(change, row, leaf, lambda tx, seq, at: keep_acknowledgement(tx, change, seq, at))

    def has(self, change_id: str) -> bool:
        """Whether a change of this id is kept. Raises FactsUnavailable."""
        with self._database.reading() as connection:
            found = sa.select(_changes.change_id).where(_changes.change_id == change_id)
            return connection.execute(found).one_or_none() is not None

    def note_required(self, change: RequirementChange, leaf: LeafMaker) -> tuple[Stored, Patch | None]:
        """Keep which sources must report each kind from now on, and the pending leaf; otherwise as `write`."""

        def keep(tx: sa.Connection, seq: int, at: int) -> tuple[Counts, Patch]:
            _note(tx, change.tenant, seq, change.sources)
            return (0, 0, 0), Patch(change.tenant, seq, at)

        return self._keep(change, {"controller_id": "", "what": "require_sources", "grant_id": ""}, leaf, keep)

    def required(self, tenant: str) -> dict[str, tuple[str, ...]]:
        """The sources noted last; for a store that never noted any, those that must report now, noted by this.

        Raises FactsUnavailable.
        """
        with self._database.writing() as tx:
            noted = reads.required(tx, tenant, FOREVER)
            if noted is None:
                noted = dict(self._required)
                _note(tx, tenant, 0, noted)
            return noted

    def acknowledge(self, change_id: str, index: int) -> None:
        """Note the place of a change's leaf in the ledger. Raises FactsUnavailable."""
        with self._database.writing() as tx:
            # The ledger keeps the leaf from here, and erases it by erasing its key: no copy stays behind.
            tx.execute(
                sa.update(tables.changes).where(_changes.change_id == change_id).values(leaf_index=index, leaf=None)
            )

    def pending(self) -> list[Pending]:
        """The changes whose leaf was not acknowledged, oldest first. Raises FactsUnavailable."""
        statement = (
            sa.select(_changes.change_id, _changes.tenant, _changes.seq, _changes.leaf)
            .where(_changes.leaf_index.is_(None))
            .order_by(_changes.recorded_at, _changes.tenant, _changes.seq)
        )
        with self._database.reading() as connection:
            return [Pending(*row, patch=None) for row in connection.execute(statement)]

    def tenant_facts(self, tenant: str) -> TenantFacts:
        """A whole tenant beside its patients, as of its last acknowledged change. Raises FactsUnavailable."""
        with self._database.reading() as connection:
            return reads.tenant_facts(connection, tenant, reads.visible(connection, tenant), self._required)

    def patient(self, tenant: str, controller_id: str, patient_id: str, at: int) -> PatientFacts:
        """A whole patient as of sequence `at`. Raises FactsUnavailable."""
        with self._database.reading() as connection:
            return reads.patient(connection, tenant, controller_id, patient_id, at)

    def grant(self, tenant: str, grant_id: str) -> Grant | None:
        """The grant of an id, however long ago it ended. Raises FactsUnavailable."""
        with self._database.reading() as connection:
            return reads.grant(connection, tenant, grant_id, reads.visible(connection, tenant))

    def past(self, tenant: str, controller_id: str, patient_id: str, request: Request, at: int) -> Snapshot:
        """What this question could see at sequence `at`. Raises FactsTooOld for one not reached, FactsUnavailable."""
        with self._database.reading() as connection:
            visible = reads.visible(connection, tenant)
            if at > visible:
                raise FactsTooOld(f"the facts are at sequence {visible}, and {at} was asked for")
            return past.snapshot(connection, tenant, controller_id, patient_id, request, at, self._required)

    def latest(self) -> int:
        """The latest instant a change was recorded at; 0 before any. Raises FactsUnavailable."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(sa.func.max(_sequence.recorded_at))).scalar() or 0

    def tenants(self) -> list[str]:
        """Every tenant that ever had a change. Raises FactsUnavailable."""
        with self._database.reading() as connection:
            return list(connection.execute(sa.select(_sequence.tenant).order_by(_sequence.tenant)).scalars())

    def _keep(
        self,
        change: FactsChange | GrantChange | NoticesChange | RequirementChange,
        row: dict[str, str],
        leaf: LeafMaker,
        keep: Callable[[sa.Connection, int, int], tuple[Counts, Patch]],
    ) -> tuple[Stored, Patch | None]:
        with self._database.writing() as tx:
            previous = _previous(tx, change.tenant, change.caller_id, change.request_id)
            if previous is not None and previous.digest != change.digest:
                raise InvalidRequest("request_id", "already used for another change")
            if previous is not None:
                return previous, None
            seq, at = _next(tx, change.tenant, change.now)
            if seq == 1:
                _note(tx, change.tenant, 0, self._required)
            counts, patch = keep(tx, seq, at)
            stored = Stored(change.change_id, seq, *counts, change.digest, leaf(seq, counts), row["grant_id"])
            tx.execute(
                sa.insert(tables.changes),
                {
                    **row,
                    "change_id": change.change_id,
                    "tenant": change.tenant,
                    "seq": seq,
                    "caller_id": change.caller_id,
                    "request_id": change.request_id or None,
                    "digest": change.digest,
                    "changed": stored.changed,
                    "unchanged": stored.unchanged,
                    "retracted": stored.retracted,
                    "recorded_at": at,
                    "leaf": stored.leaf,
                },
            )
            return stored, patch


def _check_keys(change: FactsChange) -> None:
    """Refuse a request that says two things of one fact: which one stands would depend on their order."""
    keys: set[tuple[str, str, str]] = set()
    for index, fact in enumerate(change.facts):
        key = (fact.controller_id or change.controller_id, fact.source, fact.id)
        if key in keys:
            raise InvalidRequest(f"facts[{index}].id", "named twice in one request")
        keys.add(key)
    for index, retraction in enumerate(change.retract):
        if (change.controller_id, retraction.source, retraction.id) in keys:
            raise InvalidRequest(f"retract[{index}].id", "written and retracted in one request")


def _note(tx: sa.Connection, tenant: str, seq: int, sources: Mapping[str, tuple[str, ...]]) -> None:
    row = {"tenant": tenant, "seq": seq, "sources": rows.sources_body(sources)}
    tx.execute(sa.insert(tables.requirements), row)


def _previous(tx: sa.Connection, tenant: str, caller_id: str, request_id: str) -> Stored | None:
    if not request_id:
        return None
    found = tx.execute(
        sa.select(tables.changes).where(
            _changes.tenant == tenant, _changes.caller_id == caller_id, _changes.request_id == request_id
        )
    ).one_or_none()
    if found is None:
        return None
    return Stored(
        change_id=found.change_id,
        seq=found.seq,
        changed=found.changed,
        unchanged=found.unchanged,
        retracted=found.retracted,
        digest=found.digest,
        leaf=found.leaf or b"",
        grant_id=found.grant_id,
        repeated=True,
    )


def _next(tx: sa.Connection, tenant: str, now: int) -> tuple[int, int]:
    """The tenant's next sequence number and its instant, which never goes back when the clock does."""
    last = tx.execute(sa.select(tables.sequence).where(_sequence.tenant == tenant).with_for_update()).one_or_none()
    if last is None:
        tx.execute(sa.insert(tables.sequence), {"tenant": tenant, "seq": 1, "recorded_at": now})
        return 1, now
    seq, at = last.seq + 1, max(now, last.recorded_at)
    tx.execute(sa.update(tables.sequence).where(_sequence.tenant == tenant).values(seq=seq, recorded_at=at))
    return seq, at
