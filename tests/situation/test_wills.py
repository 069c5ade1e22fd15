"""What the patient wants: masks, blocks, opposition; whom, what, when and in which mode they cover."""

import pytest

from sidecar.core.model import Scope, Target
from tests.situation.builders import (
    CONTROLLER,
    DAY,
    HOUR,
    NOW,
    asking,
    assignment,
    delegation,
    directive,
    grant,
    situation,
    stay,
    with_settings,
)

WORDS = {
    "mask": lambda s: s.resource.masked_for_subject,
    "block": lambda s: s.patient.blocked_subject,
    "opposition": lambda s: s.patient.opposed_to_subject,
}
KINDS = pytest.mark.parametrize("kind", WORDS)


def covered(kind, *facts, now=NOW, request=None, **said):
    asked = situation(*facts, directive(kind, **said.pop("period", {}), **said), request=request or asking(), now=now)
    return WORDS[kind](asked)


@KINDS
def test_a_directive_about_everyone_covers_the_subject_and_no_other_word(kind):
    asked = situation(directive(kind))
    assert {name for name, word in WORDS.items() if word(asked)} == {kind}


@KINDS
@pytest.mark.parametrize("other", ["consent", "informed", "circle", "visibility", "mask_delegation"])
def test_what_the_patient_allows_forbids_nothing(kind, other):
    assert WORDS[kind](situation(directive(other))) is False


@KINDS
def test_a_directive_holds_from_its_first_instant_to_the_one_before_its_end(kind):
    edges = (NOW - 1, NOW, NOW + HOUR - 1, NOW + HOUR)
    assert [covered(kind, start=NOW, end=NOW + HOUR, now=at) for at in edges] == [False, True, True, False]


@KINDS
@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (Target(subject_id="dr-card"), True),
        (Target(subject_id="dr-other"), False),
        (Target(profession="10"), True),
        (Target(profession="60"), False),
        (Target(structure="S1"), True),
        (Target(structure="S2"), False),
        (Target(unit="UF-CARD"), True),
        (Target(unit="UF-REA"), False),
        (Target(everyone=True), True),
    ],
)
def test_a_directive_covers_whom_it_targets(kind, target, expected):
    assert covered(kind, assignment(), target=target) is expected


@KINDS
def test_a_target_by_profession_or_structure_is_unknown_for_whom_does_not_state_theirs(kind):
    silent = asking(subject={"profession": "", "structure": ""})
    assert covered(kind, target=Target(profession="60"), request=silent) is None
    assert covered(kind, target=Target(structure="S2"), request=silent) is None


@KINDS
def test_every_unit_counts_for_a_prohibition_stated_on_call_or_told_long_ago(kind):
    target = Target(unit="UF-REA")
    assert covered(kind, target=target, request=asking(subject={"units": ("UF-REA",)})) is True
    assert covered(kind, assignment(unit="UF-REA", on_call=True), target=target) is True
    assert covered(kind, assignment(unit="UF-REA", as_of=0), target=target) is True
    assert covered(kind, assignment(unit="UF-REA", end=NOW), target=target) is False


@KINDS
def test_whom_a_directive_excepts_is_not_covered(kind):
    assert covered(kind, except_=("dr-card",)) is False
    assert covered(kind, except_=("dr-other",)) is True


@pytest.mark.parametrize("kind", ["mask", "block", "opposition"])
def test_a_directive_spares_who_works_in_a_unit_it_excepts_by_what_is_fresh(kind):
    assert covered(kind, assignment(), except_=("UF-CARD",)) is False
    assert covered(kind, assignment(on_call=True), except_=("UF-CARD",)) is True
    assert covered(kind, assignment(NOW - DAY, NOW), except_=("UF-CARD",)) is True
    assert covered(kind, assignment(as_of=NOW - 8 * DAY), except_=("UF-CARD",)) is True
    assert covered(kind, assignment(), except_=("UF-SAU",)) is True


