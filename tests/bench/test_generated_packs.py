"""What the figures rest on: generated packs are packs, questions get the answers they were made for, from everyone."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from sidecar.authoring.bundle import read_folder
from sidecar.config import LedgerSettings
from tests.bench import engine, engine_pack, engine_peers, engine_questions, engine_rbac, ledger_peer
from tests.bench.engine_questions import CALLER, CONTROLLER, NOW


@pytest.mark.parametrize(
    ("kind", "rules"),
    [("shaped", 10), ("shaped", 100), ("shaped", 100_000), ("extended", 10_000), ("crowded", 1_000)],
)
def test_a_generated_pack_has_the_rows_it_was_told_and_fits_a_folder(tmp_path: Path, kind: str, rules: int) -> None:
    bundle = read_folder(engine_pack.written(engine_pack.KINDS[kind](rules), tmp_path))
    assert sum(engine_pack.rows_in(text) for name, text in bundle.files.items() if name[:6] == "rules/") == rules


@pytest.mark.parametrize("rules", [10, 100, 1_000, 10_000])
def test_one_question_meets_ten_rows_however_many_there_are(rules: int) -> None:
    assert candidates(engine_pack.shaped(rules)) == {engine_pack.CANDIDATES}


def test_in_a_crowded_pack_one_question_meets_every_row() -> None:
    assert candidates(engine_pack.crowded(300)) == {300}


def candidates(files: dict[str, str]) -> set[int]:
    """How many rows meet a question about the first and about the last whole cell, by the plain text."""
    groups = ledger_peer.groups(files["roles.csv"])
    rows = [line.split(", ") for name in files if name.startswith("rules/") for line in files[name].split("\n") if line]
    found = set()
    matrix = [row for row in rows if row[0] == "p3"]
    for cell in (matrix[0], matrix[max(0, len(matrix) // 2)]):
        asked = {"g": cell[2], "g2": cell[3], "g3": "read", "g4": "soins"}
        met = 0
        for row in rows:
            given = dict(zip(("g", "g2", "g3", "g4"), row[2:5] if row[0] == "p3" else row[2:6], strict=False))
            met += all(asked[section] in groups[section].get(name, {name}) for section, name in given.items())
        found.add(met)
    return found


@pytest.mark.parametrize("rules", [10, 100, 3_000])
def test_every_generated_question_gets_the_answer_it_was_made_for(rules: int) -> None:
    policies = engine_pack.compiled(engine_pack.shaped(rules))
    seen = Counter()
    for asked in engine_questions.questions(engine_questions.cells(rules), 300):
        decision = policies.evaluate(asked.request, CALLER, CONTROLLER, asked.snapshot, NOW)
        assert (decision.effect, decision.reason) == (asked.effect, asked.reason)
        seen[asked.reason] += 1
    assert len(seen) >= 7, seen


def test_an_extended_hospital_answers_the_recorded_mix_as_the_hospital_does() -> None:
    permits = engine.sidecar(engine_pack.compiled(engine_pack.extended(1_000)))
    for asked in engine.recorded()[:300]:
        assert permits(asked) == (asked.effect == "PERMIT")


@pytest.mark.parametrize("rules", [10, 60])
def test_pycasbin_and_cedar_answer_the_generated_questions_alike(rules: int) -> None:
    pycasbin = engine_peers.pycasbin(engine_pack.shaped(rules))
    _, cedar = engine_peers.shaped(rules)
    for asked in engine_questions.questions(engine_questions.cells(rules), 60):
        assert (pycasbin(asked), cedar(asked)) == (asked.effect == "PERMIT",) * 2


def test_cedar_answers_a_crowded_cell_alike() -> None:
    policies, (_, cedar) = engine_pack.compiled(engine_pack.crowded(100)), engine_peers.crowded(100)
    for asked in engine_questions.questions([(0, 0)], 100):
        decision = policies.evaluate(asked.request, CALLER, CONTROLLER, asked.snapshot, NOW)
        assert cedar(asked) == (decision.effect == "PERMIT")


@pytest.mark.parametrize("rules", [10, 400])
def test_plain_rbac_is_answered_alike_by_all(rules: int) -> None:
    engines = (engine_rbac.sidecar(rules), engine_rbac.pycasbin(rules), engine_rbac.cedar(rules)[1])
    for values, expected in engine_rbac.questions(rules, 60):
        assert [ask(values) for ask in engines] == [expected] * 3, values


def test_no_setting_turns_the_ledger_off() -> None:
    for mode in ("off", "none", ""):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"mode": mode}, LedgerSettings)


def test_a_bench_ends_at_an_answer_that_differs() -> None:
    asked = engine_questions.questions([(0, 0)], 20)
    case = engine.Case("any", "always", 10, lambda _: True, [(each, each.effect == "PERMIT") for each in asked])
    with pytest.raises(AssertionError, match="always, any, 10 rules"):
        case.check()


def test_a_bench_ends_at_a_wrong_answer_of_the_other_decision_point() -> None:
    effects, expected = (1, 2, 1), [("PERMIT", ""), ("DENY", ""), ("PERMIT", "")]
    answers = [an_answer(effect) for effect in effects]
    ledger_peer.judge(answers, expected)
    for n, effect in enumerate((2, 1, 0)):
        with pytest.raises(AssertionError, match="1 of 3"):
            ledger_peer.judge([*answers[:n], an_answer(effect), *answers[n + 1 :]], expected)


def an_answer(effect: int) -> bytes:
    """What the other decision point says of one action."""
    made = ledger_peer.ANSWER()
    made.results.add().actions["read"] = effect
    return made.SerializeToString()
