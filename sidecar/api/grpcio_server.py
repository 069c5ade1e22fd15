"""The transport the network sees: gRPC over TLS with client certificates; also a Unix socket or loopback with tokens.

A thread serves a call. Checks that wait at the same time are decided together, with one write, by a thread of their
own (docs/decisions/one-thread-decides.md). All of them keep to one processor (`one_processor`).
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import grpc
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection
from msgspec import Struct

from sidecar.api import wire
from sidecar.api.address import SOCKET_MODE, Address, parse, plaintext, prepare_socket
from sidecar.api.callers import NOBODY, Callers
from sidecar.api.methods import Deferred, Incoming, Lane, Method, Outgoing
from sidecar.api.one_processor import ANY_PROCESSOR, OneProcessor
from sidecar.core.model import Caller
from sidecar.errors import ConfigFault, MessageTooLarge, Overloaded, SidecarError, Unavailable
from sidecar.v1 import access_pb2, admin_pb2, break_glass_pb2, facts_pb2

log = logging.getLogger(__name__)
T = TypeVar("T")

NOT_WANTED = Unavailable("nobody waits for this answer any more")

CLOSE_SECONDS = 5.0  # what closing may take beyond the grace; a stop never waits for ever
CONNECTIONS = 256
CODES = {code.value[0]: code for code in grpc.StatusCode}
FILES = (access_pb2, break_glass_pb2, facts_pb2, admin_pb2, health_pb2)
REFLECTED = tuple(service.full_name for file in FILES for service in file.DESCRIPTOR.services_by_name.values())


class TlsFiles(Struct, frozen=True):
    """PEM files: our certificate and key, and the authority whose client certificates are admitted."""

    certificate: Path
    key: Path
    client_ca: Path

    def stamp(self) -> tuple[tuple[int, int], ...]:
        """Something that differs when a file was replaced."""
        states = (path.stat() for path in (self.certificate, self.key, self.client_ca))
        return tuple((state.st_mtime_ns, state.st_ino) for state in states)

    def configuration(self) -> grpc.ServerCertificateConfiguration:
        """What the files say now."""
        return grpc.ssl_server_certificate_configuration(
            [(self.key.read_bytes(), self.certificate.read_bytes())], self.client_ca.read_bytes()
        )


class Place:
    """A call that waits for its answer."""

    __slots__ = ("answered", "incoming", "outgoing", "wanted")

    def __init__(self, incoming: Incoming, wanted: Callable[[], bool]) -> None:
        self.incoming, self.wanted = incoming, wanted
        self.outgoing: Outgoing = NOT_WANTED
        self.answered = threading.Lock()
        self.answered.acquire()


class Together:
    """Answers what waits at the same time with one call of a method's handler, on a thread of its own."""

    def __init__(self, method: Method, joins: Callable[[], None] = lambda: None) -> None:
        """`joins` is called once by the thread that will answer."""
        self._method, self._joins = method, joins
        self._waiting: SimpleQueue[Place | None] = SimpleQueue()  # None: close
        self._closed = False
        threading.Thread(target=self._serve, name="grpcio-checks", daemon=True).start()

    def answer(self, incoming: Incoming, wanted: Callable[[], bool]) -> Outgoing:
        """The answer to this call, decided with all that wait. Who is no longer `wanted` is not decided."""
        place = Place(incoming, wanted)
        self._waiting.put(place)
        if self._closed:
            self._let_go()
        place.answered.acquire()
        return place.outgoing

    def close(self) -> None:
        """Answer what waits and end the thread; calls that come later get no answer any more."""
        self._waiting.put(None)

    def _serve(self) -> None:
        try:
            self._joins()
            while not self._closed:
                taken = [self._waiting.get(), *self._taken()]
                self._closed = None in taken
                self._decide([place for place in taken if place is not None])
        finally:
            # However it ends: nobody may wait for a thread that is no more.
            self._closed = True
            self._let_go()

    def _decide(self, places: Sequence[Place]) -> None:
        try:
            wanted = [place for place in places if place.wanted()]
            outgoing = self._method.serve([place.incoming for place in wanted]) if wanted else []
            for place, out in zip(wanted, outgoing, strict=True):
                place.outgoing = out
        finally:
            for place in places:
                place.answered.release()

    def _let_go(self) -> None:
        """Leave unanswered what came after the end: whoever puts a place there looks whether it has come."""
        for place in self._taken():
            if place is not None:
                place.answered.release()

    def _taken(self) -> Iterator[Place | None]:
        """What waits now."""
        with suppress(Empty):
            while True:
                yield self._waiting.get_nowait()


