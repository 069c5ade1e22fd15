"""Production, oracle and stock PyCasbin answer alike: 10 000 questions to small packs, 300 to the hospital's."""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.differential.campaign import Tally, run_hospital, run_small

LONGER = 10 if os.environ.get("SOAK") else 1
WORKERS = 2

# What the small packs must have been answered at least once, or the campaign asks too little.
CLASSES = """
ALLOW_GRANT ALLOW_AUTHOR ALLOW_TEAM ALLOW_OTHER ALLOW_DELEGATION MASKED BLOCKED CLOSED OLD COSIGN OWN
NO_RELATIONSHIP PROFILE_CATEGORY NO_RULE FACTS_UNAVAILABLE RELATION_EXPIRED REQUEST_REQUIRED DELEGATION_VOID GRANT_ENDED
GRANT_SCOPE UNKNOWN_PROFILE UNKNOWN_CATEGORY UNKNOWN_PURPOSE UNKNOWN_ACTION
"""
OPENED = ("ALLOW_GRANT", "BREAK_GLASS_NOT_ELIGIBLE", "REAUTH_REQUIRED", "JUSTIFICATION_REQUIRED", "FACTS_UNAVAILABLE")
PERMITS = 0.1  # at least this share of all questions to small packs
PERMITS_OF_HOSPITAL = 0.05  # of its many profiles, most ask for what takes a ground they lack


def campaign(run: Callable[[range, int], Tally], seeds: int, each: int) -> Tally:
    """The tally of many seeds, in several processes."""
    ranges = [range(at, seeds, WORKERS) for at in range(WORKERS)]
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as workers:
        whole = Tally()
        for tally in workers.map(run, ranges, [each] * WORKERS):
            whole.add(tally)
    return whole


def permits(tally: Tally) -> float:
    allowed = sum(count for reason, count in tally.reasons.items() if "ALLOW_" in reason)
    return allowed / sum(tally.reasons.values())


def test_production_oracle_and_pycasbin_agree_on_small_packs(capsys):
    tally = campaign(run_small, 61 * LONGER, 181)
    with capsys.disabled():
        print(f"\n{tally.shares()}\n{permits(tally):7.2%}  permitted")
    assert not tally.differing, "\n".join(tally.texts)
    assert tally.questions >= 10_000 * LONGER
    assert permits(tally) >= PERMITS
    wanted = {*CLASSES.split(), *(f"open: {reason}" for reason in OPENED)}
    assert wanted <= tally.reasons.keys(), sorted(wanted - tally.reasons.keys())


def test_production_oracle_and_pycasbin_agree_on_the_hospital_pack(capsys):
    tally = campaign(run_hospital, 30 * LONGER, 11)
    with capsys.disabled():
        print(f"\n{tally.shares()}\n{permits(tally):7.2%}  permitted")
    assert not tally.differing, "\n".join(tally.texts)
    assert tally.questions >= 300 * LONGER
    assert permits(tally) >= PERMITS_OF_HOSPITAL
