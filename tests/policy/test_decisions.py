"""What a decision says: order of gates, reasons, obligations, doubt, what is shown and what is offered (3.0.4)."""

import pytest
from msgspec.structs import replace

from sidecar.core import legal_basis
from sidecar.core.model import Advice, Caller, Effect, Obligation, Offer, Relied, Request
from sidecar.errors import PolicyFault
from tests.policy.lighthouse import (
    CALLER,
    DAY,
    HOUR,
    MASKED,
    NOW,
    SECOND,
    Board,
    Said,
    a_grant,
    a_policy,
    a_request,
    a_snapshot,
    an_opening,
    decide,
    edited,
)

NEAR = {"subject.near": True}
URGENT = a_request(mode="urgence")
OPEN = {"context.grant_open": True}
OFFERED = Offer(True, ("TEMPETE", "AUTRE"), "papiers")


def told(decision) -> tuple[str, str]:
    return str(decision.effect), decision.reason


# ---- permits


def test_a_permit_needs_a_ground_a_cell_and_no_gate():
    assert told(decide(NEAR)) == ("PERMIT", "ALLOW_NEAR")
    assert told(decide()) == ("DENY", "NO_RELATIONSHIP")
    assert told(decide(NEAR, a_request(category="moteur"))) == ("DENY", "PROFILE_CATEGORY")
    assert told(decide({**NEAR, "resource.frozen": True})) == ("DENY", "FROZEN")


def test_the_highest_ranked_ground_is_the_reason_and_the_others_are_said_too():
    decision = decide({**NEAR, "subject.author": True, "subject.was_near": True, "resource.old": True})
    assert decision.reason == "ALLOW_AUTHOR"
    assert decision.also == ("ALLOW_NEAR", "ALLOW_PAST")
    assert decision.rule == "B-3"
    assert set(decision.rules) >= {"B-1", "B-2", "B-3", "M-1", "D-1"}


def test_a_ground_for_another_action_purpose_category_or_profile_is_no_ground():
    assert told(decide({"subject.acts_for": True})) == ("PERMIT", "ALLOW_FOR")
    assert told(decide({"subject.acts_for": True}, a_request(profile="plongeur"))) == ("DENY", "NO_RELATIONSHIP")
    assert told(decide({"subject.acts_for": True}, a_request(action="write"))) == ("DENY", "NO_RELATIONSHIP")
    assert told(decide(NEAR, a_request(purpose="vente"))) == ("DENY", "NO_RULE")


# ---- names nobody knows


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"profile": "pirate"}, "UNKNOWN_PROFILE"),
        ({"profile": "humain"}, "UNKNOWN_PROFILE"),
        ({"category": "tresor"}, "UNKNOWN_CATEGORY"),
        ({"category": "papiers"}, "UNKNOWN_CATEGORY"),
        ({"action": "couler"}, "UNKNOWN_ACTION"),
        ({"purpose": "pillage"}, "UNKNOWN_PURPOSE"),
        ({"purpose": "service"}, "UNKNOWN_PURPOSE"),
    ],
)
def test_a_name_outside_the_vocabulary_a_group_included_is_refused_by_its_reason(change, reason):
    assert told(decide(NEAR, a_request(**change))) == ("DENY", reason)


def test_a_purpose_always_denied_is_known():
    said = {**NEAR, "subject.purpose_allowed": False}
    assert told(decide(said, a_request(purpose="vente"))) == ("DENY", "PURPOSE")


# ---- refusals


def test_the_first_gate_decides_whatever_the_later_ones_say():
    said = {"subject.named": False, "resource.frozen": True, "patient.blocked": True}
    assert decide(said).reason == "SHARED"
    assert decide({**said, "subject.named": True}).reason == "FROZEN"


