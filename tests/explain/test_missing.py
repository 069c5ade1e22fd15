"""What `policy explain` says one change would do, that change does, told to the story itself."""

from functools import cache
from itertools import combinations, product

import pytest
from msgspec.structs import replace

from sidecar.authoring import stories
from sidecar.authoring.core_asker import CoreAsker
from sidecar.authoring.explain import asking, changes, missing
from sidecar.authoring.explain.ruling import hear
from sidecar.authoring.explain.walk import Readings, decide
from sidecar.authoring.story import Batch, Close, Open, Review, Step, Write
from sidecar.authoring.story_facts import StoryFacts
from sidecar.core import instants
from sidecar.core.model import Effect, Fact, Opening, Request, Watermark
from tests.explain import asks
from tests.explain.test_agrees import put_back


@cache
def refused():
    return [(put, found) for put, found in asks.explained() if found.missing is not None]


def told_again(put, write=(), marks=(), without=None, question=None):
    """The decision when the story is told once more, one thing in it changed."""
    step = put.story.steps[put.index]
    before = [each for each in put.story.steps[: put.index] if isinstance(each.what, Write | Open | Close)]
    told = replace(put.story, facts=less(put.story.facts, without))
    before = [
        replace(each, what=replace(each.what, facts=less(each.what.facts, without)))
        if isinstance(each.what, Write)
        else each
        for each in before
    ]
    added = Step(step.index, step.line, step.at, step.caller, Write(tuple(write), tuple(marks)))
    last = step if question is None else replace(step, what=question)
    facts = StoryFacts(told)
    listening = asking.Listening(put.policies, put.rules)
    asker = CoreAsker(listening, facts)
    stories.tell(replace(told, steps=(*before, added)), asker)
    count = len(listening.asked)
    stories.tell(replace(told, steps=(last,)), asker)
    return decide(put.policies, listening.asked[count + put.item])


def less(facts, without):
    return tuple(fact for fact in facts if (fact.source, fact.id) != without)


def with_field(what, path, value):
    """The question with one field otherwise, by way of its JSON form."""
    raw = instants.encode(what.opening if isinstance(what, Open) else what)
    names = path.split(".")
    if isinstance(what, Open) and names[0] in ("context", "resource"):
        names = names[1:]
    held = raw
    for name in names[:-1]:
        held = held.setdefault(name, {})
    if value is None:
        held.pop(names[-1], None)
    else:
        held[names[-1]] = value
    if isinstance(what, Open):
        return Open(instants.decode(Opening, raw), what.name)
    return instants.decode(Request, raw)


def tried(put, step):
    if step.kind == "fact":
        return told_again(put, write=[instants.decode(Fact, step.body)])
    if step.kind == "feed":
        return told_again(put, marks=[instants.decode(Watermark, step.body)])
    if step.kind == "taken":
        return told_again(put, without=(step.body["source"], step.body["id"]))
    [(path, value)] = step.body.items()
    return told_again(put, question=with_field(put.story.steps[put.index].what, path, value))


def test_what_is_told_of_a_change_is_what_the_story_says_when_it_is_made():
    counts = {}
    for put, found in refused():
        for step in found.missing.steps[:2]:
            what = put.story.steps[put.index].what
            if step.kind == "request" and isinstance(what, Batch | Close | Review):
                continue  # a batch's items share its fields; a closing or a review says few of its question's
            decision = tried(put, step)
            assert (decision.effect, decision.reason) == (step.effect, step.reason), (put.where, step)
            counts[step.kind] = counts.get(step.kind, 0) + 1
    assert all(counts[kind] > 5 for kind in ("fact", "taken", "feed", "request")), counts


def test_what_would_help_who_ends_or_reviews_a_grant_is_never_a_field_they_do_not_say():
    reviews = [each for each in refused() if isinstance(each[0].story.steps[each[0].index].what, Close | Review)]
    assert len(reviews) > 3
    for put, found in reviews:
        named = [next(iter(step.body)) for step in found.missing.steps if step.kind == "request"]
        assert {field.split(".")[0] for field in named} <= {"subject", "authentication", "device"}, put.where
    asked, rules = reviews[0][0].asked, reviews[0][0].rules
    for field, said in (("resource.lifecycle", False), ("purpose", False), ("subject.status", True)):
        change = changes.Change("request", field=field, value="other")
        assert (changes.changed(rules, asked, change) != asked) == said, field


