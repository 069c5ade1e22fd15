"""One patient, several names: merges and unmerges as they stand at the instant; staff who are the patient."""

import pytest

from tests.situation.builders import (
    DAY,
    HOUR,
    NOW,
    alias,
    asking,
    assignment,
    directive,
    grant,
    record,
    situation,
    stay,
)

OTHER = asking(resource={"patient_id": "P2"})


def both_ways(*facts, now=NOW):
    """Whether a stay told of the other name counts, asked about P1 and about P2."""
    about_p2 = situation(stay(patient_id="P2"), assignment(), *facts, now=now)
    about_p1 = situation(stay(patient_id="P1"), assignment(), *facts, request=OTHER, now=now)
    assert about_p1.subject.in_care_team is about_p2.subject.in_care_team
    return about_p2.subject.in_care_team


def test_after_a_merge_each_name_means_both_from_its_first_instant():
    assert both_ways() is False
    merge = alias("merge", "P2", NOW)
    assert [both_ways(merge, now=at) for at in (NOW - 1, NOW)] == [False, True]


def test_an_unmerge_ends_the_merge_from_its_own_instant_whichever_way_it_is_told():
    merge = alias("merge", "P2", NOW - DAY)
    for parted in (alias("unmerge", "P2", NOW), alias("unmerge", "P1", NOW, patient_id="P2")):
        assert [both_ways(merge, parted, now=at) for at in (NOW - 1, NOW, NOW + 99 * DAY)] == [True, False, False]


def test_an_unmerge_ends_a_merge_that_has_no_beginning():
    assert both_ways(alias("merge", "P2"), alias("unmerge", "P2", NOW - HOUR)) is False


def test_an_unmerge_without_an_instant_ends_every_merge_of_the_two():
    assert both_ways(alias("merge", "P2", NOW - HOUR), alias("unmerge", "P2")) is False


def test_names_merged_again_after_an_unmerge_are_one():
    facts = alias("merge", "P2", NOW - 3 * DAY), alias("unmerge", "P2", NOW - 2 * DAY), alias("merge", "P2", NOW - DAY)
    for order in (facts, facts[::-1]):
        assert both_ways(*order) is True


def test_an_unmerge_parts_only_its_own_two_names():
    chain = alias("merge", "P3"), alias("merge", "P2", patient_id="P3")
    assert both_ways(*chain) is True
    assert both_ways(*chain, alias("unmerge", "P2", NOW - HOUR)) is True
    assert both_ways(*chain, alias("unmerge", "P2", NOW - HOUR, patient_id="P3")) is False


def test_another_controllers_merge_is_not_ours():
    assert both_ways(alias("merge", "P2", controller_id="C2")) is False


def test_masks_flags_and_grants_follow_a_merge():
    merge = alias("merge", "P2")
    asked = situation(merge, directive("mask", patient_id="P2"), record(patient_id="P2", flags=("detenu",)))
    assert asked.resource.masked_for_subject is True
    assert asked.patient.protected_record is True
    request = asking(context={"access_mode": "bris_de_glace", "grant": "g1"})
    given = grant(patient_id="P2")
    assert situation(merge, request=request, grants=(given,)).context.grant_open is True
    assert situation(request=request, grants=(given,)).context.grant_open is False


@pytest.mark.parametrize("start", [NOW + HOUR, NOW])
def test_an_answer_ends_when_names_join_or_part(start):
    asked = situation(stay(patient_id="P2"), assignment(), alias("merge", "P2", start), now=start - 1)
    assert asked.subject.in_care_team is False
    assert asked.ends == start
    parted = situation(
        stay(patient_id="P2"), assignment(), alias("merge", "P2"), alias("unmerge", "P2", start), now=start - 1
    )
    assert parted.subject.in_care_team is True
    assert parted.ends == start


def test_a_member_of_staff_who_is_the_patient_reads_their_own_record():
    same = alias("same_person", "dr-card", NOW, NOW + HOUR)
    edges = (NOW - 1, NOW, NOW + HOUR - 1, NOW + HOUR)
    assert [situation(same, now=at).subject.reads_own_record for at in edges] == [False, True, True, False]
    assert situation(alias("same_person", "dr-other")).subject.reads_own_record is False
    assert situation(alias("same_person", "dr-card", patient_id="P2")).subject.reads_own_record is False
    assert situation(alias("same_person", "dr-card", controller_id="C2")).subject.reads_own_record is False


def test_a_member_of_staff_is_the_patient_under_any_of_their_names():
    same = alias("same_person", "dr-card", patient_id="P2")
    assert situation(same, alias("merge", "P2")).subject.reads_own_record is True


def test_a_same_person_fact_joins_no_names():
    assert both_ways(alias("same_person", "P2")) is False
