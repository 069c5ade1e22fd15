"""What many answers say is written once, and no answer says what is another's."""

import pytest
from msgspec.structs import replace

from sidecar.api import answers
from sidecar.api.shape import stamp
from sidecar.api.strict import LAST_SECOND
from sidecar.core.model import Advice, Answer, Decision, Effect, Obligation, Offer, PolicyRef
from sidecar.v1 import access_pb2

PERMIT = Decision(effect=Effect.PERMIT, reason="R", true_reason="R", rule="A-01", valid_until=1_000_000)
GIVEN = Answer(PERMIT, "d-1", PolicyRef("hospital", "1", "digest"), "origin", 7, "token", "sentence")
DIFFERENT = {
    "effect": {"effect": Effect.DENY},
    "reason": {"reason": "S"},
    "rule": {"rule": "A-02"},
    "also": {"also": ("T",)},
    "obligations": {"obligations": (Obligation("LOG_FULL", {}),)},
    "advice": {"advice": (Advice("CONTACT", {"who": "x"}),)},
    "break_glass": {"offer": Offer(available=True, motives=("M",), scope="MED")},
    "valid_until": {"valid_until": 2_000_000},
    "decision_id": {"decision_id": "d-2"},
    "policy": {"policy": PolicyRef("hospital", "2", "digest")},
    "record": {"index": 8},
    "consistency_token": {"consistency_token": "other"},
    "message": {"message": "another sentence"},
}


def said(given):
    return {field.name: str(value) for field, value in answers.answer(given).ListFields()}


@pytest.mark.parametrize("field", DIFFERENT)
def test_answers_that_differ_in_one_thing_are_told_apart_in_it_alone(field):
    change = DIFFERENT[field]
    decided = change.keys() <= set(Decision.__struct_fields__)
    other = replace(GIVEN, decision=replace(PERMIT, **change)) if decided else replace(GIVEN, **change)
    first, second = said(GIVEN), said(other)
    assert {name for name in first | second if first.get(name) != second.get(name)} == {field}
    assert said(GIVEN) == first


def test_an_answer_is_the_message_whose_bytes_are_sent_and_every_field_of_it_is_tried():
    assert answers.answer(GIVEN) == access_pb2.CheckAccessResponse.FromString(answers.answered(GIVEN))
    fields = {field.name for field in access_pb2.CheckAccessResponse.DESCRIPTOR.fields}
    assert fields - DIFFERENT.keys() == {"enforcement", "grant"}  # the one is constant, the other an opening's


@pytest.mark.parametrize("index", [0, 1, 127, 128, 16_383, 16_384, 2**64 - 1])
@pytest.mark.parametrize("length", [1, 40, 127, 128, 300])
def test_what_an_answer_alone_says_stands_last_as_protobuf_writes_it(index, length):
    given = replace(GIVEN, decision_id="d" * length, origin="o" * length, index=index, consistency_token="t" * length)
    own = access_pb2.CheckAccessResponse(
        valid_until=stamp(1_000_000),
        decision_id=given.decision_id,
        record=access_pb2.RecordReference(origin=given.origin, index=index),
        consistency_token=given.consistency_token,
    )
    assert answers.answered(given).endswith(own.SerializeToString())


@pytest.mark.parametrize("index", [0, 7])
def test_a_record_stands_in_the_ledger_that_the_answer_names(index):
    here, there = (answers.answer(replace(GIVEN, origin=origin, index=index)) for origin in ("here", "there"))
    assert (here.record.origin, there.record.origin) == ("here", "there")
    assert here.record.index == there.record.index == index


def test_what_nothing_ends_is_good_until_the_last_timestamp():
    endless = replace(GIVEN, decision=replace(PERMIT, valid_until=answers.LAST_INSTANT + 1))
    assert answers.answer(endless).valid_until.seconds == LAST_SECOND
