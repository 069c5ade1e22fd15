"""THE table: what can be called, by whom, how large a message may be; bytes to bytes, whatever the transport."""

import logging
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Protocol

from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2
from msgspec import Struct

from sidecar.api import answers, emergencies, glass, queries, recalls, requests
from sidecar.api.glass import Glass
from sidecar.api.shape import value
from sidecar.core.model import Answer, Caller, Effect, Fact, Retraction, Watermark
from sidecar.core.reading import (
    FactsPage,
    FactsQuery,
    RecordsPage,
    RecordsQuery,
    Retirement,
    Rotation,
    Status,
    Written,
)
from sidecar.core.recall import Recalled
from sidecar.core.record import Refused
from sidecar.errors import InvalidRequest, NotFound, PermissionDenied, SidecarError, Unavailable
from sidecar.pdp import BatchAnswer, BatchCall, Call

log = logging.getLogger(__name__)

HEALTH = "/grpc.health.v1.Health/Check"
LIVENESS = "liveness"
READINESS = ("", "readiness", "sidecar.v1.AccessService")


class Incoming(Struct, frozen=True):
    """One call that arrived: its message, who makes it, and until when an answer is of use (`time.monotonic`)."""

    payload: bytes
    caller: Caller
    deadline: float | None = None


class Deferred(Struct, frozen=True, eq=False):
    """A call that is not what its method usually is: another method answers it, in its own lane."""

    method: "Method"


Outgoing = bytes | Exception | Deferred
Handler = Callable[[Sequence[Incoming]], list[Outgoing]]
Single = Callable[[Incoming], bytes]


class Lane(Enum):
    """Who serves a method where one thread cannot wait: nothing slow may hold up a check, nor an import a grant."""

    CHECKS = 0
    GRANTS = 1
    BULK = 2


class Method(Struct, frozen=True, eq=False):
    """One row of the table.

    The handler answers in order, one outgoing for each incoming; it refuses callers that have none of `roles`.
    Empty `roles` admit anybody, even unproven. `limit` is the longest message in bytes.
    """

    handler: Handler
    roles: frozenset[str]
    limit: int
    lane: Lane = Lane.CHECKS

    def serve(self, incoming: Sequence[Incoming]) -> list[Outgoing]:
        """The handler's answers; a handler that breaks answers every call with its error."""
        try:
            outgoing = self.handler(incoming)
            if len(outgoing) != len(incoming):
                raise IndexError("a handler gives one outgoing for each incoming")
            return outgoing
        except Exception as error:
            return [_failure(error)] * len(incoming)


class Deciding(Protocol):
    """What the table needs of the corridor of questions."""

    def check(self, calls: Sequence[Call | Refused]) -> Sequence[Answer | SidecarError]:
        """One result each, in order. At the place of a `Refused`, only an `Unavailable` counts."""

    def check_batch(self, call: BatchCall) -> BatchAnswer:
        """The answers of a batch. Raises SidecarError."""


class Changing(Protocol):
    """What the table needs of the corridor of changes. Every method raises SidecarError."""

    def write_facts(
        self,
        caller: Caller,
        controller_id: str,
        request_id: str,
        facts: Sequence[Fact],
        retract: Sequence[Retraction],
        watermarks: Sequence[Watermark],
    ) -> Written:
        """Keep these facts, all or nothing."""


class Showing(Protocol):
    """What the table needs to show what is known and to look after the ledger. Every method raises SidecarError."""

    def read_facts(self, caller: Caller, query: FactsQuery) -> FactsPage:
        """Some of the facts of the caller's tenant and controllers."""

    def status(self, caller: Caller) -> Status:
        """What the sidecar is doing."""

    def show_records(self, caller: Caller, query: RecordsQuery) -> RecordsPage:
        """Some of the records; the reading is itself recorded first."""

    def recall(self, caller: Caller, decision_id: str, index: int | None) -> Recalled:
        """What a recorded decision was taken from; the reading is itself recorded first."""

    @property
    def origin(self) -> str:
        """The name of this sidecar's ledger."""

    @property
    def emergencies(self) -> emergencies.Looking:
        """Emergencies as people look at them."""

    def rotate_key(self, caller: Caller) -> Rotation:
        """Have a new key sign the ledger."""

    def retire_month(self, caller: Caller, month: str, confirmed: bool) -> Retirement:
        """Make a month of the ledger unreadable, or say what that would close."""


