"""Real bundles through the real server: two hospitals, a tenant each, told by nothing but the import."""

import gzip
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec import structs

from sidecar.cli.connect import Connection
from sidecar.cli.importing import import_files, mapping_of, pages, show_report
from sidecar.core import instants
from sidecar.facts.feeds.reading import Feed
from sidecar.facts.feeds.writes import BATCH, Report
from sidecar.v1 import access_pb2, facts_pb2
from sidecar.v1.access_pb2_grpc import AccessServiceStub
from tests.feeds import independent
from tests.feeds.hospital_by_hand import FAMILY_DOCTOR, PARIS, repository_data
from tests.feeds.independent import Bundles, Question
from tests.feeds.running import Clock, hospitals, moment, vouch

CITIES = ("worcester", "bordeaux")
MANY, SEED = 500, 20240601  # questions to each hospital
AFTER_STAY = timedelta(days=30)  # a physician, after the patient left the unit
AFTER_ALL = instants.parse("2026-01-01T00:00:00Z")

pytestmark = pytest.mark.timeout(600)  # two cities are imported, on however busy a machine


def files(name: str) -> list[Path]:
    return sorted((repository_data("fhir-synthea") / name).iterdir())


class Hospital(NamedTuple):
    """One of the two, imported."""

    connection: Connection
    told: Bundles
    report: Report
    counts: dict[str, int]


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock(instants.parse("1930-01-01T00:00:00Z"))


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[dict[str, Hospital]]:
    """Both, in one sidecar."""
    with hospitals(tmp_path_factory.mktemp("cities"), clock, CITIES) as (connections, _):
        found = {}
        for name, connection in connections.items():
            feed = Feed(clock.now, PARIS, profiles=FAMILY_DOCTOR, categories=mapping_of(None).categories)
            report, counts = import_files(connection, files(name), feed, complete=True, quiet=True)
            found[name] = Hospital(connection, independent.read(files(name)), report, counts)
        yield found


@pytest.mark.parametrize("name", CITIES)
def test_every_resource_is_counted_and_every_encounter_is_a_stay_or_has_its_reason(
    cities: dict[str, Hospital], name: str
):
    hospital = cities[name]
    kept = Counter(version.fact.WhichOneof("body") for version in versions(hospital.connection))
    assert hospital.report.resources == hospital.told.types, "by type, before"
    assert hospital.report.facts == kept, "by kind, after"
    assert sum(hospital.report.documents.values()) == hospital.told.types["DocumentReference"]
    assert hospital.counts == {"changed": sum(kept.values()), "unchanged": 0, "retracted": 0}
    of = hospital.report.encounters.values()
    read, stays, answering = (sum(getattr(one, key) for one in of) for key in ("read", "stays", "responsible"))
    show_report(hospital.report, hospital.counts)
    print(f"{name}: {stays} of {read} encounters are stays with a unit, {answering} with a responsible physician")
    assert read == hospital.told.types["Encounter"]
    assert stays + sum(sum(one.why.values()) for one in of) == read
    assert (stays, answering) == (read, 0), "Synthea names performers and no attender"


def ask(connection: Connection, practitioner: str, patient: str, created: datetime, now: int) -> tuple[str, str]:
    """May this physician read this report of this patient, for care, now?"""
    request = access_pb2.CheckAccessRequest(
        subject=access_pb2.Subject(
            id=practitioner, kind="professionnel", profile="medecin", account_type="nominatif", status="actif"
        ),
        authentication=access_pb2.Authentication(mfa=True, idle_s=0, remote="none", time=moment(now)),
        device=access_pb2.Device(compromised=False, managed=True, **{"class": "workstation"}),
        action="read",
        resource=access_pb2.Resource(
            patient_id=patient,
            category="cr",
            created_at=created,
            tags=access_pb2.Strings(),
            visibility=access_pb2.Strings(),
            masked_for=access_pb2.Strings(),
        ),
        purpose="soins",
    )
    answer: access_pb2.CheckAccessResponse = connection.call(AccessServiceStub(connection.channel).CheckAccess, request)
    return access_pb2.Effect.Name(answer.effect).removeprefix("EFFECT_"), answer.reason


def expected(told: Bundles, practitioner: str, patient: str, instant: datetime) -> set[tuple[str, str]]:
    """What the bundles, read independently, and the windows of the law say of a report as old as the record."""
    if told.dead_for(patient, instant) > 30:
        return {("DENY", "DECEASED_PURPOSE")}
    if told.where(practitioner, patient, instant) == "inside":
        return {("PERMIT", "ALLOW_CARE_TEAM")}
    left = told.unit_left(practitioner, patient, instant)
    if left is not None and instant < left + AFTER_STAY:
        return {("PERMIT", "ALLOW_POST_STAY")}
    over = any(span.end is not None and span.end <= instant for span in told.spans(practitioner, patient))
    return {("DENY", "RELATION_EXPIRED" if over else "NO_RELATIONSHIP")}


Answered = list[tuple[str, Question, tuple[str, str]]]


@pytest.fixture(scope="module")
def answered(cities: dict[str, Hospital], clock: Clock) -> Answered:
    """Every question to its own hospital, in the order of their instants, with feeds that are never behind."""
    asked = [
        (instants.of(question[2]), name, question)
        for name, hospital in cities.items()
        for question in independent.sample(hospital.told, MANY, SEED, after=True)
    ]
    answers: Answered = []
    clock.now = AFTER_ALL
    for hospital in cities.values():
        vouch(hospital.connection, AFTER_ALL)
    for now, name, question in sorted(asked):
        practitioner, patient, _ = question
        clock.now, connection, told = now, cities[name].connection, cities[name].told
        created = told.lives[patient][0]
        answers.append((name, question, ask(connection, practitioner, patient, created, now)))
    return answers


