"""Sharing outside the team and across professions, and what the sidecar counts itself."""

import pytest
from msgspec.structs import replace

from sidecar.core.model import Context, Relied, Scope, Target
from sidecar.core.usage import DENIALS_WINDOW, PATIENTS_WINDOW, Counters, Usage, recorded
from tests.situation.builders import (
    CALLER,
    DAY,
    HOUR,
    NOW,
    PACK,
    asking,
    assignment,
    directive,
    relation,
    situation,
)

LAST = 1  # the microsecond before an edge


def says(noun, word, *facts, now=NOW, arguments=(), **said):
    """What `r.<noun>.<word>` answers."""
    held = getattr(getattr(situation(*facts, now=now, **said), noun), word)
    return held(*arguments) if callable(held) else held


def answers(*facts, now=NOW, **said):
    return says("subject", "answers_request_for", *facts, now=now, arguments=("r.resource",), **said)


# ---- relations of one purpose


@pytest.mark.parametrize(
    ("word", "kind", "before", "after"),
    [
        ("in_case_meeting", "REL_RCP", 7 * DAY, 7 * DAY),
        ("referring_on_request", "REL_REFERENT", 0, 30 * DAY),
    ],
)
def test_a_meeting_and_a_request_of_the_own_practitioner_have_their_windows(word, kind, before, after):
    tie = relation(kind, NOW, NOW + HOUR, subject_id="dr-card")
    edges = (NOW - before - LAST, NOW - before, NOW + HOUR + after - LAST, NOW + HOUR + after)
    assert [says("subject", word, tie, now=at) for at in edges] == [False, True, True, False]
    assert says("subject", word, relation(kind, subject_id="dr-other")) is False
    assert says("subject", word, relation("REL_TEAM", subject_id="dr-card")) is False
    assert says("subject", word, readable=False) is None


def test_the_service_that_is_asked_reaches_what_the_request_names_and_what_goes_with_it():
    here = assignment(unit="UF-LABO")
    asked = relation("REL_REQ", unit="UF-LABO", scope=Scope(categories=("biologie",)))
    assert answers(here, asked, request=asking(resource={"category": "biologie"})) is True
    assert answers(here, asked, request=asking(resource={"category": "alertes"})) is True
    assert answers(here, asked, request=asking(resource={"category": "cr"})) is False
    assert answers(asked, request=asking(resource={"category": "biologie"})) is False
    assert answers(readable=False) is None


def test_what_goes_with_a_request_is_read_and_never_written():
    here = assignment(unit="UF-LABO")
    asked = relation("REL_REQ", unit="UF-LABO", scope=Scope(categories=("biologie",)))
    assert answers(here, asked, request=asking(resource={"category": "alertes"}, action="create")) is False
    assert answers(here, asked, request=asking(resource={"category": "biologie"}, action="create")) is True


def test_a_request_that_names_no_category_ties_everything_and_one_that_names_a_document_only_that():
    assert answers(relation("REL_REQ", subject_id="dr-card")) is True
    other = relation("REL_REQ", subject_id="dr-card", scope=Scope(documents=("doc-2",)))
    assert answers(other) is False


def test_a_request_is_answered_until_fifteen_days_after_its_end():
    asked = relation("REL_REQ", NOW, NOW + HOUR, subject_id="dr-card")
    edges = (NOW - LAST, NOW, NOW + HOUR + 15 * DAY - LAST, NOW + HOUR + 15 * DAY)
    assert [answers(asked, now=at) for at in edges] == [False, True, True, False]
    asking_now = situation(asked)
    assert asking_now.subject.answers_request_for("r.resource") is True
    assert asking_now.ends == NOW + DAY  # no later than the fact stays fresh


# ---- what the patient was told, and agreed to


def test_the_patient_is_informed_when_the_request_or_a_directive_says_so():
    assert says("patient", "informed", request=asking(context=Context(patient_informed="yes"))) is True
    assert says("patient", "informed", request=asking(context=Context(patient_informed="no"))) is False
    assert says("patient", "informed") is False
    assert says("patient", "informed", directive("informed")) is True
    assert says("patient", "informed", directive("informed", target=Target(subject_id="dr-other"))) is False
    assert says("patient", "informed", readable=False) is None


