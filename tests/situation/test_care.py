"""Who treats the patient: every relation of 3.1.1, both sides of every edge."""

import pytest

from sidecar.core import instants
from sidecar.core.model import Caller, Scope
from tests.situation.builders import (
    CONTROLLER,
    DAY,
    HOUR,
    NOW,
    TENANT,
    alias,
    asking,
    assignment,
    record,
    relation,
    situation,
    stay,
)

LAST = 1  # the microsecond before an edge


def says(word, *facts, now=NOW, **said):
    """What `r.subject.<word>` answers."""
    request = said.pop("request", asking(**{name: said.pop(name) for name in ("subject", "resource") if name in said}))
    return getattr(situation(*facts, now=now, request=request, **said).subject, word)


def test_working_in_the_unit_of_an_open_stay_is_being_in_the_care_team():
    assert says("in_care_team", stay(), assignment()) is True


@pytest.mark.parametrize(
    "facts",
    [
        (stay(unit="UF-REA"), assignment()),
        (stay(status="planned"), assignment()),
        (stay(status="cancelled"), assignment()),
        (stay(patient_id="P2"), assignment()),
        (stay(controller_id="C2"), assignment()),
        (stay(), assignment(subject_id="dr-other")),
        (stay(), assignment(on_call=True)),
        (stay(),),
        (assignment(),),
    ],
    ids=[
        "another unit", "planned", "cancelled", "another patient", "another controller", "another's assignment",
        "on call only", "no assignment", "no stay",
    ],
)  # fmt: skip
def test_anything_less_is_not(facts):
    assert says("in_care_team", *facts) is False


def test_a_stay_counts_from_its_first_instant_to_the_one_before_its_end():
    facts = stay(NOW, NOW + HOUR), assignment()
    assert [says("in_care_team", *facts, now=at) for at in (NOW - LAST, NOW, NOW + HOUR - LAST, NOW + HOUR)] == [
        False, True, True, False,
    ]  # fmt: skip


def test_an_assignment_counts_from_its_first_instant_to_the_one_before_its_end():
    facts = stay(), assignment(NOW, NOW + HOUR)
    assert [says("in_care_team", *facts, now=at) for at in (NOW - LAST, NOW, NOW + HOUR - LAST, NOW + HOUR)] == [
        False, True, True, False,
    ]  # fmt: skip


def test_a_stated_unit_counts_only_from_a_caller_that_may_assert_identities():
    stated = {"units": ("UF-CARD",)}
    assert says("in_care_team", stay(), subject=stated) is True
    trusted_less = Caller("dpi", tenant=TENANT, controllers=(CONTROLLER,))
    assert says("in_care_team", stay(), subject=stated, caller=trusted_less) is False


def test_a_named_member_of_the_care_team_is_in_it_and_named():
    facts = (relation("REL_TEAM", NOW, NOW + HOUR, subject_id="dr-card"),)
    for word in ("in_care_team", "named_in_care"):
        assert [says(word, *facts, now=at) for at in (NOW - LAST, NOW, NOW + HOUR - LAST, NOW + HOUR)] == [
            False, True, True, False,
        ]  # fmt: skip


def test_a_relation_narrowed_to_a_category_reaches_only_that_one():
    member = relation("REL_TEAM", subject_id="dr-card", scope=Scope(categories=("biologie",)))
    assert says("in_care_team", member, resource={"category": "biologie"}) is True
    assert says("in_care_team", member, resource={"category": "cr"}) is False


def test_a_relation_narrowed_to_a_document_or_a_stay_reaches_only_those():
    to_document = relation("REL_TEAM", subject_id="dr-card", scope=Scope(documents=("doc-1",)))
    to_stay = relation("REL_TEAM", subject_id="dr-card", scope=Scope(stay_id="S-1"))
    assert says("in_care_team", to_document, resource={"id": "doc-1"}) is True
    assert says("in_care_team", to_document, resource={"id": "doc-2"}) is False
    assert says("in_care_team", to_stay, resource={"stay": "S-1"}) is True
    assert says("in_care_team", to_stay, resource={"stay": ""}) is False