def test_inside_a_gate_the_lower_number_decides_and_ten_comes_after_two():
    asked = a_request(profile="plongeur", category="journal", action="write")
    assert decide(NEAR, asked).reason == "COSIGN"
    assert decide({**NEAR, "subject.senior": True}, asked).reason == "RECENT"
    assert told(decide({**NEAR, "subject.senior": True, "resource.old": True}, asked)) == ("PERMIT", "ALLOW_NEAR")


def test_two_reasons_of_one_rule_are_ranked_by_the_pack_not_by_their_rows():
    both = "p, G-SUB-3, tous, tout, toute_action, tout_motif, r.subject.senior, deny, {}, -, S-1\n"
    for reasons in (("FROZEN", "AWAY"), ("AWAY", "FROZEN")):
        pack = edited({"rules/gates.csv": lambda text, r=reasons: text + both.format(r[0]) + both.format(r[1])})
        assert decide({"subject.senior": True}, pack=pack).reason == "AWAY"


def test_a_refusal_carries_what_its_reason_asks_for():
    assert decide({"subject.named": False}).obligations == (Obligation("STEP_UP"),)
    plain = decide()
    assert plain.obligations == (Obligation("STEP_UP"),)
    assert plain.advice == (Advice("OLD_PAPER"),)


def test_an_otherwise_is_given_by_rank_and_only_when_it_is_known_to_hold():
    assert decide({"subject.was_near": True}).reason == "PAST"
    assert decide({"subject.was_near": True, "subject.may_act": True}).reason == "FOR_VOID"
    assert decide({"subject.was_near": True, "context.grant_ended": True}).reason == "GRANT_ENDED"
    assert decide({"context.grant_ended": None}).reason == "NO_RELATIONSHIP"
    assert decide({"subject.was_near": True}).rule == "B-2"
    assert decide().rule == ""


def test_a_cell_that_denies_beats_one_that_allows():
    asked = a_request(profile="plongeur", action="write")
    assert told(decide(NEAR, asked)) == ("PERMIT", "ALLOW_NEAR")
    assert told(decide({**NEAR, "context.setting(sealed)": True}, asked)) == ("DENY", "SEALED")


# ---- what is not known


def test_an_unknown_prohibition_is_a_refusal():
    decision = decide({**NEAR, "resource.frozen": None})
    assert told(decision) == ("DENY", "FACTS_UNAVAILABLE")
    assert decision.unknown == ("resource.frozen",)
    assert decision.rule == "G-LIFE-1"


def test_a_known_deny_beats_an_unknown_of_its_gate_and_not_of_an_earlier_one():
    assert decide({"resource.hidden": None, "patient.blocked": True}).true_reason == "BLOCKED"
    assert decide({"resource.frozen": None, "patient.blocked": True}).true_reason == "FACTS_UNAVAILABLE"


def test_an_unknown_ground_or_cell_is_none_unless_another_holds():
    assert decide({"subject.author": None}).reason == "FACTS_UNAVAILABLE"
    assert told(decide({**NEAR, "subject.author": None})) == ("PERMIT", "ALLOW_NEAR")
    asked = a_request(category="journal")
    assert decide({**NEAR, "resource.tagged(rouge)": None}, asked).reason == "FACTS_UNAVAILABLE"
    assert decide({**NEAR, "resource.tagged(rouge)": True}, asked).reason == "PROFILE_CATEGORY"
    asked = a_request(profile="plongeur", action="write")
    assert decide({**NEAR, "context.setting(sealed)": None}, asked).reason == "FACTS_UNAVAILABLE"


def test_an_unknown_duty_counts_as_owed():
    decision = decide({**NEAR, "resource.tagged(rouge)": None})
    assert Obligation("REVIEW", {"deadline": "24h"}) in decision.obligations


def test_doubt_is_not_kept():
    assert decide({"resource.frozen": None}).valid_until == NOW
    assert decide({"resource.frozen": RuntimeError()}).valid_until == NOW


# ---- rows that raise


