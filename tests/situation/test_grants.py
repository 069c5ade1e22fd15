"""Emergency grants: which one opens this record now, who may open one, and its states."""

import pytest
from msgspec.structs import replace

from sidecar.core import break_glass, instants
from sidecar.core.break_glass import Event, GrantTerms, State
from sidecar.core.model import Authentication, Opening
from tests.situation.builders import (
    CONTROLLER,
    DAY,
    HOUR,
    NOW,
    PACK,
    SECOND,
    SUBJECT,
    asking,
    grant,
    situation,
    with_settings,
)

RULES = PACK.break_glass
UNDER = asking(context={"access_mode": "bris_de_glace", "grant": "g1"})


def context(given, now=NOW, request=UNDER, **known):
    return situation(request=request, now=now, grants=(given,), **known).context


def test_a_grant_opens_from_its_opening_to_the_instant_before_its_end():
    given = grant(opened_at=NOW, until=NOW + HOUR)
    edges = (NOW - 1, NOW, NOW + HOUR - 1, NOW + HOUR)
    assert [context(given, now=at).grant_open for at in edges] == [False, True, True, False]
    assert [context(given, now=at).grant_ended for at in edges] == [False, False, False, True]


def test_a_closed_grant_is_over_from_the_instant_it_was_closed():
    given = grant(closed_at=NOW)
    assert context(given, now=NOW - 1).grant_open is True
    assert context(given, now=NOW).grant_open is False
    assert context(given, now=NOW).grant_ended is True


@pytest.mark.parametrize(
    "given",
    [
        grant(subject_id="dr-other"),
        grant(controller_id="C2"),
        grant(tenant="T2"),
        grant(profile="infirmier"),
        grant(id="g2"),
    ],
    ids=["another's", "another controller", "another tenant", "another profile", "another name"],
)
def test_a_grant_that_is_not_this_subjects_here_opens_and_tells_nothing(given):
    asked = context(given)
    assert (asked.grant_open, asked.grant_ended, asked.grant_for_other_patient) == (False, False, False)


def test_a_grant_for_another_patient_only_tells_why():
    asked = context(grant(patient_id="P2"))
    assert (asked.grant_open, asked.grant_ended, asked.grant_for_other_patient) == (False, False, True)


@pytest.mark.parametrize("mode", ["normal", "centre_15", ""])
def test_a_mode_that_is_no_emergency_uses_no_grant(mode):
    asked = context(grant(), request=asking(context={"access_mode": mode, "grant": "g1"}))
    assert (asked.grant_open, asked.grant_ended, asked.grant_for_other_patient) == (False, False, False)


def test_a_grant_must_be_named():
    asked = context(grant(), request=asking(context={"access_mode": "bris_de_glace"}))
    assert asked.grant_open is False


def test_a_grant_still_opens_when_the_patients_facts_cannot_be_read():
    assert context(grant(), readable=False).grant_open is True


def test_an_answer_under_a_grant_ends_with_it():
    asked = situation(request=UNDER, grants=(grant(),))
    assert asked.context.grant_open is True
    assert asked.ends == NOW + 3 * HOUR
    assert asked.value("until") == "2026-03-10T14:00:00Z"
    closing = situation(request=UNDER, grants=(grant(closed_at=NOW + HOUR),))
    assert closing.context.grant_open is True
    assert closing.ends == NOW + HOUR


def test_a_vital_motive_is_the_open_grants():
    assert context(grant()).vital_motive is True
    assert context(grant(motive="AVIS_URGENT")).vital_motive is False
    assert context(grant(until=NOW)).vital_motive is False
    stated = replace(UNDER.context, motive="URGENCE_VITALE")
    assert context(grant(motive="AVIS_URGENT"), request=replace(UNDER, context=stated)).vital_motive is False


def test_a_mask_is_passed_only_where_the_pack_lets_it_and_twice_confirmed():
    def override(given=None, on=True):
        return context(given or grant(second_confirmation=True), pack=with_settings(vital_override=on)).vital_override

    assert override() is True
    assert override(on=False) is False
    assert override(grant()) is False
    assert override(grant(second_confirmation=True, motive="AVIS_URGENT")) is False
    assert override(grant(second_confirmation=True, until=NOW)) is False
    nurse = asking(UNDER, subject={"profile": "infirmier"})
    given = grant(second_confirmation=True, profile="infirmier")
    assert context(given, request=nurse, pack=with_settings(vital_override=True)).vital_override is False


def _with_motives(**values):
    rules = replace(RULES, single_factor_motives=("AVIS_URGENT",), blocked_motives=("AVIS_URGENT",))
    return replace(with_settings(**values), break_glass=rules)