@pytest.mark.parametrize("word", ["in_care_team", "responsible_for_stay", "named_in_care"])
def test_the_responsible_physician_is_in_the_team_until_90_days_after_the_stay(word):
    facts = (stay(NOW - 200 * DAY, NOW, responsible_id="dr-card"),)
    edges = (NOW - 1, NOW, NOW + 90 * DAY - LAST, NOW + 90 * DAY)
    assert [says(word, *facts, now=at) for at in edges] == [True, True, True, False]
    assert says(word, stay(NOW + HOUR, responsible_id="dr-card")) is False
    assert says(word, stay(responsible_id="dr-other")) is False


def test_ninety_days_are_hours_across_a_clock_change():
    ended = instants.parse("2026-03-01T12:00:00+01:00")
    facts = (stay(ended - DAY, ended, responsible_id="dr-card"),)
    edge = instants.parse("2026-05-30T13:00:00+02:00")  # summer time began on 29 March: one hour later by the wall
    assert says("responsible_for_stay", *facts, now=edge - LAST) is True
    assert says("responsible_for_stay", *facts, now=edge) is False


def test_having_been_in_the_team_is_told_once_it_ended():
    assert says("was_in_care_team", stay(NOW - 9 * DAY, NOW - DAY), assignment()) is True
    assert says("was_in_care_team", stay(NOW - 9 * DAY, NOW), assignment()) is True
    assert says("was_in_care_team", stay(NOW - 9 * DAY, NOW + LAST), assignment()) is False
    assert says("was_in_care_team", stay(), assignment(NOW - 9 * DAY, NOW - HOUR)) is True
    assert says("was_in_care_team", stay(NOW - 200 * DAY, NOW - 90 * DAY, responsible_id="dr-card")) is True
    assert says("was_in_care_team", relation("REL_TEAM", NOW - DAY, NOW - HOUR, subject_id="dr-card")) is True


def test_who_is_in_the_team_now_has_not_left_it():
    again = stay(NOW - 9 * DAY, NOW - DAY), stay(NOW - HOUR), assignment()
    assert says("was_in_care_team", *again) is False


@pytest.mark.parametrize(
    "facts",
    [
        (stay(NOW - 9 * DAY, NOW - DAY), assignment(NOW - HOUR)),
        (stay(NOW - 9 * DAY, NOW - DAY, status="cancelled"), assignment()),
        (stay(NOW - 9 * DAY, NOW - DAY), assignment(on_call=True)),
        (stay(NOW - 9 * DAY, NOW - DAY, unit="UF-REA"), assignment()),
    ],
    ids=["came after", "cancelled", "on call", "another unit"],
)
def test_who_never_was_together_with_the_patient_was_not_in_the_team(facts):
    assert says("was_in_care_team", *facts) is False
    assert situation(*facts).subject.left_unit_less_than(30) is False


@pytest.mark.parametrize("days", [7, 30])
def test_post_stay_days_run_from_the_end_of_the_overlap_whichever_ended_first(days):
    for facts in (
        (stay(NOW - 99 * DAY, NOW), assignment()),
        (stay(NOW - 99 * DAY), assignment(NOW - 99 * DAY, NOW)),
    ):
        edges = (NOW - LAST, NOW, NOW + days * DAY - LAST, NOW + days * DAY)
        answers = [situation(*facts, now=at).subject.left_unit_less_than(days) for at in edges]
        assert answers == [False, True, True, False]


def test_post_stay_days_are_hours_across_a_clock_change():
    left = instants.parse("2026-10-20T12:00:00+02:00")
    facts = stay(left - DAY, left), assignment()
    edge = instants.parse("2026-10-27T11:00:00+01:00")  # winter time began on 25 October
    assert situation(*facts, now=edge - LAST).subject.left_unit_less_than(7) is True
    assert situation(*facts, now=edge).subject.left_unit_less_than(7) is False


