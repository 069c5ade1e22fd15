"""The patient's own side, and who works on a record without treating its patient."""

import pytest

from sidecar.core import instants
from sidecar.core.model import References, Scope, Target
from tests.situation.builders import (
    DAY,
    HOUR,
    NOW,
    alias,
    asking,
    assignment,
    delegation,
    directive,
    record,
    relation,
    situation,
)

HOLDER = asking(subject={"id": "p-1", "profile": "patient", "kind": "patient"})
CODER = asking(subject={"id": "tim-1", "profile": "dim"}, resource={"stay": "sej-1"})


def at(text):
    return instants.parse(text)


# ---- the patient in person


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (relation("REL_SELF", subject_id="p-1"), True),
        (relation("REL_SELF", subject_id="p-2"), False),
        (relation("REL_SELF", subject_id="p-1", patient_id="P2"), False),
        (relation("REL_SELF", NOW + HOUR, subject_id="p-1"), False),
        (relation("REL_REP", subject_id="p-1"), False),
        (alias("same_person", "p-1"), True),
        (alias("same_person", "p-2"), False),
        (alias("same_person", "p-1", end=NOW), False),
    ],
)
def test_the_patient_in_person_is_told_by_a_relation_or_as_the_same_person(told, expected):
    assert situation(told, request=HOLDER).subject.is_holder is expected


def test_the_patients_name_alone_makes_nobody_the_patient():
    named = asking(subject={"id": "P1", "profile": "patient", "kind": "patient"})
    assert situation(request=named).subject.is_holder is False


def test_an_old_word_that_this_is_the_patient_is_no_longer_one():
    assert situation(relation("REL_SELF", subject_id="p-1"), request=HOLDER, told=NOW - DAY).subject.is_holder is False


# ---- the representative of a minor


def represents(*facts, now=NOW):
    return situation(relation("REL_REP", subject_id="mere"), *facts, request=asking(subject={"id": "mere"}), now=now)


@pytest.mark.parametrize(
    ("now", "expected"),
    [("2026-03-09T23:59:59.999999+01:00", True), ("2026-03-10T00:00:00+01:00", False)],
)
def test_authority_over_a_minor_ends_as_the_paris_day_of_the_eighteenth_birthday_begins(now, expected):
    asked = represents(record(birth_date="2008-03-10"), now=at(now))
    assert asked.subject.represents_patient is expected
    assert asked.ends == (at("2026-03-10T00:00:00+01:00") if expected else asked.ends)


@pytest.mark.parametrize(
    ("now", "expected"),
    [("2026-02-28T23:59:59+01:00", True), ("2026-03-01T00:00:00+01:00", False)],
)
def test_who_was_born_on_a_leap_day_comes_of_age_on_the_first_of_march(now, expected):
    assert represents(record(birth_date="2008-02-29"), now=at(now)).subject.represents_patient is expected


def test_nobody_is_known_to_be_under_age_without_a_birth_date():
    assert represents().subject.represents_patient is False
    assert represents(record()).subject.represents_patient is False


def test_of_two_birth_dates_the_earlier_counts():
    asked = represents(record(birth_date="2010-01-01"), record(birth_date="2008-01-01", source="dpi"))
    assert asked.subject.represents_patient is False


def test_authority_needs_a_relation_of_its_own_kind():
    request = asking(subject={"id": "mere"})
    minor = record(birth_date="2012-01-01")
    assert situation(minor, request=request).subject.represents_patient is False
    assert (
        situation(minor, relation("REL_SELF", subject_id="mere"), request=request).subject.represents_patient is False
    )
    assert represents(minor).subject.represents_patient is True


# ---- what is kept from either


def hidden(**said):
    known = {name: said.pop(name) for name in ("marks", "now") if name in said}
    return situation(request=asking(resource=said), **known).resource.hidden_from_patient


def test_an_announcement_keeps_a_result_from_the_patient_for_one_calendar_month():
    since = at("2026-02-10T12:00:00+01:00")
    assert hidden(announced_since=since, now=NOW - 1) is True
    assert hidden(announced_since=since, now=NOW) is False
    assert hidden(announced_since=since, visibility=("INVISIBLE_PATIENT",), now=NOW) is False


@pytest.mark.parametrize(
    ("since", "released"),
    [
        ("2026-01-31T10:00:00+01:00", "2026-02-28T10:00:00+01:00"),
        ("2028-01-31T10:00:00+01:00", "2028-02-29T10:00:00+01:00"),
        ("2026-03-15T10:00:00+01:00", "2026-04-15T10:00:00+02:00"),
        ("2026-10-10T10:00:00+02:00", "2026-11-10T10:00:00+01:00"),
        ("2026-12-15T23:30:00+01:00", "2027-01-15T23:30:00+01:00"),
    ],
)
def test_the_month_is_of_the_paris_calendar(since, released):
    assert hidden(announced_since=at(since), now=at(released) - 1) is True
    assert hidden(announced_since=at(since), now=at(released)) is False


def test_hidden_without_a_date_stays_hidden_and_nothing_said_must_be_vouched_for():
    assert hidden(visibility=("INVISIBLE_PATIENT",)) is True
    assert hidden(visibility=("INVISIBLE_REPRESENTANTS_LEGAUX",)) is False
    assert hidden(visibility=None) is False
    assert hidden(visibility=None, marks={}) is None
    assert hidden(visibility=(), marks={}) is False


