"""Where notices may go: what the settings refuse, and what TLS and a lying receiver come to."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from sidecar import config
from sidecar.addresses import addresses
from sidecar.certs import make_demo
from sidecar.errors import ConfigFault
from sidecar.notices.post import Reply, post
from sidecar.notices.signing import secrets_of
from tests.server.process import settings, toml

WORTH = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="


def loaded(folder: Path, *addresses: dict[str, object]) -> config.Config:
    built = msgspec.to_builtins(settings(folder)) | {"notices": {"addresses": list(addresses)}}
    path = folder / "settings.toml"
    path.write_text(toml(built))
    return config.load(path, {})


def an_address(**more: object) -> dict[str, object]:
    return {"name": "a", "url": "https://hopital.example/notices", "secret_file": "secret"} | more


def test_an_address_is_https_or_of_this_machine(tmp_path: Path) -> None:
    for good in ("https://hopital.example/n?x=1", "http://127.0.0.1:8080/", "http://localhost/n", "http://[::1]:9/"):
        assert loaded(tmp_path, an_address(url=good)).notices.addresses[0].url == good
    for bad in (
        "http://hopital.example/",
        "ftp://hopital.example/",
        "hopital.example",
        "https://user@hopital.example/",
        "https://hopital.example/#part",
        "https://hôpital.example/",
        "https://hopital.example:port/",
        "https:///n",
    ):
        with pytest.raises(ConfigFault, match="url"):
            loaded(tmp_path, an_address(url=bad))


def test_each_notice_has_one_address_at_most(tmp_path: Path) -> None:
    apart = (an_address(audiences=["patient"]), an_address(name="b", audiences=["reviewer"]))
    assert len(loaded(tmp_path, *apart).notices.addresses) == 2
    for other in (an_address(name="b"), an_address(name="b", controllers=["C1"]), an_address()):
        with pytest.raises(ConfigFault):
            loaded(tmp_path, an_address(audiences=["patient"]), other)


def test_relative_files_are_taken_from_the_folder_of_the_settings(tmp_path: Path) -> None:
    [address] = loaded(tmp_path, an_address(ca="ca.pem")).notices.addresses
    assert (address.secret_file, address.ca) == (str(tmp_path / "secret"), str(tmp_path / "ca.pem"))


def test_a_secret_that_is_short_or_garbled_is_refused_and_never_quoted() -> None:
    assert secrets_of(f"{WORTH}\n\n{WORTH}\n") == (b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345",) * 2
    for bad in ("", "\n", "whsec_c2hvcnQ=", WORTH.removeprefix("whsec_"), "whsec_%%%%"):
        with pytest.raises(ConfigFault) as fault:
            secrets_of(bad)
        assert "c2hvcnQ" not in str(fault.value)


def test_what_a_file_of_an_address_holds_is_said_at_start(tmp_path: Path) -> None:
    asked = loaded(tmp_path, an_address(ca="ca.pem", audiences=["patient"], seconds=3.0))
    with pytest.raises(ConfigFault, match="secret: cannot be read"):
        addresses(asked)
    (tmp_path / "secret").write_text(WORTH)
    with pytest.raises(ConfigFault, match=r"ca\.pem: cannot be read"):
        addresses(asked)
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(ConfigFault, match="no certificate in PEM"):
        addresses(asked)
    make_demo(tmp_path / "demo", datetime.now(UTC))
    (tmp_path / "ca.pem").write_bytes((tmp_path / "demo/ca.pem").read_bytes())
    [address] = addresses(asked)
    assert (address.secrets, address.audiences, address.seconds) == ((secrets_of(WORTH)[0],), ("patient",), 3.0)


@contextmanager
def answering(said: bytes, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A port that says these bytes to whoever comes, whatever they say."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        try:
            while True:
                caller, _ = listener.accept()
                try:
                    with tls.wrap_socket(caller, server_side=True) if tls else caller as talk:
                        talk.settimeout(5)
                        talk.recv(65536)
                        talk.sendall(said)
                        talk.recv(65536)
                except OSError:
                    pass
        except OSError:
            return

    threading.Thread(target=answer, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def posted(url: str, tls: ssl.SSLContext | None = None, seconds: float = 5.0) -> Reply:
    return asyncio.run(post(url, {"webhook-id": "n1"}, b"{}", tls, seconds))


def test_what_is_no_http_answer_takes_nothing() -> None:
    for said in (b"", b"hello\r\n\r\n", b"HTTP/1.1 2000 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000):
        with answering(said) as port:
            reply = posted(f"http://127.0.0.1:{port}/", seconds=0.5)
            assert (reply.status, reply.taken) == (0, False), said[:20]
            assert reply.why


def test_a_redirect_is_not_followed_and_a_wait_that_is_asked_for_is_read() -> None:
    with answering(b"HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:1/\r\n\r\n") as port:
        assert posted(f"http://127.0.0.1:{port}/") == Reply(307)
    with answering(b"HTTP/1.1 503 Later\r\nRetry-After: 120\r\nX: y\r\n\r\n") as port:
        assert posted(f"http://127.0.0.1:{port}/") == Reply(503, wait=120)


def test_a_receiver_that_drips_its_answer_is_left_in_time() -> None:
    with answering(b"HTTP/1.1 200") as port:
        assert posted(f"http://127.0.0.1:{port}/", seconds=0.2).why == "no answer in time"


def test_a_certificate_of_another_authority_or_another_name_takes_nothing(tmp_path: Path) -> None:
    for folder in ("ours", "theirs"):
        make_demo(tmp_path / folder, datetime.now(UTC))
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(tmp_path / "ours/server.pem", tmp_path / "ours/server.key")
    ours = ssl.create_default_context(cafile=str(tmp_path / "ours/ca.pem"))
    theirs = ssl.create_default_context(cafile=str(tmp_path / "theirs/ca.pem"))
    with answering(b"HTTP/1.1 204 Taken\r\n\r\n", served) as port:
        assert posted(f"https://localhost:{port}/", ours).taken
        assert posted(f"https://localhost:{port}/", theirs).why.startswith("certificate: ")
        assert not posted(f"http://localhost:{port}/").taken
        other_name = ssl.create_default_context(cafile=str(tmp_path / "ours/ca.pem"))
        reply = asyncio.run(post(f"https://127.0.0.2:{port}/", {}, b"{}", other_name, 5.0))
        assert not reply.taken
