"""Acting for somebody: what a delegation names, when it is in force, and what the delegator is asked."""

import pytest

from sidecar.core.model import Target
from tests.situation.builders import (
    HOUR,
    NOW,
    asking,
    assignment,
    delegation,
    directive,
    situation,
)

SECRETARY = asking(subject={"id": "s-card", "profile": "secretaire", "kind": "personnel"}, resource={"unit": "UF-CARD"})


def asked(*facts, request=SECRETARY, may=True, now=NOW, **known):
    """The secretary's situation and what the delegator was asked."""
    questions = []

    def ask(outer, question):
        questions.append((question, question.subject.id))
        return may(question) if callable(may) else may

    made = situation(*facts, request=request, now=now, **known)
    made.delegate = ask
    return made, questions


def covers(*facts, **said):
    made, _ = asked(*facts, **said)
    return made.subject.delegation_covers(made.resource)


def delegated(*facts, **said):
    made, _ = asked(*facts, **said)
    return made.subject.delegated_for(made.resource)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"documents": ("doc-1",)}, True),
        ({"documents": ("doc-2",)}, False),
        ({"patient_id": "P1"}, True),
        ({"patient_id": "P2"}, False),
        ({"units": ("UF-CARD",), "categories": ("cr",)}, True),
        ({"units": ("UF-CARD",)}, False),
        ({"categories": ("cr",)}, False),
        ({}, False),
        ({"units": ("UF-REA",), "categories": ("cr",)}, False),
        ({"units": ("UF-CARD",), "categories": ("biologie",)}, False),
        ({"patient_id": "P1", "categories": ("biologie",)}, False),
        ({"patient_id": "P1", "categories": ("cr", "biologie")}, True),
        ({"patient_id": "P1", "documents": ("doc-2",)}, False),
        ({"documents": ("doc-1",), "units": ("UF-REA",)}, False),
    ],
)
def test_a_delegation_covers_what_it_names_where_each_field_it_fills_fits(said, expected):
    assert covers(delegation(**said)) is expected
    assert delegated(assignment(), delegation(**said)) is expected


def test_a_delegation_to_somebody_else_is_none():
    assert covers(delegation(patient_id="P1", to_subject_id="s-other")) is False


def test_a_delegation_that_is_over_still_names_the_object_and_gives_nothing():
    told = delegation(NOW, NOW + HOUR, patient_id="P1")
    edges = (NOW - 1, NOW, NOW + HOUR - 1, NOW + HOUR)
    assert [covers(told, now=at) for at in edges] == [True, True, True, True]
    assert [delegated(assignment(), told, now=at) for at in edges] == [False, True, True, False]


def test_a_delegation_for_other_purposes_names_the_object_and_gives_nothing():
    for purposes, expected in ((("soins",), True), (("soins_urgence",), False), ((), True)):
        told = delegation(patient_id="P1", purposes=purposes)
        assert covers(told) is True
        assert delegated(assignment(), told) is expected


@pytest.mark.parametrize("may", [True, False, None])
def test_a_delegation_gives_what_the_delegator_may_do_now(may):
    assert delegated(assignment(), delegation(patient_id="P1"), may=may) is may


def test_the_delegator_is_asked_the_same_question_once_for_each_profile_they_hold_by_assignment():
    request = asking(SECRETARY, action="create", context={"access_mode": "bris_de_glace", "grant": "g1"})
    staff = (
        assignment(),
        assignment(unit="UF-REA"),
        assignment(profile="infirmier"),
        assignment(profile="unheard_of"),
        assignment(profile="patient", end=NOW),
    )
    made, questions = asked(*staff, delegation(patient_id="P1"), request=request, may=False)
    assert made.subject.delegated_for(made.resource) is False
    assert [(question.subject.profile, who) for question, who in questions] == [
        ("medecin", "dr-card"), ("infirmier", "dr-card"),
    ]  # fmt: skip
    question = questions[0][0]
    assert (question.action, question.resource, question.purpose) == ("create", request.resource, "soins")
    assert (question.subject.id, question.subject.kind, question.subject.units) == ("dr-card", "professionnel", ())
    assert (question.context.access_mode, question.context.grant) == ("normal", "")  # a grant is not transferable


def test_a_delegator_without_an_assignment_may_do_nothing():
    assert delegated(delegation(patient_id="P1")) is False
    assert delegated(assignment(end=NOW), delegation(patient_id="P1")) is False
    assert delegated(assignment(on_call=True), delegation(patient_id="P1")) is False


def test_any_delegator_who_may_is_enough_and_doubt_about_another_does_not_matter():
    both = assignment(), assignment(subject_id="dr-b"), delegation(patient_id="P1")
    second = delegation(patient_id="P1", from_subject_id="dr-b")
    for first, other, expected in ((False, True, True), (None, True, True), (False, None, None), (False, False, False)):
        answers = {"dr-card": first, "dr-b": other}
        assert delegated(*both, second, may=lambda question, of=answers: of[question.subject.id]) is expected


def test_nobody_acts_for_a_delegator_of_a_delegator():
    made = situation(assignment(), delegation(patient_id="P1"), request=SECRETARY)
    assert made.delegate is None
    assert made.subject.delegated_for(made.resource) is False


def test_the_delegator_is_asked_once_however_many_rows_ask():
    made, questions = asked(assignment(), delegation(patient_id="P1"))
    for _ in range(3):
        assert made.subject.delegated_for(made.resource) is True
    assert made.value("delegator") == "dr-card"
    assert len(questions) == 1


def test_values_name_the_delegator_the_senior_and_nothing_that_is_not_there():
    made, _ = asked(assignment(), delegation(patient_id="P1"), may=False)
    assert [made.value(name) for name in ("delegator", "senior", "until")] == ["", "", ""]
    assert situation(request=asking(subject={"supervised_by": "dr-senior"})).value("senior") == "dr-senior"


def test_a_delegation_rests_on_its_facts_and_ends_with_them():
    told = delegation(end=NOW + HOUR, patient_id="P1", id="d1")
    made, _ = asked(assignment(end=NOW + 2 * HOUR, id="a1"), told)
    assert made.subject.delegated_for(made.resource) is True
    assert {known.fact.id for known in made.relied} == {"d1", "a1"}
    assert made.ends == NOW + HOUR


def test_a_mask_on_nobody_concerned_leaves_the_delegation_alone():
    made, _ = asked(assignment(), delegation(patient_id="P1"), directive("mask", target=Target(subject_id="dr-x")))
    assert made.resource.masked_for_subject is False
    assert made.without_will().subject.delegated_for(made.without_will().resource) is True
