"""Looking back at emergencies from the command line, in the words of a physician, French and English."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from dpi_sidecar_client import Emergency, Permitted, Refused, Sidecar

from sidecar.api.shape import message
from sidecar.core import instants
from sidecar.core.model import Request
from sidecar.server import wall_clock
from sidecar.v1.access_pb2 import CheckAccessRequest
from tests.cli.world import CALLERS, World, opening, question, who
from tests.server.client import TOKEN
from tests.server.process import KINDS, SOURCE, a_caller, running, settings

OBLIGATIONS = (
    "LOG_FULL",
    "CACHE_MAX_AGE",
    "DISPLAY_BREAK_GLASS_BANNER",
    "REQUIRE_REVIEW",
    "NOTIFY_PATIENT",
    "NOTIFY_REVIEWER",
    "NO_LOCAL_COPY",
)
REVIEWING = (*CALLERS, a_caller("reviewer", "reviewer"))


@contextmanager
def a_ward(folder: Path) -> Iterator[World]:
    """A sidecar that knows one patient in cardiology and one physician on duty in the emergency department."""
    with running(folder, settings(folder, REVIEWING)) as sidecar:
        world = World(folder, sidecar.addresses["native"])
        (folder / "reviewer.token").write_text(TOKEN + "reviewer")
        since = {"from": "2020-01-01T00:00:00Z"}
        work = {"subject_id": "dr-nuit", "unit": "UF-SAU", "profile": "medecin"}
        stay = {"patient_id": "P1", "unit": "UF-CARD", "status": "active"}
        record = {"patient_id": "P1", "birth_date": "1950-01-01", "status": "open"}
        facts = [
            {"id": "s1", "source": SOURCE, "period": since, "stay": stay},
            {"id": "r1", "source": SOURCE, "record_state": record},
            {"id": "a1", "source": SOURCE, "period": since, "assignment": work},
        ]
        mark = {"source": SOURCE, "kinds": KINDS, "complete_until": instants.text(wall_clock())}
        told = world.file({"request_id": "told", "facts": facts, "watermarks": [mark]})
        assert world.run("facts", "write", told).code == 0
        yield world


@pytest.fixture(scope="module")
def ward() -> Iterator[World]:
    with TemporaryDirectory(prefix="sc-") as folder, a_ward(Path(folder)) as world:
        yield world


@pytest.fixture(scope="module")
def grant(ward: World) -> str:
    """A physician on duty opened P1, read a report, and closed it; the roster came later."""
    opened = ward.run("break-glass", "open", ward.file(opening(motive="GARDE_TRANSVERSALE")), "--json").json["grant"]
    under = question("dr-nuit", "UF-SAU", "soins_urgence", access_mode="bris_de_glace", grant=opened["id"])
    assert ward.run("check", ward.file(under)).code == 0
    exporting = under | {"action": "export"}
    assert ward.run("check", ward.file(exporting)).code == 1
    closing = ("--subject", "dr-nuit", "--kind", "professionnel", "--profile", "medecin")
    assert ward.run("break-glass", "close", opened["id"], *closing).code == 0
    return str(opened["id"])


@pytest.fixture
def me(ward: World) -> Path:
    """Who reviews."""
    path = ward.folder / "me.json"
    path.write_text(json.dumps(who("dr-relecture", "reviewer_bg", "UF-DIM")))
    return path


def look(ward: World, *arguments: object, caller: str = "reviewer"):
    return ward.run("break-glass", *arguments, caller=caller)


def test_the_list_says_what_waits_and_until_when(ward, grant):
    said = look(ward, "list")
    assert said.code == 0, said
    assert "à relire : 1" in said.out
    assert "à relire avant le" in said.out
    assert "dr-nuit (Médecin" in said.out
    assert "Garde couvrant plusieurs unités" in said.out
    assert grant in said.out


def test_the_same_in_english(ward, grant):
    said = look(ward, "list", "--language", "en")
    assert "to review: 1" in said.out
    assert "to review by" in said.out
    for french in ("relire", "avis à", "ouvert"):
        assert french not in said.out


def test_each_filter_of_the_list_keeps_what_it_names(ward, grant):
    for kept in (
        ("--state", "pending"),
        ("--subject", "dr-nuit"),
        ("--patient", "P1"),
        ("--from", "2020-01-01T00:00:00Z"),
    ):
        assert grant in [each["id"] for each in look(ward, "list", *kept, "--json").json["grants"]], kept
    for left in (
        ("--state", "overdue"),
        ("--subject", "dr-404"),
        ("--patient", "P404"),
        ("--to", "2020-01-01T00:00:00Z"),
    ):
        assert look(ward, "list", *left).code == 1, left


def test_one_emergency_is_shown_with_what_was_asked_under_it_and_who_must_know(ward, grant):
    said = look(ward, "show", grant)
    assert said.code == 0, said
    for words in (
        f"Bris de glace {grant}",
        "«\u00a0Équipe du service non joignable\u00a0»",
        "fermé par la personne elle-même",
        "Demandes faites sous ce bris de glace : 2, dont refusées : 1",
        "Qui doit savoir",
        "le patient",
        "pas encore",
    ):
        assert words in said.out, words
    assert "doc-1" in said.out
    assert "Lire" in said.out or "lire" in said.out


def test_what_a_reviewer_sees_is_recorded(ward, grant):
    look(ward, "show", grant)
    kept = ward.run("ledger", "show", "--limit", "5", "--json", caller="auditor").json_lines
    assert f"accesses under {grant}" in [leaf["opened"].get("filter") for leaf in kept if leaf["kind"] == "consulted"]


def test_a_relation_that_became_known_since_is_shown(ward, grant):
    slot = {
        "id": "garde-1",
        "source": SOURCE,
        "period": {"from": "2020-01-01T00:00:00Z"},
        "assignment": {"subject_id": "dr-nuit", "unit": "UF-CARD", "profile": "medecin", "on_call": True},
    }
    assert ward.run("facts", "write", ward.file({"request_id": "late-roster", "facts": [slot]})).code == 0
    said = look(ward, "show", grant)
    assert "Un lien a été connu depuis" in said.out, said.out
    assert "REL_GARDE" in said.out or "garde" in said.out.lower()


def test_the_pressure_names_the_feed_to_mend(ward, grant):
    said = look(ward, "pressure")
    assert said.code == 0, said
    assert "UF-SAU" in said.out
    assert "REL_GARDE 1" in said.out
    assert "UF-SAU : évitables 1 sur 1, si l'on avait su à temps : la garde (REL_GARDE) 1." in said.out
    english = look(ward, "pressure", "--language", "en", caller="auditor").out
    assert "UF-SAU: avoidable 1 of 1, had this been known in time" in english
    assert look(ward, "pressure", "--json").json["units"][0]["relations"] == [{"code": "REL_GARDE", "count": 1}]


def test_a_session_goes_from_the_queue_to_the_verdict(ward, grant, me, monkeypatch):
    answers = iter(["x", "i", "", "Patient déjà transféré", "y", "o"])
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda prompt="": print(prompt, end="") or next(answers))
    said = look(ward, "review", "--as", me)
    assert said.code == 0, said
    for words in (
        "1 bris de glace à relire, le plus urgent d'abord",
        "Verdict : j = justifié, i = injustifié",
        "Un commentaire est nécessaire",
        "Répondre par l'une de ces lettres : j, i, n, p, q.",
        "Répondre par l'une de ces lettres : o, n.",
        "Enregistré. Relu : injustifié.",
    ):
        assert words in said.out, said
    shown = look(ward, "show", grant).out
    assert "relu : injustifié, par dr-relecture" in shown
    assert "Patient déjà transféré" in shown
    assert "Rien à relire" in look(ward, "review", "--as", me).out


def test_the_python_client_offers_it_and_breaks_the_glass_in_one_call(ward):
    asked = message(CheckAccessRequest, instants.decode(Request, question("dr-urgent", "UF-SAU")))
    with Sidecar.nearby(ward.address, OBLIGATIONS, token=TOKEN + "dpi", deadline=30) as client:
        refused = client.check(asked)
        assert isinstance(refused, Refused)
        assert refused.break_glass.available
        emergency = client.emergency("medecin")
        assert isinstance(emergency, Emergency)
        assert "Urgence vitale" in [motive.text for motive in emergency.motives]
        assert "le patient" in [each.text for each in emergency.told]
        broken = client.break_glass(asked, "URGENCE_VITALE", "Équipe du service non joignable")
        assert isinstance(broken, Permitted)
        assert broken.grant is not None
        asked.context.access_mode = "bris_de_glace"
        again = client.check(asked)
        assert isinstance(again, Permitted), "it carries the grant"
        assert again.answer.reason == "ALLOW_BREAK_GLASS"
    with Sidecar.nearby(ward.address, {"LOG_FULL"}, token=TOKEN + "dpi", deadline=30) as careless:
        asked.context.grant = broken.grant.id
        unknown = careless.check(asked)
        assert isinstance(unknown, Refused)
        assert unknown.answer.reason == "UNKNOWN_OBLIGATION"


def test_nobody_reviews_their_own_and_the_sentence_says_so(ward, me):
    opened = ward.run("break-glass", "open", ward.file(opening("dr-relecture")), "--json").json["grant"]["id"]
    closing = ("--subject", "dr-relecture", "--kind", "professionnel", "--profile", "medecin")
    assert ward.run("break-glass", "close", opened, *closing).code == 0
    said = look(ward, "review", opened, "--as", me, "--verdict", "justifie")
    assert said.code == 1
    assert "SELF_REVIEW" in said.out


def at_a_terminal(ward: World, *arguments: object, columns: int = 80, caller: str = "reviewer") -> str:
    """What a person sees on a terminal of this width."""
    command = [sys.executable, "-c", "from sidecar.cli import main; main()", "break-glass", *map(str, arguments)]
    shown = []
    environment = os.environ | {"COLUMNS": str(columns), "TERM": "dumb"}
    reading, writing = pty.openpty()
    with subprocess.Popen([*command, *ward.reach(caller)], stdout=writing, stdin=writing, env=environment) as process:
        os.close(writing)
        while True:
            try:
                shown.append(os.read(reading, 65_536))
            except OSError:  # the terminal is closed: Linux says EIO
                break
            if not shown[-1]:
                break
    os.close(reading)
    assert process.returncode == 0, shown
    return re.sub(r"\x1b\[[0-9;]*m", "", b"".join(shown).decode()).replace("\r", "")


def test_a_person_at_eighty_columns_reads_whole_words_and_can_copy_the_id(ward, grant):
    for arguments in (("list",), ("show", grant), ("pressure",), ("list", "--language", "en")):
        said = at_a_terminal(ward, *arguments)
        assert max(map(len, said.splitlines())) <= 80, said
    assert grant in at_a_terminal(ward, "list")
    shown = " ".join(at_a_terminal(ward, "show", grant).split())
    for words in ("lire · Comptes rendus, lettres · doc-1 : oui", "exporter · Comptes rendus, lettres · doc-1 : non"):
        assert words in shown


def test_instants_are_those_of_paris_unless_told_otherwise(ward, grant):
    opened = instants.parse(ward.run("break-glass", "get", grant, "--json").json["opened_at"])
    for zone, arguments in (("Europe/Paris", ()), ("Indian/Reunion", ("--zone", "Indian/Reunion"))):
        there = datetime.fromtimestamp(opened / 1_000_000, ZoneInfo(zone)).strftime("%d/%m/%Y %H:%M")
        assert f"Ouverture      {there}" in look(ward, "show", grant, *arguments).out
    assert look(ward, "list", "--zone", "Mars").code == 4


def test_a_reviewing_attempt_is_not_counted_as_asked_under_the_grant(ward, me):
    opened = ward.run("break-glass", "open", ward.file(opening("dr-relecture")), "--json").json["grant"]["id"]
    said = look(ward, "review", opened, "--as", me)
    assert said.code == 1, "it is open still"
    assert "Encore ouvert" in said.out
    kinds = ("--kind", "professionnel", "--profile")
    shared = ward.run("break-glass", "close", opened, "--subject", "dr-autre", *kinds, "medecin", caller="reviewer")
    assert shared.code == 1
    assert "DENY" in shared.out
    assert ward.run("break-glass", "close", opened).code == 2, "it does not say who"
    revoked = look(ward, "close", opened, "--as", reviser(ward))
    assert revoked.code == 0, revoked
    assert look(ward, "review", opened, "--as", me, "--verdict", "justifie").code == 1
    assert "Rien n'a été demandé sous ce bris de glace" in look(ward, "show", opened).out
    assert "révoqué par dr-autre-relecture" in look(ward, "show", opened).out


def reviser(ward: World) -> Path:
    """Another reviewer."""
    path = ward.folder / "another.json"
    path.write_text(json.dumps(who("dr-autre-relecture", "reviewer_bg", "UF-DIM")))
    return path


def test_what_is_wrong_with_a_review_names_the_field_and_what_to_do(ward, grant, me):
    unknown = look(ward, "review", "g404", "--as", me, "--verdict", "justifie", "--language", "en")
    assert unknown.code == 1
    assert "no emergency `g404`" in unknown.err
    assert "break-glass list" in look(ward, "show", "g404").err
    bare = look(ward, "review", grant, "--as", me, "--verdict", "injustifie")
    assert bare.code == 2
    assert "--comment" in bare.err
    again = look(ward, "review", grant, "--as", me, "--verdict", "justifie")
    assert (again.code, "grant: reviewed already" in again.err) == (4, True)


def test_who_may_not_look_is_told_so(ward, grant, me):
    assert look(ward, "list", caller="dpi").code == 4, "the record system asks for one person or one patient"
    assert look(ward, "list", "--subject", "dr-nuit", caller="dpi").code == 0
    assert look(ward, "list", caller="feed").code == 5
    assert look(ward, "show", grant, caller="feed").code == 5
    assert look(ward, "review", grant, "--as", me, "--verdict", "justifie", caller="auditor").code == 5
    assert look(ward, "pressure", caller="dpi").code == 5
    assert look(ward, "show", "g404").code == 1
    assert look(ward, "review", "--as", me, "--verdict", "justifie").code == 2
    assert look(ward, "list", "--from", "yesterday").code == 4
