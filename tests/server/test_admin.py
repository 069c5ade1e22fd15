"""The admin port: what Prometheus scrapes, and what says that the sidecar lives and is ready."""

import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from sidecar import __version__
from sidecar.certs import SERVER, authority, issued
from sidecar.config import Listen, Tls
from tests.server.client import TOKEN, refusal
from tests.server.process import CONTROLLER, KINDS, ROOT, Running, running, settings, until
from tests.server.world import a_check, a_subject, a_write, told

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def sidecar(module_folder: Path) -> Iterator[Running]:
    """It has permitted twice, refused once, and turned three calls away."""
    with running(module_folder) as started:
        started.client("feed").call("WriteFacts", a_write("w", told(), complete=True))
        for transport in ("native", "grpc"):
            assert started.client("dpi", transport).call("CheckAccess", a_check()).reason == "ALLOW_CARE_TEAM"
        started.client().call("CheckAccess", a_check("P1", a_subject("dr-nuit", "UF-SAU")))
        assert refusal(started.client().call, "CheckAccess") is grpc.StatusCode.INVALID_ARGUMENT
        assert refusal(started.client("feed").call, "CheckAccess") is grpc.StatusCode.PERMISSION_DENIED
        assert refusal(started.client("inconnu", "grpc").call, "CheckAccess") is grpc.StatusCode.UNAUTHENTICATED
        yield started


def scraped(sidecar: Running) -> dict[str, Metric]:
    """The metrics by name, as Prometheus reads them."""
    return {family.name: family for family in text_string_to_metric_families(sidecar.admin("/metrics")[1])}


def value(sidecar: Running, sample: str, **labels: str) -> float | None:
    """One sample with exactly these labels; None when there is none."""
    for family in scraped(sidecar).values():
        for found in family.samples:
            if found.name == sample and found.labels == labels:
                return found.value
    return None


def documented() -> dict[str, tuple[str, set[str]]]:
    """Type and labels of each metric of docs/metrics.md."""
    rows = re.findall(r"^\| `(sidecar_\w+)` \| (\w+) \| ([^|]+) \|", (ROOT / "docs/metrics.md").read_text(), re.M)
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def test_every_documented_metric_is_exported_and_no_other(sidecar: Running) -> None:
    exported = {
        name + {"counter": "_total", "info": "_info"}.get(family.type, ""): family
        for name, family in scraped(sidecar).items()
    }
    # The text format writes an info as a gauge whose name ends in _info.
    kinds = {name: "info" if name.endswith("_info") else family.type for name, family in exported.items()}
    assert kinds == {name: kind for name, (kind, _) in documented().items()}
    for name, (_, labels) in documented().items():
        for sample in exported[name].samples:
            assert set(sample.labels) - {"le"} == labels, sample


def test_answers_and_refusals_are_counted_by_reason(sidecar: Running) -> None:
    decided = {"origin": "computed", "effect": "PERMIT", "reason": "ALLOW_CARE_TEAM"}
    assert value(sidecar, "sidecar_decisions_total", **decided) == 2
    refused = decided | {"effect": "DENY", "reason": "NO_RELATIONSHIP"}
    assert value(sidecar, "sidecar_decisions_total", **refused) == 1
    for reason in ("INVALID_REQUEST", "PERMISSION_DENIED", "UNAUTHENTICATED"):
        assert value(sidecar, "sidecar_refused_calls_total", reason=reason) == 1


def test_gauges_follow_what_they_measure(sidecar: Running) -> None:
    # One write, three answers, two refusals of proven callers.
    assert until(lambda: value(sidecar, "sidecar_ledger_leaves") == 6)
    assert value(sidecar, "sidecar_facts_sequence", tenant="default") == 1
    for kind in KINDS:
        age = value(sidecar, "sidecar_facts_complete_age_seconds", controller=CONTROLLER, kind=kind)
        assert age is not None
        assert 0 <= age < 3600
    for part in ("policy", "facts", "ledger"):
        assert value(sidecar, "sidecar_ready", part=part) == 1
    assert value(sidecar, "sidecar_build_info", version=__version__) == 1
    for stage in ("decide", "record"):
        assert value(sidecar, "sidecar_stage_seconds_count", stage=stage)


def test_a_feed_that_never_told_is_infinitely_old(folder: Path) -> None:
    with running(folder) as sidecar:
        assert until(
            lambda: (
                value(sidecar, "sidecar_facts_complete_age_seconds", controller=CONTROLLER, kind="directive")
                == float("inf")
            )
        )


def test_liveness_and_readiness_are_told_apart(sidecar: Running) -> None:
    sidecar.until_ready()
    assert sidecar.admin("/live") == (200, "live\n")
    assert sidecar.admin("/ready") == (200, "ready\n")
    assert sidecar.admin("/elsewhere")[0] == 404


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:9464"])
def test_outside_loopback_plain_http_is_refused(folder: Path, address: str) -> None:
    listen = Listen(f"unix:{folder}/n/s.sock", admin=address)
    sidecar = Running(folder, settings(folder, listen=listen))
    assert not sidecar.addresses
    assert sidecar.wait() == 4
    assert f"listen.admin: `{address}` is not loopback, so it needs [listen.tls]" in sidecar.said()
    assert "Traceback" not in sidecar.said()


def test_outside_loopback_metrics_are_for_the_role_over_tls(folder: Path) -> None:
    ca = authority("ca", NOW)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    proof = issued(ca, "server", names, SERVER, NOW - HOUR, NOW + HOUR)
    for name, content in (("ca.pem", ca.certificate_pem), ("s.pem", proof.certificate_pem), ("s.key", proof.key_pem)):
        (folder / name).write_bytes(content)
    listen = Listen(f"unix:{folder}/n/s.sock", admin="0.0.0.0:0", tls=Tls("s.pem", "s.key", "ca.pem"))
    with running(folder, settings(folder, listen=listen)) as sidecar:
        port = sidecar.addresses["admin"].rpartition(":")[2]
        trusting = ssl.create_default_context(cadata=ca.certificate_pem.decode())

        def status(path: str, token: str = "", scheme: str = "https") -> int:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            request = urllib.request.Request(f"{scheme}://localhost:{port}{path}", headers=headers)
            try:
                with urllib.request.urlopen(request, timeout=20, context=trusting) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as refusal:
                return refusal.code

        assert until(lambda: status("/ready") == 200)
        assert status("/live") == 200
        for token in ("", "x", TOKEN, TOKEN + "dpi", TOKEN + "auditor"):
            assert status("/metrics", token) == 401
        assert status("/metrics", TOKEN + "prometheus") == 200
        with pytest.raises((urllib.error.URLError, ConnectionError)):
            status("/live", scheme="http")
        # Somebody who connects and says nothing holds up nobody.
        assert status("/live") == 200


def test_a_busy_admin_address_is_a_sentence(folder: Path, sidecar: Running) -> None:
    listen = Listen(f"unix:{folder}/n/s.sock", admin=sidecar.addresses["admin"])
    second = Running(folder, settings(folder, listen=listen))
    assert not second.addresses
    assert second.wait() == 4
    assert f"listen.admin: `{sidecar.addresses['admin']}` cannot be bound" in second.said()
    assert "Traceback" not in second.said()