def test_one_factor_is_enough_under_a_grant_that_alerted_security_where_the_pack_lets_it():
    def allowed(given, on=True, request=UNDER, now=NOW):
        return context(given, now, request, pack=_with_motives(bg_single_factor=on)).single_factor_allowed

    degraded = grant(motive="AVIS_URGENT", alerts=("single_factor",))
    assert allowed(degraded) is True
    assert allowed(degraded, on=False) is False
    assert allowed(degraded, now=degraded.until) is False
    assert allowed(degraded, request=asking()) is False
    assert allowed(replace(degraded, patient_id="P2")) is False
    assert allowed(replace(degraded, subject_id="dr-other")) is False
    assert allowed(replace(degraded, alerts=("blocked",))) is False


def test_one_factor_is_enough_to_ask_for_a_grant_for_the_motives_of_the_list_alone():
    def allowed(motive, on=True, action=RULES.action):
        asked = asking(action=action, context={"motive": motive})
        return situation(request=asked, pack=_with_motives(bg_single_factor=on)).context.single_factor_allowed

    assert allowed("AVIS_URGENT") is True
    assert allowed("AVIS_URGENT", on=False) is False
    assert allowed("URGENCE_VITALE") is False
    assert allowed("AVIS_URGENT", action="read") is False


def test_a_block_is_passed_for_the_motives_of_the_list_where_the_pack_lets_it():
    def passed(given, worth="alert_allow", request=UNDER, now=NOW):
        return context(given, now, request, pack=_with_motives(blocked_bg=worth)).blocked_override

    urgent = grant(motive="AVIS_URGENT")
    assert passed(urgent) is True
    assert passed(urgent, worth="alert") is False
    assert passed(urgent, now=urgent.until) is False
    assert passed(urgent, request=asking()) is False
    assert passed(replace(urgent, motive="URGENCE_VITALE")) is False
    assert passed(replace(urgent, patient_id="P2")) is False


# ---- opening one

OPENING = Opening(
    SUBJECT,
    "P1",
    "AVIS_URGENT",
    "avis demandé par téléphone",
    Authentication(mfa=True, time=NOW),
    controller_id=CONTROLLER,
)


def refusal(now=NOW, **said):
    return break_glass.refusal(RULES, replace(OPENING, **said), now)


def test_an_eligible_subject_with_a_fresh_login_a_motive_and_a_sentence_may_open():
    assert refusal() == ""


def test_each_condition_refuses_with_its_reason_in_order():
    nurse, old = replace(SUBJECT, profile="infirmier"), Authentication(time=NOW - 300 * SECOND)
    assert refusal(subject=nurse, authentication=old, motive="") == "BREAK_GLASS_NOT_ELIGIBLE"
    assert refusal(authentication=old, motive="") == "REAUTH_REQUIRED"
    assert refusal(motive="") == "JUSTIFICATION_REQUIRED"


def test_a_login_of_300_seconds_is_too_old_and_one_a_minute_ahead_is_not():
    edges = (NOW - 60 * SECOND - 1, NOW - 60 * SECOND, NOW + 300 * SECOND - 1, NOW + 300 * SECOND)
    assert [refusal(now=at) for at in edges] == ["REAUTH_REQUIRED", "", "", "REAUTH_REQUIRED"]
    assert refusal(authentication=None) == "REAUTH_REQUIRED"
    assert refusal(authentication=Authentication(mfa=True)) == "REAUTH_REQUIRED"


@pytest.mark.parametrize(
    ("motive", "justification", "enough"),
    [
        ("AVIS_URGENT", "avis utile", True),
        ("AVIS_URGENT", "avis  util", False),
        ("AVIS_URGENT", "", False),
        ("AVIS_URGENT", "aaaaaaaaaaaaaaaaaaaa", False),
        ("AVIS_URGENT", "....................", False),
        ("AVIS_URGENT", "non non non non non", False),
        ("AVIS_URGENT", "1234567890123456", False),
        ("AVIS_URGENT", "azertyuiop", False),
        ("AVIS_URGENT", "QSDFGHJKLM wxcvbn", False),
        ("AVIS_URGENT", "poiuytreza", False),
        ("AVIS_URGENT", "abcdefghijkl", False),
        ("AVIS_URGENT", "aaaaaaaaaaaabcdef", False),
        ("AVIS_URGENT", "urgence urgence urgence", False),
        ("AVIS_URGENT", "Réanimation", True),
        ("AVIS_URGENT", "ACR, SAMU en route, USIC prévenue", True),
        ("AVIS_URGENT", "Ne respire plus !", True),
        ("AVIS_URGENT", "Οξύ έμφραγμα μυοκαρδίου", True),
        ("AVIS_URGENT", "Patient inconnu, aucun proche", True),
        ("AUTRE", "avis demandé au te", False),
        ("AUTRE", "avis demandé au télé", True),
        ("AVIS_URGENT", "avis demandé " * 38 + "soudai", True),
        ("AVIS_URGENT", "avis demandé " * 38 + "soudain", False),
        ("CURIOSITE", "avis demandé par téléphone", False),
        ("", "avis demandé par téléphone", False),
    ],
)
def test_a_justification_says_something_of_the_right_length(motive, justification, enough):
    assert break_glass.justified(RULES, motive, justification) is enough