@KINDS
@pytest.mark.parametrize(
    ("scope", "resource", "expected"),
    [
        (Scope(categories=("cr",)), {}, True),
        (Scope(categories=("biologie",)), {}, False),
        (Scope(documents=("doc-1",)), {}, True),
        (Scope(documents=("doc-2",)), {}, False),
        (Scope(documents=("doc-1",)), {"id": ""}, False),
        (Scope(stay_id="S-1"), {"stay": "S-1"}, True),
        (Scope(stay_id="S-1"), {"stay": "S-2"}, False),
        (Scope(stay_id="S-1"), {}, None),
        (Scope(stay_id="S-1"), {"id": ""}, False),
        (Scope(categories=("biologie",), stay_id="S-1"), {}, False),
        (Scope(categories=("cr",), documents=("doc-1",)), {}, True),
        (Scope(categories=("cr",), documents=("doc-2",)), {}, False),
    ],
)
def test_a_directive_covers_what_its_scope_holds(kind, scope, resource, expected):
    assert covered(kind, scope=scope, request=asking(resource=resource)) is expected


@KINDS
def test_reading_and_writing_may_be_forbidden_apart(kind):
    reading, writing = asking(action="read"), asking(action="create")
    for rights, read, write in (((), True, True), (("read",), True, False), (("write",), False, True)):
        assert covered(kind, rights=rights, request=reading) is read
        assert covered(kind, rights=rights, request=writing) is write


@KINDS
def test_an_emergency_mode_counts_only_under_an_open_grant(kind):
    emergency = asking(context={"access_mode": "bris_de_glace", "grant": "g1"})

    def asked(modes, request, grants):
        return WORDS[kind](situation(directive(kind, modes=modes), request=request, grants=grants))

    for modes, normal, pretended, granted in (
        ((), True, True, True),
        (("normal",), True, True, False),
        (("bris_de_glace",), False, False, True),
    ):
        assert asked(modes, asking(), ()) is normal
        assert asked(modes, emergency, ()) is pretended
        assert asked(modes, emergency, (grant(),)) is granted


@KINDS
def test_another_patients_or_controllers_directive_changes_nothing(kind):
    assert covered(kind, patient_id="P2") is False
    assert covered(kind, controller_id="C2") is False


@KINDS
def test_a_known_directive_beats_an_incomplete_feed_and_an_unknown_one_does_not(kind):
    silent = asking(resource={"masked_for": None})
    assert WORDS[kind](situation(directive(kind), request=silent, marks={})) is True
    assert WORDS[kind](situation(request=silent, marks={})) is None


def test_one_directive_that_covers_is_enough():
    masks = [directive("mask", target=Target(subject_id=name)) for name in ("dr-a", "dr-card", "dr-b")]
    assert situation(*masks).resource.masked_for_subject is True
    both = directive("mask", target=Target(profession="60")), directive("mask", target=Target(everyone=True))
    assert situation(*both, request=asking(subject={"profession": ""})).resource.masked_for_subject is True


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("tous", True),
        ("dr-card", True),
        ("dr-other", False),
        ("profile:medecin", True),
        ("profile:infirmier", False),
        ("profession:10", True),
        ("profession:60", False),
        ("structure:S1", True),
        ("structure:S2", False),
        ("unit:UF-CARD", True),
        ("unit:UF-REA", False),
    ],
)
def test_the_request_says_for_whom_its_object_is_masked(entry, expected):
    asked = situation(assignment(), request=asking(resource={"masked_for": (entry,)}))
    assert asked.resource.masked_for_subject is expected


def test_a_mask_by_profession_in_the_request_is_unknown_for_whom_does_not_state_theirs():
    silent = {"profession": "", "structure": ""}
    for entry in ("profession:60", "structure:S2"):
        request = asking(subject=silent, resource={"masked_for": (entry,)})
        assert situation(request=request).resource.masked_for_subject is None


def test_a_directive_masks_what_the_request_says_is_masked_for_nobody():
    assert situation(directive("mask"), request=asking(resource={"masked_for": ()})).resource.masked_for_subject is True


def test_safety_data_cannot_be_masked_to_the_current_care_team():
    alerts = asking(resource={"category": "alertes", "masked_for": ("tous",)})

    def masked(*facts, pack=None, request=alerts, **known):
        return situation(directive("mask"), *facts, request=request, **known, **({"pack": pack} if pack else {})) \
            .resource.masked_for_subject  # fmt: skip

    assert masked(stay(), assignment()) is False
    assert masked(assignment()) is True
    assert masked(stay(NOW - HOUR, NOW), assignment()) is True
    assert masked(stay(), assignment(), pack=with_settings(alertes_maskable=True)) is True
    assert masked(stay(), assignment(), request=asking(resource={"category": "cr"})) is True
    silent = asking(resource={"category": "alertes", "masked_for": None})
    assert situation(stay(), assignment(), request=silent, marks={}).resource.masked_for_subject is False


# ---- without the patient's will


