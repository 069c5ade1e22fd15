"""The Python client and a real sidecar, on the fictitious hospital: what the two say to each other is understood."""

from datetime import timedelta
from pathlib import Path

from dpi_sidecar_client import (
    Authentication,
    BatchItem,
    CheckAccessBatchRequest,
    CheckAccessRequest,
    Closed,
    CloseRequest,
    Context,
    Device,
    Opened,
    OpenRequest,
    Permitted,
    Refused,
    Resource,
    Sidecar,
    Strings,
    Subject,
    Unavailable,
)

from sidecar.cli.importing import import_files, read_mapping
from sidecar.core import instants
from sidecar.facts.feeds.reading import Feed
from tests.feeds.hospital_by_hand import PARIS
from tests.feeds.running import PACK, TOKEN, Clock, a_sidecar, moment, vouch

DEMO = Path(__file__).parents[2] / "sidecar" / "demo" / "hospital.json"
NOW = instants.parse("2026-03-01T22:00:00+01:00")
IMPLEMENTS = {
    "LOG_FULL",
    "CACHE_MAX_AGE",
    "DISPLAY_BREAK_GLASS_BANNER",
    "REQUIRE_REVIEW",
    "NOTIFY_PATIENT",
    "NOTIFY_REVIEWER",
    "NO_LOCAL_COPY",
}
LOGIN = Authentication(mfa=True, idle_s=0, remote="none", time=moment(NOW))
WORKSTATION = Device(managed=True, compromised=False, **{"class": "workstation"})


def a_physician(id: str) -> Subject:
    return Subject(id=id, kind="professionnel", profile="medecin", account_type="nominatif", status="actif")


def a_report(patient: str = "P1") -> Resource:
    return Resource(
        patient_id=patient, category="cr", tags=Strings(), visibility=Strings(), masked_for=Strings(), lifecycle="actif"
    )


def reading(who: str, patient: str = "P1", **context: str) -> CheckAccessRequest:
    return CheckAccessRequest(
        subject=a_physician(who),
        authentication=LOGIN,
        device=WORKSTATION,
        action="read",
        resource=a_report(patient),
        purpose="soins_urgence" if context else "soins",
        context=Context(**context),  # type: ignore[arg-type]
    )


def test_a_night_on_call_through_the_client(tmp_path: Path):
    mapping = read_mapping(PACK / "pack.toml")
    with a_sidecar(tmp_path, Clock(NOW)) as (connection, address):
        feed = Feed(NOW, PARIS, profiles=mapping.profiles)
        import_files(connection, [DEMO], feed, complete=True, quiet=True)
        vouch(connection, NOW)
        with Sidecar.nearby(address, IMPLEMENTS, token=TOKEN, deadline=30) as sidecar:
            permitted = sidecar.check(reading("dr-cardio"))
            assert isinstance(permitted, Permitted), permitted
            assert permitted.answer.reason == "ALLOW_CARE_TEAM"
            assert permitted.answer.record
            assert permitted.answer.binding

            refused = sidecar.check(reading("dr-nuit"))
            assert isinstance(refused, Refused), refused
            assert refused.answer.reason == "NO_RELATIONSHIP"
            assert refused.break_glass.available
            assert refused.answer.message

            opened = sidecar.open(
                OpenRequest(
                    subject=a_physician("dr-nuit"),
                    authentication=LOGIN,
                    device=WORKSTATION,
                    patient_id="P1",
                    motive="URGENCE_VITALE",
                    justification="Arrêt cardiaque, équipe du service non joignable",
                )
            )
            assert isinstance(opened, Opened), opened
            assert opened.until - opened.opened_at == timedelta(hours=4)

            under = reading("dr-nuit", access_mode="bris_de_glace", grant=opened.grant)
            emergency = sidecar.check(under)
            assert isinstance(emergency, Permitted), emergency
            assert emergency.answer.reason == "ALLOW_BREAK_GLASS"

            closed = sidecar.close(CloseRequest(grant=opened.grant, subject=a_physician("dr-nuit")))
            assert isinstance(closed, Closed), closed
            over = sidecar.check(under)
            assert isinstance(over, Refused), over
            assert over.answer.reason == "BREAK_GLASS_EXPIRED"

            batch = CheckAccessBatchRequest(
                subject=a_physician("dr-cardio"),
                authentication=LOGIN,
                device=WORKSTATION,
                purpose="soins",
                patient_id="P1",
                items=[
                    BatchItem(action="read", resource=a_report()),
                    BatchItem(action="read", resource=Resource(tags=Strings())),
                    BatchItem(action="delete", resource=a_report()),
                ],
            )
            assert [type(one) for one in sidecar.check_batch(batch)] == [Permitted, Unavailable, Refused]

        with Sidecar.nearby(address, {"NONE_OF_THESE"}, token=TOKEN, deadline=30) as careless:
            assert isinstance(careless.check(reading("dr-cardio")), Refused), "LOG_FULL comes with every permit"
        with Sidecar.nearby(address, IMPLEMENTS, token="another", deadline=30) as stranger:
            unproven = stranger.check(reading("dr-cardio"))
            assert isinstance(unproven, Unavailable)
            assert unproven.reason == "UNAUTHENTICATED"