def test_the_terms_are_the_packs():
    assert break_glass.terms(RULES, "medecin", NOW) == GrantTerms("MED", NOW + 4 * HOUR, NOW + 72 * HOUR)
    with pytest.raises(KeyError):
        break_glass.terms(RULES, "infirmier", NOW)


def test_a_grant_is_open_then_closed_or_expired_whichever_came_first():
    states = [break_glass.state(grant(), at) for at in (NOW, NOW + 3 * HOUR - 1, NOW + 3 * HOUR)]
    assert states == [State.OPEN, State.OPEN, State.EXPIRED]
    closed = grant(closed_at=NOW)
    assert [break_glass.state(closed, at) for at in (NOW - 1, NOW, NOW + 9 * HOUR)] == [
        State.OPEN, State.CLOSED, State.CLOSED,
    ]  # fmt: skip
    late = grant(closed_at=NOW + 4 * HOUR)
    assert break_glass.state(late, NOW + 5 * HOUR) is State.EXPIRED


def test_a_grant_ends_once_and_is_reviewed_once_and_then_nothing_changes_any_more():
    ends = {Event.CLOSE: State.CLOSED, Event.EXPIRE: State.EXPIRED, Event.REVOKE: State.REVOKED}
    assert {
        **{(State.OPEN, event): ended for event, ended in ends.items()},
        **{(ended, Event.REVIEW): State.REVIEWED for ended in ends.values()},
    } == break_glass.NEXT


def test_a_patient_is_untold_of_an_emergency_until_somebody_confirms_that_they_know():
    def untold(given, **said):
        pack = replace(PACK, break_glass=replace(PACK.break_glass, holder_audience="patient"))
        return situation(grants=(given,), pack=pack, **said).patient.untold_of_emergency

    assert untold(grant()) is True
    assert untold(grant(subject_id="dr-other", closed_at=NOW, ended="closed")) is True
    assert untold(grant(known_to=("reviewer",))) is True
    assert untold(grant(known_to=("patient",))) is False
    assert untold(grant(patient_id="P2")) is False
    assert untold(grant(controller_id="C2")) is False


def test_what_the_patient_is_told_counts_the_emergencies_they_do_not_know_of_and_says_since_when():
    pack = replace(PACK, break_glass=replace(PACK.break_glass, holder_audience="patient"))

    def told(*given):
        made = situation(grants=given, pack=pack)
        return made.value("untold"), made.value("untold_since")

    early, late = grant(id="g1", opened_at=NOW - 2 * DAY), grant(id="g2", opened_at=NOW - HOUR)
    known, elsewhere = grant(id="g3", known_to=("patient",)), grant(id="g4", patient_id="P2")
    assert told(late, early, known, elsewhere) == ("2", instants.text(NOW - 2 * DAY))
    assert told(late, known) == ("1", instants.text(NOW - HOUR))
    assert told(known, elsewhere) == ("", "")


# ---- reviewing one


def test_a_grant_is_reviewed_by_nobody_who_opened_it_nor_where_the_pack_is_strict_by_who_directs_them():
    opener = replace(SUBJECT, id="dr-1", supervised_by="dr-chef")
    given = grant(subject_id="dr-1", opener=opener)

    def may(reviewer, strict=True, named="g1", given=given):
        asked = asking(subject={"id": reviewer}, context={"grant": named})
        pack = replace(PACK, break_glass=replace(PACK.break_glass, review_strict=strict))
        return situation(request=asked, grants=(given,), pack=pack).subject.may_review(None)

    assert may("dr-other") is True
    assert may("dr-1") is False
    assert may("dr-chef") is False
    assert may("dr-chef", strict=False) is True
    assert may("dr-other", named="g2") is False
    assert may("dr-other", given=replace(given, controller_id="C2")) is False