class Pool(ThreadPoolExecutor):
    """A pool that knows how many calls it holds, waiting or being served."""

    def __init__(self, workers: int, joins: Callable[[], None]) -> None:
        """`joins` is called once by each thread."""
        super().__init__(workers, thread_name_prefix="grpcio", initializer=joins)
        self.held = 0
        self._lock = threading.Lock()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run it when a thread is free."""
        with self._lock:
            self.held += 1
        future = super().submit(fn, *args, **kwargs)
        future.add_done_callback(self._leave)
        return future

    def _leave(self, future: Future[Any]) -> None:
        with self._lock:
            self.held -= 1


class GrpcioServer(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """Serves a table of methods; a caller is proven by a client certificate, or without TLS by a bearer token."""

    def __init__(
        self,
        address: str,
        table: Mapping[str, Method],
        callers: Callers,
        refused: Callable[[str], None],
        tls: TlsFiles | None = None,
        in_flight: int = 1024,
        streams: int = 1024,
        metadata_bytes: int = 16_384,
        workers: int = 64,
        processor: OneProcessor = ANY_PROCESSOR,
    ) -> None:
        """`refused` is told the reason of every call that is not answered.

        Every thread joins `processor`.
        At most `in_flight` calls wait or are served; a connection has at most `streams` open.
        Raises ConfigFault for a plaintext address that is neither a Unix socket nor loopback.
        """
        self._address = parse(address) if tls else plaintext(address)
        self._callers, self._refused, self._tls = callers, refused, tls
        self._table = table
        self._in_flight, self._workers = in_flight, workers
        self._processor = processor
        self._polled = False
        self._options = (
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", max(method.limit for method in table.values())),
            ("grpc.max_concurrent_streams", streams),
            # Beyond these grpc ends calls as CANCELLED before we see them; we tell them why.
            ("grpc.server.max_pending_requests", CONNECTIONS * streams),
            ("grpc.server.max_pending_requests_hard_limit", CONNECTIONS * streams),
            ("grpc.max_metadata_size", metadata_bytes),
            ("grpc.absolute_max_metadata_size", metadata_bytes),
            ("grpc.max_allowed_incoming_connections", CONNECTIONS),
            ("grpc.server_handshake_timeout_ms", 10_000),
            ("grpc.http2.max_ping_strikes", 2),
            ("grpc.compression_enabled_algorithms_bitset", 1),  # none: a small message must not become a large one
        )
        self._server: grpc.Server | None = None

    @property
    def address(self) -> str:
        """Where it listens; after `start` with the port that was really bound."""
        return str(self._address)

    def start(self) -> None:
        """Listen and serve. Raises ConfigFault when that cannot be."""
        address = self._address
        self._pool = Pool(self._workers, self._processor.join)
        self._shedding = self._shedder()
        server = grpc.server(self._pool, handlers=[self], options=self._options)
        reflection.enable_server_reflection(REFLECTED, server)
        if address.path:
            prepare_socket(Path(address.path))
        try:
            if self._tls:
                port = server.add_secure_port(str(address), _credentials(self._tls))
            else:
                port = server.add_insecure_port(str(address))
        except RuntimeError:
            raise ConfigFault(f"address `{address}`: cannot be bound; is another process listening there?") from None
        if not address.path:
            self._address = Address(host=address.host, port=port)
        self._together = {
            method: Together(method, self._processor.join)
            for method in self._table.values()
            if method.lane is Lane.CHECKS and method.roles
        }
        self._handlers = {name: self._handler(method) for name, method in self._table.items()}
        server.start()
        if address.path:
            Path(address.path).chmod(SOCKET_MODE)
        self._server = server

    def stop(self, grace: float) -> None:
        """Refuse new calls, answer those that wait for at most `grace` seconds, then close. Safe to call twice."""
        server, self._server = self._server, None
        if server is None:
            return
        server.stop(grace).wait(grace + CLOSE_SECONDS)
        for together in self._together.values():
            together.close()
        self._pool.shutdown(wait=False)
        self._shed_pool.shutdown(wait=False)
        if self._address.path:
            Path(self._address.path).unlink(missing_ok=True)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:  # type: ignore[type-arg]
        """The handler of a method of the table. Called by grpc once a call, before it takes or sheds it."""
        if not self._polled:  # it is the thread that brings grpc's events which asks
            self._polled = True
            self._processor.join()
        handler = self._handlers.get(handler_call_details.method)
        if handler is None or self._pool.held < self._in_flight:
            return handler
        return self._shedding

    def _handler(self, method: Method) -> grpc.RpcMethodHandler:  # type: ignore[type-arg]
        together = self._together.get(method)
        return grpc.unary_unary_rpc_method_handler(
            lambda payload, context: self._answer(method, together, payload, context)
        )

    def _shedder(self) -> grpc.RpcMethodHandler:  # type: ignore[type-arg]
        """The handler of calls there is no room for: it neither reads their message nor waits for a worker.

        grpc's own `maximum_concurrent_rpcs` would say neither why in our words nor tell us that it shed.
        """

        def shed(messages: object, context: grpc.ServicerContext) -> bytes:
            return self._fail(context, Overloaded())

        self._shed_pool = ThreadPoolExecutor(1, thread_name_prefix="shed", initializer=self._processor.join)
        shed.experimental_thread_pool = self._shed_pool  # type: ignore[attr-defined]
        return grpc.stream_unary_rpc_method_handler(shed)

    def _answer(
        self, method: Method, together: Together | None, payload: bytes, context: grpc.ServicerContext
    ) -> bytes:
        remaining = context.time_remaining()
        deadline = None if remaining is None else time.monotonic() + remaining
        try:
            if len(payload) > method.limit:
                raise MessageTooLarge(f"a message of {len(payload)} bytes; this method admits {method.limit}")
            incoming = Incoming(payload, self._caller(method, context), deadline)
        except SidecarError as error:
            return self._fail(context, error)
        if together is not None:
            out = together.answer(incoming, context.is_active)
        else:
            [out] = method.serve([incoming])
        while isinstance(out, Deferred):
            [out] = out.method.serve([incoming])
        return out if isinstance(out, bytes) else self._fail(context, out)

    def _caller(self, method: Method, context: grpc.ServicerContext) -> Caller:
        if not method.roles:
            return NOBODY
        if self._tls:
            proofs: Mapping[str, Sequence[bytes]] = context.auth_context()  # type: ignore[assignment]
            return self._callers.by_san([uri.decode(errors="replace") for uri in proofs.get("peer_uri", ())])
        tokens = (value for key, value in context.invocation_metadata() if key == "authorization")
        return self._callers.by_token(next(tokens, None))

    def _fail(self, context: grpc.ServicerContext, error: Exception) -> bytes:
        status = wire.status(error)
        self._refused(status.reason)
        context.set_trailing_metadata(status.metadata)
        context.abort(CODES[status.code], status.message)


def _credentials(tls: TlsFiles) -> grpc.ServerCredentials:
    """Credentials that read the files again when they were replaced, and keep the last good ones."""
    try:
        used, initial = tls.stamp(), tls.configuration()
    except OSError as error:
        raise ConfigFault(f"{error.filename}: cannot be read: {error.strerror}") from None

    def fetch() -> grpc.ServerCertificateConfiguration | None:
        nonlocal used
        try:
            now = tls.stamp()
            if now == used:
                return None
            used, fresh = now, tls.configuration()
        except OSError as error:
            log.warning("certificates_unreadable", extra={"file": error.filename})
            return None
        return fresh

    # Its stub leaves out that None means: keep what is in use.
    return grpc.dynamic_ssl_server_credentials(initial, fetch, require_client_authentication=True)  # type: ignore[arg-type]
