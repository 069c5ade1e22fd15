"""One question, from request to recorded answer."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count as numbers
from threading import Lock
from typing import Protocol

from msgspec import Struct

from sidecar.core import legal_basis
from sidecar.core.bundle import Snapshot
from sidecar.core.model import Answer, Caller, Effect, ItemFault, Request
from sidecar.core.policy import PolicySet
from sidecar.core.record import Checked, CheckedBatch, Entry, Recorded, Refused, item_id
from sidecar.core.usage import Counters
from sidecar.errors import FactsTooOld, InvalidRequest, SidecarError


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


class BatchCall(Struct, frozen=True):
    """Questions of one subject about one patient, and the system that asks them.

    `items` are whole requests, the common fields filled in, or the fault of an item that is none.
    """

    items: tuple[Request | ItemFault, ...]
    caller: Caller
    stop_at_deny: bool = False


class BatchAnswer(Struct, frozen=True):
    """In the order of the items; shorter only when a refusal or a fault stopped the batch."""

    results: tuple[Answer | ItemFault, ...]


class Declined(Struct, frozen=True):
    """A call that gets an error instead of an answer, and what is recorded of it; nothing when it is asked again."""

    error: SidecarError
    entry: Refused | None


Observe = Callable[[str, int, int], None]
Snapshots = dict[tuple[str, str], Snapshot]

CHECK, BATCH = "/sidecar.v1.AccessService/CheckAccess", "/sidecar.v1.AccessService/CheckAccessBatch"
NO_CONTROLLER = ItemFault("resource.controller_id", "required: the caller acts for several controllers, or for none")


class Pdp:
    """Answers questions and leaves their records in the ledger, with one write for all that arrived together."""

    def __init__(
        self,
        policies: Policies,
        facts: Facts,
        ledger: Ledger,
        clock: Callable[[], int],
        ticks: Callable[[], int],
        observe: Observe,
        count: Callable[[Sequence[Checked]], None],
    ) -> None:
        """`clock` gives the instant in microseconds, `ticks` nanoseconds for durations.

        `observe` takes a stage (decide, record), its nanoseconds and how many questions shared them; `count`
        takes the questions that are answered.
        """
        self._policies, self._facts, self._ledger = policies, facts, ledger
        self._clock, self._ticks, self._observe, self._count = clock, ticks, observe, count
        self._counters, self._counting = Counters(), Lock()  # a batch may be answered beside other questions

    def check(self, calls: Sequence[Call | Refused]) -> list[Answer | SidecarError]:
        """Answer these questions, in order, and leave their records with one write.

        The place of a call that was refused, or that asks for fresher facts than there are, holds its error.
        Raises PolicyUnavailable and LedgerUnavailable: then nothing is answered.
        """
        policies, now, started = self._policies.current, self._clock(), self._ticks()
        outcomes = [self._outcome(policies, call, now, started) for call in calls]
        decided = self._ticks()
        entries = [outcome.entry if isinstance(outcome, Declined) else outcome for outcome in outcomes]
        places = iter(self._ledger.record([entry for entry in entries if entry is not None], now))
        answers = [self._answer(policies, outcome, places) for outcome in outcomes]
        self._count([outcome for outcome in outcomes if isinstance(outcome, Checked)])
        self._observe("decide", decided - started, len(calls))
        self._observe("record", self._ticks() - decided, len(calls))
        return answers

    def check_batch(self, call: BatchCall) -> BatchAnswer:
        """Answer the items with one policy set, at one instant, from one snapshot, and leave one record.

        Raises FactsTooOld, PolicyUnavailable, LedgerUnavailable.
        """
        policies, now, started = self._policies.current, self._clock(), self._ticks()
        results: list[Checked | ItemFault] = []
        snapshots: Snapshots = {}
        for item in call.items:
            result = self._item(policies, item, call.caller, now, started, snapshots)
            results.append(result)
            if call.stop_at_deny and (isinstance(result, ItemFault) or result.decision.effect is Effect.DENY):
                break
        [place] = self._ledger.record([_batch_entry(call.caller, results)], now)
        self._count([result for result in results if isinstance(result, Checked)])
        # The batch is one leaf; its n-th evaluated item is named by the batch's id and n.
        places = (Recorded(item_id(place.id, n), place.index) for n in numbers())
        return BatchAnswer(
            tuple(r if isinstance(r, ItemFault) else self._given(policies, r, next(places)) for r in results)
        )

    def _outcome(self, policies: PolicySet, call: Call | Refused, now: int, started: int) -> Checked | Declined:
        if isinstance(call, Refused):
            return Declined(InvalidRequest(call.field, call.reason), call)
        request, caller = call.request, call.caller
        fault = self._fault(policies, request, caller)
        if fault is not None:
            return _declined(caller, InvalidRequest(fault.field, fault.description))
        try:
            return self._checked(policies, request, caller, now, started, {})
        except FactsTooOld as error:
            return Declined(error, None)
        except InvalidRequest as error:
            return _declined(caller, error)

    def _item(
        self,
        policies: PolicySet,
        item: Request | ItemFault,
        caller: Caller,
        now: int,
        started: int,
        snapshots: Snapshots,
    ) -> Checked | ItemFault:
        if isinstance(item, ItemFault):
            return item
        fault = self._fault(policies, item, caller)
        return fault or self._checked(policies, item, caller, now, started, snapshots)

    def _fault(self, policies: PolicySet, request: Request, caller: Caller) -> ItemFault | None:
        if not request.resource.controller_id and len(caller.controllers) != 1:
            return NO_CONTROLLER
        return policies.malformed(request)

    def _checked(
        self, policies: PolicySet, request: Request, caller: Caller, now: int, started: int, snapshots: Snapshots
    ) -> Checked:
        resource = request.resource
        controller_id = resource.controller_id or caller.controllers[0]
        about = (controller_id, resource.patient_id)
        snapshot = snapshots.get(about)
        if snapshot is None:
            token = request.context.consistency_token
            at_least = self._facts.sequence(caller.tenant, token) if token else 0
            # Another controller's patient is never even read: the refusal needs nothing of it (G-DEV-2).
            patient_id = resource.patient_id if controller_id in caller.controllers else ""
            snapshot = snapshots[about] = self._facts.snapshot(caller.tenant, controller_id, patient_id, at_least)
        who = caller.tenant, request.subject.id, resource.patient_id
        with self._counting:
            usage = self._counters.usage(*who, now)
        counted = Snapshot(snapshot.tenant, snapshot.patient, usage)
        decision = policies.evaluate(request, caller, controller_id, counted, now)
        with self._counting:
            self._counters.note(*who, decision.effect is Effect.PERMIT, now)
        elapsed = (self._ticks() - started) // 1000
        basis = legal_basis.of(policies.pack, request.purpose, request.context.legal_basis)
        return Checked(request, caller, decision, policies.ref, snapshot.tenant.seq, elapsed, legal_basis=basis)

    def _answer(
        self, policies: PolicySet, outcome: Checked | Declined, places: Iterator[Recorded]
    ) -> Answer | SidecarError:
        if isinstance(outcome, Checked):
            return self._given(policies, outcome, next(places))
        if outcome.entry is not None:
            next(places)
        return outcome.error

    def _given(self, policies: PolicySet, checked: Checked, place: Recorded) -> Answer:
        decision, request = checked.decision, checked.request
        return Answer(
            decision,
            place.id,
            checked.policy,
            self._ledger.origin,
            place.index,
            self._facts.token(checked.caller.tenant, checked.facts_seq),
            policies.message(decision.reason, decision.effect, request.context.language),
        )


def _declined(caller: Caller, error: InvalidRequest) -> Declined:
    return Declined(error, Refused(caller.id, caller.tenant, CHECK, error.field, error.reason))


def _batch_entry(caller: Caller, results: Sequence[Checked | ItemFault]) -> CheckedBatch | Refused:
    malformed = tuple((n, result.field) for n, result in enumerate(results) if isinstance(result, ItemFault))
    checked = tuple(result for result in results if isinstance(result, Checked))
    if not checked:
        return Refused(caller.id, caller.tenant, BATCH, malformed[0][1], InvalidRequest.reason)
    return CheckedBatch(checked, malformed)
