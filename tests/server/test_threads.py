"""A whole sidecar: its threads that need the interpreter share one processor, unless the settings say otherwise."""

import os
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from sidecar.api.one_processor import processors
from sidecar.server import Sidecar
from tests.server.process import settings

PLACED = {"native-checks", "native-helper", "ledger-flush", "ledger-tree"}


@pytest.mark.parametrize("kept", [True, False])
def test_transports_and_ledger_share_one_processor_unless_told_otherwise(folder: Path, kept: bool) -> None:
    before, asked = set(threading.enumerate()), settings(folder, data=str(folder / "data"))
    sidecar = Sidecar(replace(asked, listen=replace(asked.listen, one_processor=kept)))
    sidecar.start()
    try:
        mine = {each.name: each.native_id or 0 for each in set(threading.enumerate()) - before if each.name in PLACED}
        assert mine.keys() == PLACED
        found = {name: os.sched_getaffinity(thread) for name, thread in mine.items()}
        several = len(processors()) > 1
        assert len(set(map(frozenset, found.values()))) == 1, found
        assert {len(each) for each in found.values()} == ({1} if kept else {len(processors())})
        batch = {name for name, thread in mine.items() if os.sched_getscheduler(thread) == os.SCHED_BATCH}
        assert batch == ({"ledger-flush", "ledger-tree"} if kept and several else set())
    finally:
        sidecar.stop()