@pytest.mark.parametrize(
    ("word", "rule"),
    [
        ("subject.named", "G-SUB-1"),
        ("patient.blocked", "G-WILL-2"),
        ("resource.tagged(rouge)", "D-4"),
        ("subject.acts_for", "B-4"),
    ],
)
def test_a_row_that_raises_makes_the_answer_an_error_never_a_permit(word, rule):
    assert told(decide(NEAR)) == ("PERMIT", "ALLOW_NEAR")
    decision = decide({**NEAR, word: ZeroDivisionError("x")})
    assert told(decision) == ("DENY", "POLICY_ERROR")
    assert rule in decision.rules
    assert decision.offer == Offer()


def test_a_prohibition_that_raises_after_one_that_holds_is_still_an_error():
    said = {"resource.frozen": True, "patient.blocked": ZeroDivisionError()}
    assert decide(said).reason == "POLICY_ERROR"


# ---- obligations


def test_the_strictest_of_two_reviews_wins_and_lists_are_joined():
    said = {"context.grant_open": True, "resource.tagged(rouge)": True, "resource.old": True, "subject.author": True}
    decision = decide(said)
    assert Obligation("REVIEW", {"deadline": "24h"}) in decision.obligations
    assert Obligation("REDACT", {"list": "encre,marges,notes"}) in decision.obligations
    assert [duty.id for duty in decision.obligations] == sorted({duty.id for duty in decision.obligations})
    assert decision.advice == (Advice("OLD_PAPER"),)


def test_a_parameter_is_filled_from_the_situation_and_left_out_when_it_has_none():
    said = {"subject.acts_for": True, "context.grant_open": True}
    values = {"delegator": "D", "until": "2026-03-02T02:00:00Z"}
    decision = decide(Said(said, values=values))
    assert Obligation("COSIGN_BY", {"id": "D"}) in decision.obligations
    assert Obligation("BANNER", {"until": "2026-03-02T02:00:00Z"}) in decision.obligations
    assert Obligation("BANNER") in decide(said).obligations


# ---- how long it holds


def test_an_answer_ends_with_the_first_end_of_what_it_rests_on():
    ends = {"subject.near": NOW + 5 * SECOND, "context.setting(sealed)": NOW + 1}
    assert decide(Said(NEAR, ends)).valid_until == NOW + 5 * SECOND
    assert decide(NEAR).valid_until == NOW + DAY
    assert decide({**NEAR, "subject.was_near": True}).valid_until == NOW + 60 * SECOND


def test_an_answer_is_kept_no_longer_than_the_pack_says():
    age = 'sealed = { value = false, source = "S-14", set_by = "proposal" }'
    more = age + '\nanswer_max_age = { value = 90, source = "S-1", set_by = "proposal" }'
    pack = edited({"pack.toml": lambda text: text.replace(age, more)})
    assert decide(NEAR, pack=pack).valid_until == NOW + 90 * SECOND
    assert decide(pack=pack).valid_until == NOW + 90 * SECOND


def test_a_refusal_does_not_end_with_facts_read_after_it_was_settled():
    ends = {"patient.blocked": NOW + SECOND, "subject.named": NOW + HOUR}
    assert decide(Said({"subject.named": False}, ends)).valid_until == NOW + HOUR


def test_a_fact_that_both_readings_of_a_grant_relied_on_is_named_once():
    class Relying(Board):
        def ask(self, noun, word, *args):
            self.relied = [MASKED]
            return super().ask(noun, word, *args)

    policy = a_policy(OPEN)
    policy.book.situations = lambda request, *rest: Relying(Said(OPEN), request, *rest[:4], rest[-1] is True)
    decision = policy.evaluate(URGENT, CALLER, "c1", a_snapshot(), NOW)
    assert decision.reason == "ALLOW_GRANT"
    assert decision.relied == (Relied("dpi", "m1", 7),)


# ---- the patient's will


