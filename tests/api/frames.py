"""HTTP/2 spoken frame by frame, as no well-behaved client would."""

import socket
import struct
from collections.abc import Sequence

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from tests.api.corridor import CHECK, TOKENS

Headers = list[tuple[str, str]]


def headers(method: str = CHECK, more: Sequence[tuple[str, str]] = ()) -> Headers:
    return [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", method),
        (":authority", "localhost"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("authorization", f"Bearer {TOKENS['dpi']}"),
        *more,
    ]


def framed(payload: bytes, compressed: int = 0, length: int | None = None) -> bytes:
    """A gRPC message: its flag, its length (which may be a lie) and its bytes."""
    return struct.pack(">BI", compressed, len(payload) if length is None else length) + payload


class Frames:
    """One connection to a Unix socket."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(address.removeprefix("unix:"))
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(validate_outbound_headers=False))
        self.h2.initiate_connection()
        self.trailers: dict[int, dict[str, str]] = {}
        self.reset: dict[int, int] = {}
        self.ended: set[int] = set()
        self.gone = False
        self.flush()

    def __enter__(self) -> "Frames":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def flush(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def ask(
        self, payload: bytes | None, end: bool = True, method: str = CHECK, more: Sequence[tuple[str, str]] = ()
    ) -> int:
        """Open a stream, send what is given, and say its number."""
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, headers(CHECK, more), end_stream=end and payload is None)
        if payload is not None:
            self.h2.send_data(stream, payload, end_stream=end)
        self.flush()
        return stream

    def status(self, stream: int) -> str:
        """How the stream ended: its grpc-status, `reset N`, `http N`, or `gone`."""
        while not self.gone and stream not in self.reset and stream not in self.ended:
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                self.gone = True
                break
            for event in self.h2.receive_data(data):
                self._note(event)
            self.flush()
        if stream in self.reset:
            return f"reset {self.reset[stream]}"
        found = self.trailers.get(stream, {})
        return found.get("grpc-status") or f"http {found[':status']}" if found else "gone"

    def _note(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
            found = {
                (k.decode() if isinstance(k, bytes) else k): (v.decode() if isinstance(v, bytes) else v)
                for k, v in event.headers or ()
            }
            self.trailers.setdefault(event.stream_id, {}).update(found)  # type: ignore[arg-type]
        elif isinstance(event, h2.events.StreamReset):
            self.reset[event.stream_id] = int(event.error_code or 0)
        elif isinstance(event, h2.events.DataReceived):
            self.h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
        elif isinstance(event, h2.events.StreamEnded):
            self.ended.add(event.stream_id or 0)
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.gone = True
