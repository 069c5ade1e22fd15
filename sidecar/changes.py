"""Every change of what we know: check it, record it, store it, and only then let it be seen."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from sidecar.core.bundle import Snapshot
from sidecar.core.change import Counts, FactsChange, GrantChange, LeafMaker, RequirementChange, Stored
from sidecar.core.model import (
    Answer,
    Caller,
    Context,
    Fact,
    Grant,
    Opening,
    PolicyRef,
    Request,
    Resource,
    Retraction,
    Subject,
    Watermark,
)
from sidecar.core.policy import PolicySet
from sidecar.core.reading import Written
from sidecar.core.record import Changed, Checked, Entry, Recorded
from sidecar.core.statement import fault_of
from sidecar.errors import InvalidRequest, NotFound, PermissionDenied

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


class Facts(Protocol):
    """What the corridor needs of the facts room."""

    def changing(self) -> AbstractContextManager[None]:
        """One change at a time, from settling to acknowledgement."""

    def pending(self) -> list[tuple[str, bytes]]:
        """(change id, leaf) of changes on disk whose leaf was not acknowledged, oldest first."""

    def previous(self, tenant: str, caller_id: str, request_id: str) -> Stored | None:
        """What became of the request of this id, if it was kept."""

    def write(self, change: FactsChange, leaf: LeafMaker) -> Stored:
        """Keep a change and its pending leaf in one transaction. Raises InvalidRequest, FactsUnavailable."""

    def save_grant(self, change: GrantChange, leaf: LeafMaker) -> Stored:
        """The same for a grant."""

    @property
    def required(self) -> Mapping[str, tuple[str, ...]]:
        """The sources that must report each kind of fact."""

    def to_note(self) -> list[str]:
        """The tenants of which other sources are noted."""

    def note_required(self, change: RequirementChange, leaf: LeafMaker) -> Stored:
        """The same for the sources that must report from now on."""

    def acknowledge(self, change_id: str, index: int) -> None:
        """The leaf is on disk at `index`: from now the change is visible. Raises FactsUnavailable."""

    def grant(self, tenant: str, grant_id: str) -> Grant:
        """The grant as it stands. Raises NotFound, FactsUnavailable."""

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


class Changes:
    """Writes facts and grants: the row and its pending leaf in one transaction, then the leaf, then the light."""

    def __init__(
        self, policies: Policies, facts: Facts, ledger: Ledger, clock: Callable[[], int], ids: Callable[[], str]
    ) -> None:
        """`clock` gives the instant in microseconds; `ids` gives names nobody can guess, for changes and grants."""
        self._policies, self._facts, self._ledger = policies, facts, ledger
        self._clock, self._ids = clock, ids

    def settle(self) -> None:
        """Finish what a stop interrupted: append the leaf of every change that lacks one.

        And note which sources must report, where the settings changed that: decisions rest on it from now on.
        Raises LedgerUnavailable, FactsUnavailable: the changes stay pending.
        """
        with self._facts.changing():
            self._settle()
            for tenant in self._facts.to_note():
                self._note_required(tenant)

    def write_facts(
        self,
        caller: Caller,
        controller_id: str,
        request_id: str,
        facts: Sequence[Fact],
        retract: Sequence[Retraction],
        watermarks: Sequence[Watermark],
    ) -> Written:
        """Keep these facts, all or nothing; they are on disk with their leaf when this returns.

        Raises InvalidRequest naming the field, PermissionDenied for another controller, FactsUnavailable,
        LedgerUnavailable.
        """
        pack, now = self._policies.current.pack, self._clock()
        controller_id = self._controller(caller, controller_id, "controller_id")
        for n, fact in enumerate(facts):
            if fact.controller_id:
                self._controller(caller, fact.controller_id, f"facts[{n}].controller_id")
            fault = fault_of(fact, pack)
            if fault is not None:
                raise InvalidRequest(f"facts[{n}].{fault.field}", fault.description)
        for n, mark in enumerate(watermarks):
            if mark.controller_id:
                self._controller(caller, mark.controller_id, f"watermarks[{n}].controller_id")
        change = FactsChange(
            self._ids(),
            caller.tenant,
            caller.id,
            request_id,
            _digest((controller_id, facts, retract, watermarks)),
            controller_id,
            now,
            tuple(facts),
            tuple(retract),
            tuple(watermarks),
        )
        with self._facts.changing():
            self._settle()
            stored = self._facts.write(change, lambda seq, counts: self._facts_leaf(change, caller, seq, counts))
            self._append(stored)
        token = self._facts.token(caller.tenant, stored.seq)
        return Written(token, stored.changed, stored.unchanged, stored.retracted)

    def open(self, caller: Caller, opening: Opening) -> tuple[Answer, Grant | None]:
        """Ask for an emergency grant; the answer is recorded like a check's.

        The same request id twice is one grant. Raises InvalidRequest, FactsUnavailable, LedgerUnavailable.
        """
        policies, now = self._policies.current, self._clock()
        controller_id = opening.controller_id or self._controller(caller, "", "controller_id")
        # Another controller's patient is never even read: the refusal needs nothing of it (G-DEV-2).
        patient_id = opening.patient_id if controller_id in caller.controllers else ""
        digest = _digest(opening)
        with self._facts.changing():
            self._settle()
            grant = self._opened_before(caller, opening, digest)
            snapshot = self._facts.snapshot(caller.tenant, controller_id, patient_id)
            # A repeated request is judged at its own instant, so that a retry gets its grant and not a refusal.
            instant = grant.opened_at if grant is not None else now
            decision, terms = policies.evaluate_open(opening, caller, controller_id, snapshot, instant)
            if grant is None and terms is not None:
                grant = Grant(
                    self._ids(),
                    caller.tenant,
                    controller_id,
                    caller.id,
                    opening.subject.id,
                    opening.patient_id,
                    opening.subject.profile,
                    terms.scope,
                    opening.motive,
                    opening.justification,
                    now,
                    terms.until,
                    terms.review_due,
                    second_confirmation=bool(opening.second_confirmation),
                    request_id=opening.request_id,
                )
                self._save("open_grant", grant, caller, opening.request_id, digest, now)
        question = _question(policies, opening, controller_id)
        checked = Checked(question, caller, decision, policies.ref, snapshot.tenant.seq, opening_at=instant)
        [place] = self._ledger.record([checked], now)
        answer = Answer(
            decision,
            place.id,
            policies.ref,
            self._ledger.origin,
            place.index,
            self._facts.token(caller.tenant, self._facts.snapshot(caller.tenant, controller_id, "").tenant.seq),
            policies.message(decision.reason, decision.effect, opening.language),
        )
        return answer, grant if terms is not None else None

    def close(self, caller: Caller, subject: Subject, grant_id: str) -> tuple[Grant, str]:
        """End a grant of this subject before its time; one that is over already stays as it is.

        Raises NotFound for another's grant, FactsUnavailable, LedgerUnavailable.
        """
        now = self._clock()
        with self._facts.changing():
            self._settle()
            grant = self.get(caller, grant_id)
            if grant.subject_id != subject.id:
                raise NotFound("grant: no grant of this name for this subject")
            if grant.open_at(now):
                grant = msgspec.structs.replace(grant, closed_at=now)
                self._save("close_grant", grant, caller, "", _digest((grant_id, subject.id)), now)
        seq = self._facts.snapshot(caller.tenant, grant.controller_id, "").tenant.seq
        return grant, self._facts.token(caller.tenant, seq)

    def get(self, caller: Caller, grant_id: str) -> Grant:
        """A grant of the caller's controllers. Raises NotFound, FactsUnavailable."""
        grant = self._facts.grant(caller.tenant, grant_id)
        if grant.controller_id not in caller.controllers:
            raise NotFound("grant: no grant of this name")
        return grant

    def swap_policy(self, policies: PolicySet, tenants: Sequence[str]) -> None:
        """Put a policy set in force; each tenant's ledger says so on disk first.

        Raises LedgerUnavailable: without its record there is no swap.
        """
        before, now = self._policies.status.ref, self._clock()
        ref = policies.ref
        detail = f"{_named(before)} -> {_named(ref)}"
        with self._facts.changing():
            for tenant in tenants:
                entry = Changed(
                    self._ids(), Caller(ITSELF, "service", tenant=tenant), "swap_policy", "", "", ref.digest,
                    0, detail=detail,
                )  # fmt: skip
                self._ledger.append_change(self._ledger.change_leaf(entry, now))
            self._policies.put_in_force(policies)

    def _controller(self, caller: Caller, controller_id: str, field: str) -> str:
        if not controller_id:
            if len(caller.controllers) != 1:
                raise InvalidRequest(field, "required: the caller acts for several controllers, or for none")
            return caller.controllers[0]
        if controller_id not in caller.controllers:
            raise PermissionDenied(f"{field}: the caller does not act for this controller")
        return controller_id

    def _settle(self) -> None:
        for change_id, leaf in self._facts.pending():
            place = self._ledger.change_recorded(leaf) or self._ledger.append_change(leaf)
            self._facts.acknowledge(change_id, place.index)

    def _append(self, stored: Stored) -> None:
        if stored.leaf:
            self._facts.acknowledge(stored.change_id, self._ledger.append_change(stored.leaf).index)

    def _facts_leaf(self, change: FactsChange, caller: Caller, seq: int, counts: Counts) -> bytes:
        entry = Changed(
            change.change_id,
            caller,
            "write_facts",
            change.request_id,
            change.controller_id,
            change.digest,
            seq,
            counts,
        )
        return self._ledger.change_leaf(entry, change.now)

    def _note_required(self, tenant: str) -> None:
        sources, caller = dict(self._facts.required), Caller(ITSELF, "service", tenant=tenant)
        change = RequirementChange(self._ids(), tenant, caller.id, _digest(sources), sources, self._clock())

        def leaf(seq: int, counts: Counts) -> bytes:
            detail = msgspec.json.encode(sources, order="sorted").decode()
            entry = Changed(
                change.change_id, caller, "require_sources", "", "", change.digest, seq, counts, detail=detail
            )
            return self._ledger.change_leaf(entry, change.now)

        self._append(self._facts.note_required(change, leaf))

    def _opened_before(self, caller: Caller, opening: Opening, digest: str) -> Grant | None:
        stored = self._facts.previous(caller.tenant, caller.id, opening.request_id) if opening.request_id else None
        if stored is None:
            return None
        if stored.digest != digest:
            raise InvalidRequest("request_id", "this identifier was used for another request")
        return self._facts.grant(caller.tenant, stored.grant_id)

    def _save(self, what: str, grant: Grant, caller: Caller, request_id: str, digest: str, now: int) -> None:
        change = GrantChange(self._ids(), caller.tenant, caller.id, request_id, digest, what, grant, now)  # type: ignore[arg-type]

        def leaf(seq: int, counts: Counts) -> bytes:
            entry = Changed(
                change.change_id,
                caller,
                what,
                request_id,
                grant.controller_id,
                digest,
                seq,
                counts,
                grant.subject_id,
                grant.patient_id,
                grant.id,
                f"{grant.motive} {grant.justification}",
            )
            return self._ledger.change_leaf(entry, now)

        self._append(self._facts.save_grant(change, leaf))


def _named(ref: PolicyRef | None) -> str:
    return "none" if ref is None else f"{ref.pack} {ref.revision} {ref.digest}"


def _digest(value: object) -> str:
    return hashlib.sha256(msgspec.msgpack.encode(value)).hexdigest()


def _question(policies: PolicySet, opening: Opening, controller_id: str) -> Request:
    """The opening as the question it is, for the record."""
    rules = policies.pack.break_glass
    return Request(
        opening.subject,
        rules.action,
        Resource(
            category=rules.eligible.get(opening.subject.profile, ""),
            patient_id=opening.patient_id,
            controller_id=controller_id,
        ),
        rules.purpose,
        opening.authentication,
        opening.device,
        Context(
            motive=opening.motive,
            justification=opening.justification,
            request_id=opening.request_id,
            language=opening.language,
        ),
    )
