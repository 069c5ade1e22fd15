"""docs/transports.md says what differs between the transports; each row is tried on both."""

import gzip
import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.api.corridor import CHECK, HEALTH, TRANSPORTS, Client, Served, a_check, served, socket_in
from tests.api.frames import Frames, framed

PLAIN = a_check().SerializeToString()
PAGE = Path(__file__).parents[2] / "docs" / "transports.md"
NAMES = {str(code.value[0]): code.name for code in grpc.StatusCode}


def told(call: Callable[[], object]) -> str:
    """How a call of an ordinary client ends: status, and the stable reason when there is one."""
    try:
        call()
    except grpc.RpcError as error:
        return ", ".join(filter(None, (error.code().name, reason(error))))
    return "OK"


def reason(error: grpc.RpcError) -> str:
    found = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    info = error_details_pb2.ErrorInfo()
    for each in status_pb2.Status.FromString(found).details if found else ():
        each.Unpack(info)
    return info.reason


def raw(running: Served, payload: bytes | None, *more: tuple[str, str]) -> str:
    """How a call made frame by frame ends."""
    with Frames(running.server.address) as frames:
        assert frames.status(frames.ask(framed(PLAIN))) == "0"
        status = frames.status(frames.ask(payload, more=more))
        return NAMES.get(status, status)


def anonymous_health(running: Served) -> str:
    return told(lambda: running.client(None).call(HEALTH, b""))


def wrong_token(running: Served) -> str:
    client = running.client(token="nobody's")
    status = told(lambda: client.call(CHECK, PLAIN)).split(",")[0]
    return status + (", counted" if running.refusals == ["UNAUTHENTICATED"] else "")


def reflected(running: Served) -> str:
    client = running.client()
    stub = reflection_pb2_grpc.ServerReflectionStub(client.channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    return told(lambda: list(stub.ServerReflectionInfo(iter([request]), metadata=client.metadata)))


def open_stream(running: Served) -> str:
    with Frames(running.server.address) as frames:
        stream = frames.ask(framed(PLAIN), end=False)
        frames.ask(framed(PLAIN))
        assert frames.status(stream + 2) == "0"
        time.sleep(0.2)
        return "evaluated" if len(running.corridor.requests) == 2 else "not evaluated"


PROBES: dict[str, Callable[[Served], str]] = {
    "health is asked without a certificate or token on loopback": anonymous_health,
    "a token is nobody's": wrong_token,
    "server reflection is asked": reflected,
    "a message of 5 MiB comes": lambda r: told(lambda: r.client().call(CHECK, bytes(5 << 20))),
    "metadata is somewhat over its limit": lambda r: raw(r, framed(PLAIN), ("x-note", "y" * 6000)),
    "a message is compressed": lambda r: raw(r, framed(gzip.compress(PLAIN), 1), ("grpc-encoding", "gzip")),
    "a message stands complete in a stream that stays open": open_stream,
    "a stream ends without a message": lambda r: raw(r, None),
    "a message is shorter than it says": lambda r: raw(r, framed(PLAIN, 0, len(PLAIN) + 9)),
    "a message is longer than it says": lambda r: raw(r, framed(PLAIN, 0, len(PLAIN) - 9)),
    "a message says it has four gigabytes": lambda r: raw(r, framed(PLAIN, 0, 2**32 - 1)),
    "a deadline is no number": lambda r: raw(r, framed(PLAIN), ("grpc-timeout", "soon")),
}


def documented() -> dict[str, dict[str, str]]:
    """The rows of the table under `What differs`."""
    section = PAGE.read_text(encoding="utf-8").split("## What differs")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    return {when: {"grpcio": grpcio, "native": native} for when, grpcio, native in rows[1:]}


def test_every_row_is_tried_and_every_row_is_a_difference() -> None:
    assert documented().keys() == PROBES.keys()
    assert all(row["grpcio"] != row["native"] for row in documented().values())


@pytest.mark.parametrize("when", PROBES)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_transport_does_what_its_page_says(transport: str, when: str, short_folder: Path) -> None:
    with served(transport, socket_in(short_folder), metadata_bytes=4096) as running:
        assert PROBES[when](running) == documented()[when][transport]
        running.refusals.clear()
        assert running.client().check().reason == "CARE_TEAM"


def test_streams_that_never_end_hold_up_nobody(transport: str, short_folder: Path) -> None:
    with served(transport, socket_in(short_folder)) as running, Frames(running.server.address) as frames:
        for _ in range(20):
            frames.ask(None, end=False)
            frames.ask(framed(PLAIN)[:9], end=False)
        assert frames.status(frames.ask(framed(PLAIN))) == "0"
        assert running.client().check().reason == "CARE_TEAM"


def test_rapid_resets_cost_their_connection_at_most(transport: str, short_folder: Path) -> None:
    """CVE-2023-44487: a connection that opens and resets streams without end may be closed; nobody else notices."""
    with served(transport, socket_in(short_folder)) as running:
        client = running.client()
        for _ in range(3):
            with Frames(running.server.address) as frames, suppress(ConnectionError):
                for _ in range(500):
                    stream = frames.ask(framed(PLAIN), end=False)
                    frames.h2.reset_stream(stream)
            assert client.check().reason == "CARE_TEAM"


@pytest.mark.parametrize("greeting", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x00\xff", bytes(range(256))])
def test_what_does_not_speak_http2_holds_up_nobody(transport: str, greeting: bytes, short_folder: Path) -> None:
    with served(transport, socket_in(short_folder)) as running, socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(running.server.address.removeprefix("unix:"))
        stranger.sendall(greeting)
        assert running.client().check().reason == "CARE_TEAM"
        assert not running.corridor.refused


def test_a_deadline_that_has_passed_is_exceeded_on_both(transport: str, short_folder: Path) -> None:
    with served(transport, socket_in(short_folder)) as running:
        assert raw(running, framed(PLAIN), ("grpc-timeout", "0m")) == "DEADLINE_EXCEEDED"


def test_the_first_of_two_tokens_counts_on_both(transport: str, short_folder: Path) -> None:
    with served(transport, socket_in(short_folder)) as running:
        assert raw(running, framed(PLAIN), ("authorization", "Bearer token-of-feed")) == "OK"
        assert isinstance(running.client(), Client)
