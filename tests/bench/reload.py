"""What a reload of ten thousand rows does to the checks that run meanwhile, beside checks without one, in turn.

The pack is the hospital's own with further professions beside its own (`engine_pack.extended`), some of its stories,
and a line that differs at each reload, so that each is built, judged by both judges and swapped. Checks go on from
before the folder changes until the swap is in force; between reloads the same number of checks is asked without one.
Every answer is compared with the one it must be.

`python -m tests.bench.reload FOLDER` serves.
"""

import json
import shutil
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from msgspec.structs import replace

from sidecar.server import Sidecar
from tests.bench import engine_pack, http2, mix
from tests.bench.check import Asked, cpu, encoded, judge, rss, tell
from tests.bench.report import Row, row
from tests.bench.servers import CHECK, ROOT, TOKEN, Server, settings

RULES, RELOADS = 10_000, 5
CHUNK = 1_000  # checks between two looks at whether the swap is in force
TOLD = ("care_team", "masks", "matrix_agent_admission")
IN_FLIGHT = 4  # a server with some room left: at its limit, every stall would be counted once for each call in line
WATCHED = 0.2
PATIENCE = 300.0  # seconds for one reload


class Reloaded(Server):
    """A sidecar that watches the pack in its folder."""

    def __init__(self, folder: Path) -> None:
        self.pack = engine_pack.written(engine_pack.extended(RULES), folder / "pack")
        (self.pack / "tests").mkdir()
        for name in TOLD:
            shutil.copy(ROOT / f"policies/hospital/tests/{name}.yaml", self.pack / "tests")
        super().__init__("reload", folder, "tests.bench.reload")
        self.edits = 0

    def edit(self) -> None:
        """Another pack, that says the same."""
        self.edits += 1
        roles = self.pack / "roles.csv"
        beside = self.pack.parent / "roles.csv"
        beside.write_text(f"{roles.read_text().rpartition('# reload')[0] or roles.read_text()}# reload {self.edits}\n")
        beside.replace(roles)

    def swaps(self) -> int:
        """How many policies it has put in force since it started."""
        with urllib.request.urlopen(f"http://{self.addresses['admin']}/metrics", timeout=30) as page:
            lines = page.read().decode().splitlines()
        told = {line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in lines}
        refused = told.get('sidecar_policy_reloads_total{outcome="refused"}', "0.0")
        assert refused == "0.0", "the pack was refused"
        return int(float(told.get('sidecar_policy_reloads_total{outcome="swapped"}', "0")))


class Phase:
    """The checks of all rounds with, or without, a reload."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.seconds = self.cpu = 0.0

    def ask(self, server: Server, asked: Asked) -> None:
        """Some checks more."""
        before = cpu(server)
        load = http2.run(server.addresses["native"], CHECK, TOKEN, [question for question, _ in asked], IN_FLIGHT)
        self.cpu += cpu(server) - before
        self.seconds += load.seconds
        self.latencies += load.latencies
        judge(load.answers, asked)

    def row(self, work: str, server: Server) -> Row:
        """Its figures."""
        found, count = sorted(self.latencies), len(self.latencies)
        at = [found[int(count * part)] * 1e6 for part in (0.5, 0.99, 0.999)]
        made = row(work, count / self.seconds, at, self.cpu / count * 1e6, None, rss(server))
        return made | {"worst_us": round(found[-1] * 1e6), "checks": count}


def run() -> list[Row]:
    """Measure; raises AssertionError when an answer is wrong or a reload does not end."""
    folder = Path(tempfile.mkdtemp(prefix="banc-"))
    server = Reloaded(folder)
    try:
        return measured(server)
    finally:
        server.stop()
        shutil.rmtree(folder)


def measured(server: Reloaded) -> list[Row]:
    """The two phases in turn, after checks that do not count."""
    now = time.time_ns() // 1000
    tell(server.addresses["grpcio"], now)
    asked = [(encoded(request), expected) for request, expected in mix.questions(20 * CHUNK, now)]
    chunks = [asked[first : first + CHUNK] for first in range(0, len(asked), CHUNK)]
    Phase().ask(server, asked)
    without, during, took = Phase(), Phase(), []
    for done in range(RELOADS):
        began, count = time.monotonic(), 0
        server.edit()
        while server.swaps() == done:
            during.ask(server, chunks[count % len(chunks)])
            count += 1
            assert time.monotonic() - began < PATIENCE, "the policy was not swapped"
        took.append(time.monotonic() - began)
        during.ask(server, chunks[count % len(chunks)])  # the first checks by the new policy
        for number in range(count + 1):
            without.ask(server, chunks[number % len(chunks)])
    rows = [without.row("native, no reload", server), during.row(f"native, {RULES} rules reloaded", server)]
    moved = int(str(rows[1]["p999_us"])) - int(str(rows[0]["p999_us"]))
    seconds = sum(took) / len(took)
    return [
        *rows,
        {"work": "moved by the reloads", "p999_us": moved, "reloads": RELOADS, "seconds_each": round(seconds, 1)},
    ]


def _serve(folder: Path) -> None:
    config = settings(folder)
    policy = replace(config.policy, pack=str(folder / "pack"), watch_seconds=WATCHED)
    sidecar = Sidecar(replace(config, policy=policy))
    sidecar.start()
    native, grpcio = sidecar.addresses
    print(json.dumps({"native": native, "grpcio": grpcio, "admin": sidecar.admin.address}), flush=True)
    sys.stdin.read()
    sidecar.stop()


if __name__ == "__main__":
    _serve(Path(sys.argv[2]))
