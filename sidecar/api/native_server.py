"""The fast transport: gRPC on a Unix socket or loopback, its HTTP/2 outside the interpreter lock.

One thread takes the calls that have arrived and answers the checks among them together; one helper thread serves
what writes or reads much, grants before imports, so that neither disk nor SQL holds up a check.
The library behind it has no limit of its own on queued calls and drops calls in flight when it closes: shedding,
refusing long messages and draining are here. docs/transports.md lists what differs from grpcio.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path

from msgspec.structs import replace
from pygrpc_native import EVENT_CALL, NativeGrpcFront

from sidecar.api import wire
from sidecar.api.address import SOCKET_MODE, Address, plaintext, prepare_socket
from sidecar.api.callers import NOBODY, Callers
from sidecar.api.methods import Deferred, Incoming, Lane, Method
from sidecar.api.one_processor import ANY_PROCESSOR, OneProcessor
from sidecar.core.model import Caller
from sidecar.errors import ConfigFault, MessageTooLarge, Overloaded, SidecarError, Unauthenticated, Unavailable

# What the library gives: kind, call, method, message, proof, and (metadata, peer, seconds left before its deadline).
Event = tuple[int, int, int, bytes | None, bytes | str | None, tuple[object, str, float | None] | None]

LEAST, BURST = 8, 64  # calls that are answered together: how many at least, while so many wait, and at most
TAKEN_AT_ONCE = 4096
IDLE_MS = 100
IO_THREAD_NAME = "grpc-native-io"
IO_THREADS = 1  # of the library: one takes and gives several times the calls that one interpreter answers
FLUSH_SECONDS = 0.05


class Waiting(Incoming, frozen=True, kw_only=True):
    """A call that has not been served yet."""

    call_id: int
    method: Method


def share(waiting: int) -> int:
    """How many are answered together: half of those that wait, so that callers have these while the rest is decided."""
    return min(BURST, max(LEAST, waiting // 2))


class NativeServer:
    """Serves a table of methods on a Unix socket or a loopback address; callers are proven by a bearer token."""

    def __init__(
        self,
        address: str,
        table: Mapping[str, Method],
        callers: Callers,
        refused: Callable[[str], None],
        in_flight: int = 1024,
        streams: int = 1024,
        metadata_bytes: int = 16_384,
        processor: OneProcessor = ANY_PROCESSOR,
    ) -> None:
        """`refused` is told the reason of every call that is not answered.

        Both threads join `processor`; the library's keep off it.
        At most `in_flight` calls wait in each lane; a connection has at most `streams` calls open.
        Raises ConfigFault for an address that needs TLS, and when no caller has a token.
        """
        self._address = plaintext(address)
        if not callers.token_digests:
            raise ConfigFault(f"address `{address}`: no caller has a `token_sha256`, so nobody could call here")
        self._names, self._methods = list(table), list(table.values())
        self._callers, self._refused = callers, refused
        self._in_flight, self._streams, self._metadata_bytes = in_flight, streams, metadata_bytes
        self._processor = processor
        self._front: NativeGrpcFront | None = None
        self._checks: dict[int, Waiting] = {}  # the serving thread's own
        self._slow: dict[Lane, OrderedDict[int, Waiting]] = {Lane.GRANTS: OrderedDict(), Lane.BULK: OrderedDict()}
        self._lanes = [self._slow.get(method.lane, self._checks) for method in self._methods]
        self._helper = threading.Condition()  # guards _slow and _helping
        self._helping = False
        self._stopping = self._refusing = False
        self._drained = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def address(self) -> str:
        """Where it listens; after `start` with the port that was really bound."""
        return str(self._address)

    def start(self) -> None:
        """Listen and serve. Raises ConfigFault when the address cannot be bound."""
        address = self._address
        if address.path:
            prepare_socket(Path(address.path))
        try:
            front = NativeGrpcFront(
                str(address),
                [(name, False) for name in self._names],
                io_threads=IO_THREADS,
                client_key_metadata="authorization",
                call_details=True,
                # Who has no token is refused on its headers: before a message of any size is taken into memory.
                bearer_token_sha256=self._callers.token_digests,
                unauthenticated_message=wire.status(Unauthenticated()).message,
                max_concurrent_streams=self._streams,
                max_metadata_size=self._metadata_bytes,
            )
        except OSError as error:
            raise ConfigFault(f"address `{address}`: cannot be bound: {error}") from None
        if address.path:
            Path(address.path).chmod(SOCKET_MODE)
        else:
            self._address = Address(host=address.host, port=front.bound_port)
        front.start()
        self._processor.keep_off(IO_THREAD_NAME)
        self._front = front
        self._threads = [
            threading.Thread(target=self._serve, args=(front,), name="native-checks", daemon=True),
            threading.Thread(target=self._help, args=(front,), name="native-helper", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, grace: float) -> None:
        """Refuse new calls, answer those that wait for at most `grace` seconds, then close. Safe to call twice."""
        front, self._front = self._front, None
        if front is None:
            return
        self._stopping = True
        if self._drained.wait(grace):
            # The library hands an answer to threads of its own, which need a moment to put it on the socket.
            time.sleep(FLUSH_SECONDS)
        front.close()
        with self._helper:
            self._helper.notify_all()
        for thread in self._threads:
            thread.join()
        if self._address.path:
            Path(self._address.path).unlink(missing_ok=True)

    def _serve(self, front: NativeGrpcFront) -> None:
        self._processor.join()
        checks = self._checks
        while True:
            stopping = self._stopping
            events = front.recv_batch_details(TAKEN_AT_ONCE, 0 if checks else IDLE_MS)
            if events is None:
                break
            self._take(front, events)
            # What had arrived when the stop was asked for has its place by now.
            self._refusing = stopping
            if checks:
                burst = list(islice(checks.values(), share(len(checks))))
                if len(burst) == len(checks):
                    checks.clear()
                else:
                    for waiting in burst:
                        del checks[waiting.call_id]
                self._answer(front, burst)
            elif stopping and self._idle():
                self._drained.set()
        self._drained.set()

    def _take(self, front: NativeGrpcFront, events: Sequence[Event]) -> None:
        """Give each call a place, or refuse it at once."""
        checks, now = self._checks, time.monotonic()
        proven: dict[bytes | str | None, Caller] = {}  # of what arrived together; a token is never kept
        for kind, call_id, method_id, payload, proof, details in events:
            if kind != EVENT_CALL or payload is None or details is None:
                self._forget(call_id)
                continue
            method, lane, remaining = self._methods[method_id], self._lanes[method_id], details[2]
            try:
                if self._refusing:
                    raise Unavailable("the sidecar is stopping")
                if len(lane) >= self._in_flight:
                    raise Overloaded
                if len(payload) > method.limit:
                    raise MessageTooLarge(f"a message of {len(payload)} bytes; this method admits {method.limit}")
                caller = proven.get(proof) if method.roles else NOBODY
                if caller is None:
                    # Without an `authorization` header the proof is the peer's address, as text.
                    caller = proven[proof] = self._callers.by_token(proof if isinstance(proof, bytes) else None)
            except SidecarError as error:
                self._fail(front, call_id, error)
                continue
            deadline = None if remaining is None else now + remaining
            waiting = Waiting(payload, caller, deadline, call_id=call_id, method=method)
            if lane is checks:
                checks[call_id] = waiting
            else:
                with self._helper:
                    lane[call_id] = waiting
                    self._helper.notify()

    def _forget(self, call_id: int) -> None:
        """The caller went away, or its deadline came, before the call was served."""
        if self._checks.pop(call_id, None) is None:
            with self._helper:
                for lane in self._slow.values():
                    lane.pop(call_id, None)

    def _help(self, front: NativeGrpcFront) -> None:
        self._processor.join()
        grants, bulk = self._slow[Lane.GRANTS], self._slow[Lane.BULK]
        while True:
            with self._helper:
                self._helping = False
                self._helper.wait_for(lambda: grants or bulk or self._front is None)
                if not grants and not bulk:
                    return
                self._helping = True
                _, waiting = (grants or bulk).popitem(last=False)
            self._answer(front, [waiting])

    def _idle(self) -> bool:
        with self._helper:
            return not self._helping and not any(self._slow.values())

    def _answer(self, front: NativeGrpcFront, burst: list[Waiting]) -> None:
        """Serve these calls: those of one method together, those nobody waits for any more not at all."""
        now, respond = time.monotonic(), front.respond
        together: dict[Method, list[Waiting]] = {}
        for waiting in burst:
            deadline = waiting.deadline
            if deadline is None or now < deadline:
                calls = together.get(waiting.method)
                if calls is None:
                    together[waiting.method] = [waiting]
                else:
                    calls.append(waiting)
        for method, calls in together.items():
            for call, out in zip(calls, method.serve(calls), strict=True):
                if isinstance(out, bytes):
                    respond(call.call_id, out)
                elif isinstance(out, Deferred):
                    self._put_off(front, call, out.method)
                else:
                    self._fail(front, call.call_id, out)

    def _put_off(self, front: NativeGrpcFront, call: Waiting, method: Method) -> None:
        """Give the call a place among the slow ones."""
        with self._helper:
            lane = self._slow[method.lane]
            room = len(lane) < self._in_flight
            if room:
                lane[call.call_id] = replace(call, method=method)
                self._helper.notify()
        if not room:
            self._fail(front, call.call_id, Overloaded())

    def _fail(self, front: NativeGrpcFront, call_id: int, error: Exception) -> None:
        status = wire.status(error)
        front.fail(call_id, status.code, status.message, status.metadata)
        self._refused(status.reason)