@pytest.mark.parametrize(("said", "second"), [("1", False), ("2a", True), ("2j", True), ("none", False), ("", False)])
def test_the_category_of_the_profession_is_what_the_request_says(said, second):
    assert says("subject", "second_category", request=asking(subject={"r1110_2_category": said})) is second


def test_only_impossible_means_that_the_patient_is_told_later():
    said = {
        answer: says("patient", "unable_to_answer", request=asking(context=Context(patient_informed=answer)))
        for answer in ("yes", "no", "impossible", "")
    }
    assert said == {"yes": False, "no": False, "impossible": True, "": False}


def test_a_consent_gives_the_categories_it_names_or_the_usual_ones():
    def consented(category, *facts):
        return says("patient", "consented_to_subject", *facts, request=asking(resource={"category": category}))

    to_me = Target(subject_id="dr-card")
    usual, named = directive("consent", target=to_me), directive("consent", target=to_me, scope=Scope(("sejour",)))
    assert [consented(category, usual) for category in ("cr", "biologie", "sejour")] == [True, True, False]
    assert [consented(category, named) for category in ("cr", "biologie", "sejour")] == [False, False, True]
    assert consented("cr") is False
    assert consented("cr", directive("mask", target=to_me)) is False
    assert says("patient", "consented_to_subject", readable=False) is None


def test_an_agreement_names_the_very_category():
    def agreed(*facts, **said):
        return says("patient", "agreed_to", *facts, arguments=("r.resource",), **said)

    assert agreed(directive("consent")) is False
    assert agreed(directive("consent", scope=Scope(("cr",)))) is True
    assert agreed(directive("consent", scope=Scope(("biologie",)))) is False
    assert agreed(readable=False) is None


def test_a_consent_lasts_its_period_and_the_answer_ends_with_it():
    consent = directive("consent", NOW, NOW + HOUR)
    edges = (NOW - LAST, NOW, NOW + HOUR - LAST, NOW + HOUR)
    said = [says("patient", "consented_to_subject", consent, now=at) for at in edges]
    assert said == [False, True, True, False]
    asked = situation(consent)
    assert asked.patient.consented_to_subject is True
    assert asked.ends == NOW + HOUR


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (Target(subject_id="dr-card"), True),
        (Target(subject_id="dr-other"), False),
        (Target(unit="UF-CARD"), True),
        (Target(unit="UF-REA"), False),
        (Target(profession="10"), True),
        (Target(profession="60"), False),
        (Target(structure="S1"), True),
        (Target(structure="S2"), False),
        (Target(everyone=True), True),
    ],
)
def test_a_consent_is_for_whom_it_names(target, said):
    facts = assignment(), directive("consent", target=target)
    assert says("patient", "consented_to_subject", *facts) is said


def test_a_profession_that_a_caller_may_not_assert_gives_nothing():
    facts = directive("consent", target=Target(profession="10"))
    silent = replace(CALLER, may_assert=frozenset())
    assert says("patient", "consented_to_subject", facts, caller=silent) is False


def test_a_consent_narrowed_to_a_right_a_mode_or_sparing_somebody_gives_no_more():
    assert says("patient", "consented_to_subject", directive("consent", rights=("write",))) is False
    assert says("patient", "consented_to_subject", directive("consent", rights=("read",))) is True
    assert says("patient", "consented_to_subject", directive("consent", modes=("centre_15",))) is False
    assert says("patient", "consented_to_subject", directive("consent", except_=("dr-card",))) is False


# ---- recipients, notices, specialties


@pytest.mark.parametrize(
    ("recipient", "said"),
    [("10001234567", True), ("1000123456", False), ("100012345678", False), ("P1", True), ("P2", False), ("", False)],
)
def test_a_recipient_is_known_by_an_rpps_number_or_as_the_patient(recipient, said):
    assert says("context", "recipient_identified", request=asking(context=Context(recipient=recipient))) is said