def test_who_would_be_allowed_but_for_the_patients_will_learns_only_that_it_is_not_available():
    masked = decide({**NEAR, "resource.hidden": True}, snapshot=a_snapshot(will=True))
    assert (masked.reason, masked.true_reason) == ("NOT_AVAILABLE", "HIDDEN")
    assert masked.rules == ("G-WILL-1",)
    plain = decide(snapshot=a_snapshot(will=True))
    shown = replace(masked, reason="NO_RELATIONSHIP", true_reason="NO_RELATIONSHIP", rules=())
    assert shown == plain
    assert masked.offer == OFFERED


@pytest.mark.parametrize(
    "world",
    [
        {},
        {"subject.was_near": True},
        {"subject.near": True, "resource.frozen": True},
        {"subject.named": False},
        {"subject.author": None},
        {"subject.near": True, "subject.away": None},
    ],
)
def test_a_mask_changes_nothing_for_who_would_be_refused_without_it(world):
    ends = {"resource.hidden": NOW + HOUR, "patient.blocked": NOW + HOUR, "subject.named": NOW + 2 * HOUR}
    without = {**ends, "resource.hidden": 1 << 62, "patient.blocked": 1 << 62}
    will = {"resource.hidden": True, "patient.blocked": True, "subject.author": world.get("subject.author", False)}

    policy = a_policy(Said({**world, **will}, ends))
    unmasked = a_policy(Said(world, without))
    policy.book.situations = _ends_of_will_taken_away(Said({**world, **will}, ends), without)
    snapshot = a_snapshot(will=True)
    masked = policy.evaluate(a_request(), CALLER, "c1", snapshot, NOW)
    plain = unmasked.evaluate(a_request(), CALLER, "c1", snapshot, NOW)
    assert masked.reason != "NOT_AVAILABLE"
    hide = {"true_reason": "", "rules": (), "unknown": ()}
    assert replace(masked, **hide) == replace(plain, **hide)


def _ends_of_will_taken_away(said, without):
    """Nouns whose words of the patient's will end with it, as real ones do."""

    class Willed(Board):
        def without_will(self, tags=True):
            plain = super().without_will(tags)
            plain.said = Said(plain.said.answers, without)
            return plain

    return lambda request, *rest: Willed(said, request, *rest[:4])


def test_an_incomplete_feed_answers_the_same_masked_or_not():
    said = Said({**NEAR, "resource.hidden": True}, without_will={"resource.hidden": None, "patient.blocked": None})
    decision = decide(said, snapshot=a_snapshot(will=True))
    assert (decision.reason, decision.true_reason) == ("FACTS_UNAVAILABLE", "HIDDEN")


def test_a_pack_that_discloses_masks_says_the_true_reason():
    pack = edited({"pack.toml": lambda text: text.replace('value = "none"', 'value = "existence"')})
    decision = decide({**NEAR, "resource.hidden": True}, snapshot=a_snapshot(will=True), pack=pack)
    assert decision.reason == decision.true_reason == "HIDDEN"


def test_concealment_is_what_keeps_masks_from_strangers():
    """The twin: with disclosure on, a stranger's answer tells a masked object from an unmasked one."""
    worlds = [{}, {"subject.was_near": True}, {"subject.near": True}, {"subject.may_act": True}]

    def told_apart(pack) -> int:
        snapshot = a_snapshot(will=True)
        masked = [decide({**world, "resource.hidden": True}, snapshot=snapshot, pack=pack) for world in worlds]
        return sum(decision.reason == "HIDDEN" for decision in masked)

    assert told_apart(edited({})) == 0
    assert told_apart(edited({"pack.toml": lambda text: text.replace('value = "none"', 'value = "type"')})) == 4


# ---- acting for somebody


def asked_of(action: str = "read", profile: str = "gardien") -> Request:
    return a_request(profile=profile, action=action, subject_id="D")


