"""When the journal cannot take a record nothing is answered, and it comes back by itself.

A superuser passes every mode of a file, so the read-only and the full disk are tmpfs: one laid over the journal,
one under it. Flushes fail, and hang, in the sidecar's own process, where fdatasync is replaced: no mount does that.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from sidecar.config import LedgerSettings
from sidecar.core import leaf, tiles
from sidecar.v1 import break_glass_pb2
from tests.ledger.builders import leaves_on_disk
from tests.ledger.disks import mounts_allowed, small_disk
from tests.server.client import refusal
from tests.server.load import asking
from tests.server.process import Running, recorded, running, settings
from tests.server.world import a_check, a_write, an_opening, told

Breaking = Callable[[Path], Iterator[None]]


def deleted(journal: Path) -> Iterator[None]:
    shutil.rmtree(journal)
    yield
    journal.mkdir()


def moved_away(journal: Path) -> Iterator[None]:
    journal.rename(journal.with_name("elsewhere"))
    yield
    journal.with_name("elsewhere").rename(journal)


def read_only(journal: Path) -> Iterator[None]:
    with small_disk(journal) as remount:
        remount("ro")
        yield


def full(journal: Path) -> Iterator[None]:
    ballast = journal / "ballast"
    with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(4096))
    yield
    ballast.unlink()


def flush_fails(journal: Path) -> Iterator[None]:
    return disk_told(journal, "fails")


def flush_hangs(journal: Path) -> Iterator[None]:
    return disk_told(journal, "hangs")


def disk_told(journal: Path, word: str) -> Iterator[None]:
    told = journal.with_name("disk")
    told.write_text(word)
    yield
    told.unlink()


BREAKINGS = (deleted, moved_away, read_only, full, flush_fails, flush_hangs)
CAUSES: Mapping[str, Breaking] = {breaking.__name__: breaking for breaking in BREAKINGS}
HOW = dict.fromkeys(("read_only", "full"), "a tmpfs") | dict.fromkeys(
    ("flush_fails", "flush_hangs"), "fdatasync replaced in the sidecar's process"
)
WRITE = a_write("during", told("P2"))


@contextmanager
def with_disk(folder: Path, cause: str) -> Iterator[Path]:
    """The journal's folder, on a small disk of its own when that is to be filled."""
    journal = folder / "data/ledger/journal"
    if cause != "full":
        yield journal
        return
    journal.mkdir(parents=True)
    with small_disk(journal, "3m"):
        yield journal


def unrecorded(folder: Path, cause: str, weakening: str = "") -> int:
    """Breaks the journal under load and mends it: how many permits were given that the ledger does not have."""
    opening = an_opening(request_id="lost")  # made now: a login that grew old would be refused for its age
    protected, swallowing = not weakening, weakening == "answers_without_a_record"
    with with_disk(folder, cause) as journal:
        weakening = weakening or ("flushes_as_told" if cause.startswith("flush") else "")
        ledger = LedgerSettings(min_free_bytes=0, flush_ms=20, deadline_ms=300)
        with running(folder, settings(folder, ledger=ledger), weakening) as sidecar:
            sidecar.client("feed").call("WriteFacts", a_write("before", told(), complete=True))
            with asking(sidecar, "native", "grpc") as asked:
                asked.until_permitted_again()
                breaking = CAUSES[cause](journal)
                next(breaking)
                if swallowing:
                    sidecar.until_ready(False)
                    asked.until_permitted_again()
                else:
                    meets_a_broken_journal(sidecar, opening)
                    asked.until_failing_again()
                next(breaking, None)
                sidecar.until_ready()
                asked.until_permitted_again()
            if protected:
                is_whole_again(sidecar, opening)
            assert set(asked.ends) <= {grpc.StatusCode.UNAVAILABLE}
            assert sidecar.stop() == 0, sidecar.said()
        kept = recorded(folder / "data").keys() if protected else found(folder / "data/ledger")
        assert asked.permits
        assert not asked.denied
        return len(set(asked.permits) - kept)


def found(ledger: Path) -> set[str]:
    """The ids of whatever whole records there are, in a ledger that may have lost some."""
    bundles = [path.read_bytes() for path in (ledger / "tree/tile/entries").glob("???")]
    leaves = [*leaves_on_disk(ledger / "journal").values(), *(each for data in bundles for each in tiles.entries(data))]
    return {leaf.decode(data).id.hex() for data in leaves}


def meets_a_broken_journal(sidecar: Running, opening: break_glass_pb2.OpenRequest) -> None:
    """Readiness drops, and every call that leaves a record fails UNAVAILABLE: none is permitted."""
    sidecar.until_ready(False)
    assert not sidecar.client().serving()
    assert 'sidecar_ready{part="ledger"} 0.0' in sidecar.admin("/metrics")[1]
    for transport in ("native", "grpc"):
        dpi, feed = sidecar.client("dpi", transport), sidecar.client("feed", transport)
        assert refusal(dpi.call, "CheckAccess", a_check()) is grpc.StatusCode.UNAVAILABLE
        assert refusal(dpi.call, "Open", opening) is grpc.StatusCode.UNAVAILABLE
        assert refusal(feed.call, "WriteFacts", WRITE) is grpc.StatusCode.UNAVAILABLE
        auditor = sidecar.client("auditor", transport)
        assert refusal(auditor.call, "ShowRecords") is grpc.StatusCode.UNAVAILABLE
        # Refusing a malformed question leaves a record too.
        assert refusal(dpi.call, "CheckAccess") is grpc.StatusCode.UNAVAILABLE


def is_whole_again(sidecar: Running, opening: break_glass_pb2.OpenRequest) -> None:
    """What was tried meanwhile is there once, or can be tried again."""
    assert sidecar.client().serving()
    assert sidecar.client().call("Open", opening).grant.id
    sidecar.client("feed").call("WriteFacts", WRITE)
    assert sidecar.client().call("CheckAccess", a_check("P2")).reason == "ALLOW_CARE_TEAM"
    records = "".join(sidecar.client("auditor").call("ShowRecords", limit=1000).records)
    assert records.count('"what":"open_grant"') == 1
    assert records.count('"what":"write_facts"') == 2


@pytest.mark.parametrize("cause", CAUSES)
def test_nothing_is_permitted_unrecorded_and_service_resumes_by_itself(
    folder: Path, cause: str, request: pytest.FixtureRequest
) -> None:
    request.config.pluginmanager.getplugin("terminalreporter").write_line(f"\n{cause} is: {HOW.get(cause, 'real')}")
    if cause in ("read_only", "full"):
        assert mounts_allowed(folder / "trial"), "a small disk cannot be mounted: run this as root"
    assert unrecorded(folder, cause) == 0


def test_a_ledger_that_swallowed_its_failure_would_permit_unrecorded(folder: Path) -> None:
    assert unrecorded(folder, "moved_away", "answers_without_a_record") > 0


def test_a_ledger_that_went_on_after_a_failed_flush_would_lose_permits_it_gave(folder: Path) -> None:
    assert unrecorded(folder, "flush_fails", "flushes_as_told_and_goes_on") > 0
