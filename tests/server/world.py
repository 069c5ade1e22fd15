"""A small fictitious hospital: P1 lies in UF-CARD, where dr-jour works; dr-nuit does not."""

import time
from typing import Any

from sidecar.api.shape import message
from sidecar.core.model import (
    Assignment,
    Authentication,
    Context,
    Device,
    Fact,
    Opening,
    Period,
    RecordState,
    Request,
    Resource,
    Stay,
    Subject,
    Watermark,
)
from sidecar.v1 import access_pb2, break_glass_pb2, facts_pb2
from tests.server.process import KINDS, SOURCE

DAY = 86_400 * 1_000_000
Facts = tuple[Fact, ...]


def now() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


def told(patient: str = "P1", subject: str = "dr-jour", unit: str = "UF-CARD") -> Facts:
    """Where the patient lies and who works there."""
    since = Period(now() - 10 * DAY, None)
    return (
        Fact(f"a-{subject}", SOURCE, period=since, assignment=Assignment(subject, unit, "medecin")),
        Fact(f"s-{patient}", SOURCE, period=since, stay=Stay(patient, unit, "active", f"sej-{patient}")),
        Fact(f"r-{patient}", SOURCE, record_state=RecordState(patient, "1950-01-01", status="open")),
    )


def a_write(request_id: str, facts: Facts = (), complete: bool = False, **more: Any) -> facts_pb2.WriteFactsRequest:
    """A write of these facts; `complete` says that all is told."""
    marks = [message(facts_pb2.Watermark, Watermark(SOURCE, KINDS, now()))] if complete else []
    return facts_pb2.WriteFactsRequest(
        request_id=request_id, facts=[message(facts_pb2.Fact, fact) for fact in facts], watermarks=marks, **more
    )


def a_subject(id: str = "dr-jour", unit: str = "UF-CARD", **more: Any) -> Subject:
    """A physician of a unit."""
    said = {"account_type": "nominatif", "status": "actif"} | more
    return Subject(id, "professionnel", "medecin", units=(unit,), **said)


def a_request(patient: str = "P1", subject: Subject | None = None, **more: Any) -> Request:
    """The reading of a report, which P1's care team is permitted."""
    resource = Resource(
        "cr", patient, "document", f"doc-{patient}", tags=(), visibility=(), masked_for=(), lifecycle="actif"
    )
    said: dict[str, Any] = {"action": "read", "resource": resource, "purpose": "soins"} | more
    return Request(subject or a_subject(), authentication=proven(), device=DEVICE, **said)


def a_check(patient: str = "P1", subject: Subject | None = None, **more: Any) -> access_pb2.CheckAccessRequest:
    """The same on the wire."""
    return message(access_pb2.CheckAccessRequest, a_request(patient, subject, **more))


def a_batch(patient: str, subject: Subject, categories: tuple[str, ...]) -> access_pb2.CheckAccessBatchRequest:
    """The reading of one object of each category."""
    asked = a_check(patient, subject)
    items = []
    for category in categories:
        resource = access_pb2.Resource()
        resource.CopyFrom(asked.resource)
        resource.category = category
        items.append(access_pb2.BatchItem(action="read", resource=resource))
    return access_pb2.CheckAccessBatchRequest(
        subject=asked.subject,
        authentication=asked.authentication,
        device=asked.device,
        purpose="soins",
        patient_id=patient,
        items=items,
    )


def an_opening(patient: str = "P1", subject: str = "dr-nuit", request_id: str = "") -> break_glass_pb2.OpenRequest:
    """An emergency, of somebody who is of no use to the patient otherwise."""
    return message(
        break_glass_pb2.OpenRequest,
        Opening(
            a_subject(subject, "UF-SAU"),
            patient,
            "URGENCE_VITALE",
            "équipe du service non joignable",
            proven(),
            DEVICE,
            request_id=request_id,
        ),
    )


def under_grant(grant: str, patient: str = "P1", subject: str = "dr-nuit") -> access_pb2.CheckAccessRequest:
    """The report again, under a grant."""
    return a_check(
        patient,
        a_subject(subject, "UF-SAU"),
        purpose="soins_urgence",
        context=Context(access_mode="bris_de_glace", grant=grant),
    )


def proven() -> Authentication:
    """Two factors, just now."""
    return Authentication(mfa=True, time=now() - 1_000_000, idle_s=0, remote="none")


DEVICE = Device("workstation", True, False)
