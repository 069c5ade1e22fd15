"""Emergencies on both transports: the glass opened and the check answered in one call, and checks under a grant.

Beside them ordinary checks, in alternating rounds of the same run; `ratio_limit` is the rate beside theirs. Every
answer is parsed and compared with the one it must be.
"""

import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from sidecar.core.model import Authentication, Context, Request, Resource, Subject
from sidecar.v1 import access_pb2
from tests.bench import http2, mix
from tests.bench.check import cpu, encoded, rss, tell
from tests.bench.report import Row, row
from tests.bench.servers import CHECK, TOKEN, Server

OPENINGS, CHECKS, ROUNDS = 100, 5_000, 3
WHY = "équipe du service non joignable"
CATEGORIES = ("cr", "biologie", "prescription", "soins", "alertes")
OPEN, UNDER, ORDINARY = "open and check in one call", "check under a grant", "ordinary check"
Run = tuple[float, float, list[float]]  # calls a second, CPU microseconds a call, latencies in seconds


def run() -> list[Row]:
    """Measure; raises AssertionError when an answer is wrong."""
    folder = Path(tempfile.mkdtemp(prefix="banc-"))
    server = Server("sidecar", folder)
    people = _strangers()
    try:
        tell(server.addresses["grpcio"], time.time_ns() // 1000)
        rows: list[Row] = []
        for transport in ("native", "grpcio"):
            runs: dict[str, list[Run]] = {OPEN: [], UNDER: [], ORDINARY: []}
            for number in range(ROUNDS + 1):
                for name, measured in _round(server, server.addresses[transport], people).items():
                    if number:
                        runs[name].append(measured)
            rows += [_row(f"{transport}, {name}", found, runs[ORDINARY], server) for name, found in runs.items()]
        return rows
    finally:
        server.stop()
        shutil.rmtree(folder)


def _round(server: Server, address: str, people: Iterator[tuple[Subject, int]]) -> dict[str, Run]:
    """Some people open the glass, one after the other; they then read under it, and colleagues read as on any day."""
    now = time.time_ns() // 1000
    who = [next(people) for _ in range(OPENINGS)]
    asking = Context(access_mode="bris_de_glace", motive="URGENCE_VITALE", justification=WHY)
    openings = [replace(_reading(subject, about, 0, now), context=asking) for subject, about in who]
    opened, answers = _measured(server, address, openings, "ALLOW_BREAK_GLASS", in_flight=1)
    grants = [answer.grant.id for answer in answers]
    under, ordinary = [], []
    for n in range(CHECKS):
        subject, about = who[n % OPENINGS]
        context = Context(access_mode="bris_de_glace", grant=grants[n % OPENINGS])
        under.append(replace(_reading(subject, about, n, now), context=context))
        ordinary.append(_reading(_person(about % mix.UNITS, n % 2, n % mix.SHIFTS), about, n, now))
    return {
        OPEN: opened,
        UNDER: _measured(server, address, under, "ALLOW_BREAK_GLASS")[0],
        ORDINARY: _measured(server, address, ordinary, "ALLOW_CARE_TEAM")[0],
    }


def _measured(
    server: Server, address: str, asked: Sequence[Request], reason: str, in_flight: int = 16
) -> tuple[Run, list[access_pb2.CheckAccessResponse]]:
    messages = [encoded(request) for request in asked]
    before = cpu(server)
    load = http2.run(address, CHECK, TOKEN, messages, in_flight)
    used = (cpu(server) - before) / len(asked) * 1e6
    answers = [access_pb2.CheckAccessResponse.FromString(answer or b"") for answer in load.answers]
    wrong = [answer.reason for answer in answers if answer.reason != reason or not answer.record.origin]
    assert not wrong, f"{len(wrong)} of {len(asked)} answers are not {reason}, the first is {wrong[0] or 'empty'}"
    return (len(asked) / load.seconds, used, list(load.latencies)), answers


def _row(work: str, found: list[Run], ordinary: list[Run], server: Server) -> Row:
    rates = [statistics.median(rate for rate, _, _ in runs) for runs in (found, ordinary)]
    latencies = sorted(latency for _, _, each in found for latency in each)
    at = [latencies[int(len(latencies) * part)] * 1e6 for part in (0.5, 0.99, 0.999)]
    return row(work, rates[0], at, statistics.median(used for _, used, _ in found), rates[0] / rates[1], rss(server))


def _strangers() -> Iterator[tuple[Subject, int]]:
    """Everybody who may open the glass, each with a patient of another unit."""
    for shift in range(mix.SHIFTS):
        for unit in range(mix.UNITS):
            for n in (0, 1, 2):
                about = next(each for each in range(mix.PATIENTS) if each % mix.UNITS == (unit + 7 + n) % mix.UNITS)
                yield _person(unit, n, shift), about + mix.UNITS * shift


def _person(unit: int, n: int, shift: int) -> Subject:
    who, profile = mix.staff(unit, n, shift), mix.PROFILES[n]
    return Subject(who, "professionnel", profile, units=(mix.unit_of(unit),), account_type="nominatif", status="actif")


def _reading(subject: Subject, about: int, n: int, now: int) -> Request:
    resource = Resource(
        CATEGORIES[n % len(CATEGORIES)], mix.patient(about), "document", f"doc-{n}", tags=(), visibility=(),
        masked_for=(), lifecycle="actif",
    )  # fmt: skip
    proven = Authentication(mfa=True, time=now - 1_000_000, idle_s=0, remote="none")
    return replace(mix._request(subject, "read", resource, "soins", now), authentication=proven)