def test_acting_for_somebody_asks_what_they_may_do_now():
    said = Said({}, delegated=asked_of(), delegator={"subject.near": True})
    assert told(decide(said)) == ("PERMIT", "ALLOW_FOR")
    assert told(decide(Said({}, delegated=asked_of(), delegator={}))) == ("DENY", "NO_RELATIONSHIP")


@pytest.mark.parametrize(
    ("word", "reason"), [("resource.frozen", "NO_RELATIONSHIP"), ("patient.blocked", "NO_RELATIONSHIP")]
)
def test_the_gates_that_concern_the_delegator_stop_the_delegate(word, reason):
    said = Said({}, delegated=asked_of(), delegator={"subject.near": True, word: True})
    assert decide(said).reason == reason


def test_the_delegators_login_is_not_asked_and_the_matrix_is():
    said = Said({}, delegated=asked_of(), delegator={"subject.near": True, "subject.named": False})
    assert told(decide(said)) == ("PERMIT", "ALLOW_FOR")
    other = Said({}, delegated=asked_of(profile="robot"), delegator={"subject.near": True})
    assert told(decide(other)) == ("DENY", "NO_RELATIONSHIP")


def test_what_is_unknown_of_the_delegator_is_unknown_of_the_delegate():
    said = Said({}, delegated=asked_of(), delegator={"subject.near": True, "resource.frozen": None})
    assert decide(said).reason == "FACTS_UNAVAILABLE"


def test_a_delegator_is_not_asked_for_delegators_of_their_own():
    policy = a_policy(Said({}, delegated=asked_of(), delegator={"subject.acts_for": True}))
    inner = []
    make = policy.book.situations

    def watched(request, *rest, **more):
        made = make(request, *rest, **more)
        if request.subject.id == "D":
            inner.append(made)
        return made

    policy.book.situations = watched
    policy.evaluate(a_request(), CALLER, "c1", a_snapshot(), NOW)
    assert inner and all(board.delegate is None for board in inner)


def test_the_answer_for_a_delegate_ends_with_the_facts_of_the_delegator():
    said = Said({}, {"subject.near": NOW + HOUR}, delegated=asked_of(), delegator={"subject.near": True})
    assert decide(said).valid_until == NOW + HOUR


# ---- emergency grants


def test_under_an_open_grant_what_is_unknown_after_the_firm_gates_is_read_as_absent_and_said():
    decision = decide({**OPEN, "resource.frozen": None}, URGENT)
    assert told(decision) == ("PERMIT", "ALLOW_GRANT")
    assert Advice("FACTS_STALE") in decision.advice
    assert Obligation("REVIEW", {"deadline": "24h"}) in decision.obligations
    assert decision.unknown == ("resource.frozen",)


def test_a_grant_with_everything_known_adds_nothing():
    decision = decide(OPEN, URGENT)
    assert told(decision) == ("PERMIT", "ALLOW_GRANT")
    assert decision.advice == ()
    assert Obligation("REVIEW", {"deadline": "72h"}) in decision.obligations


def test_a_grant_does_not_touch_the_firm_gates():
    decision = decide({**OPEN, "subject.away": None}, URGENT)
    assert told(decision) == ("DENY", "FACTS_UNAVAILABLE")
    assert decision.offer == Offer()


def test_a_grant_does_not_open_what_is_known_to_be_shut():
    assert decide({**OPEN, "resource.frozen": True}, URGENT).reason == "FROZEN"
    assert decide({**OPEN, "resource.hidden": True}, URGENT, a_snapshot(will=True)).true_reason == "HIDDEN"


def test_unknowns_are_read_strictly_without_a_grant_in_normal_mode_and_where_the_pack_says_closed():
    unknown = {"resource.frozen": None}
    closed = edited({"pack.toml": lambda text: text.replace('unknown = "open"', 'unknown = "closed"')})
    assert decide({**NEAR, **unknown}, URGENT).reason == "FACTS_UNAVAILABLE"
    assert decide({**OPEN, **unknown}, a_request()).reason == "FACTS_UNAVAILABLE"
    assert decide({**OPEN, **unknown}, URGENT, pack=closed).reason == "FACTS_UNAVAILABLE"


