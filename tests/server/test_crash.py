"""A sidecar killed at any moment under load loses nothing it acknowledged, in its ledger, its store or its tree.

20 kills; 500 with SOAK=1 (`make soak`).
"""

import json
import os
import random
import signal
import time
from collections import defaultdict
from pathlib import Path

import pytest

from sidecar import config
from sidecar.core import checkpoint, leaf, merkle
from sidecar.core.checkpoint import Checkpoint
from sidecar.core.leaf import ChangeLeaf
from sidecar.ledger.verify import verify
from tests.server import keeping
from tests.server.client import Client
from tests.server.process import Running, child, leaves_of, running, settings, until
from tests.server.world import a_write, told

KILLS = 500 if os.environ.get("SOAK") else 20
ATTEMPTS = 3  # kills of the twin
LEDGER = config.LedgerSettings(min_free_bytes=0, flush_ms=20, checkpoint_ms=50, segment_bytes=200_000)


class Campaign:
    """What was acknowledged over many runs, and what was seen between them."""

    def __init__(self, folder: Path, weakening: str = "") -> None:
        self.folder, self.weakening = folder, weakening
        self.kept = folder / "kept"
        self.seconds = 0.0
        self.torn: list[int] = []  # torn tails said at each start
        self.heads: list[Checkpoint] = []  # the checkpoint found after each kill

    def kill_once(self, run: int, moment: float) -> None:
        """A sidecar that another process asks and tells things, killed `moment` seconds after its first answer."""
        sidecar = Running(self.folder, settings(self.folder, ledger=LEDGER), self.weakening)
        assert sidecar.addresses, sidecar.said()
        self.torn.append(sidecar.said().count("torn tail"))
        sidecar.client("feed").call("WriteFacts", a_write(f"begin-{run}", told(), complete=True))
        before = self._size()
        client = child(keeping.main, *self._addresses(sidecar), str(run), str(self.kept))
        try:
            assert until(lambda: self._size() > before or not client.is_alive())
            started = time.monotonic()
            time.sleep(moment)
            assert sidecar.process.is_alive(), sidecar.said()
            sidecar.process.kill()
            self.seconds += time.monotonic() - started
            assert sidecar.wait() == -signal.SIGKILL
        finally:
            sidecar.stop()
            client.join(60)
        self.heads.append(checkpoint.read((self.folder / "data/ledger/tree/checkpoint").read_bytes()))

    def acknowledged(self) -> dict[str, list[str]]:
        """Ids by kind: check, fact, grant."""
        found: dict[str, list[str]] = defaultdict(list)
        # The client's last line may be half a line only if the client itself was killed, and it was not.
        for line in self.kept.read_text().splitlines():
            kind, *ids = line.split()
            found[kind] += ids
        return found

    def _size(self) -> int:
        return self.kept.stat().st_size if self.kept.exists() else 0

    def _addresses(self, sidecar: Running) -> tuple[str, str]:
        return sidecar.addresses["native"], sidecar.addresses["grpc"]


def known_facts(auditor: Client) -> set[str]:
    """The ids of every fact the sidecar reads back."""
    ids: set[str] = set()
    page = ""
    while True:
        answer = auditor.call("ReadFacts", page_size=1000, page_token=page)
        ids |= {version.fact.id for version in answer.facts}
        page = answer.next_page_token
        if not page:
            return ids


def heads_of_another_history(heads: list[Checkpoint], leaves: list[bytes]) -> list[Checkpoint]:
    """The checkpoints that are no earlier state of the tree over these leaves."""
    frontier, wrong = merkle.Frontier(), []
    hashes = iter(merkle.leaf_hashes(leaves))
    for head in sorted(heads, key=lambda head: head.size):
        while frontier.size < head.size:
            frontier.append(next(hashes))
        if head.root != frontier.root:
            wrong.append(head)
    return wrong


def test_kill_9_at_any_moment_loses_nothing_that_was_acknowledged(folder: Path, request: pytest.FixtureRequest) -> None:
    chance, campaign = random.Random(20_261_122), Campaign(folder)
    for run in range(KILLS):
        campaign.kill_once(run, chance.uniform(0.0, 0.4))
    told_of = campaign.acknowledged()
    with running(folder, settings(folder, ledger=LEDGER)) as sidecar:
        auditor, dpi = sidecar.client("auditor"), sidecar.client()
        assert known_facts(auditor) >= set(told_of["fact"])
        for grant in told_of["grant"]:
            assert dpi.call("Get", grant=grant).grant.state == "open"
        campaign.torn.append(sidecar.said().count("torn tail"))
        assert sidecar.stop() == 0
    leaves = leaves_of(folder / "data")
    kept = {found.id.hex(): found for found in map(leaf.decode, leaves)}
    assert told_of["check"]
    assert told_of["fact"]
    assert told_of["grant"]
    assert kept.keys() >= set(told_of["check"])
    changes = [each for each in kept.values() if isinstance(each, ChangeLeaf)]
    assert {change.grant for change in changes if change.grant} >= set(told_of["grant"])
    assert len({change.change for change in changes}) == len(changes)
    # The sequence has no gap: no change is visible without its leaf, and no leaf stands for no change.
    assert sorted(change.facts_seq for change in changes) == list(range(1, len(changes) + 1))
    assert max(campaign.torn) <= 1
    assert heads_of_another_history(campaign.heads, leaves) == []
    vkeys = (folder / "data/ledger/keys/signing/vkeys").read_text().splitlines()
    inspected = verify(folder / "data/ledger", [checkpoint.verifier_key(line) for line in vkeys])
    assert (inspected.findings, inspected.unsigned) == ((), 0)
    _report(request, campaign, told_of)


def _report(request: pytest.FixtureRequest, campaign: Campaign, told_of: dict[str, list[str]]) -> None:
    """Say under what load it was killed: a campaign on an idle sidecar would show little."""
    checks, writes = len(told_of["check"]), len(told_of["fact"]) // 3 + len(told_of["grant"])
    reporter = request.config.pluginmanager.getplugin("terminalreporter")
    reporter.write_line(
        f"\n{len(campaign.heads)} kills under {checks / campaign.seconds:.0f} checks/s and"
        f" {writes / campaign.seconds:.0f} writes/s; {sum(campaign.torn)} torn tails"
    )


def test_a_sidecar_that_acknowledged_from_memory_would_lose_what_it_acknowledged(folder: Path) -> None:
    campaign = Campaign(folder, "records_in_memory_alone")
    for run in range(ATTEMPTS):
        campaign.kill_once(run, 0.2)
    kept = {leaf.decode(data).id.hex() for data in leaves_of(folder / "data")}
    assert set(campaign.acknowledged()["check"]) - kept


def test_what_the_log_says_of_a_start_after_a_crash_is_one_line_each(folder: Path) -> None:
    campaign = Campaign(folder)
    campaign.kill_once(0, 0.1)
    with running(folder, settings(folder, ledger=LEDGER)) as sidecar:
        events = [json.loads(line)["event"] for line in sidecar.said().splitlines()]
        assert events.count("the ledger was mended at start") <= 1