def method_table(
    deciding: Deciding,
    changing: Changing,
    breaking: Glass,
    showing: Showing,
    serving: Callable[[], bool],
    now: Callable[[], int],
    check_bytes: int = 65_536,
    write_bytes: int = 4_194_304,
) -> dict[str, Method]:
    """Every method by its full name. `serving` says whether the sidecar is ready, `now` gives microseconds."""
    table = _Table(deciding, changing, breaking, showing, now)
    dpi, feed, auditors = {"dpi"}, {"feed"}, {"administrator", "auditor"}
    reviewers = {"reviewer", "auditor"}
    overseers, tellers = reviewers | auditors, {"dpi", "reviewer"}
    rows: tuple[tuple[str, Single, set[str], int, Lane], ...] = (
        ("AccessService/CheckAccessBatch", table.batch, dpi, write_bytes, Lane.CHECKS),
        ("BreakGlassService/Open", table.emergency(glass.open_), dpi, check_bytes, Lane.GRANTS),
        ("BreakGlassService/Close", table.emergency(glass.close), tellers, check_bytes, Lane.GRANTS),
        ("BreakGlassService/Get", table.emergency(glass.get), dpi | reviewers, check_bytes, Lane.GRANTS),
        ("BreakGlassService/List", table.emergency(glass.list_), dpi | reviewers, check_bytes, Lane.BULK),
        ("BreakGlassService/Review", table.emergency(glass.review), {"reviewer"}, check_bytes, Lane.GRANTS),
        ("BreakGlassService/Events", table.emergency(glass.events), tellers, check_bytes, Lane.BULK),
        ("BreakGlassService/Acknowledge", table.emergency(glass.acknowledge), tellers, check_bytes, Lane.GRANTS),
        ("BreakGlassService/Describe", table.looking(emergencies.describe), dpi | overseers, check_bytes, Lane.GRANTS),
        ("BreakGlassService/Accesses", table.looking(emergencies.accesses), reviewers, check_bytes, Lane.BULK),
        ("BreakGlassService/Pressure", table.looking(emergencies.pressure), overseers, check_bytes, Lane.BULK),
        ("FactsService/WriteFacts", table.write_facts, feed, write_bytes, Lane.BULK),
        ("FactsService/ReadFacts", table.read_facts, {"feed", "auditor"}, check_bytes, Lane.BULK),
        ("AdminService/GetStatus", table.status, auditors, check_bytes, Lane.GRANTS),
        ("AdminService/ShowRecords", table.show_records, auditors, check_bytes, Lane.BULK),
        ("AdminService/RecallDecision", table.recall, {"auditor"}, check_bytes, Lane.BULK),
        ("AdminService/RotateSigningKey", table.rotate_key, {"administrator"}, check_bytes, Lane.BULK),
        ("AdminService/RetireMonth", table.retire_month, {"administrator"}, check_bytes, Lane.BULK),
    )
    check = "/sidecar.v1.AccessService/CheckAccess"
    roles = frozenset(dpi)
    at_the_bedside = Method(table.singly(check, table.open_and_check, roles), roles, check_bytes, Lane.GRANTS)
    return {
        check: Method(table.checks(check, roles, at_the_bedside), roles, check_bytes),
        **{
            f"/sidecar.v1.{name}": Method(
                table.singly(f"/sidecar.v1.{name}", single, frozenset(admitted)), frozenset(admitted), limit, lane
            )
            for name, single, admitted, limit, lane in rows
        },
        HEALTH: Method(_health(serving), frozenset(), 1024),
    }