def test_post_stay_counts_from_the_latest_overlap_that_ended():
    facts = stay(NOW - 40 * DAY, NOW - 35 * DAY), stay(NOW - 9 * DAY, NOW - 8 * DAY), assignment()
    assert situation(*facts).subject.left_unit_less_than(30) is True
    assert situation(*facts).subject.left_unit_less_than(7) is False


def test_post_stay_reads_assignment_facts_and_no_stated_unit():
    request = asking(subject={"units": ("UF-CARD",)})
    assert situation(stay(NOW - 9 * DAY, NOW - DAY), request=request).subject.left_unit_less_than(30) is False


def test_an_object_counts_as_made_before_leaving_until_the_instant_of_leaving():
    facts = stay(NOW - 9 * DAY, NOW - DAY), assignment()

    def before(created_at):
        return situation(*facts, request=asking(resource={"created_at": created_at})).resource.created_before_leaving

    assert before(NOW - DAY - LAST) is True
    assert before(NOW - DAY) is False
    assert before(None) is False


def test_an_object_is_not_made_before_leaving_by_who_never_was_there():
    request = asking(resource={"created_at": NOW - 99 * DAY})
    assert situation(assignment(), request=request).resource.created_before_leaving is False


def test_the_results_of_a_request_go_to_who_signed_it():
    def signed(*facts, document="res-1"):
        asked = situation(*facts, request=asking(resource={"id": document}))
        return asked.subject.signed_request_for(asked.resource)

    result = Scope(documents=("res-1",))
    told = relation("REL_REQ", NOW - 20 * DAY, NOW - 19 * DAY, requester_id="dr-card", unit="UF-LABO", scope=result)
    assert signed(told) is True
    assert signed(told, document="res-2") is False
    assert signed(told, document="") is False
    assert signed(relation("REL_REQ", requester_id="dr-other", scope=result)) is False
    assert signed(relation("REL_REQ", requester_id="dr-card")) is False
    assert signed(relation("REL_APPT", requester_id="dr-card", scope=result)) is False
    assert signed(relation("REL_REQ", NOW + 1, requester_id="dr-card", scope=result)) is False


def test_who_was_asked_signed_nothing_and_who_signed_was_not_asked():
    def words(**whom):
        asked = situation(
            relation("REL_REQ", scope=Scope(documents=("res-1",)), **whom), request=asking(resource={"id": "res-1"})
        )
        subject = asked.subject
        return (
            subject.answers_request_for(asked.resource),
            subject.signed_request_for(asked.resource),
            subject.named_in_care,
        )

    assert words(subject_id="dr-card", requester_id="dr-other") == (True, False, True)
    assert words(subject_id="dr-other", requester_id="dr-card") == (False, True, False)
    assert words(subject_id="dr-card", requester_id="dr-card") == (True, True, True)
    assert words(requester_id="dr-card") == (False, True, False)


def test_a_roster_slot_covers_the_unit_of_an_open_stay():
    slot = assignment(NOW, NOW + HOUR, on_call=True)
    edges = (NOW - LAST, NOW, NOW + HOUR - LAST, NOW + HOUR)
    assert [says("on_call_here", stay(), slot, now=at) for at in edges] == [False, True, True, False]


def test_on_call_gives_on_call_grounds_and_nothing_else():
    asked = situation(stay(), assignment(on_call=True), request=asking(resource={"unit": "UF-CARD"}))
    assert asked.subject.on_call_here is True
    for word in ("in_care_team", "was_in_care_team", "in_establishment", "in_producing_unit", "in_tag_unit"):
        assert getattr(asked.subject, word) is False, word
    assert situation(assignment(on_call=True), caller=Caller("dpi", tenant=TENANT)).subject.profile_held is False


