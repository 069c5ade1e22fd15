"""Resources of FHIR a second, from files to facts on disk: the import command as a process of its own, beside a server.

Two real exports (the shared input data). Each is imported into an empty sidecar, then once more: the second time
changes nothing. A dry run beside it says what reading costs alone. Every count is compared with what must be.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.bench.check import cpu
from tests.bench.report import Row
from tests.bench.servers import ROOT, TOKEN, Server

SETS = ("worcester", "bordeaux")
DATA = ROOT.parent / "shared" / "data" / "fhir-synthea"
AIM = 2_000  # resources a second


def run() -> list[Row]:
    """Measure; raises AssertionError when an import counts wrong."""
    if not DATA.is_dir():
        sys.exit(f"bench: no {DATA}: put the shared input data beside the repository")
    return [row for name in SETS for row in measured(name)]


def measured(name: str) -> list[Row]:
    """One export: read alone, imported into an empty sidecar, imported again."""
    folder = Path(tempfile.mkdtemp(prefix="banc-import-"))
    server = Server("sidecar", folder)
    try:
        token = folder / "token"
        token.write_text(TOKEN)
        reach = ["--address", server.addresses["grpcio"], "--token-file", str(token)]
        dry = once(name, f"{name}, read alone", server, "--dry-run")
        first = once(name, f"{name}, into an empty sidecar", server, *reach)
        again = once(name, f"{name}, again", server, *reach)
        assert first["changed"] == first["facts"] and again["changed"] == 0, (first, again)
        assert dry["resources"] == first["resources"] == again["resources"], (dry, first, again)
        return [dry, first, again]
    finally:
        server.stop()
        shutil.rmtree(folder)


def once(name: str, work: str, server: Server, *options: str) -> Row:
    """One import command, from its start to its report."""
    command = [sys.executable, "-c", "from sidecar.cli import main; main()", "facts", "import", "--complete", "--json"]
    before, began = cpu(server), time.perf_counter()
    ran = psutil.Popen([*command, *options, str(DATA / name)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    printed = ran.stdout.read()
    _, status, used = wait(ran)
    seconds = time.perf_counter() - began
    assert status == 0, f"the import ended with {status}"
    said = json.loads(printed)
    resources = sum(said["resources"].values())
    facts = sum(said["facts"].values())
    return {
        "work": work,
        "rps": round(resources / seconds),
        "resources": resources,
        "facts": facts,
        "changed": said["versions"]["changed"],
        "seconds": round(seconds, 2),
        "of_the_aim": round(resources / seconds / AIM, 2),
        "import_cpu_us": round(used / resources * 1e6),
        "server_cpu_us": round((cpu(server) - before) / resources * 1e6),
        "rss_mb": round(psutil.Process(server.process.pid).memory_info().rss / 1e6),
    }


def wait(ran: psutil.Popen) -> tuple[int, int, float]:
    """Its pid, exit status and seconds of processor, once it has ended."""
    pid, status, usage = os.wait4(ran.pid, 0)
    return pid, os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime
