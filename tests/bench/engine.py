"""Microseconds a decision takes as the rules grow, beside stock PyCasbin and Cedar with equivalent rules.

Everyone answers the same questions, which are compared with the answers they must get before any clock runs; then
the engines take turns in one thread, a round of the questions each. The sidecar works out every word from facts (who
treats whom, what is masked); the others are given the words' answers. `best_us` is the median question in its
quietest round; `first_us` is its first time, when in a large pack its slice of the rules is compiled.
"""

import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from sidecar.authoring.bundle import compile_bundle, read_folder
from sidecar.core.policy import PolicySet
from tests.bench import engine_chart, engine_pack, engine_peers, engine_questions, engine_rbac, mix
from tests.bench.engine_peers import Cedar
from tests.bench.engine_questions import CALLER, CONTROLLER, NOW, PERMIT, Asked
from tests.bench.report import Row
from tests.situation import builders

SIZES = (10, 100, 1_000, 10_000, 100_000)
WORST, EXTENDED = 1_000, 10_000
PYCASBIN_MOST = 1_000  # rules of the hospital model: every row is parsed at every question, 80 µs each
QUESTIONS, ROUNDS, PATIENCE = 400, 7, 0.5  # seconds one engine may take of a round: slow ones are asked less
SIDECAR, PYCASBIN, CEDAR = "sidecar", "PyCasbin", "Cedar"
drawn = engine_chart.drawn


class Case:
    """One engine with one policy, its questions, and the seconds they took."""

    def __init__(
        self, work: str, engine: str, rules: int, ask: Callable[[Any], bool], asked: Sequence[tuple[Any, bool]]
    ) -> None:
        self.work, self.engine, self.rules, self.ask, self.asked = work, engine, rules, ask, asked
        self.cedar: Cedar | None = None
        self.first: list[float] = []
        self.seconds: list[float] = []
        self.cpu: list[float] = []
        self.own: list[int] = []

    def check(self) -> None:
        """Ask as many as patience allows, and compare; raises AssertionError at the first answer that differs."""
        begun = time.perf_counter()
        for n, (question, expected) in enumerate(self.asked):
            started = time.perf_counter()
            allowed = self.ask(question)
            self.first.append(time.perf_counter() - started)
            assert allowed == expected, f"{self.engine}, {self.work}, {self.rules} rules: {question} was {allowed}"
            if n >= 4 and time.perf_counter() - begun > 4 * PATIENCE:
                break
        often = max(5, min(len(self.asked), int(PATIENCE / statistics.median(self.first))))
        self.asked = self.asked[:often]

    def round(self) -> None:
        """Every question once."""
        clock, ask, cedar = time.perf_counter, self.ask, self.cedar
        gc.collect()
        before = time.thread_time()
        for question, _ in self.asked:
            started = clock()
            ask(question)
            self.seconds.append(clock() - started)
            if cedar is not None:
                self.own.append(cedar.own_us)
        self.cpu.append((time.thread_time() - before) / len(self.asked))

    def row(self) -> Row:
        """The figures, in microseconds."""
        ordered, often = sorted(self.seconds), len(self.asked)
        best = [min(self.seconds[n::often]) for n in range(often)]  # of the rounds of one question
        found: Row = {
            "work": self.work, "engine": self.engine, "rules": self.rules,
            "best_us": round(statistics.median(best) * 1e6, 1),
            "p50_us": round(ordered[len(ordered) // 2] * 1e6, 1),
            "p99_us": round(ordered[int(len(ordered) * 0.99)] * 1e6, 1),
            "cpu_us": round(statistics.median(self.cpu) * 1e6, 1),
        }  # fmt: skip
        if self.engine == SIDECAR:
            found["first_us"] = round(statistics.median(self.first) * 1e6, 1)
        if self.own:
            found["own_us"] = round(statistics.median(self.own), 1)
        return found


def run() -> list[Row]:
    """Measure; raises AssertionError when an engine answers otherwise than it must."""
    cases = [*hospital_cases(), *rbac_cases(), *worst_cases(), *pack_cases()]
    for case in cases:
        case.check()
    gc.freeze()
    try:
        for _ in range(ROUNDS):
            for case in cases:
                case.round()
    finally:
        gc.unfreeze()
    return [case.row() for case in cases] + [cost(rules) for rules in SIZES[2:]]


def hospital_cases() -> list[Case]:
    """The hospital model: ten candidates a question, however many rules."""
    cases, work = [], "hospital model"
    for rules in SIZES:
        files = engine_pack.shaped(rules)
        asked = engine_questions.questions(engine_questions.cells(rules), QUESTIONS)
        plain = [(each, each.effect == PERMIT) for each in asked]
        cases.append(Case(work, SIDECAR, rules, sidecar(engine_pack.compiled(files)), plain))
        if rules <= PYCASBIN_MOST:
            cases.append(Case(work, PYCASBIN, rules, engine_peers.pycasbin(files), plain))
        cases.append(cedar_case(work, rules, engine_peers.shaped(rules), plain))
    return cases


def rbac_cases() -> list[Case]:
    """Plain RBAC."""
    cases, work = [], "plain RBAC"
    for rules in SIZES:
        asked = engine_rbac.questions(rules, QUESTIONS)
        cases.append(Case(work, SIDECAR, rules, engine_rbac.sidecar(rules), asked))
        cases.append(Case(work, PYCASBIN, rules, engine_rbac.pycasbin(rules), asked))
        cases.append(cedar_case(work, rules, engine_rbac.cedar(rules), asked))
    return cases


def worst_cases() -> list[Case]:
    """A thousand candidates in one cell, no two conditions alike."""
    work, files = f"hospital model, {WORST} candidates in one cell", engine_pack.crowded(WORST)
    asked = [
        (each, each.effect == PERMIT)
        for each in engine_questions.questions([(0, 0)], QUESTIONS)
        if each.left is None  # somebody of the thousand may read whatever the days
    ]
    return [
        Case(work, SIDECAR, WORST, sidecar(engine_pack.compiled(files)), asked),
        Case(work, PYCASBIN, WORST, engine_peers.pycasbin(files), asked),
        cedar_case(work, WORST, engine_peers.crowded(WORST), asked),
    ]


def pack_cases() -> list[Case]:
    """The hospital pack itself with the recorded mix, and with further professions beside its own."""
    asked = [(each, each.effect == PERMIT) for each in recorded()]
    itself = compile_bundle(read_folder(engine_pack.HOSPITAL))
    files = engine_pack.extended(EXTENDED)
    rules = sum(engine_pack.rows_in((engine_pack.HOSPITAL / "rules" / name).read_text()) for name in engine_pack.RULES)
    return [
        Case("policies/hospital, recorded mix", SIDECAR, rules, sidecar(itself), asked),
        Case("policies/hospital extended", SIDECAR, EXTENDED, sidecar(engine_pack.compiled(files)), asked),
    ]


def cedar_case(work: str, rules: int, made: tuple[Cedar, Callable[[Any], bool]], asked: Sequence[Any]) -> Case:
    """A case whose engine says itself how long it took."""
    case = Case(work, CEDAR, rules, made[1], asked)
    case.cedar = made[0]
    return case


def sidecar(policies: PolicySet) -> Callable[[Asked], bool]:
    """The product's engine: from the request and what is known to a decision. Compares the reason at first."""
    seen: set[int] = set()

    def permits(asked: Asked) -> bool:
        decision = policies.evaluate(asked.request, CALLER, CONTROLLER, asked.snapshot, NOW)
        if id(asked) not in seen:
            seen.add(id(asked))
            assert decision.reason == asked.reason, f"{asked.request} is {decision.reason}, not {asked.reason}"
        return decision.effect == PERMIT

    return permits


def recorded() -> list[Asked]:
    """The mix of the other benches, each question with what is known about its patient."""
    told, _ = mix.facts(NOW)
    patients: dict[str, list[Any]] = {}
    staff: dict[str, list[Any]] = {}
    for fact in (replace(each, controller_id=CONTROLLER) for each in told):
        if fact.assignment is not None:
            staff.setdefault(fact.assignment.subject_id, []).append(fact)
        else:
            patients.setdefault(fact.patient_id, []).append(fact)
    made = []
    for request, (effect, reason) in mix.questions(QUESTIONS * 5, NOW):
        patient = request.resource.patient_id
        known = builders.snapshot([*staff.get(request.subject.id, ()), *patients[patient]], patient=patient)
        made.append(Asked(request, known, effect, reason, frozenset()))
    return made


def cost(rules: int) -> Row:
    """What loading costs, in a process of its own: parse and compile, and memory a rule."""
    command = [sys.executable, "-m", "tests.bench.engine_cost", str(rules)]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout)
    return {"work": "hospital model, parse and compile", "engine": SIDECAR, "rules": rules, **said}


ROOT = Path(__file__).parents[2]
