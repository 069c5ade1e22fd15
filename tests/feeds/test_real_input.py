"""Real bundles through the real server: permitted inside the care, refused far outside it."""

from collections import Counter
from pathlib import Path

import pytest

from sidecar.cli.connect import Connection
from sidecar.cli.importing import import_files
from sidecar.core import instants
from sidecar.facts.feeds.reading import Feed
from sidecar.v1 import access_pb2
from sidecar.v1.access_pb2_grpc import AccessServiceStub
from tests.feeds import independent
from tests.feeds.hospital_by_hand import PARIS, repository_data
from tests.feeds.running import Clock, a_sidecar, moment, vouch

MANY, SEED = 200, 20240601
FAMILY_DOCTOR = {"http://nucc.org/provider-taxonomy|208D00000X": "medecin"}


def ask(connection: Connection, practitioner: str, patient: str, now: int) -> access_pb2.CheckAccessResponse:
    """May this physician read this patient's reports, for care, now?"""
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
            tags=access_pb2.Strings(),
            visibility=access_pb2.Strings(),
            masked_for=access_pb2.Strings(),
        ),
        purpose="soins",
    )
    response: access_pb2.CheckAccessResponse = connection.call(
        AccessServiceStub(connection.channel).CheckAccess, request
    )
    return response


@pytest.mark.parametrize("name", ["small", "worcester"])
def test_real_patients_are_open_to_those_who_care_for_them_while_they_do(tmp_path: Path, name: str):
    files = sorted((repository_data("fhir-synthea") / name).iterdir())
    told = independent.read(files)
    questions = sorted(
        (instants.of(when), practitioner, patient)
        for practitioner, patient, when in independent.sample(told, MANY, SEED)
    )
    clock = Clock(questions[0][0])
    feed = Feed(clock.now, PARIS, profiles=FAMILY_DOCTOR)
    expected = {"inside": {"ALLOW_CARE_TEAM"}, "outside": {"NO_RELATIONSHIP", "RELATION_EXPIRED"}}
    asked: Counter[str] = Counter()
    wrong: list[str] = []
    with a_sidecar(tmp_path, clock) as (connection, _):
        report, counts = import_files(connection, files, feed, complete=True, quiet=True)
        assert counts["changed"] == sum(report.facts.values())
        for now, practitioner, patient in questions:
            clock.now = now
            vouch(connection, now)
            answer = ask(connection, practitioner, patient, now)
            where = told.where(practitioner, patient, moment(now))
            asked[where] += 1
            if where in expected and answer.reason not in expected[where]:
                wrong.append(f"{where}: {answer.reason} for {practitioner}, {patient}, {instants.text(now)}")
    assert not wrong
    assert min(asked["inside"], asked["outside"]) > MANY // 5


def test_a_second_import_changes_nothing_but_when_it_was_last_true(tmp_path: Path):
    files = sorted((repository_data("fhir-synthea") / "small").iterdir())
    clock = Clock(instants.parse("2024-06-01T12:00:00Z"))
    with a_sidecar(tmp_path, clock) as (connection, _):
        for day in range(3):
            feed = Feed(clock.now, PARIS, profiles=FAMILY_DOCTOR)
            report, counts = import_files(connection, files, feed, complete=True, quiet=True)
            everything = sum(report.facts.values())
            changed = everything if day == 0 else 0
            assert counts == {"changed": changed, "unchanged": everything - changed, "retracted": 0}
            clock.now += instants.DAY