def wrong(answers: Answered, told: dict[str, Bundles]) -> list[str]:
    """Answers that the bundles contradict."""
    return [
        f"{answer} and not {right} for {practitioner}, {patient} at {instant} in {name}"
        for name, (practitioner, patient, instant), answer in answers
        if answer not in (right := expected(told[name], practitioner, patient, instant))
    ]


def test_a_thousand_questions_are_answered_as_the_bundles_read_independently_say(
    cities: dict[str, Hospital], answered: Answered
):
    told = {name: hospital.told for name, hospital in cities.items()}
    where = Counter(told[name].where(*question) for name, question, _ in answered)
    reasons = Counter(reason for _, _, (_, reason) in answered)
    print(f"asked: {dict(where)}; answered: {dict(reasons)}")
    assert len(answered) == MANY * len(CITIES)
    assert not wrong(answered, told)
    assert min(where.values()) > 100, "the questions fall on every side"


def test_a_reading_that_forgot_when_care_ends_would_be_contradicted(cities: dict[str, Hospital], answered: Answered):
    """The twin: the comparison notices."""
    assert wrong(answered, {name: hospital.told.endless() for name, hospital in cities.items()})


def test_long_after_everything_nobody_is_permitted(cities: dict[str, Hospital], answered: Answered):
    late = [
        answer[0]
        for name, (practitioner, patient, instant), answer in answered
        if cities[name].told.where(practitioner, patient, instant) == "outside"
        and instant > cities[name].told.lives[patient][1] + independent.FAR
    ]
    assert len(late) > 50
    assert set(late) == {"DENY"}


def test_a_number_two_hospitals_give_to_two_people_opens_neither_hospital_to_the_other(
    cities: dict[str, Hospital], clock: Clock
):
    ours, theirs = (cities[name] for name in CITIES)
    both = {practitioner for practitioner, _ in ours.told.own} & {practitioner for practitioner, _ in theirs.told.own}
    assert len(both) > 3
    for practitioner, patient in sorted(pair for pair in theirs.told.own if pair[0] in both):
        began = theirs.told.own[practitioner, patient][-1].start
        clock.now = instants.of(began)
        asked = practitioner, patient, began, clock.now
        assert ask(theirs.connection, *asked) == ("PERMIT", "ALLOW_CARE_TEAM")
        assert ask(ours.connection, *asked) == ("DENY", "NO_RELATIONSHIP")


def test_an_export_whose_performers_answer_for_the_patient_names_them_responsible():
    feed = Feed(0, PARIS, profiles=FAMILY_DOCTOR, parts={"PPRF": "responsible"})
    report, _ = import_files(None, files("bordeaux"), feed, complete=True, quiet=True)
    for of in report.encounters.values():
        assert of.responsible == of.stays == of.read


def versions(connection: Connection) -> list[facts_pb2.FactVersion]:
    return list(pages(connection, facts_pb2.ReadFactsRequest(page_size=1000)))


def said(connection: Connection) -> dict[str, bytes]:
    """What is known, whenever it was last told."""
    known = {}
    for version in versions(connection):
        version.fact.ClearField("as_of")
        version.fact.ClearField("controller_id")
        known[version.fact.id] = version.fact.SerializeToString(deterministic=True)
    return known


def test_an_import_that_was_killed_and_run_again_ends_as_if_it_had_not_been(tmp_path: Path):
    now, clock = instants.parse("2024-06-02T12:00:00Z"), Clock(instants.parse("2024-06-02T13:00:00Z"))
    export = [*some_patients(tmp_path, 20), *files("bordeaux")[:1], *files("bordeaux")[2:]]
    feed = Feed(now, PARIS, profiles=FAMILY_DOCTOR)
    with hospitals(tmp_path, clock, ("spared", "killed")) as (connections, address):
        report, _ = import_files(connections["spared"], export, feed, complete=True, quiet=True)
        everything, spared = sum(report.facts.values()), said(connections["spared"])
        assert everything > 4 * BATCH
        command = [sys.executable, "-m", "tests.feeds.dies", address, str(tmp_path / "killed.token"), "3", str(now)]
        killed = subprocess.run([*command, *map(str, export)], check=False, timeout=120)
        assert killed.returncode == -9
        before = len(versions(connections["killed"]))
        assert 0 < before < everything
        later = structs.replace(feed, as_of=now + 60_000_000)
        _, counts = import_files(connections["killed"], export, later, complete=True, quiet=True)
        assert 0 <= counts["unchanged"] - before <= BATCH, "what was kept was kept whole, the last write perhaps"
        assert said(connections["killed"]) == spared
        again = structs.replace(feed, as_of=now + 120_000_000)
        _, counts = import_files(connections["killed"], export, again, complete=True, quiet=True)
        assert counts == {"changed": 0, "unchanged": everything, "retracted": 0}


def some_patients(folder: Path, many: int) -> list[Path]:
    """A file of the first patients of Bordeaux."""
    path = folder / "patients.ndjson"
    with gzip.open(repository_data("fhir-synthea") / "bordeaux" / "patients.ndjson.gz") as lines:
        path.write_bytes(b"".join(islice(lines, many)))
    return [path]