def test_a_duty_that_is_unknown_under_a_grant_is_still_owed():
    said = {**OPEN, "resource.tagged(rouge,noir)": False, "resource.tagged(rouge)": None}
    decision = decide(said, URGENT)
    assert Obligation("REVIEW", {"deadline": "24h"}) in decision.obligations


# ---- what is offered


def test_a_grant_is_offered_for_a_missing_relation_to_who_may_open_one():
    assert decide().offer == OFFERED
    assert decide({}, a_request(profile="robot", category="moteur")).offer == Offer()


@pytest.mark.parametrize(
    ("said", "change"),
    [
        ({"resource.frozen": True}, {}),
        ({"subject.may_act": True}, {}),
        ({}, {"action": "write"}),
        ({}, {"patient_id": ""}),
        ({"subject.away": None}, {}),
    ],
)
def test_no_grant_is_offered_where_it_would_open_nothing(said, change):
    assert decide(said, a_request(**change)).offer == Offer()


def test_a_grant_is_offered_for_what_is_unknown_of_clinical_data():
    assert decide({"resource.frozen": None}).offer == OFFERED


def test_a_grant_is_offered_for_the_matrix_only_where_a_grant_widens_it():
    red = {**NEAR, "resource.tagged(rouge)": True}
    assert decide(red, a_request(category="journal")).reason == "PROFILE_CATEGORY"
    assert decide(red, a_request(category="journal")).offer == OFFERED
    assert decide(red, a_request(profile="plongeur")).reason == "PROFILE_CATEGORY"
    assert decide(red, a_request(profile="plongeur")).offer == Offer()


def test_no_grant_is_offered_while_one_is_open_for_this_patient():
    assert decide(snapshot=a_snapshot(a_grant())).offer == Offer()
    assert decide(snapshot=a_snapshot(a_grant(until=NOW))).offer == OFFERED
    assert decide(request=a_request(patient_id="P2"), snapshot=a_snapshot(a_grant())).offer == OFFERED


# ---- opening a grant


def opened(said=None, opening=None, pack=None):
    policy = a_policy(said, pack or edited({}))
    return policy.evaluate_open(opening or an_opening(), CALLER, "c1", a_snapshot(), NOW)


def test_opening_gives_a_grant_on_the_terms_of_the_pack():
    decision, terms = opened()
    assert told(decision) == ("PERMIT", "ALLOW_GRANT")
    assert (terms.scope, terms.until, terms.review_due) == ("papiers", NOW + 4 * HOUR, NOW + 72 * HOUR)
    assert decision.obligations == (Obligation("LOG"),)


def test_opening_is_refused_in_order_gates_eligibility_login_justification():
    bad = an_opening("robot", age_s=301, why="non")
    assert opened({"subject.named": False}, bad)[0].reason == "SHARED"
    assert opened(None, bad)[0].reason == "BREAK_GLASS_NOT_ELIGIBLE"
    assert opened(None, an_opening(age_s=300, why="non"))[0].reason == "REAUTH_REQUIRED"
    assert opened(None, an_opening(why="non"))[0].reason == "JUSTIFICATION_REQUIRED"
    assert opened(None, an_opening("pirate"))[0].reason == "UNKNOWN_PROFILE"
    assert opened(None, an_opening(age_s=299))[0].reason == "ALLOW_GRANT"
    assert opened(None, an_opening(age_s=300))[1] is None


def test_opening_asks_only_the_gates_the_pack_names_and_never_the_patients_will():
    assert opened({"subject.purpose_allowed": False})[0].effect is Effect.PERMIT
    assert opened({"resource.frozen": True})[0].effect is Effect.PERMIT
    assert opened({"patient.blocked": True, "resource.hidden": True})[0].effect is Effect.PERMIT


