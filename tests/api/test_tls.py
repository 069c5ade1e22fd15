"""What the network sees: who has no right certificate gets nothing, and a renewed certificate needs no restart."""

import os
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from cryptography import x509

from sidecar import certs
from sidecar.api.grpcio_server import TlsFiles
from sidecar.certs import CLIENT, SERVER, Identity, authority, caller_name, issued, make_demo
from sidecar.errors import ConfigFault, InputFault
from tests.api.corridor import CHECK, WRITE, Client, Served, a_check, served

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)
REFUSED_BY_TLS = (grpc.StatusCode.UNAVAILABLE,)


@pytest.fixture(scope="module")
def ca() -> Identity:
    return authority("ca", NOW)


@pytest.fixture(scope="module")
def folder(ca: Identity, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    (folder / "ca.pem").write_bytes(ca.certificate_pem)
    write(folder, issued(ca, "server", [x509.DNSName("localhost")], SERVER, NOW - HOUR, NOW + HOUR))
    return folder


def write(folder: Path, server: Identity) -> None:
    for name, content in (("server.pem", server.certificate_pem), ("server.key", server.key_pem)):
        (folder / (name + ".new")).write_bytes(content)
        os.replace(folder / (name + ".new"), folder / name)


def files(folder: Path) -> TlsFiles:
    return TlsFiles(folder / "server.pem", folder / "server.key", folder / "ca.pem")


@pytest.fixture
def running(folder: Path) -> Iterator[Served]:
    with served("grpcio", "127.0.0.1:0", tls=files(folder)) as server:
        yield server


def client(running: Served, ca: Identity, proof: Identity | None) -> Client:
    credentials = grpc.ssl_channel_credentials(
        ca.certificate_pem, proof and proof.key_pem, proof and proof.certificate_pem
    )
    port = running.server.address.rpartition(":")[2]
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
    running.clients.append(Client(grpc.secure_channel(f"localhost:{port}", credentials, options), None))
    return running.clients[-1]


def caller(ca: Identity, name: str = "dpi", start: datetime = NOW - HOUR, end: datetime = NOW + HOUR) -> Identity:
    return issued(ca, name, [caller_name(name)], CLIENT, start, end)


def code(client: Client, method: str = CHECK, payload: bytes = a_check().SerializeToString()) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as caught:
        client.call(method, payload)
    return caught.value.code()


def test_the_certificate_names_the_caller(running: Served, ca: Identity) -> None:
    assert client(running, ca, caller(ca)).check().reason == "CARE_TEAM"
    assert code(client(running, ca, caller(ca, "feed"))) is grpc.StatusCode.PERMISSION_DENIED
    assert [refused.caller_id for refused in running.corridor.refused] == ["feed"]


def test_a_token_proves_nothing_where_certificates_do(running: Served, ca: Identity) -> None:
    feed = client(running, ca, caller(ca, "feed"))
    feed.metadata = (("authorization", "Bearer token-of-dpi"),)
    assert code(feed) is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize(
    "wrong",
    ["none", "another authority", "expired", "not yet valid", "for servers", "signed by itself"],
)
def test_a_certificate_that_is_not_good_gets_no_connection(running: Served, ca: Identity, wrong: str) -> None:
    proof = {
        "none": lambda: None,
        "another authority": lambda: caller(authority("ca", NOW)),
        "expired": lambda: caller(ca, start=NOW - 3 * HOUR, end=NOW - HOUR),
        "not yet valid": lambda: caller(ca, start=NOW + HOUR, end=NOW + 2 * HOUR),
        "for servers": lambda: issued(ca, "dpi", [caller_name("dpi")], SERVER, NOW - HOUR, NOW + HOUR),
        "signed by itself": lambda: authority("dpi", NOW),
    }[wrong]()
    assert code(client(running, ca, proof)) in REFUSED_BY_TLS
    assert not running.corridor.bursts


@pytest.mark.parametrize("names", [[caller_name("nobody")], [], [x509.DNSName("dpi")], [x509.RFC822Name("dpi@demo")]])
def test_a_good_certificate_of_nobody_we_know_is_denied(
    running: Served, ca: Identity, names: list[x509.GeneralName]
) -> None:
    stranger = issued(ca, "dpi", names, CLIENT, NOW - HOUR, NOW + HOUR)
    assert code(client(running, ca, stranger)) is grpc.StatusCode.PERMISSION_DENIED
    assert not running.corridor.bursts
    assert running.refusals == ["PERMISSION_DENIED"]


def test_a_wrong_role_is_denied(running: Served, ca: Identity) -> None:
    assert code(client(running, ca, caller(ca)), WRITE, b"") is grpc.StatusCode.PERMISSION_DENIED
    assert [(r.caller_id, r.method) for r in running.corridor.refused] == [("dpi", WRITE)]


def test_plaintext_gets_no_answer(running: Served) -> None:
    assert code(running.client()) in REFUSED_BY_TLS
    assert not running.corridor.bursts


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_tls_gets_no_answer(running: Served, ca: Identity) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    host, _, port = running.server.address.rpartition(":")
    with socket.create_connection((host, int(port))) as plain, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(plain)


def test_a_renewed_certificate_is_served_without_a_restart(running: Served, folder: Path, ca: Identity) -> None:
    assert client(running, ca, caller(ca)).check()
    successor = authority("successor", NOW)
    write(folder, issued(successor, "server", [x509.DNSName("localhost")], SERVER, NOW - HOUR, NOW + HOUR))
    try:
        assert client(running, successor, caller(ca)).check().reason == "CARE_TEAM"
    finally:
        write(folder, issued(ca, "server", [x509.DNSName("localhost")], SERVER, NOW - HOUR, NOW + HOUR))


def test_unreadable_new_files_leave_the_old_ones_in_use(running: Served, folder: Path, ca: Identity) -> None:
    certificate = (folder / "server.pem").read_bytes()
    for garbage in (b"", b"not PEM"):
        (folder / "server.pem").write_bytes(garbage)
        assert client(running, ca, caller(ca)).check().reason == "CARE_TEAM"
    (folder / "server.pem").unlink()
    assert client(running, ca, caller(ca)).check().reason == "CARE_TEAM"
    (folder / "server.pem").write_bytes(certificate)
    assert client(running, ca, caller(ca)).check().reason == "CARE_TEAM"


def test_a_certificate_file_that_is_missing_at_start_is_named(folder: Path) -> None:
    tls = TlsFiles(folder / "server.pem", folder / "none.key", folder / "ca.pem")
    with pytest.raises(ConfigFault, match=r"none\.key"), served("grpcio", "127.0.0.1:0", tls=tls):
        pass


def test_the_demonstration_certificates_work_as_they_are(tmp_path: Path) -> None:
    make_demo(tmp_path / "certs", NOW)
    folder = tmp_path / "certs"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["ca.pem", *(f"{name}.{end}" for name in ("server", *certs.CALLERS) for end in ("key", "pem"))]
    )
    assert {path.stat().st_mode & 0o777 for path in folder.glob("*.key")} == {0o600}
    with served("grpcio", "127.0.0.1:0", tls=files(folder)) as running:
        host, _, port = running.server.address.rpartition(":")
        for target in (f"localhost:{port}", f"{host}:{port}"):
            credentials = grpc.ssl_channel_credentials(
                *((folder / name).read_bytes() for name in ("ca.pem", "dpi.key", "dpi.pem"))
            )
            with grpc.secure_channel(target, credentials) as channel:
                assert Client(channel, None).check().reason == "CARE_TEAM"
    with pytest.raises(InputFault, match="not empty"):
        make_demo(folder, NOW)
