"""Who calls comes from the connection and the configuration."""

import hashlib
import socket
from pathlib import Path

import grpc
import pytest
from pygrpc_native import EVENT_CALL

from sidecar.api.address import parse, plaintext
from sidecar.api.callers import CallerConfig, Callers
from sidecar.api.grpcio_server import GrpcioServer
from sidecar.api.native_server import NativeServer
from sidecar.core.model import Caller
from sidecar.errors import ConfigFault, PermissionDenied, Unauthenticated
from tests.api.corridor import CHECK, Corridor, callers, served, socket_in


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def test_a_caller_is_what_its_configuration_says() -> None:
    config = CallerConfig("dpi", "portal", ("dpi", "feed"), "t1", ("C1", "C2"), "certified", ("facts",), "spiffe://a")
    assert Callers([config]).by_san(["spiffe://a"]) == Caller(
        "dpi", "portal", frozenset(("dpi", "feed")), "t1", ("C1", "C2"), "certified", frozenset(("facts",))
    )


def test_a_certificate_names_one_caller_or_none() -> None:
    known = callers()
    assert known.by_san(["https://other", "spiffe://demo/feed"]).id == "feed"
    for uris in ([], ["spiffe://demo/nobody"], ["spiffe://demo/feed", "spiffe://demo/dpi"], ["SPIFFE://demo/dpi"]):
        with pytest.raises(PermissionDenied):
            known.by_san(uris)


def test_a_token_names_its_caller_and_nothing_near_it_does() -> None:
    known = callers()
    assert known.by_token("Bearer token-of-dpi").id == "dpi"
    assert known.by_token(b"bearer token-of-feed").id == "feed"
    for header in (None, "", "Bearer", "Bearer ", "Basic token-of-dpi", "token-of-dpi", b"Bearer \xff", "Bearer é"):
        with pytest.raises(Unauthenticated):
            known.by_token(header)


def test_a_token_is_known_by_its_hash_alone() -> None:
    assert "token-of-dpi" not in repr(vars(callers()))
    with pytest.raises(Unauthenticated):
        callers().by_token("Bearer " + digest("token-of-dpi"))


@pytest.mark.parametrize(
    ("configs", "sentence"),
    [
        ([CallerConfig("a", san_uri="u"), CallerConfig("a", san_uri="v")], "two are named `a`"),
        ([CallerConfig("a")], "no proof"),
        ([CallerConfig("a", san_uri="u"), CallerConfig("b", san_uri="u")], "another caller has its `san_uri`"),
        (
            [CallerConfig("a", token_sha256=digest("t")), CallerConfig("b", token_sha256=digest("t").upper())],
            "another caller has its `token_sha256`",
        ),
        ([CallerConfig("a", token_sha256="t" * 64)], "64 hexadecimal digits"),
        ([CallerConfig("a", token_sha256="ab")], "64 hexadecimal digits"),
    ],
)
def test_a_configuration_that_could_confuse_two_callers_is_refused(configs: list[CallerConfig], sentence: str) -> None:
    with pytest.raises(ConfigFault, match=sentence):
        Callers(configs)


class Refusing:
    """The calls that were refused, and how."""

    def __init__(self) -> None:
        self.failed: dict[int, int] = {}

    def fail(self, call_id: int, code: int, message: str, metadata: object) -> None:
        self.failed[call_id] = code


def test_calls_that_arrive_together_are_each_its_own_callers_and_no_token_is_kept() -> None:
    server = NativeServer("127.0.0.1:0", Corridor().table(), callers(), lambda _: None)
    proofs = ["dpi", "feed", "dpi", "nobody", "auditor", "feed"]
    check, front = server._names.index(CHECK), Refusing()
    details = ((), "peer", None)
    events = [
        (EVENT_CALL, n, check, b"?", f"Bearer token-of-{name}".encode(), details) for n, name in enumerate(proofs)
    ]
    server._take(front, [*events, (EVENT_CALL, 6, check, b"?", "peer", details)])  # type: ignore[arg-type]
    assert {n: call.caller.id for n, call in server._checks.items()} == {
        n: name for n, name in enumerate(proofs) if name != "nobody"
    }
    assert front.failed == dict.fromkeys((3, 6), grpc.StatusCode.UNAUTHENTICATED.value[0])
    assert "token-of-" not in repr(vars(server))


@pytest.mark.parametrize("server", [GrpcioServer, NativeServer])
@pytest.mark.parametrize("address", ["0.0.0.0:4443", "[::]:4443", "192.0.2.7:4443", "128.0.0.1:1"])
def test_plaintext_is_served_nowhere_but_on_this_machine(
    server: type[GrpcioServer] | type[NativeServer], address: str
) -> None:
    with pytest.raises(ConfigFault, match="without TLS only a Unix socket or a loopback address"):
        server(address, Corridor().table(), callers(), print)


def test_addresses_are_read_strictly() -> None:
    assert str(plaintext("localhost:4443")) == "127.0.0.1:4443"
    assert str(plaintext("[::1]:0")) == "[::1]:0"
    assert str(plaintext("unix:/run/x/s.sock")) == "unix:/run/x/s.sock"
    assert not parse("0.0.0.0:1").local
    for text in ("", "host:1", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "unix:", "unix:s.sock", ":4443"):
        with pytest.raises(ConfigFault):
            parse(text)
    with pytest.raises(ConfigFault, match="107 bytes"):
        parse("unix:/" + "x" * 107)


def test_a_socket_stands_in_a_folder_only_its_group_enters(transport: str, short_folder: Path) -> None:
    with served(transport, socket_in(short_folder)):
        assert (short_folder / "run").stat().st_mode & 0o777 == 0o770
        assert (short_folder / "run" / "s.sock").stat().st_mode & 0o007 == 0
    assert not (short_folder / "run" / "s.sock").exists()


def test_a_socket_in_a_folder_open_to_all_is_refused(transport: str, short_folder: Path) -> None:
    (short_folder / "run").mkdir(mode=0o777)
    (short_folder / "run").chmod(0o777)
    with pytest.raises(ConfigFault, match="mode 0770"), served(transport, socket_in(short_folder)):
        pass


def test_a_socket_left_by_a_killed_process_is_replaced_and_a_file_is_not(transport: str, short_folder: Path) -> None:

    folder = short_folder / "run"
    folder.mkdir(mode=0o770)
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(folder / "s.sock"))
    left.close()
    with served(transport, socket_in(short_folder)) as running:
        assert running.client().check().reason == "CARE_TEAM"
    (folder / "s.sock").write_text("mine")
    with pytest.raises(ConfigFault, match="something else has this name"), served(transport, socket_in(short_folder)):
        pass
    assert (folder / "s.sock").read_text() == "mine"


def test_a_port_that_is_taken_is_refused_with_a_sentence(transport: str) -> None:
    with served(transport, "127.0.0.1:0") as running:
        assert running.client().check().reason == "CARE_TEAM"
        with pytest.raises(ConfigFault, match="cannot be bound"), served(transport, running.server.address):
            pass
