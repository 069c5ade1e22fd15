"""Emergencies as they are looked at, on the wire: bytes in, bytes out."""

from typing import Protocol, TypeVar

from google.protobuf.message import Message

from sidecar.api.shape import message, stamp, value
from sidecar.api.strict import check, parsed
from sidecar.core.emergencies import Accesses, Description, Pressure, PressureQuery
from sidecar.core.model import Caller, Effect
from sidecar.core.pressure import UnitPressure
from sidecar.v1 import access_pb2, break_glass_pb2

M = TypeVar("M", bound=Message)

EFFECTS = {Effect.PERMIT: access_pb2.EFFECT_PERMIT, Effect.DENY: access_pb2.EFFECT_DENY}


class Looking(Protocol):
    """What is asked of those who look at emergencies. Every method raises SidecarError."""

    def describe(self, profile: str, language: str) -> Description:
        """What an emergency asks of this profile and brings about."""

    def accesses(self, caller: Caller, grant_id: str, limit: int) -> Accesses:
        """What was asked under a grant; the reading is itself recorded first."""

    def pressure(self, caller: Caller, query: PressureQuery) -> Pressure:
        """The openings of a period by unit."""


def describe(looking: Looking, caller: Caller, payload: bytes) -> bytes:
    """Describe. Raises SidecarError."""
    asked = _checked(break_glass_pb2.DescribeRequest, payload)
    found = looking.describe(asked.profile, asked.language)
    return message(break_glass_pb2.DescribeResponse, found, texts=found.names).SerializeToString()


def accesses(looking: Looking, caller: Caller, payload: bytes) -> bytes:
    """Accesses. Raises SidecarError."""
    asked = _checked(break_glass_pb2.AccessesRequest, payload)
    found = looking.accesses(caller, asked.grant, asked.limit)
    shown = [
        break_glass_pb2.Access(
            at=stamp(each.at),
            action=each.action,
            category=each.category,
            object=each.object,
            effect=EFFECTS[each.effect],
            reason=each.reason,
            decision_id=each.decision_id,
        )
        for each in found.accesses
    ]
    return break_glass_pb2.AccessesResponse(
        accesses=shown, total=found.total, relation=found.relation
    ).SerializeToString()


def pressure(looking: Looking, caller: Caller, payload: bytes) -> bytes:
    """Pressure. Raises SidecarError."""
    found = looking.pressure(caller, value(PressureQuery, _checked(break_glass_pb2.PressureRequest, payload)))
    told = break_glass_pb2.PressureResponse(to=stamp(found.end), grants=found.grants, units=map(_unit, found.units))
    getattr(told, "from").CopyFrom(stamp(found.start))
    return told.SerializeToString()


def _unit(found: UnitPressure) -> break_glass_pb2.UnitPressure:
    return break_glass_pb2.UnitPressure(
        unit=found.unit,
        openings=found.openings,
        per_week=found.per_week,
        index=found.index,
        motives=[break_glass_pb2.Count(code=code, count=count) for code, count in found.motives],
        relations=[break_glass_pb2.Count(code=code, count=count) for code, count in found.relations],
        known=found.known,
    )


def _checked(kind: type[M], payload: bytes) -> M:
    found = parsed(kind, payload)
    check(found)
    return found