def test_the_notice_the_user_saw_is_the_one_in_force():
    assert says("context", "notice_current", request=asking(context=Context(notice_version="2026-01"))) is True
    assert says("context", "notice_current", request=asking(context=Context(notice_version="2025-01"))) is False
    assert says("context", "notice_current") is False


def test_where_the_controller_states_no_notice_there_is_none_to_see():
    none = replace(
        PACK, settings={**PACK.settings, "notice_version": replace(PACK.settings["notice_version"], value="")}
    )
    assert says("context", "notice_current", pack=none) is True
    assert (
        says("context", "notice_current", pack=none, request=asking(context=Context(notice_version="2025-01"))) is True
    )


@pytest.mark.parametrize(
    ("unit", "said"), [("UF-CARD", True), ("UF-USIC", True), ("UF-SAU", False), ("UF-REA", False), ("", False)]
)
def test_units_of_one_specialty_share_what_is_sensitive(unit, said):
    assert says("subject", "same_specialty", assignment(), request=asking(resource={"unit": unit})) is said
    assert says("subject", "same_specialty", request=asking(resource={"unit": unit})) is False


# ---- what the sidecar counts itself


def test_opening_more_patients_than_the_threshold_is_too_many_and_nobody_keeps_that_answer():
    for patients, over in ((60, False), (61, True)):
        asked = situation(usage=Usage(patients=patients))
        assert asked.subject.over_volume is over
        assert asked.counts == ({"patients_per_hour": 61} if over else {})
        assert (asked.ends == NOW + 1) is over


def test_as_many_refusals_as_the_threshold_are_too_many():
    assert [says("subject", "denied_too_often", usage=Usage(denials=n)) for n in (19, 20)] == [False, True]


def test_a_patient_counts_once_for_an_hour_and_a_refusal_for_ten_minutes():
    counters = Counters()
    counters.note("T1", "dr-card", "P1", True, NOW)
    counters.note("T1", "dr-card", "P1", True, NOW + 1)
    counters.note("T1", "dr-card", "P2", False, NOW)
    assert counters.usage("T1", "dr-card", "P1", NOW + 2) == Usage(1, 1)
    assert counters.usage("T1", "dr-card", "P3", NOW + 2) == Usage(2, 1)
    assert counters.usage("T1", "dr-card", "", NOW + DENIALS_WINDOW - LAST) == Usage(1, 1)
    assert counters.usage("T1", "dr-card", "", NOW + DENIALS_WINDOW) == Usage(1, 0)
    assert counters.usage("T1", "dr-card", "", NOW + 1 + PATIENTS_WINDOW - LAST) == Usage(1, 0)
    assert counters.usage("T1", "dr-card", "", NOW + 1 + PATIENTS_WINDOW) == Usage(0, 0)


def test_nobody_is_counted_for_somebody_else():
    counters = Counters()
    counters.note("T1", "dr-card", "P1", True, NOW)
    assert counters.usage("T1", "dr-other", "P2", NOW) == Usage(1, 0)
    assert counters.usage("T2", "dr-card", "P2", NOW) == Usage(1, 0)


def test_what_is_remembered_is_bounded_and_whoever_was_quiet_longest_is_forgotten():
    counters = Counters(kept=10)
    for n in range(8):
        counters.note("T1", "dr-quiet", f"P{n}", True, NOW)
    for n in range(5):
        counters.note("T1", "dr-busy", f"P{n}", True, NOW + n)
    assert counters.usage("T1", "dr-busy", "", NOW + 5) == Usage(5, 0)
    assert counters.usage("T1", "dr-quiet", "", NOW + 5) == Usage(0, 0)


def test_what_was_counted_is_read_back_from_what_the_decision_rested_on():
    said = (Relied("adt", "patients_per_hour", 7), Relied("sidecar", "patients_per_hour", 61))
    assert recorded(said) == Usage(patients=61)
