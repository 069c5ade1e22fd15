"""Recorded checks a second on both transports, beside each one's empty handler in the same run.

One repeated question by h2load (C), 20 000 distinct ones by our own client (Python, whose cost the empty handler
shares). The rounds of the servers alternate. Every answer is parsed and compared with the one it must be.
"""

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import grpc
import psutil

from sidecar.api.shape import message
from sidecar.v1 import access_pb2, facts_pb2
from sidecar.v1.facts_pb2_grpc import FactsServiceStub
from tests.bench import http2, mix
from tests.bench.report import Row, row
from tests.bench.servers import CHECK, TOKEN, Server

DISTINCT, REPEATED, ROUNDS = 20_000, 20_000, 5
EFFECT = {"PERMIT": access_pb2.EFFECT_PERMIT, "DENY": access_pb2.EFFECT_DENY}
Asked = list[tuple[bytes, mix.Expected]]


def run() -> list[Row]:
    """Measure; raises AssertionError when an answer is wrong."""
    if shutil.which("h2load") is None:
        sys.exit("bench: h2load is not installed; as root: apt-get install nghttp2-client")
    folder = Path(tempfile.mkdtemp(prefix="banc-"))
    sidecar, empty = Server("sidecar", folder), Server("empty", folder)
    try:
        now = time.time_ns() // 1000
        tell(sidecar.addresses["grpcio"], now)
        asked = [(encoded(request), expected) for request, expected in mix.questions(DISTINCT, now)]
        rows: list[Row] = []
        for transport in ("native", "grpcio"):
            rows += distinct(transport, sidecar, empty, asked)
            rows += repeated(transport, sidecar, empty, asked[0][0], folder)
        return rows
    finally:
        sidecar.stop()
        empty.stop()
        shutil.rmtree(folder)


def encoded(request) -> bytes:
    """A question as bytes of the wire."""
    return message(access_pb2.CheckAccessRequest, request).SerializeToString()


def tell(address: str, now: int) -> None:
    """Write the mix's facts through the API."""
    told, marks = mix.facts(now)
    with grpc.insecure_channel(address) as channel:
        write = FactsServiceStub(channel).WriteFacts
        for first in range(0, len(told), 500):
            facts = [message(facts_pb2.Fact, fact) for fact in told[first : first + 500]]
            _write(write, facts_pb2.WriteFactsRequest(request_id=f"banc-{first}", facts=facts))
        marks = [message(facts_pb2.Watermark, mark) for mark in marks]
        _write(write, facts_pb2.WriteFactsRequest(request_id="banc-marks", watermarks=marks))


def _write(write, request: facts_pb2.WriteFactsRequest) -> None:
    write(request, metadata=(("authorization", f"Bearer {TOKEN}"),), timeout=60)


def distinct(transport: str, sidecar: Server, empty: Server, asked: Asked) -> list[Row]:
    """Every question once, five rounds, the two servers in turn."""
    messages = [question for question, _ in asked]
    runs: dict[str, list[tuple[http2.Load, float]]] = {"recorded": [], "empty": []}
    for warm in (sidecar, empty):
        http2.run(warm.addresses[transport], CHECK, TOKEN, messages[:4_000])
    for _ in range(ROUNDS):
        for name, server in (("recorded", sidecar), ("empty", empty)):
            before = cpu(server)
            load = http2.run(server.addresses[transport], CHECK, TOKEN, messages)
            runs[name].append((load, (cpu(server) - before) / len(messages) * 1e6))
    for load, _ in runs["recorded"]:
        judge(load.answers, asked)
    limit = statistics.median(len(messages) / load.seconds for load, _ in runs["empty"])
    return [
        _row(f"{transport}, {len(asked)} distinct, {name}", loads, limit, sidecar if name == "recorded" else empty)
        for name, loads in runs.items()
    ]


def judge(answers: Sequence[bytes | None], asked: Asked) -> None:
    """Every answer is the one its question must get, and was recorded."""
    wrong = []
    for answer, (_, (effect, reason)) in zip(answers, asked, strict=True):
        said = access_pb2.CheckAccessResponse.FromString(answer) if answer else access_pb2.CheckAccessResponse()
        if (said.effect, said.reason) != (EFFECT[effect], reason) or not said.record.origin:
            wrong.append(f"expected {effect} {reason}, got {said.effect} {said.reason or 'nothing'}")
    assert not wrong, f"{len(wrong)} of {len(asked)} answers are wrong, the first: {wrong[0]}"


def _row(work: str, runs: list[tuple[http2.Load, float]], limit: float, server: Server) -> Row:
    loads = [load for load, _ in runs]
    latencies = sorted(latency for load in loads for latency in load.latencies)
    rate = statistics.median(len(load.latencies) / load.seconds for load in loads)
    at = [latencies[int(len(latencies) * part)] * 1e6 for part in (0.5, 0.99, 0.999)]
    return row(work, rate, at, statistics.median(used for _, used in runs), rate / limit, rss(server))


def repeated(transport: str, sidecar: Server, empty: Server, question: bytes, folder: Path) -> list[Row]:
    """One question again and again, by h2load."""
    body = folder / "question.bin"
    body.write_bytes(b"\x00" + len(question).to_bytes(4, "big") + question)
    rates: dict[str, list[tuple[float, float]]] = {"recorded": [], "empty": []}
    for _ in range(ROUNDS):
        for name, server in (("recorded", sidecar), ("empty", empty)):
            before = cpu(server)
            rate = h2load(server.addresses[transport], body)
            rates[name].append((rate, (cpu(server) - before) / REPEATED * 1e6))
    limit = statistics.median(rate for rate, _ in rates["empty"])
    found = []
    for name, runs in rates.items():
        rate = statistics.median(rate for rate, _ in runs)
        used = statistics.median(used for _, used in runs)
        work = f"{transport}, one repeated (h2load), {name}"
        found.append(row(work, rate, None, used, rate / limit, rss(sidecar if name == "recorded" else empty)))
    return found


def h2load(address: str, body: Path) -> float:
    """Requests a second of one run; raises AssertionError when one of them did not succeed."""
    command = [
        "h2load", "-n", str(REPEATED), "-c", "1", "-m", "16", "-t", "1", "-d", str(body), "-B", address,
        "-H", "content-type: application/grpc", "-H", "te: trailers", "-H", f"authorization: Bearer {TOKEN}",
        f"http://localhost{CHECK}",
    ]  # fmt: skip
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"{REPEATED} succeeded" in printed, printed
    found = re.search(r"([\d.]+) req/s", printed)
    assert found, printed
    return float(found[1])


def cpu(server: Server) -> float:
    """Seconds of processor the server has used."""
    used = psutil.Process(server.process.pid).cpu_times()
    return used.user + used.system


def rss(server: Server) -> int:
    """Resident bytes of the server."""
    return psutil.Process(server.process.pid).memory_info().rss
