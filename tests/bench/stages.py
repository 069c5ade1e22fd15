"""Where the microseconds of one recorded check go: each stage alone, on the request mix, in this process."""

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sidecar.api import answers, requests
from sidecar.core.model import Answer
from sidecar.core.record import Checked
from sidecar.pdp import Call
from sidecar.server import Sidecar
from sidecar.v1 import access_pb2
from tests.bench import mix
from tests.bench.check import encoded
from tests.bench.report import Row
from tests.bench.servers import CONTROLLER, settings

QUESTIONS, ROUNDS, BURST = 4_000, 5, 16


def run() -> list[Row]:
    """One row a stage: microseconds a question, the median of the rounds."""
    folder = Path(tempfile.mkdtemp(prefix="banc-"))
    sidecar = Sidecar(settings(folder))
    sidecar.start()
    try:
        return _measure(sidecar)
    finally:
        sidecar.stop()
        shutil.rmtree(folder)


def _measure(sidecar: Sidecar) -> list[Row]:
    now = time.time_ns() // 1000
    caller = sidecar._callers.by_token("Bearer jeton-du-banc")
    told, marks = mix.facts(now)
    for first in range(0, len(told), 500):
        sidecar._changes.write_facts(caller, CONTROLLER, f"banc-{first}", told[first : first + 500], (), ())
    sidecar._changes.write_facts(caller, CONTROLLER, "banc-marks", (), (), marks)
    asked = list(mix.questions(QUESTIONS, now))
    payloads = [encoded(request) for request, _ in asked]
    questions = [requests.question(payload) for payload in payloads]
    policies, seen = sidecar._policies.current, {}

    def snapshot(request):
        return sidecar._facts.snapshot(caller.tenant, CONTROLLER, request.resource.patient_id)

    snapshots = [snapshot(request) for request in questions]
    decisions = [
        policies.evaluate(request, caller, CONTROLLER, known, now)
        for request, known in zip(questions, snapshots, strict=True)
    ]
    entries = [
        Checked(request, caller, decision, policies.ref, known.tenant.seq)
        for request, decision, known in zip(questions, decisions, snapshots, strict=True)
    ]
    calls = [Call(request, caller) for request in questions]
    given = [answer for burst in _bursts(calls) for answer in sidecar._pdp.check(burst)]
    assert all(isinstance(answer, Answer) for answer in given)
    stages: dict[str, Callable[[], object]] = {
        "parse the message": lambda: [access_pb2.CheckAccessRequest.FromString(payload) for payload in payloads],
        "message to values, parse included": lambda: [requests.question(payload) for payload in payloads],
        "snapshot": lambda: [snapshot(request) for request in questions],
        "decide": lambda: [
            policies.evaluate(request, caller, CONTROLLER, known, now)
            for request, known in zip(questions, snapshots, strict=True)
        ],
        "record, 16 together": lambda: [sidecar._ledger.record(burst, now) for burst in _bursts(entries)],
        "record, one alone": lambda: [sidecar._ledger.record([entry], now) for entry in entries],
        "whole corridor, 16 together": lambda: [sidecar._pdp.check(burst) for burst in _bursts(calls)],
        "answer to bytes": lambda: [answers.answered(answer) for answer in given],
    }
    for _ in range(ROUNDS):
        for name, stage in stages.items():
            started = time.thread_time()
            stage()
            seen.setdefault(name, []).append((time.thread_time() - started) / QUESTIONS * 1e6)
    return [{"work": name, "cpu_us": round(statistics.median(times), 2)} for name, times in seen.items()]


def _bursts(items: Sequence) -> list[Sequence]:
    return [items[first : first + BURST] for first in range(0, len(items), BURST)]
