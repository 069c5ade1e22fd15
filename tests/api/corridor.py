"""A corridor small enough to read: it permits for patient P1 alone and keeps what it was asked."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from sidecar.api.callers import CallerConfig, Callers
from sidecar.api.grpcio_server import GrpcioServer, TlsFiles
from sidecar.api.methods import Method, method_table
from sidecar.api.native_server import NativeServer
from sidecar.core.model import (
    Answer,
    Caller,
    Decision,
    Effect,
    Fact,
    Grant,
    ItemFault,
    Opening,
    PolicyRef,
    Request,
    Retraction,
    Subject,
    Watermark,
)
from sidecar.core.notices import Notice
from sidecar.core.reading import (
    EventsPage,
    EventsQuery,
    FactsPage,
    FactsQuery,
    FactVersion,
    GrantsPage,
    GrantsQuery,
    GrantTotals,
    RecordsPage,
    RecordsQuery,
    Status,
    Written,
)
from sidecar.core.record import Refused
from sidecar.core.reviewing import Closed, Closing, Reviewing
from sidecar.errors import NotFound, SidecarError
from sidecar.pdp import BatchAnswer, BatchCall, Call
from sidecar.v1 import access_pb2

CHECK = "/sidecar.v1.AccessService/CheckAccess"
BATCH = "/sidecar.v1.AccessService/CheckAccessBatch"
OPEN = "/sidecar.v1.BreakGlassService/Open"
CLOSE = "/sidecar.v1.BreakGlassService/Close"
GET = "/sidecar.v1.BreakGlassService/Get"
LIST = "/sidecar.v1.BreakGlassService/List"
REVIEW = "/sidecar.v1.BreakGlassService/Review"
EVENTS = "/sidecar.v1.BreakGlassService/Events"
ACKNOWLEDGE = "/sidecar.v1.BreakGlassService/Acknowledge"
WRITE = "/sidecar.v1.FactsService/WriteFacts"
READ = "/sidecar.v1.FactsService/ReadFacts"
STATUS = "/sidecar.v1.AdminService/GetStatus"
RECORDS = "/sidecar.v1.AdminService/ShowRecords"
HEALTH = "/grpc.health.v1.Health/Check"

POLICY = PolicyRef("small", "folder", "ab" * 32)
NOW = 1_772_398_800_000_000
TOKENS = {
    "dpi": "token-of-dpi",
    "feed": "token-of-feed",
    "auditor": "token-of-auditor",
    "reviewer": "token-of-reviewer",
}


def callers() -> Callers:
    return Callers(
        [
            CallerConfig(
                name,
                roles=(name,),
                controllers=("C1",),
                san_uri=f"spiffe://demo/{name}",
                token_sha256=hashlib.sha256(token.encode()).hexdigest(),
            )
            for name, token in TOKENS.items()
        ]
    )


@dataclass
class Corridor:
    """What was asked, in the order it came; `gate` holds the answers back while it is cleared."""

    bursts: list[int] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    batches: list[BatchCall] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    writes: list[tuple[object, ...]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    queries: list[object] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    slow_gate: threading.Event = field(default_factory=threading.Event)
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    failure: Exception | None = None
    ready: bool = True

    def __post_init__(self) -> None:
        self.gate.set()
        self.slow_gate.set()

    def answered(self, request: Request) -> Answer:
        permit = request.resource.patient_id == "P1"
        effect = Effect.PERMIT if permit else Effect.DENY
        reason = "CARE_TEAM" if permit else "NO_RELATIONSHIP"
        decision = Decision(effect, reason, "TRUE_" + reason, "A-01", valid_until=NOW + 60_000_000)
        return Answer(decision, f"id-{request.context.request_id}", POLICY, "origin", 7, "token", "message")

    def check(self, calls: Sequence[Call | Refused]) -> Sequence[Answer | SidecarError]:
        self.entered.release()
        self.gate.wait(30)
        if self.failure is not None:
            raise self.failure
        self.bursts.append(len(calls))
        self.refused += [call for call in calls if isinstance(call, Refused)]
        self.requests += [call.request for call in calls if isinstance(call, Call)]
        return [self.answered(c.request) if isinstance(c, Call) else NotFound("refused") for c in calls]

    def check_batch(self, call: BatchCall) -> BatchAnswer:
        self.batches.append(call)
        return BatchAnswer(tuple(i if isinstance(i, ItemFault) else self.answered(i) for i in call.items))

    def write_facts(
        self,
        caller: Caller,
        controller_id: str,
        request_id: str,
        facts: Sequence[Fact],
        retract: Sequence[Retraction],
        watermarks: Sequence[Watermark],
    ) -> Written:
        self.entered.release()
        self.slow_gate.wait(30)
        self.order.append("write")
        self.writes.append((caller, controller_id, request_id, tuple(facts), tuple(retract), tuple(watermarks)))
        return Written("token", len(facts), 0, len(retract))

    def open(self, caller: Caller, opening: Opening) -> tuple[Answer, Grant | None]:
        self.openings.append(opening)
        return self.answered(a_request(patient_id=opening.patient_id)), a_grant() if opening.motive else None

    def open_for(self, caller: Caller, request: Request) -> tuple[Answer | None, Grant | None]:
        self.order.append("open_for")
        self.slow_gate.wait(30)
        return None, a_grant()

    def close(self, caller: Caller, closing: Closing) -> Closed:
        return Closed(self.get(caller, closing.grant)[0], "token")

    def get(self, caller: Caller, grant_id: str) -> tuple[Grant, tuple[str, ...], tuple[Notice, ...]]:
        self.order.append("get")
        if grant_id != "g1":
            raise NotFound(f"no grant {grant_id} of patient P9")
        return a_grant(), (), ()

    def review(self, caller: Caller, reviewing: Reviewing) -> tuple[Answer, Grant | None]:
        return self.answered(a_request()), self.get(caller, reviewing.grant)[0]

    def page(self, caller: Caller, query: GrantsQuery) -> GrantsPage:
        self.queries.append(query)
        return GrantsPage((a_grant(),), "", GrantTotals(open=1))

    def events(self, caller: Caller, query: EventsQuery) -> EventsPage:
        self.queries.append(query)
        return EventsPage((Notice("n1", "default", "C1", "g1", "open_grant", "reviewer", NOW),), "cursor", False)

    def acknowledge(self, caller: Caller, ids: Sequence[str], request_id: str) -> tuple[tuple[Notice, ...], str]:
        return (Notice("n1", "default", "C1", "g1", "open_grant", "reviewer", NOW),), "token"

    def read_facts(self, caller: Caller, query: FactsQuery) -> FactsPage:
        self.queries.append(query)
        fact = self.writes[-1][3][0] if self.writes else Fact("f1", "adt")  # type: ignore[index]
        return FactsPage((FactVersion(fact, 3, 0, NOW),), "", "token", (Watermark("adt", ("stay",), NOW),))

    def status(self, caller: Caller) -> Status:
        return Status("1.0", self.ready, (), POLICY, 3, 9, "origin", (), NOW)

    def show_records(self, caller: Caller, query: RecordsQuery) -> RecordsPage:
        self.queries.append(query)
        return RecordsPage(('{"effect":"PERMIT"}',), 9)

    def table(self) -> dict[str, Method]:
        return method_table(self, self, self, self, lambda: self.ready, lambda: NOW)


def a_request(patient_id: str = "P1", **more: object) -> Request:
    from sidecar.core.model import Resource

    return Request(Subject("dr-nuit", "professionnel", "p1"), "read", Resource("cr", patient_id), "soins", **more)  # type: ignore[arg-type]


def a_grant() -> Grant:
    return Grant("g1", "default", "C1", "dpi", "dr-nuit", "P1", "p1", "s", "m", "j", NOW, NOW + 3600_000_000, NOW + 9)


def a_check(patient_id: str = "P1", **more: object) -> access_pb2.CheckAccessRequest:
    return access_pb2.CheckAccessRequest(
        subject=access_pb2.Subject(id="dr-nuit", kind="professionnel", profile="p1"),
        action="read",
        resource=access_pb2.Resource(category="cr", patient_id=patient_id),
        purpose="soins",
        **more,  # type: ignore[arg-type]
    )


class Client:
    """A real channel to a served table, speaking bytes."""

    def __init__(self, channel: grpc.Channel, token: str | None = TOKENS["dpi"]) -> None:
        self.channel = channel
        self.metadata = () if token is None else (("authorization", f"Bearer {token}"),)

    def call(self, method: str, payload: bytes, timeout: float | None = 10, metadata: object = ()) -> bytes:
        return self.future(method, payload, timeout, metadata).result()

    def future(self, method: str, payload: bytes, timeout: float | None = 10, metadata: object = ()) -> grpc.Future:
        multi = self.channel.unary_unary(method)
        return multi.future(payload, timeout=timeout, metadata=(*self.metadata, *metadata))  # type: ignore[misc,attr-defined]

    def check(self, patient_id: str = "P1", **more: object) -> access_pb2.CheckAccessResponse:
        answer = self.call(CHECK, a_check(patient_id).SerializeToString(), **more)  # type: ignore[arg-type]
        return access_pb2.CheckAccessResponse.FromString(answer)


@dataclass
class Served:
    """A server that runs, and how to reach it."""

    server: GrpcioServer | NativeServer
    corridor: Corridor
    refusals: list[str]
    clients: list[Client] = field(default_factory=list)

    def client(self, name: str | None = "dpi", token: str | None = None) -> Client:
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
        channel = grpc.insecure_channel(self.server.address, options)
        self.clients.append(Client(channel, token or (TOKENS[name] if name else None)))
        return self.clients[-1]


Maker = Callable[..., GrpcioServer | NativeServer]
TRANSPORTS: Mapping[str, Maker] = {"grpcio": GrpcioServer, "native": NativeServer}


@contextmanager
def served(
    transport: str, address: str, corridor: Corridor | None = None, tls: TlsFiles | None = None, **limits: int
) -> Iterator[Served]:
    """A transport over a corridor, started; stopped at the end."""
    corridor, refusals = corridor or Corridor(), []  # type: ignore[var-annotated]
    extra = {"tls": tls} if tls else {}
    server = TRANSPORTS[transport](address, corridor.table(), callers(), refusals.append, **extra, **limits)
    server.start()
    running = Served(server, corridor, refusals)
    try:
        yield running
    finally:
        corridor.gate.set()
        corridor.slow_gate.set()
        for client in running.clients:
            client.channel.close()
        server.stop(0.5)


def socket_in(folder: Path) -> str:
    return f"unix:{folder}/run/s.sock"
