"""Recorded checks a second on both transports, with the whole hospital pack and with its first rows alone, beside each
one's empty handler and the bare library, in the same run.

One repeated question by h2load (C), 20 000 distinct ones by our own client (Python, whose cost every server
shares). The servers take turns in ten rounds of 2 000, so that what the machine does beside meets them alike; a ratio
is the median of those of each round. Every distinct answer is parsed and compared with the one it must be.
"""

import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import grpc
import psutil

from sidecar.api.shape import message
from sidecar.core.model import Request
from sidecar.v1 import access_pb2, facts_pb2
from sidecar.v1.facts_pb2_grpc import FactsServiceStub
from tests.bench import http2, mix
from tests.bench.report import Row, row
from tests.bench.servers import CHECK, TOKEN, Server

ROUNDS, PART = 10, 2_000
DISTINCT = ROUNDS * PART
KINDS = {"recorded": "sidecar", "recorded, first rows": "first_rows", "empty handler": "empty", "bare library": "bare"}
RECORDED, LIMIT = "recorded", "empty handler"
DECIDING = frozenset(kind for name, kind in KINDS.items() if name.startswith(RECORDED))
EFFECT = {"PERMIT": access_pb2.EFFECT_PERMIT, "DENY": access_pb2.EFFECT_DENY}
Asked = list[tuple[bytes, mix.Expected]]
Run = tuple[float, float, Sequence[float]]  # requests a second, CPU microseconds a request, latencies in seconds


def run() -> list[Row]:
    """Measure; raises AssertionError when an answer is wrong."""
    if shutil.which("h2load") is None:
        sys.exit("bench: h2load is not installed; as root: apt-get install nghttp2-client")
    folder = Path(tempfile.mkdtemp(prefix="banc-"))
    servers = {name: Server(kind, folder) for name, kind in KINDS.items()}
    try:
        now = time.time_ns() // 1000
        for name in servers:
            if name.startswith(RECORDED):
                tell(servers[name].addresses["grpcio"], now)
        asked = [(encoded(request), expected) for request, expected in mix.questions(DISTINCT + PART, now)]
        body = folder / "question.bin"
        body.write_bytes(b"\x00" + len(asked[0][0]).to_bytes(4, "big") + asked[0][0])
        rows: list[Row] = []
        for transport in ("native", "grpcio"):
            work = f"{transport}, {DISTINCT} distinct"
            rows += compared(work, servers, transport, lambda s, a, n: distinct(s, a, asked[n * PART : (n + 1) * PART]))
            rows += compared(f"{transport}, one repeated", servers, transport, lambda s, a, _: repeated(s, a, body))
        return rows
    finally:
        for server in servers.values():
            server.stop()
        shutil.rmtree(folder)


def compared(
    work: str, servers: dict[str, Server], transport: str, once: Callable[[Server, str, int], Run]
) -> list[Row]:
    """The servers in turn, in an order drawn anew each time, ten rounds after one that does not count."""
    runs: dict[str, list[Run]] = {name: [] for name in servers}
    chance = random.Random(transport)
    for n in range(ROUNDS + 1):
        for name, server in chance.sample(list(servers.items()), len(servers)):
            measured = once(server, server.addresses[transport], n)
            if n:
                runs[name].append(measured)
    rows = []
    for name, found in runs.items():
        latencies = sorted(latency for _, _, each in found for latency in each)
        at = [latencies[int(len(latencies) * part)] * 1e6 for part in (0.5, 0.99, 0.999)] if latencies else None
        rate, used = statistics.median(each for each, _, _ in found), statistics.median(each for _, each, _ in found)
        ratio = statistics.median(ours / limit for (ours, _, _), (limit, _, _) in zip(found, runs[LIMIT], strict=True))
        rows.append(row(f"{work}, {name}", rate, at, used, ratio, rss(servers[name])))
    return rows


def distinct(server: Server, address: str, asked: Asked) -> Run:
    """Every question once."""
    before = cpu(server)
    load = http2.run(address, CHECK, TOKEN, [question for question, _ in asked])
    used = (cpu(server) - before) / len(asked) * 1e6
    if server.kind in DECIDING:
        judge(load.answers, asked)
    return len(asked) / load.seconds, used, load.latencies


def judge(answers: Sequence[bytes | None], asked: Asked) -> None:
    """Every answer is the one its question must get, and was recorded."""
    wrong = []
    for answer, (_, (effect, reason)) in zip(answers, asked, strict=True):
        said = access_pb2.CheckAccessResponse.FromString(answer) if answer else access_pb2.CheckAccessResponse()
        if (said.effect, said.reason) != (EFFECT[effect], reason) or not said.record.origin:
            wrong.append(f"expected {effect} {reason}, got {said.effect} {said.reason or 'nothing'}")
    assert not wrong, f"{len(wrong)} of {len(asked)} answers are wrong, the first: {wrong[0]}"


def repeated(server: Server, address: str, body: Path) -> Run:
    """One question again and again, by h2load; raises AssertionError when one of them did not succeed."""
    command = [
        "h2load", "-n", str(PART), "-c", "1", "-m", "16", "-t", "1", "-d", str(body), "-B", address,
        "-H", "content-type: application/grpc", "-H", "te: trailers", "-H", f"authorization: Bearer {TOKEN}",
        f"http://localhost{CHECK}",
    ]  # fmt: skip
    before = cpu(server)
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    used = (cpu(server) - before) / PART * 1e6
    assert f"{PART} succeeded" in printed, printed
    found = re.search(r"([\d.]+) req/s", printed)
    assert found, printed
    return float(found[1]), used, ()


def encoded(request: Request) -> bytes:
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


def cpu(server: Server) -> float:
    """Seconds of processor the server has used."""
    used = psutil.Process(server.process.pid).cpu_times()
    return used.user + used.system


def rss(server: Server) -> int:
    """Resident bytes of the server."""
    return psutil.Process(server.process.pid).memory_info().rss
