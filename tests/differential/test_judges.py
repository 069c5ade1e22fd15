"""The judges can fail: production with one thing wrong is told from the oracle, for each thing that may be wrong."""

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import cache
from itertools import islice
from random import Random
from unittest.mock import patch

import pytest

from sidecar.core.policy import PolicySet
from tests.differential.campaign import Judges, cases, small_packs
from tests.differential.chance import Setting, setting_of
from tests.differential.compare import COMPARED, asked, at_its_edges, too_long
from tests.differential.defects import CLOSURES, WINDOWS, Defect, without
from tests.differential.packs import Written, a_pack_of
from tests.differential.production import decide, in_plain_terms
from tests.differential.vocabulary import GATES, PEOPLE
from tests.differential.worlds import Case
from tests.oracle import Answer
from tests.oracle.rules import TOKEN, value

ENOUGH = 2  # catches after which a defect is caught
MOST = 4000  # cases that may be needed


class Stream:
    """Cases for a pack of one condition, with what the oracle says of each; made as they are asked for."""

    def __init__(self, defect: Defect) -> None:
        self.written = a_pack_of(defect.when, defect.denies)
        often = {"relations": defect.relations} if defect.relations else {}
        setting = setting_of(self.written.parameters, "medecin", unusual=0.3, edges=0.8, profiles=PEOPLE[:1], **often)
        self.made: list[tuple[Case, Answer]] = []
        self.ahead = self.more(setting, defect)

    def more(self, setting: Setting, defect: Defect) -> Iterator[tuple[Case, Answer]]:
        oracle = self.written.read()
        for case in cases(Random(defect.when), setting, 100 * MOST):
            if (case.opening is not None) == defect.opening:
                for each in (case, *at_its_edges(oracle, case, 3)):
                    yield each, asked(oracle, each)

    def __iter__(self) -> Iterator[tuple[Case, Answer]]:
        yield from self.made
        for each in self.ahead:
            self.made.append(each)
            yield each


STREAMS: dict[tuple[object, ...], Stream] = {}


def stream(defect: Defect) -> Stream:
    key = (defect.when, defect.denies, defect.opening, defect.relations)
    if key not in STREAMS:
        STREAMS[key] = Stream(defect)
    return STREAMS[key]


def differs(policy: PolicySet, case: Case, plain: Answer) -> bool:
    said = in_plain_terms(*decide(policy, case))
    return any(getattr(plain, name) != getattr(said, name) for name in COMPARED)


def catches(defect: Defect) -> tuple[int, int]:
    """How many cases caught the defect, of how many."""
    found = stream(defect)
    caught = of = 0
    with defect.during():
        policy = defect.pack(found.written).compiled()
        for case, plain in islice(found, MOST):
            caught, of = caught + differs(policy, defect.hold(case), plain), of + 1
            if caught == ENOUGH:
                break
    return caught, of


@pytest.mark.parametrize("defect", WINDOWS, ids=lambda defect: defect.name)
def test_a_window_that_is_off_by_one_is_caught(defect, capsys):
    caught, of = catches(defect)
    with capsys.disabled():
        print(f"\n  {defect.name}: caught by {caught} of {of} cases", end="")
    assert caught > 0


class AndsAreOrs:
    """The tokens of a condition with every `&&` read as `||`."""

    @staticmethod
    def findall(text: str) -> list[str]:
        return [token.replace("&&", "||") for token in TOKEN.findall(text)]


@cache
def small_packs_judged() -> list[tuple[Written, list[tuple[Case, Answer]]]]:
    """Some small packs, with cases and what the oracle says of each."""
    found = []
    for _, written, asked_of in small_packs(range(18), 30):
        oracle = written.read()
        found.append((written, [(case, asked(oracle, case)) for case in asked_of]))
    return found


@pytest.mark.parametrize("closure", CLOSURES, ids=lambda closure: closure[0])
def test_a_wrong_role_closure_is_caught(closure, capsys):
    name, pack, during = closure
    caught = of = 0
    for written, judged in small_packs_judged():
        with during():
            policy = pack(written).compiled()
            caught += sum(differs(policy, case, plain) for case, plain in judged)
            of += len(judged)
    with capsys.disabled():
        print(f"\n  {name}: caught by {caught} of {of} cases", end="")
    assert caught > 0


def test_a_dropped_gate_is_caught(capsys):
    caught: Counter[str] = Counter()
    of: Counter[str] = Counter()
    for written, judged in small_packs_judged():
        for row in written.rules:
            if ", deny, " in row and row.startswith("p, "):
                gate = next(gate for gate in GATES if row.startswith(f"p, {gate}-"))
                policy = without(row)(written).compiled()
                caught[gate] += sum(differs(policy, case, plain) for case, plain in judged)
                of[gate] += len(judged)
    with capsys.disabled():
        for gate in GATES:
            print(f"\n  a row of {gate} dropped: caught by {caught[gate]} of {of[gate]} cases", end="")
    assert all(caught[gate] > 0 for gate in GATES)


def test_an_answer_kept_one_microsecond_too_long_is_caught(capsys):
    """Where something turns at `valid_until`, an answer that claims to hold through it is wrong."""
    caught = of = 0
    for written, judged in small_packs_judged()[:12]:
        policy, oracle = written.compiled(), written.read()
        for case, plain in judged:
            if case.opening is None:
                until, longest = decide(policy, case)[0].valid_until, oracle.longest(plain)
                of += 1
                caught += any("change after" in text for text in too_long(oracle, case, plain, longest, until + 1))
    with capsys.disabled():
        print(f"\n  an answer kept too long: caught by {caught} of {of} cases", end="")
    assert caught > 0


def told_by_pycasbin(during: AbstractContextManager[object]) -> tuple[int, int]:
    """In how many questions, of how many, PyCasbin tells that the oracle reads the rows otherwise."""
    told = of = 0
    with during:
        for _, written, asked_of in small_packs(range(6), 30):
            judges = Judges(written)
            for case in asked_of:
                if case.opening is None:
                    told += any(judges.rows_differ(case, asked(judges.oracle, case).effect))
                    of += 1
    return told, of


ORACLES = {
    "groups of one link": lambda: patch(
        "tests.oracle.groups_of",
        lambda links, section, name: frozenset({name, *(link[2] for link in links if link[:2] == (section, name))}),
    ),
    "unknown read as false": lambda: patch(
        "tests.differential.campaign.value", lambda when, ask: value(when, lambda *word: ask(*word) is True)
    ),
    "or for and": lambda: patch("tests.oracle.rules.TOKEN", AndsAreOrs),
}


@pytest.mark.parametrize("name", ORACLES)
def test_pycasbin_tells_an_oracle_that_reads_rows_otherwise(name, capsys):
    told, of = told_by_pycasbin(ORACLES[name]())
    with capsys.disabled():
        print(f"\n  the oracle with {name}: told by {told} of {of} questions", end="")
    assert told > 0


def test_sound_production_is_accused_of_nothing():
    for defect in WINDOWS:
        found = stream(defect)
        policy = found.written.compiled()
        assert not any(differs(policy, case, plain) for case, plain in islice(found, 10))
