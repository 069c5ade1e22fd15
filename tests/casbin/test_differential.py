"""Generated Casbin models: our answer is PyCasbin's, the row it tells included; what raises there is looked at apart.

Cases come from seeds, so a failure names the seed that shows it. SOAK=1 asks ten times as many.
"""

import os
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from random import Random

from sidecar.core.casbin_enforcer_load import load
from sidecar.errors import EvaluationFault
from tests.casbin.generated import Case, case
from tests.casbin.stock import Stock

REQUESTS = 20
SEEDS = range(500 * (10 if os.environ.get("SOAK") else 1))
SOME = range(len(SEEDS) // 5)


def answer(policy, request) -> tuple[bool, tuple[str, ...]] | EvaluationFault:
    try:
        answered = policy.enforce(request)
    except EvaluationFault as fault:
        return fault
    return answered.allow, answered.explain


def permits(policy, request) -> bool:
    said = answer(policy, request)
    return not isinstance(said, EvaluationFault) and said[0]


def compiled(made: Case):
    return load(made.model, made.policy)


@cache
def compared() -> tuple[Counter, list[tuple[Case, list[object], bool]]]:
    """What the cases come to, and those that raise in PyCasbin, with whether we permit them."""
    count: Counter = Counter()
    raised = []
    for seed in SEEDS:
        made = case(Random(seed), REQUESTS)
        ours, stock = compiled(made), Stock(made.model, made.policy)
        for request in made.requests:
            theirs = stock.enforce(request)
            count["asked"] += 1
            if isinstance(theirs, Exception):
                raised.append((made, request, permits(ours, request)))
                continue
            assert answer(ours, request) == theirs, (seed, request, made.model, made.policy)
            count["permitted"] += theirs[0]
            count["told"] += bool(theirs[1])
    return count, raised


def test_generated_models_are_answered_as_pycasbin_answers_them():
    count, raised = compared()
    print(f"\n{dict(count)}, raised in PyCasbin: {len(raised)}")
    assert count["asked"] == len(SEEDS) * REQUESTS
    assert 0.2 < count["permitted"] / count["asked"] < count["told"] / count["asked"] < 0.8
    assert len(raised) < count["asked"] / 20


def test_where_pycasbin_raises_we_permit_only_by_a_row_that_permits_alone():
    _, raised = compared()
    permitted = [(made, request) for made, request, permit in raised if permit]
    print(f"\n{len(raised)} cases raised in PyCasbin; {len(permitted)} of them are permitted here")
    for made, request in permitted:
        alone = {row: alone_in_stock(made, row, request) for row in made.rows}
        assert True in [said for row, said in alone.items() if not row.endswith(", deny")], (made, request)
        assert True not in [said for row, said in alone.items() if row.endswith(", deny")], (made, request)
    assert permitted


def alone_in_stock(made: Case, row: str, request) -> bool | None:
    """Whether a row matches, asked of PyCasbin as the one row, allowing; None when it raises."""
    said = Stock(made.model, "\n".join([re.sub(", deny$", ", allow", row), *made.links])).enforce(request)
    return None if isinstance(said, Exception) else said[0]


def test_order_and_repetition_of_rows_change_nothing():
    for seed in SOME:
        made = case(Random(seed), REQUESTS)
        random = Random(seed)
        rows = made.rows + random.choices(made.rows, k=3)
        links = made.links + (random.choices(made.links, k=2) if made.links else [])
        random.shuffle(rows)
        random.shuffle(links)
        ours, shuffled = compiled(made), compiled(replace(made, rows=rows, links=links))
        for request in made.requests:
            first, second = answer(ours, request), answer(shuffled, request)
            assert isinstance(first, Exception) is isinstance(second, Exception), (seed, request)
            assert permits(ours, request) is permits(shuffled, request), (seed, request)


def tightened(seed: int) -> tuple[Case, Case] | None:
    """A case with denials, and the same with a row that allows removed or made to deny."""
    made = case(Random(seed), REQUESTS)
    allowing = [row for row in made.rows if row.endswith(", allow")]
    if not made.denies or len(allowing) < 2:
        return None
    random = Random(seed)
    row = random.choice(allowing)
    rest = [each for each in made.rows if each != row]
    denial = re.sub(", allow$", ", deny", row)
    return made, replace(made, rows=rest if random.random() < 0.5 and rest else [*made.rows, denial])


def test_adding_a_denial_or_removing_an_allowance_never_opens_anything():
    opened = closed = 0
    for pair in filter(None, map(tightened, SEEDS[::2])):
        loose, tight = map(compiled, pair)
        for request in pair[0].requests:
            before, after = permits(loose, request), permits(tight, request)
            opened, closed = opened + (after and not before), closed + (before and not after)
    assert opened == 0
    assert closed > 20


def test_without_its_denials_a_policy_would_permit_wrongly():
    """The twin: how many answers the denials of these policies are worth."""
    wrong = 0
    for seed in SOME:
        made = case(Random(seed), REQUESTS)
        kept = [row for row in made.rows if not row.endswith(", deny")]
        if made.denies and kept:
            careful, careless = compiled(made), compiled(replace(made, rows=kept))
            wrong += sum(permits(careless, each) and not permits(careful, each) for each in made.requests)
    print(f"\n{wrong} wrong permits without denials")
    assert wrong > 20


def without_a_conjunct(made: Case) -> Case:
    first, _, rest = made.model.rpartition("m = ")[2].partition(" && ")
    return replace(made, model=made.model.replace(f"m = {first} && {rest}", f"m = {rest}")) if rest else made


def with_roles_turned_round(made: Case) -> Case:
    return replace(made, links=[re.sub(r"^(g\d?), (\w+), (\w+)", r"\1, \3, \2", link) for link in made.links])


def test_the_judge_catches_a_dropped_conjunct_and_roles_turned_round():
    for spoil in (without_a_conjunct, with_roles_turned_round):
        caught = 0
        for seed in SOME:
            made = case(Random(seed), REQUESTS)
            if "||" in made.model or "m = (" in made.model or spoil(made) == made:
                continue
            ours, stock = compiled(spoil(made)), Stock(made.model, made.policy)
            said = [(answer(ours, request), stock.enforce(request)) for request in made.requests]
            caught += sum(not isinstance(theirs, Exception) and mine != theirs for mine, theirs in said)
        print(f"\n{spoil.__name__}: caught by {caught} cases")
        assert caught > 10


def test_eight_threads_answer_as_one():
    made = [case(Random(seed), REQUESTS) for seed in SOME[:40]]
    policies = [(compiled(each), each.requests) for each in made]

    def answers(_: int) -> list[str]:
        return [str(answer(policy, request)) for policy, requests in policies for request in requests]

    alone = answers(0)
    with ThreadPoolExecutor(8) as pool:
        assert all(each == alone for each in pool.map(answers, range(16)))
