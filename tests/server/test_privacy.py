"""Who a patient is, and who asked, stands in the facts store alone: not in metrics, log or ledger."""

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import grpc

from sidecar.config import LogSettings
from sidecar.core.model import Context, Resource
from sidecar.v1 import break_glass_pb2
from tests.server.client import METHODS, refusal
from tests.server.process import Running, running, settings
from tests.server.world import a_batch, a_check, a_subject, a_write, an_opening, told, under_grant

MARK = "QZ7"  # stands in every identifier and every text below, and nowhere else
PATIENT, PHYSICIAN, STRANGER = f"P-{MARK}-1", f"dr-{MARK}-jour", f"dr-{MARK}-nuit"
WORDS = (PATIENT, PHYSICIAN, STRANGER, MARK)


def everything_happens(sidecar: Running) -> None:
    """Checks, batches, writes, grants, readings, refusals and errors, about one patient, over both transports."""
    for transport in ("native", "grpc"):
        feed, dpi, auditor = (sidecar.client(name, transport) for name in ("feed", "dpi", "auditor"))
        feed.call("WriteFacts", a_write(f"w-{MARK}-{transport}", told(PATIENT, PHYSICIAN), complete=True))
        answers = [
            dpi.call("CheckAccess", a_check(PATIENT, a_subject(who, unit), context=Context(request_id=f"q-{MARK}")))
            for who, unit in ((PHYSICIAN, "UF-CARD"), (STRANGER, "UF-SAU"))
        ]
        assert [answer.reason for answer in answers] == ["ALLOW_CARE_TEAM", "NO_RELATIONSHIP"]
        dpi.call("CheckAccessBatch", a_batch(PATIENT, a_subject(PHYSICIAN), ("cr", "biologie", f"cat-{MARK}")))
        opening = an_opening(PATIENT, STRANGER, f"o-{MARK}-{transport}")
        opening.justification = f"arrêt cardiaque de {MARK}"
        grant = dpi.call("Open", opening).grant
        assert dpi.call("CheckAccess", under_grant(grant.id, PATIENT, STRANGER)).reason == "ALLOW_BREAK_GLASS"
        dpi.call("Close", break_glass_pb2.CloseRequest(grant=grant.id, subject=opening.subject))
        # Refusals that quote what was sent: unknown words, another controller, a role, a token, a malformed field.
        for asked in (
            a_check(PATIENT, purpose=f"but-{MARK}"),
            a_check(PATIENT, action=f"verbe-{MARK}"),
            a_check(resource=Resource("cr", PATIENT, controller_id=f"C-{MARK}")),
        ):
            dpi.call("CheckAccess", asked)
        bad = a_check(PATIENT, a_subject(PHYSICIAN))
        bad.subject.status = f"statut-{MARK}"
        assert refusal(dpi.call, "CheckAccess", bad) is grpc.StatusCode.INVALID_ARGUMENT
        late = a_check(PATIENT, context=Context(consistency_token=f"jeton-{MARK}"))
        assert refusal(dpi.call, "CheckAccess", late) is grpc.StatusCode.INVALID_ARGUMENT
        assert refusal(feed.call, "CheckAccess", a_check(PATIENT)) is grpc.StatusCode.PERMISSION_DENIED
        assert refusal(dpi.call, "Get", grant=f"g-{MARK}") is grpc.StatusCode.NOT_FOUND
        assert refusal(dpi.raw, METHODS["Open"][0], MARK.encode() * 9) is grpc.StatusCode.INVALID_ARGUMENT
        stranger = sidecar.client(f"inconnu-{MARK}", transport)
        assert refusal(stranger.call, "CheckAccess", a_check(PATIENT)) is grpc.StatusCode.UNAUTHENTICATED
        feed.call("ReadFacts", patient_id=PATIENT)
        assert PATIENT in auditor.call("ShowRecords", patient_id=PATIENT).records[0]
        auditor.call("ShowRecords", subject_id=PHYSICIAN)


def spellings(word: str) -> Iterator[bytes]:
    """The word as it may stand in a file."""
    plain = word.encode()
    yield from (plain, plain.lower(), plain.hex().encode(), word.encode("utf-16-le"), repr(word)[1:-1].encode())
    for shift in range(3):
        # What base64 makes of the word within a longer text, whatever stands before it.
        yield base64.b64encode(bytes(shift) + plain)[4 if shift else 0 : -4]


def told_of(places: Mapping[str, bytes]) -> set[str]:
    """The places where an identifier stands."""
    sought = [spelling for word in WORDS for spelling in spellings(word) if len(spelling) > 2]
    return {place for place, content in places.items() if any(spelling in content for spelling in sought)}


def places_of(sidecar: Running) -> dict[str, bytes]:
    """All that a sidecar tells or keeps: its metrics and readiness, its log, and every file, stopped."""
    pages = {f"admin{path}": sidecar.admin(path)[1].encode() for path in ("/metrics", "/ready", "/live", f"/{MARK}")}
    assert sidecar.stop() == 0
    files = {
        str(path.relative_to(sidecar.folder)): path.read_bytes() for path in sidecar.folder.rglob("*") if path.is_file()
    }
    return pages | files


def test_identifiers_stand_in_the_facts_store_alone(folder: Path) -> None:
    with running(folder) as sidecar:
        everything_happens(sidecar)
        places = places_of(sidecar)
    assert {"log", "data/facts.db", "data/ledger/journal/000001.log", "admin/metrics"} <= places.keys()
    assert told_of(places) == {"data/facts.db"}


def test_the_debug_log_names_nobody_either(folder: Path) -> None:
    loud = settings(folder, log=LogSettings("debug"))
    with running(folder, loud) as sidecar:
        everything_happens(sidecar)
        places = places_of(sidecar)
    assert told_of(places) == {"data/facts.db"}


def test_a_line_that_quoted_a_question_would_be_seen(folder: Path) -> None:
    with running(folder, weakening="logs_what_it_was_asked") as sidecar:
        everything_happens(sidecar)
        assert "log" in told_of(places_of(sidecar))


def test_a_fault_of_our_own_is_logged_by_class_and_place_without_its_text(folder: Path) -> None:
    with running(folder, weakening="breaks_when_asked") as sidecar:
        for transport in ("native", "grpc"):
            client = sidecar.client("dpi", transport)
            assert refusal(client.call, "CheckAccess", a_check(PATIENT)) is grpc.StatusCode.INTERNAL
        faults = [line for line in map(json.loads, sidecar.said().splitlines()) if line["level"] == "error"]
        assert [fault["error"] for fault in faults] == ["ValueError"] * 2
        assert all("weakened.py:" in fault["where"] for fault in faults)
        assert told_of(places_of(sidecar)) == set()


def test_files_are_for_their_owner_alone(folder: Path) -> None:
    with running(folder) as sidecar:
        everything_happens(sidecar)
        data = folder / "data"
        open_to_others = [path for path in (data, *data.rglob("*")) if path.stat().st_mode & 0o077]
        assert (data.stat().st_mode & 0o777, open_to_others) == (0o700, [])
        for socket in ("n/s.sock", "g/s.sock"):
            assert (folder / socket).stat().st_mode & 0o007 == 0
            assert (folder / socket).parent.stat().st_mode & 0o777 == 0o770
