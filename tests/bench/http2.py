"""A gRPC client that costs almost nothing: many distinct unary calls on one HTTP/2 connection, sixteen in flight.

Every HEADERS frame is the same bytes (HPACK literals without indexing, RFC 7541 6.2.2), so a call is a frame
header, those bytes and the message. Answers are kept as bytes and judged after the clock has stopped.
"""

import socket
import time
from collections.abc import Sequence

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0x0, 0x1, 0x3, 0x4, 0x6, 0x7
END_STREAM, END_HEADERS, ACK = 0x1, 0x4, 0x1
WIDE = 0x7FFFFFFF
PATIENCE = 20.0  # seconds without an answer after which the server is taken for dead


class Load:
    """What a run gave: seconds, one latency a call, and the answers in the order of the questions."""

    def __init__(
        self, seconds: float, latencies: list[float], answers: list[bytes | None], blocks: list[tuple[int, bytes]]
    ) -> None:
        """`blocks` are the header blocks that came on the connection, each with the place of its call."""
        self.seconds, self.latencies, self.answers, self._blocks = seconds, latencies, answers, blocks

    def said(self, n: int) -> str:
        """What the server's headers said of the n-th call: why there is no answer."""
        decoder, said = hpack.Decoder(), []
        for place, block in self._blocks:
            headers = decoder.decode(block)  # each block depends on those before
            said += [f"{name}: {value}" for name, value in headers if place == n]
        return "; ".join(said) or "nothing: the stream was reset"


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def _literal(name: bytes, value: bytes) -> bytes:
    return name + bytes((len(value),)) + value


def _headers(path: str, token: str) -> bytes:
    """The request's header block: indexes of RFC 7541's static table where a name is in it."""
    return b"".join(
        (
            b"\x83\x86",  # :method POST, :scheme http
            _literal(b"\x04", path.encode()),
            _literal(b"\x01", b"localhost"),
            _literal(b"\x0f\x10", b"application/grpc"),
            _literal(b"\x00\x02te", b"trailers"),
            _literal(b"\x0f\x08", f"Bearer {token}".encode()),
        )
    )


def connect(address: str) -> socket.socket:
    """A connection with the preface sent and windows wide open."""
    if address.startswith("unix:"):
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(PATIENCE)
        link.connect(address.removeprefix("unix:"))
    else:
        host, _, port = address.rpartition(":")
        link = socket.create_connection((host, int(port)), PATIENCE)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    settings = b"\x00\x04" + WIDE.to_bytes(4, "big")
    link.sendall(PREFACE + _frame(SETTINGS, 0, 0, settings) + _frame(0x8, 0, 0, (WIDE - 65_535).to_bytes(4, "big")))
    return link


def run(address: str, path: str, token: str, messages: Sequence[bytes], in_flight: int = 16) -> Load:
    """Ask every question, `in_flight` at a time. Raises ConnectionError when the server goes away."""
    headers = _headers(path, token)
    heads = len(headers).to_bytes(3, "big") + bytes((HEADERS, END_HEADERS))
    questions = [b"\x00" + len(message).to_bytes(4, "big") + message for message in messages]
    total, sent, done = len(questions), 0, 0
    started, latencies, answers = [0.0] * total, [0.0] * total, list[bytes | None]([None] * total)
    link, pending, clock = connect(address), b"", time.perf_counter
    blocks: list[tuple[int, bytes]] = []

    def calls(first: int, last: int) -> bytes:
        parts = []
        for n in range(first, last):
            stream, body = (2 * n + 1).to_bytes(4, "big"), questions[n]
            parts += (heads, stream, headers, len(body).to_bytes(3, "big"), b"\x00\x01", stream, body)
        return b"".join(parts)

    begun = clock()
    with link:
        while done < total:
            more = min(total, done + in_flight)
            if more > sent:
                started[sent:more] = [clock()] * (more - sent)
                link.sendall(calls(sent, more))
                sent = more
            received = link.recv(262_144)
            if not received:
                raise ConnectionError(f"the server closed the connection after {done} answers")
            now, pending, at = clock(), pending + received, 0
            while len(pending) - at >= 9:
                end = at + 9 + int.from_bytes(pending[at : at + 3], "big")
                if end > len(pending):
                    break
                kind, flags = pending[at + 3], pending[at + 4]
                n = (int.from_bytes(pending[at + 5 : at + 9], "big") - 1) >> 1
                if kind == DATA:
                    answers[n] = (answers[n] or b"") + pending[at + 9 : end]
                elif kind == HEADERS:
                    blocks.append((n, pending[at + 9 : end]))
                elif kind == SETTINGS and not flags & ACK:
                    link.sendall(_frame(SETTINGS, ACK, 0, b""))
                elif kind == PING and not flags & ACK:
                    link.sendall(_frame(PING, ACK, 0, pending[at + 9 : end]))
                elif kind == GOAWAY:
                    raise ConnectionError("the server said goodbye")
                if kind == RST_STREAM or (kind in (DATA, HEADERS) and flags & END_STREAM):
                    latencies[n] = now - started[n]
                    done += 1
                at = end
            pending = pending[at:]
        seconds = clock() - begun
    return Load(seconds, latencies, [answer[5:] if answer else answer for answer in answers], blocks)