def test_on_call_elsewhere_or_a_plain_assignment_is_not_on_call_here():
    assert says("on_call_here", stay(), assignment(on_call=True, unit="UF-REA")) is False
    assert says("on_call_here", stay(), assignment()) is False
    assert says("on_call_here", stay(NOW - DAY, NOW), assignment(on_call=True)) is False
    assert says("on_call_here", stay(), subject={"units": ("UF-CARD",)}) is False


def test_a_transfer_is_expected_24_hours_either_side_of_its_instant():
    facts = stay(NOW, status="planned"), assignment()
    edges = (NOW - DAY - LAST, NOW - DAY, NOW + DAY - LAST, NOW + DAY)
    assert [says("expecting_transfer", *facts, now=at) for at in edges] == [False, True, True, False]


def test_a_transfer_is_no_longer_expected_once_the_stay_is_active():
    planned = stay(NOW, status="planned", stay_id="S-1")
    arrived = stay(NOW + HOUR, NOW + 2 * HOUR, stay_id="S-1")
    assert says("expecting_transfer", planned, arrived, assignment(), now=NOW + HOUR - LAST) is True
    assert says("expecting_transfer", planned, arrived, assignment(), now=NOW + HOUR) is False
    assert says("expecting_transfer", planned, arrived, assignment(), now=NOW + 3 * HOUR) is False


def test_a_transfer_to_another_unit_is_not_ours():
    assert says("expecting_transfer", stay(NOW, status="planned", unit="UF-REA"), assignment()) is False
    assert says("expecting_transfer", stay(NOW, status="cancelled"), assignment()) is False


def test_an_appointment_with_the_subject_or_their_unit_opens_7_days_before_and_30_after():
    edges = (NOW - 7 * DAY - LAST, NOW - 7 * DAY, NOW + HOUR + 30 * DAY - LAST, NOW + HOUR + 30 * DAY)
    for said in ({"subject_id": "dr-card"}, {"unit": "UF-CARD"}):
        facts = relation("REL_APPT", NOW, NOW + HOUR, **said), assignment()
        assert [says("has_appointment", *facts, now=at) for at in edges] == [False, True, True, False]
    assert says("has_appointment", relation("REL_APPT", subject_id="dr-other", unit="UF-REA"), assignment()) is False
    assert says("has_appointment", relation("REL_TEAM", subject_id="dr-card")) is False


def test_being_named_is_by_person_not_by_unit_and_not_by_a_ticket():
    assert says("named_in_care", relation("REL_APPT", unit="UF-CARD"), assignment()) is False
    assert says("named_in_care", relation("REL_APPT", subject_id="dr-card")) is True
    assert says("named_in_care", relation("REL_TICKET", subject_id="dr-card", ref="T-1")) is False
    assert says("named_in_care", stay(), assignment()) is False


def test_the_team_at_death_is_who_was_in_it_on_that_paris_day():
    death = record(death_date="2026-03-05")
    midnight = instants.parse("2026-03-05T00:00:00+01:00")
    for end, expected in ((midnight, False), (midnight + LAST, True)):
        assert says("in_team_at_death", death, assignment(), stay(midnight - DAY, end)) is expected
    for start, expected in ((midnight + DAY - LAST, True), (midnight + DAY, False)):
        assert says("in_team_at_death", death, assignment(), stay(start)) is expected
    assert says("in_team_at_death", death, relation("REL_TEAM", midnight, midnight + 1, subject_id="dr-card")) is True
    assert says("in_team_at_death", death, stay(midnight - 80 * DAY, midnight - 70 * DAY, responsible_id="dr-card"))
    assert says("in_team_at_death", assignment(), stay()) is False


def test_the_day_of_death_has_23_hours_when_clocks_go_forward():
    death = record(death_date="2026-03-29")
    begins, ends = instants.parse("2026-03-29T00:00:00+01:00"), instants.parse("2026-03-30T00:00:00+02:00")
    assert ends - begins == 23 * HOUR
    now = ends + DAY
    assert says("in_team_at_death", death, assignment(), stay(ends - LAST, now), now=now) is True
    assert says("in_team_at_death", death, assignment(), stay(ends, now), now=now) is False


