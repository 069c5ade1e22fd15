"""Notices and counts of a real sidecar process: killed before delivery, and counted where it is watched."""

import base64
import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sidecar import config
from sidecar.v1 import access_pb2
from tests.notices.receiver import SECRET, a_free_port, genuine, receiving
from tests.server.process import CALLERS, a_caller, running, settings, until
from tests.server.world import a_check, a_subject, a_write, an_opening, told, under_grant

REVIEWER = a_caller("reviewer", "reviewer")


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="sc-") as name:
        yield Path(name)


def sends_to(folder: Path, port: int) -> config.Config:
    """A sidecar whose notices to patients and reviewers go to a port of this machine."""
    secret = folder / "secret"
    secret.write_text("whsec_" + base64.b64encode(SECRET).decode() + "\n")
    address = config.AddressSettings(
        "letters", f"http://127.0.0.1:{port}/notices", str(secret), audiences=("patient", "reviewer"), seconds=5.0
    )
    notices = config.NoticesSettings((address,), {"urgences": ("UF-SAU",)})
    return settings(folder, (*CALLERS, REVIEWER), notices=notices)


def gauge(page: str, name: str) -> float:
    """The value of one series of a page of metrics."""
    [value] = re.findall(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
    return float(value)


def test_a_sidecar_killed_between_commit_and_delivery_delivers_at_its_next_start(folder: Path) -> None:
    port = a_free_port()
    with running(folder, sends_to(folder, port)) as sidecar:
        sidecar.client("feed").call("WriteFacts", a_write("begin", told(), complete=True))
        dpi = sidecar.client()
        refused = dpi.call("CheckAccess", a_check("P1", a_subject("dr-nuit", "UF-SAU")))
        assert refused.effect == access_pb2.EFFECT_DENY
        assert refused.break_glass.available
        grant = dpi.call("Open", an_opening()).grant.id
        assert dpi.call("CheckAccess", under_grant(grant)).effect == access_pb2.EFFECT_PERMIT, (
            "a dead receiver blocks nothing"
        )
        assert until(lambda: gauge(sidecar.admin("/metrics")[1], "sidecar_notices_pending") == 3.0)
        page = sidecar.admin("/metrics")[1]
        opened = 'sidecar_break_glass_opened_total{motive="URGENCE_VITALE",unit_group="urgences"}'
        assert gauge(page, opened) == 1.0
        assert gauge(page, 'sidecar_break_glass_after_refusal_total{unit_group="urgences"}') == 1.0
        assert gauge(page, "sidecar_break_glass_active") == 1.0
        assert gauge(page, "sidecar_notices_overdue") == 0.0
        assert until(
            lambda: 'sidecar_notices_sent_total{address="letters",outcome="failed"}' in sidecar.admin("/metrics")[1]
        )
        for identity in ("dr-nuit", "P1", "UF-SAU"):
            assert f'"{identity}"' not in page
        assert sidecar.stop(signal.SIGKILL) == -signal.SIGKILL
    with receiving(port) as receiver, running(folder, sends_to(folder, port)) as sidecar:
        assert until(lambda: len(receiver.taken) >= 2)
        assert {message["audience"] for message in receiver.messages} == {"patient", "reviewer"}
        assert {message["grant"] for message in receiver.messages} == {grant}
        assert all(genuine(*pair) for pair in zip(receiver.headers, receiver.bodies, strict=True))
        dpi = sidecar.client()
        assert until(lambda: sum(each.HasField("delivered_at") for each in dpi.call("Get", grant=grant).notices) == 2)
        waiting = [each.id for each in dpi.call("Get", grant=grant).notices if each.HasField("due")]
        dpi.call("Acknowledge", notices=waiting, request_id="known")
        assert until(lambda: gauge(sidecar.admin("/metrics")[1], "sidecar_notices_pending") == 0.0)
        said = [json.loads(line) for line in sidecar.said().splitlines()]
        assert not [line for line in said if "P1" in json.dumps(line)]