def test_a_change_that_was_not_tried_would_often_be_a_false_hope():
    idle = 0
    for put, _ in refused()[:400]:
        readings = Readings(put.rules, put.asked)
        heard = hear(readings)
        if heard.met is None:
            continue
        pool = missing._pool(readings, heard, heard.met)
        other = (changes.changed(put.rules, put.asked, change) for change in pool)
        idle += sum(decide(put.policies, each).effect is not Effect.PERMIT for each in other)
    print(f"{idle} changes that look as if they helped and do not")
    assert idle > 100


def test_a_refusal_for_want_of_a_relation_names_the_fact_that_would_make_one():
    found = asks.put("care_team", 0).explained()
    assert (found.missing.row.rule, found.missing.astray) == ("A-01", ("r.subject.in_care_team",))
    first, second, *_ = found.missing.steps
    assert first.body["assignment"] == {"subject_id": "dr-sau", "unit": "UF-CARD", "profile": "medecin"}
    assert second.body["stay"] == {"patient_id": "P1", "unit": "UF-SAU", "status": "active"}
    assert {(step.effect, step.reason) for step in (first, second)} == {(Effect.PERMIT, "ALLOW_CARE_TEAM")}


def test_who_was_only_asked_is_told_that_a_signature_would_open_the_result():
    found = asks.put("signed_and_asked", 7).explained()
    [step] = [step for step in found.missing.steps if "requester_id" in step.body.get("relation", {})]
    assert (step.body["relation"]["kind"], step.body["relation"]["requester_id"]) == ("REL_REQ", "dr-avis")
    assert (step.effect, step.reason) == (Effect.PERMIT, "ALLOW_POST_STAY")


def test_a_mask_is_named_as_the_fact_to_take_away():
    found = asks.put("masks", 3).explained()
    step = found.missing.steps[0]
    assert (step.kind, step.text) == ("taken", "without the fact directive dpi/m1")
    assert (step.effect, step.reason) == (Effect.PERMIT, "ALLOW_CARE_TEAM")


def test_a_silent_feed_is_named_with_its_source():
    found = asks.put("will_not_reported", 0).explained()
    [step] = found.missing.steps
    assert (step.kind, step.body["source"], step.body["kinds"]) == ("feed", "portail", ("directive",))
    assert (step.effect, step.reason) == (Effect.PERMIT, "ALLOW_CARE_TEAM")


def test_a_second_factor_is_named_as_the_field_of_the_request():
    [found] = [found for put, found in refused() if put.where == "authentication.yaml, ask 1, item 0"]
    assert found.outcome.reason == "MFA_REQUIRED"
    assert {"authentication.mfa": True} in [step.body for step in found.missing.steps]


def test_where_no_single_change_is_enough_this_is_said_and_nothing_is_promised():
    nowhere = [found for _, found in refused() if not any(step.effect is Effect.PERMIT for step in found.missing.steps)]
    assert {found.missing.text for found in nowhere} == {
        "No single change would be enough.",
        "One change would make the nearest ground hold, and not be enough: see what the answer becomes.",
    }
    [deleted, *_] = [found for found in nowhere if found.outcome.reason == "DELETE_FORBIDDEN"]
    assert deleted.missing.steps == ()


def test_a_store_that_cannot_be_read_gets_no_advice():
    put = asks.put("care_team", 1)
    blind = put._replace(asked=replace(put.asked, snapshot=replace(put.asked.snapshot, patient=None)))
    found = blind.explained()
    assert (found.outcome.reason, found.agrees) == ("FACTS_UNAVAILABLE", True)
    assert found.missing.text == "The patient's facts cannot be read: nothing is tried."
    assert found.missing.steps == ()


@pytest.mark.parametrize("reason", ["NO_RELATIONSHIP", "RELATION_EXPIRED", "DELEGATION_VOID", "PROFILE_CATEGORY"])
def test_the_words_told_are_the_fewest_that_keep_the_nearest_ground_from_holding(reason):
    seen = 0
    for _, found in refused():
        if found.outcome.true_reason == reason and found.missing.row is not None:
            seen += 1
            assert len(found.missing.astray) == fewest(found.missing.row, found.words), found.question
    assert seen > 3


def fewest(row, words):
    """The least number of words of a row that must answer otherwise for it to hold, all ways tried."""
    values = {word.word: word.counted_as for word in words if word.word in row.words}
    for number in range(len(row.words) + 1):
        for flipped in combinations(row.words, number):
            for said in product((True, False), repeat=number):
                if put_back(row.when, {**values, **dict(zip(flipped, said, strict=True))}) is True:
                    return number
    return None