def test_the_senior_is_somebody_else_who_is_in_the_care_team():
    senior = assignment(subject_id="dr-senior")
    named = {"supervised_by": "dr-senior"}
    assert says("senior_in_team", stay(), senior, subject=named) is True
    assert says("senior_in_team", stay(unit="UF-REA"), senior, subject=named) is False
    assert says("senior_in_team", stay(), senior) is False
    assert says("senior_in_team", stay(), assignment(), subject={"supervised_by": "dr-card"}) is False
    assert says("senior_in_team", stay(), subject=named | {"units": ("UF-CARD",)}) is False
    assert says("senior_in_team", stay(responsible_id="dr-senior"), subject=named) is True


def test_the_unit_that_made_the_object_keeps_it_during_the_stay():
    made = {"unit": "UF-CARD"}
    assert says("in_producing_unit", stay(), assignment(), resource=made) is True
    assert says("in_producing_unit", stay(NOW - DAY, NOW), assignment(), resource=made) is False
    assert says("in_producing_unit", stay(), assignment(), resource={"unit": "UF-REA"}) is False
    assert says("in_producing_unit", stay(), assignment()) is False
    assert says("in_producing_unit", stay(stay_id="S-2"), assignment(), resource=made | {"stay": "S-1"}) is False
    assert says("in_producing_unit", stay(stay_id="S-1"), assignment(), resource=made | {"stay": "S-1"}) is True


def test_the_unit_of_a_tagged_object_is_the_one_that_made_it():
    assert says("in_tag_unit", assignment(), resource={"unit": "UF-CARD"}) is True
    assert says("in_tag_unit", assignment(), resource={"unit": "UF-PSY"}) is False
    assert says("in_tag_unit", assignment(), resource={"unit": ""}) is False


def test_every_relation_is_unknown_when_the_store_cannot_be_read():
    asked = situation(stay(), assignment(), readable=False)
    words = (
        "in_care_team", "was_in_care_team", "responsible_for_stay", "in_team_at_death", "on_call_here",
        "expecting_transfer", "has_appointment", "named_in_care", "reads_own_record",
    )  # fmt: skip
    for word in words:
        assert getattr(asked.subject, word) is None, word
    assert asked.subject.left_unit_less_than(30) is None
    assert asked.resource.created_before_leaving is None
    assert asked.unknown == [f"subject.{word}" for word in words] + [
        "subject.left_unit_less_than", "resource.created_before_leaving",
    ]  # fmt: skip


def test_another_patients_or_controllers_bundle_is_no_bundle():
    assert situation(stay(), assignment(), patient="P2").subject.in_care_team is None
    assert situation(stay(), assignment(), controller="C2").subject.in_care_team is None


def test_inline_facts_count_only_from_a_caller_that_may_assert_them():
    inline = asking(facts=(stay(controller_id=""), assignment(controller_id=""), stay(controller_id="C2", unit="X")))
    assert situation(request=inline).subject.in_care_team is False
    trusted = Caller("dpi", tenant=TENANT, controllers=(CONTROLLER,), may_assert=frozenset({"facts"}))
    assert situation(request=inline, caller=trusted).subject.in_care_team is True
    elsewhere = asking(facts=(stay(controller_id="C2"), assignment()))
    assert situation(request=elsewhere, caller=trusted).subject.in_care_team is False


def test_an_inline_fact_never_joins_two_names():
    trusted = Caller("dpi", tenant=TENANT, controllers=(CONTROLLER,), may_assert=frozenset({"facts"}))
    request = asking(facts=(alias("merge", "P2"), stay(patient_id="P2"), assignment()))
    assert situation(request=request, caller=trusted).subject.in_care_team is False
