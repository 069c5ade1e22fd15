"""Who a patient is, and who asked, stands in the facts store alone: not in metrics, log, ledger or what proves it."""

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import grpc

from sidecar.config import LogSettings
from sidecar.core.model import Context, Resource
from sidecar.v1 import break_glass_pb2
from tests.cli.commands import run
from tests.judged import VERDICTS
from tests.server.client import METHODS, refusal
from tests.server.process import CALLERS, Running, a_caller, running, settings
from tests.server.world import a_batch, a_check, a_subject, a_write, an_opening, told, under_grant

MARK = "QZ7XKWV9HJ4B"  # stands in every identifier and every text below, and nowhere else, not even by chance
PATIENT, PHYSICIAN, STRANGER = f"P-{MARK}-1", f"dr-{MARK}-jour", f"dr-{MARK}-nuit"
KEPT = (*CALLERS, a_caller("keeper", "administrator"))
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
        assert auditor.call("RecallDecision", decision_id=answers[0].decision_id).patient_facts
        assert refusal(auditor.call, "RecallDecision", decision_id=f"d-{MARK}") is grpc.StatusCode.NOT_FOUND
        keeper = sidecar.client("keeper", transport)
        keeper.call("RotateSigningKey")
        assert refusal(keeper.call, "RetireMonth", month=f"m-{MARK}") is grpc.StatusCode.INVALID_ARGUMENT


def a_load(sidecar: Running) -> str:
    """Enough checks for whole tiles and bundles, and a batch that fits in no bundle. Gives the last check's id."""
    dpi = sidecar.client()
    for n in range(300):
        last = dpi.call("CheckAccess", a_check(f"{PATIENT}{n}", a_subject(f"{PHYSICIAN}{n}")))
    dpi.call("CheckAccessBatch", a_batch(PATIENT, a_subject(PHYSICIAN), (f"cat-{MARK}-{'x' * 200}",) * 500))
    return str(last.decision_id)


def spellings(word: str) -> Iterator[bytes]:
    """The word as it may stand in a file."""
    plain = word.encode()
    yield from (plain, plain.lower(), plain.hex().encode(), word.encode("utf-16-le"), repr(word)[1:-1].encode())
    for shift in range(3):
        # What base64 makes of the word within a longer text, whatever stands before it.
        yield base64.b64encode(bytes(shift) + plain)[4 if shift else 0 : -4]


def told_of(places: Mapping[str, bytes]) -> set[str]:
    """The places where an identifier stands."""
    sought = [spelling for word in WORDS for spelling in spellings(word) if len(spelling) > 5]
    return {place for place, content in places.items() if any(spelling in content for spelling in sought)}


def proofs_of(sidecar: Running, decision_id: str) -> None:
    """Leave beside its data what an outsider makes of a stopped sidecar's ledger."""
    ledger, key = sidecar.folder / "data/ledger", sidecar.folder / "data/ledger/keys/signing/vkeys"
    for verb in (
        ("verify", ledger, "--key", key),
        ("prove", ledger, "--decision-id", decision_id, "--out", sidecar.folder / "proof"),
        ("witness", ledger, "--key", key, "--keep", sidecar.folder / "kept"),
    ):
        said = run("ledger", *verb)
        assert said.code == 0, said
        (sidecar.folder / f"said-{verb[0]}").write_text(said.out + said.err)


def places_of(sidecar: Running, proven: str = "") -> dict[str, bytes]:
    """All that a sidecar tells or keeps: its metrics and readiness, its log, and every file, stopped.

    With the id of a decision to prove, what an outsider makes of its ledger too.
    """
    pages = {f"admin{path}": sidecar.admin(path)[1].encode() for path in ("/metrics", "/ready", "/live", f"/{MARK}")}
    assert sidecar.stop() == 0
    if proven:
        proofs_of(sidecar, proven)
    files = {
        str(path.relative_to(sidecar.folder)): path.read_bytes() for path in sidecar.folder.rglob("*") if path.is_file()
    }
    stamps = {f"verdicts/{path.name}": path.read_bytes() for path in VERDICTS.rglob("*") if path.is_file()}
    return pages | files | stamps


def test_identifiers_stand_in_the_facts_store_alone(folder: Path) -> None:
    with running(folder, settings(folder, KEPT)) as sidecar:
        everything_happens(sidecar)
        places = places_of(sidecar, a_load(sidecar))
    for place in (
        "log",
        "admin/metrics",
        "data/facts.db",
        "data/ledger/journal/",
        "data/ledger/keys/signing/handover-",
        "data/ledger/tree/checkpoint",
        "data/ledger/tree/tile/0/",
        "data/ledger/tree/tile/entries/000",
        "data/ledger/tree/large/",
        "proof",
        "kept",
        "said-verify",
        "verdicts/",
    ):
        assert any(name.startswith(place) for name in places), place
    assert told_of(places) == {"data/facts.db"}


def test_the_debug_log_names_nobody_either(folder: Path) -> None:
    loud = settings(folder, KEPT, log=LogSettings("debug"))
    with running(folder, loud) as sidecar:
        everything_happens(sidecar)
        places = places_of(sidecar)
    assert told_of(places) == {"data/facts.db"}


def test_a_line_that_quoted_a_question_would_be_seen(folder: Path) -> None:
    with running(folder, settings(folder, KEPT), weakening="logs_what_it_was_asked") as sidecar:
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
    with running(folder, settings(folder, KEPT)) as sidecar:
        everything_happens(sidecar)
        data = folder / "data"
        open_to_others = [path for path in (data, *data.rglob("*")) if path.stat().st_mode & 0o077]
        assert (data.stat().st_mode & 0o777, open_to_others) == (0o700, [])
        for socket in ("n/s.sock", "g/s.sock"):
            assert (folder / socket).stat().st_mode & 0o007 == 0
            assert (folder / socket).parent.stat().st_mode & 0o777 == 0o770
