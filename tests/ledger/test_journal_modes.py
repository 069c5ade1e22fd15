"""When a leaf is acknowledged, in each mode, and that nobody waits for a disk without end."""

import subprocess
import sys
import threading

import pytest

from sidecar.errors import LedgerUnavailable
from sidecar.ledger.journal import Journal
from tests.ledger.builders import frames_on_disk
from tests.ledger.disks import HangingDisk, mounts_allowed, small_disk
from tests.ledger.test_journal import ROOT, kept
from tests.ledger.test_ledger_faults import Recorder, journal_in

# ---- buffered


def test_a_buffered_leaf_is_written_with_the_next_flush_and_read_at_once(tmp_path):
    journal = journal_in(tmp_path, buffered=True)
    assert [journal.append([b"a"]), journal.append([b"b", b"c"])] == [0, 1]
    assert frames_on_disk(tmp_path) == []
    assert kept(journal) == [b"a", b"b", b"c"]  # reading writes what waits
    journal.append([b"d"])
    journal.tend()
    assert frames_on_disk(tmp_path) == [b"a", b"b", b"c", b"d"]
    assert journal.synced == 4
    journal.close()


def test_a_durable_leaf_takes_those_before_it_with_it(tmp_path):
    journal = journal_in(tmp_path, buffered=True)
    journal.append([b"a", b"b"])
    assert journal.append([b"change"], durable=True) == 2
    assert frames_on_disk(tmp_path) == [b"a", b"b", b"change"]
    assert journal.synced == 3
    journal.close()


def test_what_is_buffered_is_there_after_a_stop_and_after_a_rotation(tmp_path):
    journal = journal_in(tmp_path, buffered=True, segment_bytes=100)
    leaves = [b"%d" % n for n in range(50)]
    for leaf in leaves:
        journal.append([leaf])
        if leaf.endswith(b"7"):
            journal.tend()
    journal.close()
    assert frames_on_disk(tmp_path) == leaves
    assert len(list(tmp_path.glob("*.log"))) > 2


def test_buffered_leaves_outlive_a_full_disk(tmp_path):
    assert mounts_allowed(tmp_path / "trial"), "a small disk cannot be mounted: run this as root"
    with small_disk(tmp_path / "disk") as _:
        folder = tmp_path / "disk"
        recorder = Recorder(journal_in(folder, buffered=True))
        recorder.append(5)
        recorder.journal.tend()
        with (folder / "filler").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
            while True:
                file.write(bytes(4096))
        recorder.append(20, size=2000)
        recorder.journal.tend()
        assert recorder.journal.trouble.cause == "disk_full"
        recorder.append(3)
        assert len(recorder.refused) == 3
        (folder / "filler").unlink()
        recorder.journal.tend()
        recorder.append(5)
        recorder.journal.tend()
        assert recorder.lost(folder) == 0
        recorder.journal.close()


def test_a_buffered_journal_takes_no_more_than_it_may_lose(tmp_path, monkeypatch):
    monkeypatch.setattr("sidecar.ledger.journal.MOST_UNSYNCED", 5000)
    recorder = Recorder(journal_in(tmp_path, buffered=True))
    recorder.append(10, size=1000)
    assert (len(recorder.acknowledged), recorder.journal.trouble.cause) == (5, "disk_slow")
    for _ in range(2):
        recorder.journal.tend()
    recorder.append(1)
    recorder.journal.tend()
    assert recorder.lost(tmp_path) == 0


BUFFERED_WRITER = """
import sys
from pathlib import Path
from sidecar.ledger.journal import Journal
journal = Journal(Path(sys.argv[1]), b"w" * 12, min_free_bytes=0, flush_s=3600, buffered=True)
journal.open()
journal.start()
for index in range(int(sys.argv[2])):
    journal.append([b"%d:" % index + b"." * 100], durable=index % 10 == 9)
print("acknowledged", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("count", [9, 10, 27])
def test_kill_9_takes_from_a_buffered_journal_what_came_since_its_last_flush_and_nothing_durable(tmp_path, count):
    child = subprocess.Popen(
        [sys.executable, "-c", BUFFERED_WRITER, str(tmp_path), str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert child.stdout.readline() == "acknowledged\n"
    child.kill()
    child.communicate()
    # The window the mode is documented with: what a journal that does not buffer keeps is lost here.
    assert len(frames_on_disk(tmp_path)) == count // 10 * 10


# ---- a disk that holds everybody up


class PatientJournal(Journal):
    """The protection off: waits for the disk for as long as it takes."""

    def _overdue(self):
        return False


def _acknowledged_while_hung(folder, kind):
    """Leaves acknowledged after the disk has not answered for the deadline."""
    disk = HangingDisk()
    journal = journal_in(folder, kind, sync_file=disk, flush_s=0.005, deadline_s=0.05)
    recorder = Recorder(journal)
    recorder.append(5)
    journal.start()
    while journal.synced < 5:
        threading.Event().wait(0.001)
    disk.free.clear()
    recorder.append(1, durable=True)  # returns: refused, once the deadline has passed
    assert len(recorder.refused) == 1
    before = len(recorder.acknowledged)
    recorder.append(20)
    hung, trouble = len(recorder.acknowledged) - before, journal.trouble
    disk.free.set()
    while journal.trouble is not None:
        threading.Event().wait(0.001)
    recorder.append(5)
    recorder.append(1, durable=True)
    journal.close()
    # The leaf that was refused is kept all the same: it was written, and nobody was told.
    assert [leaf for _, leaf in recorder.acknowledged if leaf not in frames_on_disk(folder)] == []
    return hung, trouble


def test_a_disk_that_does_not_answer_fails_the_calls_that_wait_and_all_after_them(tmp_path):
    hung, trouble = _acknowledged_while_hung(tmp_path, Journal)
    assert hung == 0
    assert trouble.sentence == ("the journal's disk stores more slowly than records come: look for what holds it up")


def test_without_the_deadline_a_disk_that_does_not_answer_would_go_unseen(tmp_path):
    hung, trouble = _acknowledged_while_hung(tmp_path, PatientJournal)
    assert (hung, trouble) == (20, None)


def test_a_write_that_hangs_fails_the_others_in_time(tmp_path):
    journal = journal_in(tmp_path, deadline_s=0.05)
    refused = []
    with journal._writing:  # as the thread whose write does not come back holds it
        for _ in range(3):
            with pytest.raises(LedgerUnavailable, match="stores more slowly") as caught:
                journal.append([b"a"])
            refused.append(caught)
    assert len(refused) == 3
    assert journal.append([b"a"]) == 0
    journal.close()


def test_many_durable_appends_share_the_flushes(tmp_path):
    flushes = []

    def counting(file):
        flushes.append(file)
        HangingDisk()(file)

    journal = journal_in(tmp_path, sync_file=counting, flush_s=3600)
    journal.start()
    before = len(flushes)
    started = threading.Barrier(16)

    def work():
        started.wait()
        for _ in range(10):
            journal.append([b"x" * 50], durable=True)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journal.synced == journal.size == 160
    assert len(flushes) - before < 160
    journal.close()
