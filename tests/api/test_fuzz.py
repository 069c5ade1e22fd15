"""Bytes nobody meant: never a crash, never a permit, always a named field."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.api import requests
from sidecar.api.methods import Incoming
from sidecar.core.model import Caller, Request
from sidecar.errors import InvalidRequest, NotFound
from sidecar.v1 import access_pb2, break_glass_pb2, facts_pb2
from tests.api.corridor import BATCH, CHECK, CLOSE, GET, OPEN, READ, RECORDS, STATUS, WRITE, Corridor, a_check
from tests.api.test_messages import a_batch, whole

ANYBODY = Caller("dpi", roles=frozenset(("dpi", "feed", "auditor")), controllers=("C1",))
CORRIDOR = Corridor()
TABLE = CORRIDOR.table()
STRANGER = "patient-nobody-treats"  # the corridor permits for P1 alone, and few changed bytes do not make this P1


def opening() -> break_glass_pb2.OpenRequest:
    return break_glass_pb2.OpenRequest(subject=a_check().subject, patient_id=STRANGER, justification="a")


def writing() -> facts_pb2.WriteFactsRequest:
    return facts_pb2.WriteFactsRequest(request_id="r", facts=whole().facts)


def asked() -> access_pb2.CheckAccessRequest:
    message = whole()
    message.resource.patient_id = STRANGER
    return message


def asked_together() -> access_pb2.CheckAccessBatchRequest:
    message = a_batch()
    message.patient_id = STRANGER
    return message


MEANT = {
    CHECK: asked(),
    BATCH: asked_together(),
    OPEN: opening(),
    CLOSE: break_glass_pb2.CloseRequest(grant="g2", subject=a_check().subject),
    GET: break_glass_pb2.GetRequest(grant="g2"),
    WRITE: writing(),
    READ: facts_pb2.ReadFactsRequest(patient_id=STRANGER, ids=["a"]),
    RECORDS: access_pb2.CheckAccessRequest(),
    STATUS: access_pb2.CheckAccessRequest(),
}

Edit = tuple[int, int, bytes]
EDITS = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 3), st.binary(max_size=3)), min_size=1, max_size=4)


def changed(payload: bytes, edits: list[Edit]) -> bytes:
    for at, length, bytes_ in edits:
        at %= len(payload) + 1
        payload = payload[:at] + bytes_ + payload[at + length :]
    return payload


def read(reading: Callable[[bytes], Request], payload: bytes) -> Request | tuple[str, str]:
    """The question that was read, or what was refused and why."""
    try:
        return reading(payload)
    except InvalidRequest as fault:
        return fault.field, fault.description


def answered_or_named(method: str, payload: bytes) -> None:
    [out] = TABLE[method].serve([Incoming(payload, ANYBODY)])
    if isinstance(out, bytes):
        if method == CHECK:
            assert access_pb2.CheckAccessResponse.FromString(out).effect == access_pb2.EFFECT_DENY
        elif method == BATCH:
            for result in access_pb2.CheckAccessBatchResponse.FromString(out).results:
                assert result.error.field or result.answer.effect == access_pb2.EFFECT_DENY
    else:
        assert isinstance(out, InvalidRequest | NotFound), repr(out)
        if isinstance(out, InvalidRequest):
            assert out.field
            assert out.description


@pytest.mark.parametrize("method", MEANT)
@given(payload=st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_random_bytes_are_refused_by_field(method: str, payload: bytes) -> None:
    answered_or_named(method, payload)


@pytest.mark.parametrize("method", MEANT)
@given(edits=EDITS)
@settings(max_examples=300, deadline=None)
def test_a_message_with_a_few_bytes_changed_is_refused_by_field_or_means_no_more(
    method: str, edits: list[Edit]
) -> None:
    answered_or_named(method, changed(MEANT[method].SerializeToString(), edits))


@given(edits=EDITS)
@settings(max_examples=1000, deadline=None)
def test_no_doubt_is_overlooked_whatever_bytes_are_changed(edits: list[Edit]) -> None:
    message = asked()
    del message.facts[:]
    payload = changed(message.SerializeToString(), edits)
    assert read(requests.question, payload) == read(requests._in_doubt, payload)


@given(payloads=st.lists(st.binary(max_size=40), max_size=5))
@settings(max_examples=100, deadline=None)
def test_bytes_nobody_meant_harm_nobody_who_arrived_with_them(payloads: list[bytes]) -> None:
    sound = a_check("P1").SerializeToString()
    outs = TABLE[CHECK].serve([Incoming(each, ANYBODY) for each in (sound, *payloads, sound)])
    assert len(outs) == len(payloads) + 2
    for out in (outs[0], outs[-1]):
        assert isinstance(out, bytes)
        assert access_pb2.CheckAccessResponse.FromString(out).effect == access_pb2.EFFECT_PERMIT
