"""What a record costs: checks a second with the ledger off, `batch`, `written` and `strict`, beside a Cerbos PDP.

All answer on a Unix socket, sixteen calls in flight on one connection of the same client, and take turns. Cerbos has
its decision log on (a file) and a policy written to answer the mix alike, which is checked first. `off` is a room
that keeps nothing, put there by this bench; no setting of the product does it. Then the log that `written` left is
verified from its files and its public key, grown to RECORDS by its own records again.
"""

import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from sidecar.config import LedgerSettings
from sidecar.core.checkpoint import verifier_key
from sidecar.ledger.room import LedgerRoom
from sidecar.ledger.verify import verify
from tests.bench import http2, ledger_peer, mix
from tests.bench.check import encoded, judge, tell
from tests.bench.ledger_peer import Cerbos
from tests.bench.report import Row, row
from tests.bench.servers import CHECK, TOKEN, Server

MODES = ("off", "batch", "written", "strict")
PEER = "Cerbos, decision log on"
QUESTIONS, ALIKE, TURN, ROUNDS = 8_000, 400, 2_000, 20
RECORDS, BURST, VERIFIED = 200_000, 2_048, 5  # records of the log that is verified, and how often, for a median
ORIGIN = LedgerSettings().origin
Asked = list[tuple[bytes, mix.Expected]]


class Turns:
    """One server's rounds."""

    def __init__(self, name: str, server: Server | Cerbos, address: str, asked: Asked) -> None:
        self.name, self.server, self.address, self.asked = name, server, address, asked
        self.rates: list[float] = []
        self.cpu: list[float] = []
        self.latencies: list[float] = []
        self.answered = 0

    def ask(self, first: int, last: int) -> None:
        """Ask these of the questions, and judge every answer; raises AssertionError for a wrong one."""
        asked, process = self.asked[first:last], psutil.Process(self.server.process.pid)
        path = ledger_peer.CHECK if isinstance(self.server, Cerbos) else CHECK
        before = process.cpu_times()
        load = http2.run(self.address, path, TOKEN, [question for question, _ in asked])
        after = process.cpu_times()
        self.answered += len(asked)
        if isinstance(self.server, Cerbos):
            unanswered = [n for n, answer in enumerate(load.answers) if not answer]
            assert not unanswered, f"Cerbos gave no answer to {len(unanswered)} calls: {load.said(unanswered[0])}"
            ledger_peer.judge(load.answers, [expected for _, expected in asked])
        else:
            judge(load.answers, asked)
        self.rates.append(len(asked) / load.seconds)
        self.cpu.append((after.user + after.system - before.user - before.system) / len(asked))
        self.latencies += load.latencies

    def forget(self) -> None:
        """Begin to count: what was measured so far was to warm up."""
        self.rates, self.cpu, self.latencies = [], [], []

    @property
    def rate(self) -> float:
        """The median of the rounds, checks a second."""
        return statistics.median(self.rates)

    def at(self, part: float) -> float:
        """The latency, in seconds, under which this part of the calls stayed."""
        return sorted(self.latencies)[int(len(self.latencies) * part)]


def run() -> list[Row]:
    """Measure; raises AssertionError when an answer is wrong or was not recorded."""
    folder = Path(tempfile.mkdtemp(prefix="banc-"))
    servers: list[Server | Cerbos] = []
    try:
        now = time.time_ns() // 1000
        questions = list(mix.questions(QUESTIONS, now))
        turns = []
        for mode in MODES:
            (folder / mode).mkdir()
            server = Server(mode, folder / mode, "tests.bench.ledger_servers")
            servers.append(server)
            tell(server.addresses["grpcio"], now)
            asked = [(encoded(request), expected) for request, expected in questions]
            turns.append(Turns(mode, server, server.addresses["native"], asked))
        cerbos = Cerbos(folder / "cerbos")
        servers.append(cerbos)
        asked = [(ledger_peer.encoded(request), expected) for request, expected in questions]
        turns.append(Turns(PEER, cerbos, cerbos.address, asked))
        measure(turns)
        kept = cerbos.recorded(turns[-1].answered)
        assert kept == turns[-1].answered, f"Cerbos logged {kept} of {turns[-1].answered} decisions"
        rows = compared(turns)
        while servers:
            servers.pop().stop()
        ledger = folder / "written" / "data" / "ledger"
        grown(ledger)
        return [*rows, verified(ledger)]
    finally:
        for server in servers:
            server.stop()
        shutil.rmtree(folder)


def measure(turns: Sequence[Turns]) -> None:
    """The same first questions answered alike; every question once, which does not count; then short rounds."""
    for count in (ALIKE, QUESTIONS):
        for each in turns:
            each.ask(0, count)
    for each in turns:
        each.forget()
    order, chance = list(turns), random.Random(20_261_122)
    for n in range(ROUNDS):
        first = n * TURN % QUESTIONS
        chance.shuffle(order)  # what a server still does in the background falls on any of the others
        for each in order:
            each.ask(first, first + TURN)


def compared(turns: Sequence[Turns]) -> list[Row]:
    """One row for each, with what the expected ratios are made of."""
    by_name = {each.name: each for each in turns}
    off, written, peer = by_name["off"], by_name["written"], by_name[PEER]
    rows = []
    for each in turns:
        at = [each.at(part) * 1e6 for part in (0.5, 0.99, 0.999)]
        found = row(f"checks, {each.name}", each.rate, at, statistics.mean(each.cpu) * 1e6)
        found["of_off"] = round(each.rate / off.rate, 2)
        found["of_written"] = round(each.rate / written.rate, 2)
        found["of_cerbos"] = round(each.rate / peer.rate, 2)
        found["p99_of_cerbos"] = round(each.at(0.99) / peer.at(0.99), 2)
        rows.append(found)
    return rows


def grown(ledger: Path) -> None:
    """Append the log's own records again until there are RECORDS, and wait until they are signed."""
    room = LedgerRoom(ledger, ORIGIN)
    room.open(time.time_ns() // 1000)
    try:
        leaves = [leaf for _, leaf in room._book.leaves(0)]
        for first in range(0, max(0, RECORDS - room.size), BURST):
            index = room._journal.append([leaves[n % len(leaves)] for n in range(first, first + BURST)])
            room._journal.sync(index + BURST)  # what waits for the disk is bounded
    finally:
        room.close()


def verified(ledger: Path) -> Row:
    """Records a second that an outsider verifies; raises AssertionError when the log is not what was signed."""
    keys = [verifier_key(line) for line in (ledger / "keys/signing/vkeys").read_text().split()]
    jobs, took, used = os.cpu_count() or 1, [], []
    for _ in range(VERIFIED):
        started, before = time.perf_counter(), _cpu()
        report = verify(ledger, keys, jobs=jobs)
        took.append(time.perf_counter() - started)
        used.append(_cpu() - before)
        assert not report.findings and report.checkpoint and not report.unsigned, report
    size = report.checkpoint.size
    rate, cpu_us = size / statistics.median(took), statistics.median(used) / size * 1e6
    return {"work": f"verify {size} records, {jobs} jobs", "records_per_s": round(rate), "cpu_us": round(cpu_us, 2)}


def _cpu() -> float:
    """Seconds of processor used here and by processes that ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system
