"""What was acknowledged outlives the process, in the middle of a change and at a stop; at any moment: test_crash.py."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from tests.server.client import Client, refusal
from tests.server.load import PAUSE, asking
from tests.server.process import Running, recorded, running, settings
from tests.server.world import a_check, a_write, an_opening, told


class Changing:
    """Callers that write facts and open grants until they are told to stop, and keep what was acknowledged."""

    def __init__(self, sidecar: Running, run: int) -> None:
        self.facts: list[str] = []
        self.grants: list[str] = []
        self._stopped = threading.Event()
        work: tuple[Callable[[int], None], ...] = (
            lambda n: self._write(feed, f"{run}-{n}"),
            lambda n: self._open(dpi, f"{run}-{n}"),
        )
        feed, dpi = sidecar.client("feed", "grpc"), sidecar.client("dpi", "native")
        self._threads = [threading.Thread(target=self._repeat, args=(does,)) for does in work]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """No more calls."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, does: Callable[[int], None]) -> None:
        n = 0
        while not self._stopped.is_set():
            n += 1
            try:
                does(n)
            except grpc.RpcError:
                time.sleep(PAUSE)

    def _write(self, feed: Client, name: str) -> None:
        facts = told(f"P-{name}", f"dr-{name}")
        feed.call("WriteFacts", a_write(f"w-{name}", facts))
        self.facts += [fact.id for fact in facts]

    def _open(self, dpi: Client, name: str) -> None:
        opened = dpi.call("Open", an_opening(f"Q-{name}", request_id=f"o-{name}"))
        self.grants.append(opened.grant.id)


def killed_in_a_change(folder: Path, weakening: str) -> None:
    """A sidecar that dies in the middle of a write, and then in the middle of an opening."""
    for call, message in (("WriteFacts", a_write("w", told(), complete=True)), ("Open", an_opening(request_id="o"))):
        sidecar = Running(folder, settings(folder), weakening)
        client = sidecar.client("feed" if call == "WriteFacts" else "dpi")
        assert refusal(client.call, call, message) is grpc.StatusCode.UNAVAILABLE
        assert sidecar.wait() == -signal.SIGKILL
        sidecar.stop()


def leaves_of_changes(sidecar: Running) -> list[str]:
    """What was changed, as the ledger tells it, in order."""
    records = map(json.loads, sidecar.client("auditor").call("ShowRecords", limit=1000).records)
    return [record["what"] for record in records if record["kind"] == "change"]


@pytest.mark.parametrize("moment", ["dies_between_commit_and_leaf", "dies_between_leaf_and_acknowledgement"])
def test_a_change_cut_off_before_its_acknowledgement_has_its_leaf_once_after_the_start(
    folder: Path, moment: str
) -> None:
    killed_in_a_change(folder, moment)
    with running(folder) as sidecar:
        assert leaves_of_changes(sidecar) == ["write_facts", "open_grant"]
        assert sidecar.client().call("CheckAccess", a_check()).reason == "ALLOW_CARE_TEAM"


def test_a_start_that_took_every_change_for_recorded_would_miss_their_leaves(folder: Path) -> None:
    killed_in_a_change(folder, "dies_between_commit_and_leaf")
    with running(folder, weakening="forgets_pending_leaves") as sidecar:
        assert len(leaves_of_changes(sidecar)) < 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_answers_what_is_in_flight_and_leaves_with_0(folder: Path, number: int) -> None:
    with running(folder) as sidecar:
        sidecar.client("feed").call("WriteFacts", a_write("w", told(), complete=True))
        with asking(sidecar, "native", "grpc") as asked:
            changing = Changing(sidecar, 0)
            asked.until_permitted_again()
            os.kill(sidecar.pid, number)
            assert sidecar.wait() == 0, sidecar.said()
            changing.stop()
        # Who comes too late is told so. gRPC itself answers CANCELLED to a call that arrives while it shuts its door.
        assert set(asked.ends) <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
        assert '"event": "stopped"' in sidecar.said()
        assert not (folder / "n/s.sock").exists()
        assert not (folder / "g/s.sock").exists()
    assert recorded(folder / "data").keys() >= set(asked.permits)


def test_a_second_process_on_the_same_data_is_refused_with_a_sentence(folder: Path) -> None:
    with running(folder) as first:
        first.client("feed").call("WriteFacts", a_write("w", told(), complete=True))
        other = folder / "other"
        other.mkdir()
        second = Running(other, settings(other, data=str(folder / "data")))
        assert not second.addresses
        assert second.wait() == 4
        assert f"is in use by another sidecar (process {first.pid}): stop it, or give this one" in second.said()
        assert "Traceback" not in second.said()
        assert first.client().call("CheckAccess", a_check()).reason == "ALLOW_CARE_TEAM"


def test_a_stop_asked_for_as_soon_as_it_answers_is_a_stop_like_any_other(folder: Path) -> None:
    for _ in range(3):
        sidecar = Running(folder, settings(folder))
        assert sidecar.stop() == 0
        assert '"event": "stopped"' in sidecar.said()
