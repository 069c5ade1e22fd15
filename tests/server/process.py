"""Sidecars as they really run: each a process of `dpi-sidecar serve` with a settings file, a log and real sockets."""

import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import msgspec

from sidecar import config
from sidecar.core import leaf
from sidecar.ledger.journal import Journal
from sidecar.ledger.tree_files import TreeFiles
from tests.judged import judged
from tests.server import weakened
from tests.server.client import Client, digest

ROOT = Path(__file__).parent.parent.parent
PACK = ROOT / "policies/hospital"
CONTROLLER = "330000001"
KINDS = ("assignment", "stay", "relation", "directive", "delegation", "record_state", "alias", "contract", "call")
SOURCE = "adt"
PATIENCE = 60.0

# The interpreter and the product are loaded once; each sidecar is then a fork of a process that has done nothing.
_NURSERY = get_context("forkserver")
_NURSERY.set_forkserver_preload(["sidecar.cli", "tests.server.process", "tests.server.keeping"])


def a_caller(name: str, *roles: Any, **more: Any) -> config.CallerSettings:
    """A caller whose token is its name, over TLS its SAN URI."""
    said = {"controllers": (CONTROLLER,), "hds": "certified", "may_assert": ("identity",)} | more
    return config.CallerSettings(name, f"spiffe://test/{name}", digest(name), roles=roles, **said)


DPI, FEED = a_caller("dpi", "dpi"), a_caller("feed", "feed")
AUDITOR, PROMETHEUS = a_caller("auditor", "auditor"), a_caller("prometheus", "metrics")
CALLERS = (DPI, FEED, AUDITOR, PROMETHEUS)


def settings(folder: Path, callers: Sequence[config.CallerSettings] = CALLERS, **more: Any) -> config.Config:
    """A sidecar on a Unix socket of each transport, for which every kind has one source."""
    said: dict[str, Any] = {
        "data": "data",
        "policy": judged(PACK),
        "facts": config.FactsSettings(dict.fromkeys(KINDS, (SOURCE,))),
        "callers": tuple(callers),
        "listen": config.Listen(f"unix:{folder}/n/s.sock", f"unix:{folder}/g/s.sock", "127.0.0.1:0"),
        "ledger": config.LedgerSettings(min_free_bytes=0, flush_ms=20),
    } | more
    return config.Config(**said)


def toml(value: dict[str, Any]) -> str:
    """Built-in values as a TOML file, a setting a line."""
    return "".join(f"{name} = {_inline(each)}\n" for name, each in value.items() if each is not None)


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_inline(each)}" for name, each in value.items() if each is not None) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value)


class Running:
    """A sidecar process; the tests hold its folder, its log and its addresses."""

    def __init__(self, folder: Path, asked: config.Config, weakening: str = "") -> None:
        """Starts it and waits until it answers, or until it is gone."""
        self.folder, self.log = folder, folder / "log"
        self.settings = folder / "settings.toml"
        self.settings.write_text(toml(msgspec.to_builtins(asked)))
        self._read_from = self.log.stat().st_size if self.log.exists() else 0
        self.process = _NURSERY.Process(target=_serve, args=(self.settings, self.log, weakening), daemon=True)
        self.process.start()
        self._clients: list[Client] = []
        self.addresses: dict[str, str] = {}
        if until(lambda: "started" in self.said() or not self.process.is_alive()) and self.process.is_alive():
            self.addresses = dict(self._listening())

    @property
    def pid(self) -> int:
        """Its process."""
        assert self.process.pid is not None
        return self.process.pid

    def said(self) -> str:
        """What this process wrote on standard error, whole lines."""
        if not self.log.exists():
            return ""
        return self.log.read_bytes()[self._read_from :].rpartition(b"\n")[0].decode()

    def client(self, name: str = "dpi", transport: str = "native") -> Client:
        """Who calls over a Unix socket with its token."""
        return self.adopt(Client.local(self.addresses[transport], name))

    def adopt(self, client: Client) -> Client:
        """The same, closed when the process ends."""
        self._clients.append(client)
        return client

    def admin(self, path: str) -> tuple[int, str]:
        """Status and body of a page of the admin port."""
        try:
            with urllib.request.urlopen(f"http://{self.addresses['admin']}{path}", timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode()

    def until_ready(self, ready: bool = True) -> None:
        """Wait until it says that it is ready, or that it is not."""
        assert until(lambda: self.admin("/ready")[0] == (200 if ready else 503)), self.said()

    def stop(self, number: int = signal.SIGTERM) -> int | None:
        """Signal it, wait, and give its exit code."""
        for client in self._clients:
            client.close()
        if self.process.is_alive():
            os.kill(self.pid, number)
        return self.wait()

    def wait(self) -> int | None:
        """Its exit code, once it has ended."""
        self.process.join(PATIENCE)
        return self.process.exitcode

    def _listening(self) -> Iterator[tuple[str, str]]:
        for line in map(json.loads, self.said().splitlines()):
            if line["event"] == "listening":
                unix_native = line["address"].endswith("/n/s.sock")
                yield line.get("part") or ("native" if unix_native else "grpc"), line["address"]


@contextmanager
def running(folder: Path, asked: config.Config | None = None, weakening: str = "") -> Iterator[Running]:
    """A sidecar for the length of a block; whatever happened there, no process is left."""
    sidecar = Running(folder, asked or settings(folder), weakening)
    try:
        assert sidecar.addresses, sidecar.said()
        yield sidecar
    finally:
        if sidecar.stop() is None:
            sidecar.stop(signal.SIGKILL)


def child(does: Callable[..., None], *given: Any) -> BaseProcess:
    """A process that does this, started."""
    process = _NURSERY.Process(target=does, args=given, daemon=True)
    process.start()
    return process


def until(true: Callable[[], object]) -> bool:
    """Whether it came true before patience ended."""
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def recorded(data: Path) -> Mapping[str, leaf.Leaf]:
    """Every leaf of a stopped sidecar's ledger, by id."""
    return {found.id.hex(): found for found in map(leaf.decode, leaves_of(data))}


def leaves_of(data: Path) -> list[bytes]:
    """The same in order: from the tree's bundles, and from where the journal begins in it."""
    journal = Journal(data / "ledger/journal", bytes(12), min_free_bytes=0)
    journal.open()
    try:
        bundles = TreeFiles(data / "ledger/tree").leaves(0, journal.first)
        return [found for _, found in (*bundles, *journal.leaves(journal.first))]
    finally:
        journal.close()


def _serve(path: Path, log: Path, weakening: str) -> None:
    """What the process does: `dpi-sidecar serve --config PATH`, its standard error in LOG."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    descriptor = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    os.dup2(descriptor, 2)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    if weakening:
        weakened.WEAKENINGS[weakening]()
    from sidecar.cli import main

    sys.argv = ["dpi-sidecar", "serve", "--config", str(path)]
    main()
