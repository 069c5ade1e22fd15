"""Real bundles through the real server: permitted inside the care, refused far outside it."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from msgspec import structs

from sidecar.cli.connect import Connection, open_channel
from sidecar.cli.facts import import_files
from sidecar.config import CallerSettings, Config, FactsSettings, Listen, LogSettings, PolicySettings
from sidecar.core import instants
from sidecar.facts.feeds.reading import Feed
from sidecar.server import Sidecar
from sidecar.v1 import access_pb2, facts_pb2
from sidecar.v1.access_pb2_grpc import AccessServiceStub
from sidecar.v1.facts_pb2_grpc import FactsServiceStub
from tests.feeds import independent
from tests.feeds.hospital_by_hand import PARIS, repository_data

MANY, SEED = 200, 20240601
TOKEN = "a-caller-token-for-this-test-alone"
FAMILY_DOCTOR = {"http://nucc.org/provider-taxonomy|208D00000X": "medecin"}
PACK = Path(__file__).parents[2] / "policies" / "hospital"
BY_FHIR, BY_DPI = ("assignment", "record_state", "relation", "stay"), ("alias", "directive")


class Clock:
    """The instant it was last set to."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@contextmanager
def a_sidecar(folder: Path, clock: Clock) -> Iterator[Connection]:
    """A running sidecar with the hospital pack, and a connection of its one caller."""
    caller = CallerSettings(
        "dpi",
        token_sha256=hashlib.sha256(TOKEN.encode()).hexdigest(),
        roles=("dpi", "feed"),
        controllers=("330000001",),
        hds="certified",
        may_assert=("identity",),
    )
    required = dict.fromkeys(BY_FHIR, ("fhir",)) | dict.fromkeys(BY_DPI, ("dpi",))
    config = Config(
        str(folder / "data"),
        PolicySettings(str(PACK)),
        FactsSettings(required),
        (caller,),
        Listen(grpc="127.0.0.1:0", admin="127.0.0.1:0"),
        log=LogSettings(level="error"),
    )
    token = folder / "token"
    token.write_text(TOKEN)
    sidecar = Sidecar(config, clock)
    sidecar.start()
    try:
        channel, metadata = open_channel(sidecar.addresses[0], str(token), None, None, None)
        with channel:
            grpc.channel_ready_future(channel).result(timeout=30)
            yield Connection(channel, metadata, 60.0)
    finally:
        sidecar.stop()


def moment(instant: int) -> independent.datetime:
    return independent.datetime.fromisoformat(instants.text(instant))


def vouch(connection: Connection, now: int) -> None:
    """Both feeds say that they have told everything until now."""
    marks = [
        facts_pb2.Watermark(source=source, kinds=kinds, complete_until=moment(now))
        for source, kinds in (("fhir", BY_FHIR), ("dpi", BY_DPI))
    ]
    connection.call(FactsServiceStub(connection.channel).WriteFacts, facts_pb2.WriteFactsRequest(watermarks=marks))


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
    with a_sidecar(tmp_path, clock) as connection:
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
        clock.now += instants.DAY
        again, counts = import_files(
            connection, files, structs.replace(feed, as_of=clock.now), complete=True, quiet=True
        )
    assert not wrong
    assert min(asked["inside"], asked["outside"]) > MANY // 5
    assert counts == {"changed": 0, "unchanged": sum(again.facts.values()), "retracted": 0}