@KINDS
def test_taking_the_will_away_leaves_every_other_word_as_it_is(kind):
    masked = asking(resource={"masked_for": ("tous",)})
    asked = situation(stay(), assignment(), directive(kind), request=masked)
    plain = asked.without_will()
    assert [word(plain) for word in WORDS.values()] == [False, False, False]
    assert plain.subject.in_care_team is True
    assert plain.delegate is asked.delegate
    assert WORDS[kind](asked) is True


@KINDS
def test_without_the_will_an_incomplete_feed_stays_unknown_masked_or_not(kind):
    silent = asking(resource={"masked_for": None})
    for facts in ((), (directive(kind),)):
        assert WORDS[kind](situation(*facts, request=silent, marks={}).without_will()) is None
        assert WORDS[kind](situation(*facts, request=silent, readable=False).without_will()) is None


# ---- under a delegation

SECRETARY = asking(subject={"id": "s-card", "profile": "secretaire", "kind": "personnel"})


def acting(*facts, request=SECRETARY, may=True):
    """The secretary's situation, where the delegator may do whatever is asked."""
    asked = situation(assignment(), delegation(patient_id="P1"), *facts, request=request)
    asked.delegate = lambda outer, request: may
    return asked


@KINDS
def test_a_delegators_refusal_is_the_secretarys(kind):
    assert WORDS[kind](acting()) is False
    assert WORDS[kind](acting(directive(kind, target=Target(subject_id="dr-card")))) is True
    assert WORDS[kind](acting(directive(kind, target=Target(subject_id="dr-other")))) is False
    assert WORDS[kind](acting(directive(kind, target=Target(unit="UF-CARD")))) is True


@KINDS
def test_a_delegator_who_is_refused_counts_only_while_the_delegation_is_in_force(kind):
    refused = directive(kind, target=Target(subject_id="dr-card"))
    over = situation(assignment(), delegation(end=NOW, patient_id="P1"), refused, request=SECRETARY)
    over.delegate = lambda outer, request: True
    assert WORDS[kind](over) is False


@KINDS
def test_another_delegator_who_is_not_refused_is_enough(kind):
    refused = directive(kind, target=Target(subject_id="dr-card"))
    other = delegation(from_subject_id="dr-b", patient_id="P1")
    assert WORDS[kind](acting(refused, other)) is False


@KINDS
def test_a_delegators_own_delegators_do_not_count(kind):
    refused = directive(kind, target=Target(subject_id="dr-card"))
    inner = situation(assignment(), delegation(patient_id="P1"), refused, request=SECRETARY)
    assert WORDS[kind](inner) is False  # asked with no `delegate`


@KINDS
def test_without_those_the_will_refuses_a_refused_delegator_is_no_delegator(kind):
    asked = acting(directive(kind, target=Target(subject_id="dr-card")))
    assert asked.subject.delegation_covers(asked.resource) is True
    plain = asked.without_will()
    assert plain.subject.delegated_for(plain.resource) is True
    alone = asked.without_delegators()
    assert alone.subject.delegation_covers(alone.resource) is False
    assert alone.subject.delegated_for(alone.resource) is False
    assert acting(directive(kind, target=Target(subject_id="dr-other"))).without_delegators() is None


def test_a_delegator_keeps_what_they_wrote_and_what_their_unit_made():
    mask = directive("mask", target=Target(subject_id="dr-card"))
    wrote = asking(SECRETARY, resource={"author": "dr-card"})
    assert acting(mask, request=wrote).resource.masked_for_subject is False
    made = asking(SECRETARY, resource={"unit": "UF-CARD"})
    assert acting(mask, stay(), request=made).resource.masked_for_subject is False
    assert acting(mask, request=made).resource.masked_for_subject is True
    opposed = directive("opposition", target=Target(subject_id="dr-card"))
    assert acting(opposed, request=wrote).patient.opposed_to_subject is False


def test_an_unknown_profession_of_a_delegator_is_doubt():
    assert acting(directive("opposition", target=Target(profession="60"))).patient.opposed_to_subject is None


def test_what_forbids_is_what_the_answer_rests_on():
    asked = situation(directive("mask", end=NOW + HOUR, id="m1"), directive("mask", patient_id="P2", id="m2"))
    assert asked.resource.masked_for_subject is True
    assert [known.fact.id for known in asked.relied] == ["m1"]
    assert asked.ends == NOW + HOUR
    assert asked.controller_id == CONTROLLER
