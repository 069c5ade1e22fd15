"""The running sidecar signs what it records, says how far it is, and stops permitting when it cannot for too long."""

import re
from pathlib import Path

import pytest

from sidecar.config import LedgerSettings
from sidecar.core import checkpoint, merkle
from sidecar.core.checkpoint import Checkpoint, VerifierKey
from tests.server.client import refusal
from tests.server.process import Running, leaves_of, running, settings, until
from tests.server.world import a_check, a_write, told


def ledger(**more: object) -> LedgerSettings:
    """A ledger that signs, and signs again, as often as it can be told to."""
    said = {"min_free_bytes": 0, "flush_ms": 10, "checkpoint_ms": 20, "idle_seconds": 1, "unsigned_seconds": 1} | more
    return LedgerSettings(**said)  # type: ignore[arg-type]


def keys_of(folder: Path) -> list[VerifierKey]:
    """What an inspector was handed."""
    return [
        checkpoint.verifier_key(line) for line in (folder / "data/ledger/keys/signing/vkeys").read_text().splitlines()
    ]


def head_of(folder: Path) -> Checkpoint:
    """The checkpoint on disk, its signature checked."""
    return checkpoint.opened((folder / "data/ledger/tree/checkpoint").read_bytes(), keys_of(folder))


def metric(sidecar: Running, name: str) -> float:
    """The value of a metric without labels."""
    found = re.search(rf"^{name} (\S+)$", sidecar.admin("/metrics")[1], re.MULTILINE)
    assert found, name
    return float(found[1])


@pytest.mark.parametrize("mode", ["written", "strict", "batch"])
def test_what_is_recorded_is_signed_soon_and_everything_at_the_stop(folder: Path, mode: str) -> None:
    with running(folder, settings(folder, ledger=ledger(mode=mode))) as sidecar:
        sidecar.client("feed").call("WriteFacts", a_write("w", told(), complete=True))
        for transport in ("native", "grpc"):
            for _ in range(5):
                assert sidecar.client("dpi", transport).call("CheckAccess", a_check()).reason == "ALLOW_CARE_TEAM"
        assert until(lambda: metric(sidecar, "sidecar_ledger_signed_leaves") == 11)
        assert head_of(folder).size == 11
        assert '"vkeys": ["dpi-sidecar+' in sidecar.said()
        sidecar.client().call("CheckAccess", a_check())
        assert sidecar.stop() == 0
    leaves = leaves_of(folder / "data")
    assert head_of(folder) == Checkpoint("dpi-sidecar", 12, merkle.root(merkle.leaf_hashes(leaves)))


def test_an_idle_sidecar_goes_on_saying_that_it_lives(folder: Path) -> None:
    def signed_at() -> int | None:
        return checkpoint.signed_at((folder / "data/ledger/tree/checkpoint").read_bytes(), keys_of(folder))

    with running(folder, settings(folder, ledger=ledger())) as sidecar:
        first = signed_at()
        assert first is not None
        assert until(lambda: (signed_at() or 0) > first + 1)
        assert until(lambda: metric(sidecar, "sidecar_ledger_checkpoint_timestamp_seconds") > first + 1)


def test_a_sidecar_that_cannot_sign_says_so_stops_and_goes_on_by_itself(folder: Path) -> None:
    with running(folder, settings(folder, ledger=ledger())) as sidecar:
        sidecar.client("feed").call("WriteFacts", a_write("w", told(), complete=True))
        tree = folder / "data/ledger/tree"
        assert until(lambda: head_of(folder).size == 1)
        tree.rename(tree.with_name("away"))
        assert until(lambda: refusal(sidecar.client().call, "CheckAccess", a_check()).name == "UNAVAILABLE")
        sidecar.until_ready(False)
        assert 'sidecar_ledger_failures_total{cause="unsigned"}' in sidecar.admin("/metrics")[1]
        assert "records cannot be signed" in sidecar.said()
        tree.with_name("away").rename(tree)
        sidecar.until_ready()
        assert sidecar.client().call("CheckAccess", a_check()).reason == "ALLOW_CARE_TEAM"
        assert sidecar.stop() == 0
    assert head_of(folder).size == len(leaves_of(folder / "data"))


def test_a_start_over_a_journal_that_lost_what_was_signed_is_refused_with_a_sentence(folder: Path) -> None:
    with running(folder, settings(folder, ledger=ledger())) as sidecar:
        for n in range(3):
            sidecar.client("feed").call("WriteFacts", a_write(f"w{n}", told(f"P{n}"), complete=True))
        assert sidecar.stop() == 0
    for path in (folder / "data/ledger/journal").glob("*.log"):
        path.unlink()
    again = Running(folder, settings(folder, ledger=ledger()))
    assert not again.addresses
    assert again.wait() not in (0, None)
    assert "the journal ends at record 0, and `tree/checkpoint` was signed over 3" in again.said()
    assert "Traceback" not in again.said()
