"""Which facts a reading gives."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.core.model import Delegation, Fact, Relation, Stay, Watermark
from sidecar.core.reading import FactsQuery
from sidecar.facts.room import FactsRoom
from tests.facts.naive import MINUTE, NOON, a_change, a_room, a_stay, a_ticket, an_alias, an_assignment, keep


@pytest.fixture
def room(tmp_path: Path) -> Iterator[FactsRoom]:
    room = a_room(tmp_path)
    keep(
        room,
        a_change(
            1,
            a_stay("s1", "P1"),
            Fact("s2", "adt", stay=Stay("P2", "UF-SAU", "active", responsible_id="dr-jour")),
            an_alias("m1", "P1", "P3"),
            an_assignment("a1", "dr-jour"),
            Fact("d1", "dpi", delegation=Delegation("dr-jour", "secr-1")),
            a_ticket("k1", "T-1"),
            Fact("q1", "dpi", relation=Relation("REL_REQ", "P4", "dr-radio", requester_id="dr-jour")),
            watermarks=(Watermark("adt", ("stay", "relation"), NOON),),
        ),
    )
    keep(room, a_change(2, a_stay("s1", "P1"), controller="C2"))
    yield room
    room.close()


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        (FactsQuery(), ["s1", "s2", "m1", "a1", "d1", "k1", "q1"]),
        (FactsQuery(patient_id="P1"), ["s1", "m1"]),
        (FactsQuery(patient_id="P3"), ["m1"]),
        (FactsQuery(subject_id="dr-jour"), ["s2", "a1", "d1", "q1"]),
        (FactsQuery(subject_id="dr-radio"), ["q1"]),
        (FactsQuery(subject_id="secr-1"), ["d1"]),
        (FactsQuery(subject_id="dr-jour", kinds=("stay",)), ["s2"]),
        (FactsQuery(ids=("s1", "k1", "none")), ["s1", "k1"]),
        (FactsQuery(kinds=("stay", "alias")), ["s1", "s2", "m1"]),
        (FactsQuery(patient_id="P1", kinds=("call",)), []),
        (FactsQuery(as_of=NOON), []),
        (FactsQuery(as_of=NOON + MINUTE), ["s1", "s2", "m1", "a1", "d1", "k1", "q1"]),
    ],
)
def test_a_reading_gives_what_matches_every_condition(room: FactsRoom, query: FactsQuery, ids: list[str]) -> None:
    assert [version.fact.id for version in room.read_facts("t1", ["C1"], query).facts] == ids


def test_a_reading_is_of_the_controllers_of_who_reads(room: FactsRoom) -> None:
    def read(controllers: list[str], asked: str = "") -> list[str]:
        page = room.read_facts("t1", controllers, FactsQuery(controller_id=asked, ids=("s1",)))
        return [version.fact.controller_id for version in page.facts]

    assert read(["C1"]) == ["C1"]
    assert read(["C1", "C2"]) == ["C1", "C2"]
    assert read(["C1", "C2"], "C2") == ["C2"]
    assert read(["C1"], "C2") == []
    assert read([]) == []


def test_a_reading_says_how_complete_its_sources_are(room: FactsRoom) -> None:
    marks = room.read_facts("t1", ["C1"], FactsQuery(patient_id="P1")).watermarks
    assert marks == (Watermark("adt", ("relation", "stay"), NOON, "C1"),)
    assert room.read_facts("t1", ["C2"], FactsQuery()).watermarks == ()