class _Table:
    """The handlers, over the two corridors."""

    def __init__(
        self, deciding: Deciding, changing: Changing, breaking: Glass, showing: Showing, now: Callable[[], int]
    ) -> None:
        self._deciding, self._changing, self._glass, self._showing = deciding, changing, breaking, showing
        self._now = now

    def checks(self, name: str, roles: frozenset[str], at_the_bedside: "Method") -> Handler:
        """CheckAccess: everything that arrived together goes to the corridor together.

        But for a check that asks for its grant: opening one waits for the disk, and no other check waits with it.
        """
        deferred = Deferred(at_the_bedside)

        def handler(incoming: Sequence[Incoming]) -> list[Outgoing]:
            refusals: dict[int, SidecarError] = {}
            opening: list[int] = []
            calls: list[Call | Refused] = []
            admitted: Caller | None = None
            for n, one in enumerate(incoming):
                caller = one.caller
                try:
                    if caller is not admitted:
                        _admit(caller, roles)
                        admitted = caller
                    asked = requests.question(one.payload)
                    if glass.asks_for_grant(asked):
                        opening.append(n)
                    else:
                        calls.append(Call(asked, caller))
                except (InvalidRequest, PermissionDenied) as refusal:
                    refusals[len(calls)] = refusal
                    calls.append(_refused(caller, name, refusal))
            results = self._deciding.check(calls) if calls else ()
            outgoing: list[Outgoing] = [
                answers.answered(result) if isinstance(result, Answer) else result for result in results
            ]
            for n, told in refusals.items():
                if not isinstance(results[n], Unavailable):
                    outgoing[n] = told
            for n in opening:
                outgoing.insert(n, deferred)
            return outgoing

        return handler

    def open_and_check(self, one: Incoming) -> bytes:
        """A check that asks for its grant: open it, then answer under it.

        Where no grant is given, what is permitted without one still is; else the refusal says why none was given.
        """
        asked = requests.question(one.payload)
        refused, given = self._glass.open_for(one.caller, asked)
        question = asked if given is None else glass.under(asked, given)
        [result] = self._deciding.check([Call(question, one.caller)])
        if not isinstance(result, Answer):
            raise result
        if given is not None:
            return glass.answered_under(result, given)
        if refused is not None and result.decision.effect is Effect.DENY:
            result = refused
        return answers.answered(result)

    def singly(self, name: str, single: Single, roles: frozenset[str]) -> Handler:
        """Any other method: one call at a time; a malformed or refused one is recorded too."""

        def answer(one: Incoming) -> Outgoing:
            try:
                _admit(one.caller, roles)
                return single(one)
            except (InvalidRequest, PermissionDenied) as refusal:
                [result] = self._deciding.check([_refused(one.caller, name, refusal)])
                return result if isinstance(result, Unavailable) else refusal

        return lambda incoming: [answer(one) for one in incoming]

    def batch(self, one: Incoming) -> bytes:
        items, stop = requests.batch(one.payload)
        answered = self._deciding.check_batch(BatchCall(items, one.caller, stop))
        return answers.batch_answer(answered).SerializeToString()

    def emergency(self, does: Callable[[Glass, Caller, bytes, int], bytes]) -> Single:
        """A method of the life of grants."""
        return lambda one: does(self._glass, one.caller, one.payload, self._now())

    def looking(self, does: Callable[[emergencies.Looking, Caller, bytes], bytes]) -> Single:
        """A method that looks at emergencies."""
        return lambda one: does(self._showing.emergencies, one.caller, one.payload)

    def write_facts(self, one: Incoming) -> bytes:
        message = queries.writing(one.payload)
        written = self._changing.write_facts(
            one.caller,
            message.controller_id,
            message.request_id,
            tuple(value(Fact, fact) for fact in message.facts),
            tuple(value(Retraction, retraction) for retraction in message.retract),
            tuple(value(Watermark, watermark) for watermark in message.watermarks),
        )
        return answers.written(written).SerializeToString()

    def read_facts(self, one: Incoming) -> bytes:
        return answers.facts_page(
            self._showing.read_facts(one.caller, queries.facts_query(one.payload))
        ).SerializeToString()

    def status(self, one: Incoming) -> bytes:
        queries.nothing(one.payload)
        return answers.status(self._showing.status(one.caller)).SerializeToString()

    def show_records(self, one: Incoming) -> bytes:
        page = self._showing.show_records(one.caller, queries.records_query(one.payload))
        return answers.records_page(page).SerializeToString()

    def recall(self, one: Incoming) -> bytes:
        recalled = self._showing.recall(one.caller, *queries.decision_named(one.payload))
        return recalls.response(recalled).SerializeToString()

    def rotate_key(self, one: Incoming) -> bytes:
        queries.nothing(one.payload)
        rotation = self._showing.rotate_key(one.caller)
        return answers.rotation(rotation, self._showing.origin).SerializeToString()

    def retire_month(self, one: Incoming) -> bytes:
        retirement = self._showing.retire_month(one.caller, *queries.retiring(one.payload))
        return answers.retirement(retirement, self._showing.origin).SerializeToString()


def _admit(caller: Caller, roles: frozenset[str]) -> None:
    if roles.isdisjoint(caller.roles):
        raise PermissionDenied(f"this method is for the role {' or '.join(sorted(roles))}")


def _refused(caller: Caller, method: str, refusal: SidecarError) -> Refused:
    field = refusal.field if isinstance(refusal, InvalidRequest) else ""
    return Refused(caller.id, caller.tenant, method, field, refusal.reason)


def _failure(error: Exception) -> Exception:
    """The error as it will be told. One that is not ours goes to the log by class and place, without its text."""
    if not isinstance(error, SidecarError):
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = "" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        log.error("call_failed", extra={"error": type(error).__name__, "where": where})
    return error


def _health(serving: Callable[[], bool]) -> Handler:
    """grpc.health.v1.Health/Check: `liveness` while the process answers, everything else by readiness."""

    def answer(one: Incoming) -> Outgoing:
        try:
            service = health_pb2.HealthCheckRequest.FromString(one.payload).service
        except DecodeError:
            return InvalidRequest("message", "not a grpc.health.v1.HealthCheckRequest")
        if service != LIVENESS and service not in READINESS:
            return NotFound("service")
        ready = service == LIVENESS or serving()
        state = health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING
        return bytes(health_pb2.HealthCheckResponse(status=state).SerializeToString())

    return lambda incoming: [answer(one) for one in incoming]
