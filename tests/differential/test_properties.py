"""What must hold of any small pack: the order of rows means nothing, a prohibition never permits, threads never mix."""

import threading
from dataclasses import replace
from random import Random

from msgspec import structs

from sidecar.core.model import Decision, Effect
from sidecar.core.policy import PolicySet
from tests.differential.campaign import small_packs
from tests.differential.compare import asked
from tests.differential.packs import Written
from tests.differential.production import decide
from tests.differential.worlds import Case
from tests.oracle import Oracle

PACKS, CASES, THREADS = 14, 30, 8
FAULT = ("", "")


def answers(policy: PolicySet, cases: list[Case]) -> list[Decision]:
    return [decide(policy, case)[0] for case in cases]


def with_rows(written: Written, rows: list[str]) -> Written:
    return Written(written.parameters, {**written.files, "rules/all.csv": "\n".join(rows)})


def permitted(decisions: list[Decision]) -> list[bool]:
    return [decision.effect is Effect.PERMIT for decision in decisions]


def test_order_and_repetition_of_rows_change_nothing():
    for seed, written, asked_of in small_packs(range(PACKS), CASES):
        random, cases = Random(seed), list(asked_of)
        rows = [*written.rules, *random.sample(written.rules, 4)]
        random.shuffle(rows)
        assert visible(with_rows(written, rows).compiled(), cases) == visible(written.compiled(), cases), seed


def visible(policy: PolicySet, cases: list[Case]) -> list[tuple[object, ...]]:
    """All of an answer but the order in which facts and rules were come by."""
    unordered = ("rules", "relied", "unknown")
    return [
        tuple(
            set(getattr(each, name)) if name in unordered else getattr(each, name)
            for name in Decision.__struct_fields__
        )
        for each in answers(policy, cases)
    ]


def test_a_prohibition_added_turns_no_refusal_into_a_permit():
    donors = [written.rules for _, written, _ in small_packs(range(100, 100 + PACKS), 0)]
    more = 0
    for seed, written, asked_of in small_packs(range(PACKS), CASES):
        cases = list(asked_of)
        denies = [row for row in donors[seed] if ", deny, " in row]
        before = permitted(answers(written.compiled(), cases))
        after = permitted(answers(with_rows(written, [*written.rules, *denies]).compiled(), cases))
        more += sum(was and not is_now for was, is_now in zip(before, after, strict=True))
        assert not [case for case, was, is_now in zip(cases, before, after, strict=True) if is_now and not was], seed
    assert more > 0, "no added prohibition refused anything"


def test_a_ground_or_a_cell_removed_turns_no_refusal_into_a_permit():
    fewer = 0
    for _, written, asked_of in small_packs(range(PACKS), CASES):
        cases = list(asked_of)
        before = permitted(answers(written.compiled(), cases))
        for row in (row for row in written.rules if ", allow, " in row):
            less = with_rows(written, [each for each in written.rules if each != row])
            after = permitted(answers(less.compiled(), cases))
            fewer += sum(was and not is_now for was, is_now in zip(before, after, strict=True))
            assert not [case for case, was, is_now in zip(cases, before, after, strict=True) if is_now and not was], row
    assert fewer > 0, "no removed row mattered"


def test_eight_threads_answer_as_one():
    for seed, written, asked_of in small_packs(range(PACKS // 3), CASES):
        policy, cases = written.compiled(), list(asked_of)
        said: dict[int, list[Decision]] = {}
        start = threading.Barrier(THREADS)

        def ask(
            number: int,
            policy: PolicySet = policy,
            cases: list[Case] = cases,
            said: dict[int, list[Decision]] = said,
            start: threading.Barrier = start,
        ) -> None:
            turned = cases[number:] + cases[:number]  # the slices are made for the first time by all of them at once
            start.wait()
            found = answers(policy, turned)
            said[number] = found[len(cases) - number :] + found[: len(cases) - number]

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        alone = answers(written.compiled(), cases)
        assert len(said) == THREADS
        assert all(found == alone for found in said.values()), seed


def test_a_record_that_cannot_be_read_as_dates_never_permits_more():
    """Raising cases apart: a date that is none is a fault (POLICY_ERROR), or nobody looked at it."""
    faults = 0
    for seed, written, asked_of in small_packs(range(PACKS * 2), CASES):
        policy, oracle = written.compiled(), written.read()
        for case in asked_of:
            damaged = a_damaged_date(case)
            if damaged is None or case.opening is not None:
                continue
            decision, _ = decide(policy, damaged)
            faults += decision.reason == "POLICY_ERROR"
            plain = said(oracle, damaged)
            if plain == FAULT:
                assert decision.effect is Effect.DENY, seed
            elif decision.reason != "POLICY_ERROR":
                assert (decision.effect, decision.reason) == plain, seed
    assert faults > 0, "no question looked at a damaged date"


def said(oracle: Oracle, case: Case) -> tuple[str, str]:
    """What the oracle says, FAULT where a word raises."""
    try:
        plain = asked(oracle, case)
    except ValueError:
        return FAULT
    return plain.effect, plain.reason


def a_damaged_date(case: Case) -> Case | None:
    """The case with a death date that is no date; None where nothing is known of the record."""
    facts = [
        structs.replace(fact, record_state=structs.replace(fact.record_state, death_date="2026-13-45"))
        if fact.record_state is not None
        else fact
        for fact in case.world.facts
    ]
    if facts == list(case.world.facts):
        return None
    return structs.replace(case, world=replace(case.world, facts=tuple(facts)))
