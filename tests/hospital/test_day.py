"""A generated day through the real server: every question gets the answer that who is where decides."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from msgspec import structs

from sidecar.api.shape import message
from sidecar.cli.connect import Connection
from sidecar.core.model import ALWAYS, Fact, Watermark
from sidecar.v1 import access_pb2, facts_pb2
from sidecar.v1.access_pb2_grpc import AccessServiceStub
from sidecar.v1.facts_pb2_grpc import FactsServiceStub
from tests.feeds.running import TOKEN, Clock, a_hospital, connected, serving
from tests.hospital.__main__ import write
from tests.hospital.asking import SORTS, Expected
from tests.hospital.day import KINDS, Day, Moment, a_day
from tests.hospital.house import SOURCE

BATCH = 500
SHORT, LONG = (700, 1_000), (3_000, 20_000)  # patients, questions


@pytest.fixture(scope="module")
def day() -> Day:
    patients, asks = LONG if os.environ.get("SOAK") else SHORT
    return a_day(patients=patients, asks=asks)


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory, day: Day) -> Iterator[tuple[Connection, Clock]]:
    """A sidecar that has been told what is known at midnight."""
    folder, clock = tmp_path_factory.mktemp("hospital"), Clock(day.midnight)
    required = dict.fromkeys(KINDS, (SOURCE,))
    with serving(folder, clock, a_hospital("dpi", "default", "330000001"), required=required) as sidecar:
        token = folder / "token"
        token.write_text(TOKEN)
        with connected(sidecar, token) as connection:
            for first in range(0, len(day.facts), BATCH):
                tell(connection, f"midnight-{first}", day.facts[first : first + BATCH])
            tell(connection, "marks", (), day.marks)
            yield connection, clock


def tell(connection: Connection, name: str, facts: Sequence[Fact], marks: Sequence[Watermark] = ()) -> None:
    request = facts_pb2.WriteFactsRequest(
        request_id=name,
        facts=[message(facts_pb2.Fact, fact) for fact in facts],
        watermarks=[message(facts_pb2.Watermark, mark) for mark in marks],
    )
    connection.call(FactsServiceStub(connection.channel).WriteFacts, request)


def answers(connection: Connection, clock: Clock, moments: Sequence[Moment]) -> list[tuple[Moment, Expected]]:
    """Each question of the stream, asked at its instant, with its answer; what is learned between is told first."""
    check = AccessServiceStub(connection.channel).CheckAccess
    found, learned = [], []
    for n, moment in enumerate(moments):
        if moment.ask is None:
            learned += moment.facts
            continue
        clock.now = moment.at
        if learned:
            tell(connection, f"learned-{n}", learned)
            learned = []
        said = connection.call(check, message(access_pb2.CheckAccessRequest, moment.ask))
        effect = access_pb2.Effect.Name(said.effect).removeprefix("EFFECT_")
        found.append((moment, (effect, said.reason)))
    return found


def test_every_question_of_the_day_gets_its_answer(day: Day, hospital: tuple[Connection, Clock]):
    found = answers(*hospital, day.moments)
    wrong = [f"{moment.sort}: {said} and not {moment.expected}" for moment, said in found if said != moment.expected]
    counted = Counter(f"{moment.sort}: {' '.join(said)}" for moment, said in found)
    print("\n".join(f"{count:6} {what}" for what, count in sorted(counted.items())))
    assert not wrong, f"{len(wrong)} of {len(found)}: {Counter(wrong).most_common(5)}"
    assert {moment.sort for moment, _ in found} >= set(SORTS) - {"protected"}, "every sort is asked"


def test_a_day_on_which_nobody_ever_leaves_would_be_noticed(day: Day, hospital: tuple[Connection, Clock]):
    """The twin: stays that are told without their end, after the day; who left is treated for ever."""
    connection, clock = hospital
    left = [moment for moment in day.moments if moment.sort == "left"]
    endless = [
        structs.replace(fact, period=structs.replace(fact.period, to=ALWAYS.to))
        for moment in day.moments
        for fact in moment.facts
        if fact.stay is not None
    ]
    endless += [structs.replace(fact, period=ALWAYS) for fact in day.facts if fact.stay is not None]
    clock.now = day.moments[-1].at
    for first in range(0, len(endless), BATCH):
        tell(connection, f"endless-{first}", list({fact.id: fact for fact in endless[first : first + BATCH]}.values()))
    found = answers(connection, clock, left)
    assert sum(said != moment.expected for moment, said in found) > len(left) // 2


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path):
    digests = {}
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        write(a_day(seed, patients=120, asks=150), tmp_path / name)
        files = sorted((tmp_path / name).iterdir())
        digests[name] = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
        assert [file.name for file in files] == ["facts.ndjson", "stream.ndjson", "watermarks.ndjson"]
    assert digests["one"] == digests["same"] != digests["other"]


def test_a_day_holds_what_a_day_of_a_hospital_holds(day: Day):
    kinds = Counter(fact.kind for moment in day.moments for fact in moment.facts) + Counter(f.kind for f in day.facts)
    assert set(kinds) == {"assignment", "stay", "relation", "directive", "record_state", "alias"}
    flags = {flag for fact in day.facts if fact.record_state for flag in fact.record_state.flags}
    assert flags == {"accouchement_secret", "personnalite", "agent_de_l_etablissement"}
    told = [fact for moment in day.moments for fact in moment.facts]
    assert {fact.stay.status for fact in told if fact.stay} == {"planned", "active"}
    assert {fact.directive.kind for fact in told if fact.directive} == {"mask", "block", "opposition"}
    assert {fact.relation.kind for fact in day.facts if fact.relation} == {"REL_APPT", "REL_REQ", "REL_TEAM"}
    assert any(fact.assignment.on_call for fact in day.facts if fact.assignment)
    assert [moment.at for moment in day.moments] == sorted(moment.at for moment in day.moments)
    assert day.midnight <= day.moments[0].at
    assert day.moments[-1].at < day.midnight + 86_400_000_000