def test_opening_meets_the_gates_of_any_category_in_its_scope():
    row = "p, A-7-1, tous, journal, ouvrir, tout_motif, r.subject.senior, deny, COSIGN, -, S-1\n"
    pack = edited({"rules/gates.csv": lambda text: text + row})
    assert opened({"subject.senior": True}, pack=pack)[0].reason == "COSIGN"


def test_an_unknown_gate_refuses_an_opening_only_where_no_grant_could_pass_it():
    row = "p, A-7-1, tous, papiers, ouvrir, tout_motif, r.resource.frozen, deny, COSIGN, -, S-1\n"
    pack = edited({"rules/gates.csv": lambda text: text + row})
    decision, terms = opened({"resource.frozen": None}, pack=pack)
    assert terms is not None and decision.unknown == ("resource.frozen",)
    assert Advice("FACTS_STALE") in decision.advice
    assert opened({"subject.away": None})[0].reason == "FACTS_UNAVAILABLE"


def test_a_gate_that_raises_refuses_the_opening():
    decision, terms = opened({"subject.away": ZeroDivisionError()})
    assert (decision.reason, decision.rules, terms) == ("POLICY_ERROR", ("G-SUB-2",), None)


# ---- around


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"profile": ""}, "subject.profile"),
        ({"subject_id": ""}, "subject.id"),
        ({"action": ""}, "action"),
        ({"category": ""}, "resource.category"),
        ({"purpose": ""}, "purpose"),
        ({"patient_id": ""}, "resource.patient_id"),
    ],
)
def test_a_question_without_a_required_word_is_malformed(change, field):
    assert a_policy().malformed(a_request(**change)).field == field


def test_a_question_of_what_belongs_to_no_patient_needs_none():
    assert a_policy().malformed(a_request(category="moteur", patient_id="")) is None
    assert a_policy().malformed(a_request()) is None


def test_a_legal_basis_that_is_none_of_article_6_is_malformed_and_none_at_all_is_not():
    def fault(basis):
        asked = a_request()
        found = a_policy().malformed(replace(asked, context=replace(asked.context, legal_basis=basis)))
        return found and found.field

    assert fault("interet") == "context.legal_basis"
    assert fault("Contrat") == "context.legal_basis"
    assert [fault(basis) for basis in ("", *legal_basis.BASES)] == [None] * 7


def test_the_basis_recorded_is_the_one_stated_else_the_one_of_the_purpose():
    pack = a_policy().pack
    assert legal_basis.of(pack, "veille") == "contrat"
    assert legal_basis.of(pack, "sauvetage") == "interets_vitaux"
    assert legal_basis.of(pack, "sauvetage", "consentement") == "consentement"
    assert legal_basis.of(pack, "vente") == ""
    assert legal_basis.of(pack, "peche") == ""


def test_a_reason_has_its_sentence_in_the_language_asked_or_the_packs_own():
    policy = a_policy()
    assert policy.message("HIDDEN", Effect.DENY, "en") == "hidden (en)."
    assert policy.message("HIDDEN", Effect.DENY, "fr") == "hidden (fr)."
    assert policy.message("HIDDEN", Effect.DENY, "de") == "hidden (fr)."


def test_the_lists_of_the_pack_hold_plain_names():
    pack = a_policy().pack
    assert pack.vocabulary.profiles["gardien"].purposes == ("sauvetage", "veille")


def test_a_caller_changes_nothing_unless_a_word_reads_it():
    policy = a_policy(NEAR)
    mine = policy.evaluate(a_request(), CALLER, "c1", a_snapshot(), NOW)
    assert policy.evaluate(a_request(), Caller("other"), "c1", a_snapshot(), NOW) == mine


def test_a_pack_without_its_own_sentences_cannot_be_loaded():
    with pytest.raises(PolicyFault):
        a_policy(pack=edited({"texts/en.toml": "[reasons]\n"}))
