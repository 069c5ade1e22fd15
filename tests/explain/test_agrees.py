"""An explanation is of the decision that was taken: row by row, word by word, and it says so when it is not."""

from collections import Counter

import pytest

from sidecar.authoring.explain import ruling
from sidecar.authoring.explain.walk import Words
from sidecar.core.expression import Both, Constant, Term, parse
from sidecar.core.model import Effect
from tests.explain import asks


def test_every_ask_of_every_story_is_explained_as_it_was_decided():
    assert [put.where for put, found in asks.explained() if not found.agrees] == []
    assert len(asks.every()) > 1500


def test_the_reading_by_hand_comes_to_the_effect_reasons_and_rules_of_the_decision():
    for put in asks.every():
        heard = ruling.hear(ruling.Readings(put.rules, put.asked))
        decision = ruling_decision(put)
        got = (heard.truth.permit, heard.shown.reason, heard.truth.reason, set(heard.truth.rules))
        wanted = (decision.effect is Effect.PERMIT, decision.reason, decision.true_reason, set(decision.rules))
        assert got == wanted, put.where


def ruling_decision(put):
    asked = put.asked
    known = (asked.caller, asked.controller_id, asked.snapshot, asked.now)
    if asked.opening is not None:
        return put.policies.evaluate_open(asked.opening, *known)[0]
    return put.policies.evaluate(asked.request, *known)


def test_the_values_of_the_words_put_back_into_a_row_give_the_answer_of_the_row():
    rows = 0
    for put, found in asks.explained():
        firm = {word.word: word.value for word in found.words}
        loose = {word.word: word.counted_as for word in found.words}
        for part in found.parts:
            strictly = part.name == "duties" or part.name in put.rules.pack.order.firm_gates
            for row in part.rows:
                rows += 1
                assert put_back(row.when, firm if strictly else loose) is row.answer, (put.where, row)
    assert rows > 20_000


def put_back(when, values):
    """The answer of a condition whose words answer these values, in Kleene's logic: the lower of two, or the higher."""
    height = {False: 0, None: 1, True: 2}

    def answer(node):
        if isinstance(node, Constant):
            return node.value
        if isinstance(node, Term):
            value = values[spelt(node)]
            return value if value is None or not node.negated else not value
        parts = [answer(part) for part in node.parts]
        return min(parts, key=height.get) if isinstance(node, Both) else max(parts, key=height.get)

    return answer(parse(when))


def spelt(term):
    arguments = ", ".join(f'"{text}"' if kind == "str" else text for kind, text in term.args or ())
    return f"r.{term.noun}.{term.word}" + (f"({arguments})" if term.args is not None else "")


def test_exactly_one_row_decides_where_one_can_and_it_says_the_true_reason():
    without = {"no_ground", "cell_without", "no_ground_rows", "unknown_name", "opening", "opened"}
    for put, found in asks.explained():
        deciding = [row for part in found.parts for row in part.rows if row.decided]
        assert len(deciding) == (found.why.code not in without), put.where
        for row in deciding:
            named = {row.reason, row.instead} | ({"FACTS_UNAVAILABLE"} if row.answer is None else set())
            assert found.outcome.true_reason in named or row.kind == "forbidden", put.where


def test_every_file_and_line_is_that_of_the_row_and_the_source_its_last_field():
    files = {name: text.splitlines() for name, text in asks.hospital.pack().files.items()}
    seen = {row for _, found in asks.explained() for part in found.parts for row in part.rows}
    places = {(row.file, row.line, row.rule, row.when, row.source) for row in seen}
    for file, line, rule, when, source in places:
        written = files[file][line - 1]
        assert written.split(", ")[1] == rule and f", {when}, " in written and written.endswith(f", {source}")
    assert len(places) > 100


def test_every_fact_a_decision_rested_on_stands_behind_some_word():
    for put, found in asks.explained():
        named = {(fact.source, fact.id) for fact in found.facts}
        assert {(each.source, each.id) for each in ruling_decision(put).relied} <= named, put.where


def test_a_word_that_is_unknown_names_the_feed_that_is_silent():
    unknown = 0
    for put, found in asks.explained():
        for word in found.words:
            if word.value is None and word.feeds:
                unknown += 1
                # tags have no feed: what they may say of a minor's secret is unknown until the request states them
                unsaid = word.reads.get("resource.tags", ()) is None
                assert unsaid or not all(feed.vouches for feed in word.feeds), (put.where, word.word)
    assert unknown > 10


def first_row(rows, words):
    """The order of gates forgotten: the last row that holds decides."""
    return next((row for row in reversed(rows) if words.value(row.node) is not False), None)


def unknown_is_no(self, node):
    """Doubt forgotten: what is not known is taken for false."""
    return real_value(self, node) or False


real_value = Words.value


@pytest.mark.parametrize(
    ("place", "name", "broken"),
    [
        (ruling, "first_held", first_row),
        (ruling, "conceals", lambda readings, met, truth: False),
        (ruling, "_rest", lambda readings, will=True: readings.words(will=will)),
        (Words, "value", unknown_is_no),
    ],
    ids=["the order of gates", "concealment", "unknown read as absent", "doubt"],
)
def test_a_reading_that_forgets_one_rule_of_order_is_told_from_the_decision(monkeypatch, place, name, broken):
    monkeypatch.setattr(place, name, broken)
    wrong = Counter(
        put.story.title for put in asks.various() if not right(ruling.hear(ruling.Readings(put.rules, put.asked)), put)
    )
    print(f"{wrong.total()} explanations told from their decisions")
    assert wrong.total() > 0


def right(heard, put):
    decision = ruling_decision(put)
    return (heard.truth.reason, heard.shown.reason) == (decision.true_reason, decision.reason)


def test_a_word_that_cannot_be_worked_out_is_named_with_its_error():
    put = asks.put("care_team", 1)
    policies, rules = asks.pack((("idle_limit", "soon"),))
    found = put._replace(policies=policies, rules=rules).explained()
    assert (found.outcome.true_reason, found.why.code, found.agrees) == ("POLICY_ERROR", "raised", True)
    assert [(word.word, word.raised) for word in found.words if word.raised] == [
        ("r.authentication.idle_within_limit", "TypeError")
    ]
    assert found.missing is None


def test_an_explanation_that_does_not_agree_says_so():
    put = asks.put("masks", 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ruling, "conceals", lambda readings, met, truth: False)
        assert put.explained().agrees is False
    assert put.explained().agrees is True