def secret(*facts, marks=None, **said):
    request = asking(subject={"id": "mere"}, resource=said)
    return situation(*facts, request=request, marks=marks).resource.hidden_from_representative


def test_a_secret_act_of_a_minor_is_told_by_the_object_its_tags_or_a_directive():
    assert secret() is False
    assert secret(visibility=("INVISIBLE_REPRESENTANTS_LEGAUX",)) is True
    assert secret(tags=("secret_mineur",)) is True
    assert secret(tags=("psy",)) is False
    assert secret(directive("visibility")) is True
    assert secret(directive("visibility", target=Target(subject_id="pere"))) is False
    assert secret(directive("visibility", scope=Scope(categories=("biologie",)))) is False


def test_a_secret_act_is_known_absent_only_where_tags_and_visibility_are_known():
    assert secret(tags=None) is None
    assert secret(visibility=None, marks={}) is None
    assert secret(visibility=None) is False
    assert secret(tags=None, visibility=("INVISIBLE_REPRESENTANTS_LEGAUX",)) is True


def test_without_the_patients_will_nothing_is_hidden():
    request = asking(
        subject={"id": "mere"},
        resource={"visibility": ("INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX"), "tags": ("secret_mineur",)},
    )
    asked = situation(directive("visibility"), request=request)
    assert (asked.resource.hidden_from_patient, asked.resource.hidden_from_representative) == (True, True)
    plain = asked.without_will()
    assert (plain.resource.hidden_from_patient, plain.resource.hidden_from_representative) == (False, False)


@pytest.mark.parametrize(("motive", "expected"), [("CAUSE_DECES", True), ("AVIS_URGENT", False), ("", False)])
def test_heirs_give_one_of_three_motives(motive, expected):
    assert situation(request=asking(context={"motive": motive})).context.heir_motive is expected


# ---- coding, archives


def by_dim(*facts, **said):
    return situation(*facts, request=asking(CODER, **said)).subject.delegated_by_dim


def test_a_delegation_of_a_physician_of_medical_information_need_name_nothing():
    lent = delegation(from_subject_id="dr-dim", to_subject_id="tim-1")
    works = assignment(subject_id="dr-dim", profile="dim", unit="DIM")
    assert by_dim(lent, works) is True
    assert by_dim(lent) is False
    assert by_dim(works) is False
    assert by_dim(lent, assignment(subject_id="dr-dim", profile="medecin")) is False
    assert by_dim(lent, assignment(subject_id="dr-dim", profile="dim", end=NOW)) is False


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"end": NOW}, False),
        ({"purposes": ("soins",)}, True),
        ({"purposes": ("droits",)}, False),
        ({"patient_id": "P2"}, False),
        ({"categories": ("biologie",)}, False),
    ],
)
def test_each_field_such_a_delegation_fills_must_fit(said, expected):
    works = assignment(subject_id="dr-dim", profile="dim", unit="DIM")
    assert by_dim(delegation(from_subject_id="dr-dim", to_subject_id="tim-1", **said), works) is expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, True),
        ({"scope": Scope(stay_id="sej-1")}, True),
        ({"scope": Scope(stay_id="sej-2")}, False),
        ({"subject_id": "tim-1"}, True),
        ({"subject_id": "tim-2"}, False),
        ({"structure": "S1"}, True),
        ({"structure": "S2"}, False),
        ({"unit": "UF-CARD"}, False),
        ({"patient_id": "P2"}, False),
        ({"end": NOW}, False),
    ],
)
def test_a_stay_is_coded_by_those_its_worklist_names(said, expected):
    asked = situation(relation("REL_CODE", **said), request=CODER)
    assert asked.subject.codes_this_stay is expected


def test_a_worklist_of_a_unit_is_for_those_who_work_there():
    works = assignment(subject_id="tim-1", unit="DIM", profile="dim")
    assert situation(relation("REL_CODE", unit="DIM"), works, request=CODER).subject.codes_this_stay is True
    assert situation(readable=False, request=CODER).subject.codes_this_stay is None


def test_the_supervisor_named_is_somebody_else_who_holds_the_profile():
    works = assignment(subject_id="dr-dim", profile="dim", unit="DIM")

    def supervised(supervisor, profile="dim", **said):
        request = asking(context={"refs": References(supervisor=supervisor)}, **said)
        return situation(works, request=request).context.supervisor_is(profile)

    assert supervised("dr-dim") is True
    assert supervised("dr-dim", "medecin") is False
    assert supervised("dr-autre") is False
    assert supervised("") is False
    assert supervised("dr-dim", subject={"id": "dr-dim"}) is False


@pytest.mark.parametrize("field", ["request", "ticket"])
def test_an_archive_request_is_named_by_request_or_ticket(field):
    def asked(ref, **said):
        request = asking(context={"refs": References(**{field: ref})})
        return situation(relation("REL_ARCH", ref="A-1", **said), request=request).context.archive_request_open

    assert asked("A-1") is True
    assert asked("A-2") is False
    assert asked("") is False
    assert asked("A-1", patient_id="P2") is False
    assert asked("A-1", end=NOW) is False
