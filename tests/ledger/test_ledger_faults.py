"""Whatever happens to the file, the folder or the disk: nothing acknowledged is lost, and service resumes by itself.

Each fault is also met by a journal with the protection taken out, to see it lose what the protection keeps.
"""

import os
import resource
import shutil
import stat
from contextlib import contextmanager, suppress

import pytest

from sidecar.errors import LedgerUnavailable
from sidecar.ledger import journal as journal_module
from sidecar.ledger.journal import Journal
from tests.ledger.builders import leaves_on_disk
from tests.ledger.disks import ForgettingDisk, HangingDisk, mounts_allowed, small_disk
from tests.ledger.test_journal import kept
from tests.ledger.weakened import RUN, BlindJournal, ForgettingJournal, TrustingJournal, opened


@pytest.fixture(scope="module")
def disk_kind(tmp_path_factory, request):
    """tmpfs where it can be mounted, else a limit on the size of files: printed, so that a run says which."""
    kind = "tmpfs" if mounts_allowed(tmp_path_factory.mktemp("try")) else "limit"
    reporter = request.config.pluginmanager.getplugin("terminalreporter")
    reporter.write_line(f"\na full disk is: {kind}")
    return kind


class Recorder:
    """Appends numbered leaves and remembers those acknowledged."""

    def __init__(self, journal):
        self.journal, self.acknowledged, self.refused = journal, [], []

    def append(self, count=1, size=40, durable=False):
        for _ in range(count):
            leaf = b"%d:" % (len(self.acknowledged) + len(self.refused)) + b"." * size
            try:
                index = self.journal.append([leaf], durable)
            except LedgerUnavailable as fault:
                self.refused.append((leaf, str(fault)))
            else:
                self.acknowledged.append((index, leaf))

    def lost(self, folder) -> int:
        """Leaves acknowledged that are not where they were said to be."""
        on_disk = leaves_on_disk(folder)
        return sum(on_disk.get(index) != leaf for index, leaf in self.acknowledged)


def journal_in(folder, kind=Journal, causes=None, **settings):
    journal = kind(
        folder, RUN, **{"min_free_bytes": 0} | settings, failed=(causes if causes is not None else []).append
    )
    journal.open()
    return journal


# ---- file and folder


def _file_deleted(folder, kind):
    causes = []
    recorder = Recorder(journal_in(folder, kind, causes))
    recorder.append(5)
    (folder / "000001.log").unlink()
    recorder.append(5)
    swallowed, unready = len(recorder.acknowledged) - 5, recorder.journal.trouble
    recorder.journal.tend()
    recorder.append(5)
    recorder.journal.tend()
    return recorder, swallowed, unready, causes


def test_a_deleted_file_takes_no_record_and_what_it_held_comes_back(tmp_path):
    recorder, swallowed, unready, causes = _file_deleted(tmp_path, Journal)
    assert swallowed == 0
    assert [str(fault) for _, fault in recorder.refused] == ["`journal/000001.log` was deleted or moved"] * 5
    assert unready.cause == "file_gone"
    assert causes == ["file_gone"] * 5
    assert recorder.journal.trouble is None
    assert len(recorder.acknowledged) == 10
    assert recorder.lost(tmp_path) == 0


def test_without_looking_at_each_write_a_deleted_file_would_swallow_records(tmp_path):
    assert _file_deleted(tmp_path, TrustingJournal)[1] == 5


def test_without_moving_them_the_records_of_a_deleted_file_would_be_lost(tmp_path):
    assert _file_deleted(tmp_path, ForgettingJournal)[0].lost(tmp_path) == 5


def test_a_deleted_folder_takes_no_record_until_it_is_put_back(tmp_path):
    folder = tmp_path / "journal"
    recorder = Recorder(journal_in(folder))
    recorder.append(5)
    shutil.rmtree(folder)
    recorder.append(3)
    for _ in range(3):
        recorder.journal.tend()
        assert not recorder.journal.trouble.sentence.isspace()
        recorder.append()
    assert not folder.exists()  # made by nobody: it may be a disk that is not mounted
    assert recorder.journal.trouble.cause == "folder_gone"
    folder.mkdir()
    recorder.journal.tend()
    recorder.append(5)
    assert len(recorder.refused) == 6
    assert len(recorder.acknowledged) == 10
    assert recorder.lost(folder) == 0


def test_a_folder_moved_away_is_noticed_and_its_return_too(tmp_path):
    folder, away = tmp_path / "journal", tmp_path / "away"
    recorder = Recorder(journal_in(folder))
    recorder.append(5)
    folder.rename(away)
    recorder.journal.tend()
    recorder.append(2)
    assert recorder.journal.trouble.cause == "folder_gone"
    away.rename(folder)
    recorder.journal.tend()
    recorder.append(5)
    assert (len(recorder.refused), recorder.lost(folder)) == (2, 0)


def test_without_looking_a_folder_moved_away_would_go_unnoticed(tmp_path):
    folder = tmp_path / "journal"
    recorder = Recorder(journal_in(folder, BlindJournal))
    folder.rename(tmp_path / "away")
    recorder.journal.tend()
    recorder.append(5)
    assert recorder.journal.trouble is None
    assert recorder.lost(folder) == 5


def test_a_folder_that_another_process_took_meanwhile_is_not_shared(tmp_path):
    folder = tmp_path / "journal"
    recorder = Recorder(journal_in(folder))
    shutil.rmtree(folder)
    other = opened(folder)
    recorder.append()
    recorder.journal.tend()
    assert "another process holds" in recorder.journal.trouble.sentence
    other.append([b"theirs"])
    other.close()
    recorder.journal.tend()
    assert recorder.journal.trouble.sentence == "`journal/000001.log` is another program's file: move it away"
    recorder.append()
    assert leaves_on_disk(folder) == {0: b"theirs"}


def test_a_replaced_file_is_left_alone_until_it_is_moved_away(tmp_path):
    recorder = Recorder(journal_in(tmp_path))
    recorder.append(5)
    path = tmp_path / "000001.log"
    path.unlink()
    path.write_text("somebody else's " * 9)
    recorder.append(2)
    recorder.journal.tend()
    assert recorder.journal.trouble.sentence == "`journal/000001.log` is another program's file: move it away"
    recorder.append()
    assert path.read_text() == "somebody else's " * 9
    path.rename(tmp_path / "theirs")
    recorder.journal.tend()
    recorder.append(5)
    assert (len(recorder.refused), recorder.lost(tmp_path)) == (3, 0)


def test_a_file_moved_away_is_noticed_by_the_next_look(tmp_path):
    recorder = Recorder(journal_in(tmp_path))
    recorder.append(5)
    (tmp_path / "000001.log").rename(tmp_path / "rotated.1")
    recorder.journal.tend()
    recorder.append()
    recorder.journal.tend()
    recorder.append(5)
    assert [fault for _, fault in recorder.refused] == ["`journal/000001.log` was deleted or moved"]
    assert recorder.lost(tmp_path) == 0


def test_a_file_another_program_writes_in_takes_no_more_records(tmp_path):
    recorder = Recorder(journal_in(tmp_path))
    recorder.append(5)
    with (tmp_path / "000001.log").open("ab") as file:
        file.write(b"a line of somebody else\n")
    recorder.append()
    assert recorder.journal.trouble.cause == "file_changed"
    recorder.journal.tend()
    recorder.append(5)
    assert (len(recorder.refused), recorder.lost(tmp_path)) == (1, 0)
    assert [data for _, data in recorder.acknowledged] == kept(recorder.journal)


def test_without_the_protection_a_foreign_line_would_hide_the_records_after_it(tmp_path):
    recorder = Recorder(journal_in(tmp_path, TrustingJournal))
    recorder.append(5)
    with (tmp_path / "000001.log").open("ab") as file:
        file.write(b"a line of somebody else\n")
    recorder.append(5)
    assert recorder.lost(tmp_path) == 5


# ---- full, low, read-only


@contextmanager
def _room_of(folder, disk_kind):
    """A folder whose disk can be filled: yields it with a context manager during which nothing more fits."""
    if disk_kind == "tmpfs":
        with small_disk(folder):
            yield folder, _filled(folder)
    else:
        folder.mkdir()
        yield folder, _limited(folder)


@contextmanager
def _filled(folder):
    with (folder / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            continue
    yield
    (folder / "filler").unlink()


def _free(folder, count):
    """Room for part of a burst; a limit on file sizes leaves some by itself."""
    filler = folder / "filler"
    if filler.exists():
        os.truncate(filler, filler.stat().st_size - count)


@contextmanager
def _limited(folder):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(path.stat().st_size for path in folder.glob("*.log"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 5_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


class BelievingJournal(Journal):
    """The protection off: takes a short write for a whole one, and a refused one too."""

    def _write(self, data):
        with suppress(OSError):
            os.write(self._file, data)


def _disk_full(folder, full, kind):
    recorder = Recorder(journal_in(folder, kind))
    recorder.append(5)
    with full:
        recorder.append(300, size=2000)
        unready = recorder.journal.trouble
        recorder.journal.tend()
        recorder.append(1, size=6000)
    recorder.journal.tend()
    recorder.append(20)
    recorder.journal.tend()
    return recorder, unready


def test_a_full_disk_takes_no_part_of_a_record_and_room_made_is_enough(tmp_path, disk_kind):
    with _room_of(tmp_path / "disk", disk_kind) as (folder, full):
        recorder, unready = _disk_full(folder, full, Journal)
        assert unready.cause == "disk_full"
        assert recorder.refused[0][1] == "the journal's disk is full: make room"
        assert recorder.journal.trouble is None
        assert recorder.lost(folder) == 0
        recorder.journal.close()
        assert opened(folder).notices == []


def test_a_burst_the_disk_took_in_part_leaves_nothing_for_a_restart_to_find(tmp_path, disk_kind):
    with _room_of(tmp_path / "disk", disk_kind) as (folder, full):
        journal = journal_in(folder)
        journal.append([b"a", b"b"])
        with full, pytest.raises(LedgerUnavailable):
            _free(folder, 8192)
            journal.append([b"%d" % n + b"." * 400 for n in range(60)])
        journal._release()  # as a process that dies gives its files back
        again = opened(folder)
        assert (kept(again), again.notices) == ([b"a", b"b"], [])


def test_without_the_protection_a_full_disk_would_lose_records(tmp_path, disk_kind):
    with _room_of(tmp_path / "disk", disk_kind) as (folder, full):
        recorder, _ = _disk_full(folder, full, BelievingJournal)
        assert recorder.lost(folder) > 0


def _running_low(folder, floor):
    """Appends until one is refused: who recorded, and the cause of the refusal."""
    causes = []
    recorder = Recorder(journal_in(folder, causes=causes, min_free_bytes=floor))
    while not recorder.refused:
        recorder.append(5, size=2000)
        recorder.journal.tend()
    return recorder, causes[0]


def test_a_disk_that_is_low_at_start_takes_no_record(tmp_path):
    recorder = Recorder(journal_in(tmp_path, min_free_bytes=1 << 60))
    assert recorder.journal.trouble.cause == "disk_low"
    recorder.append()
    assert not recorder.acknowledged


def test_a_disk_running_low_is_said_before_it_is_full(tmp_path, disk_kind):
    if disk_kind == "limit":
        assert _running_low(tmp_path, 1 << 60)[1] == "disk_low"
        return
    with small_disk(tmp_path / "disk") as remount:
        recorder, cause = _running_low(tmp_path / "disk", 200_000)
        assert cause == "disk_low"
        files = list((tmp_path / "disk").glob("*.log"))
        remount("size=2m")
        recorder.journal.tend()
        recorder.append(5)
        assert recorder.journal.trouble is None
        assert list((tmp_path / "disk").glob("*.log")) == files  # the file was whole: the same one goes on
        assert recorder.lost(tmp_path / "disk") == 0


def test_without_a_floor_the_first_to_know_of_a_full_disk_would_be_a_record(tmp_path, disk_kind):
    with _room_of(tmp_path / "disk", disk_kind) as (folder, full):
        recorder = Recorder(journal_in(folder))
        recorder.append()
        with full:
            recorder.journal.tend()
            assert recorder.journal.trouble is None
            recorder.append(5, size=6000)
            assert recorder.journal.trouble.cause == "disk_full"


def _turn_read_only(journal, folder):
    """A disk is remounted read-only only when nobody writes on it."""
    os.close(journal._file)
    journal._file = os.open(folder / "000001.log", os.O_RDONLY)


def test_a_disk_that_turns_read_only_takes_no_record_until_it_is_writable(tmp_path, disk_kind):
    if disk_kind == "limit":
        recorder = Recorder(journal_in(tmp_path))
        _turn_read_only(recorder.journal, tmp_path)
        recorder.append()
        recorder.journal.tend()
        recorder.append(5)
        assert (len(recorder.refused), recorder.lost(tmp_path)) == (1, 0)
        return
    with small_disk(tmp_path / "disk", "4m") as remount:
        folder = tmp_path / "disk" / "journal"
        recorder = Recorder(journal_in(folder))
        recorder.append(5)
        _turn_read_only(recorder.journal, folder)
        remount("ro")
        recorder.append(3)
        recorder.journal.tend()
        recorder.append()
        assert "Read-only file system" in recorder.journal.trouble.sentence
        remount("rw")
        recorder.journal.tend()
        recorder.append(5)
        assert (len(recorder.refused), recorder.lost(folder)) == (4, 0)
        recorder.journal.close()
        remount("ro")
        with pytest.raises(LedgerUnavailable, match="cannot be written: Read-only file system"):
            opened(folder)


# ---- flushes


def _failing_flush(folder, kind):
    disk = ForgettingDisk()
    recorder = Recorder(journal_in(folder, kind, sync_file=disk))
    recorder.append(5)
    recorder.journal.tend()
    recorder.append(5)
    disk.broken = True
    recorder.journal.tend()
    unready = recorder.journal.trouble
    recorder.append(3)
    recorder.journal.tend()
    disk.broken = False
    recorder.journal.tend()
    recorder.append(5, durable=True)
    return recorder, unready


def test_after_a_failed_flush_the_file_is_never_trusted_again_and_nothing_acknowledged_is_lost(tmp_path):
    recorder, unready = _failing_flush(tmp_path, Journal)
    assert unready.sentence == "the journal's disk failed to store what was written: Input/output error"
    assert len(recorder.refused) == 3
    assert len(recorder.acknowledged) == 15
    assert recorder.lost(tmp_path) == 0
    assert (tmp_path / "000002.log").exists()
    recorder.journal.close()
    assert opened(tmp_path).size == 15


def test_without_writing_it_again_a_failed_flush_would_lose_records(tmp_path):
    recorder, _ = _failing_flush(tmp_path, ForgettingJournal)
    assert recorder.lost(tmp_path) > 0


def test_what_came_through_a_failed_flush_is_on_disk_when_service_resumes(tmp_path):
    disk = ForgettingDisk()
    recorder = Recorder(journal_in(tmp_path, sync_file=disk))
    recorder.append(5)
    recorder.journal.tend()
    recorder.append(5)
    disk.broken = True
    recorder.journal.tend()
    disk.broken = False
    recorder.journal.tend()
    disk.lose_power(tmp_path)
    assert recorder.journal.trouble is None
    assert recorder.lost(tmp_path) == 0


def test_a_durable_append_whose_flush_fails_is_not_acknowledged(tmp_path):
    disk = ForgettingDisk()
    recorder = Recorder(journal_in(tmp_path, sync_file=disk))
    disk.broken = True
    recorder.append(durable=True)
    assert (len(recorder.acknowledged), len(recorder.refused)) == (0, 1)


def test_a_disk_that_hangs_is_not_outrun_and_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(journal_module, "MOST_UNSYNCED", 50_000)
    disk = HangingDisk()
    journal = journal_in(tmp_path, sync_file=disk, flush_s=0.01)
    recorder = Recorder(journal)
    disk.free.clear()
    journal.start()
    recorder.append(100, size=1000)
    assert journal.trouble.cause == "disk_slow"
    assert 40 < len(recorder.acknowledged) < 60
    disk.free.set()
    while journal.trouble is not None:
        journal.sync(0)
    recorder.append(5)
    journal.close()
    assert recorder.lost(tmp_path) == 0
    assert len(list(tmp_path.glob("*.log"))) == 1


def test_a_rotation_that_fails_keeps_what_was_acknowledged(tmp_path):
    disk = ForgettingDisk()
    recorder = Recorder(journal_in(tmp_path, sync_file=disk, segment_bytes=300))
    recorder.append(6)
    disk.broken = True
    recorder.append(3)
    disk.broken = False
    recorder.journal.tend()
    recorder.append(20)
    assert recorder.refused
    assert recorder.lost(tmp_path) == 0


def test_a_fresh_segment_whose_name_was_not_stored_is_begun_again(tmp_path):
    def failing(file):
        if failing.on and stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(5, "Input/output error")

    failing.on = False
    recorder = Recorder(journal_in(tmp_path, sync_file=failing, segment_bytes=300))
    failing.on = True
    recorder.append(9)
    recorder.journal.tend()
    assert recorder.journal.trouble.cause == "io"
    failing.on = False
    recorder.journal.tend()
    recorder.append(9)
    assert recorder.refused
    assert recorder.lost(tmp_path) == 0


def test_a_fault_nobody_foresaw_in_the_background_stops_the_permits(tmp_path):
    def surprising(_file):
        if surprising.on:
            raise RuntimeError("surprise")

    surprising.on = False
    journal = journal_in(tmp_path, sync_file=surprising, flush_s=0.01)
    recorder = Recorder(journal)
    recorder.append()
    surprising.on = True
    journal.start()
    while journal.trouble is None:
        os.sched_yield()
    recorder.append()
    assert recorder.refused[0][1] == "the journal could not be flushed: RuntimeError"
    surprising.on = False
    while journal.trouble is not None:
        os.sched_yield()
    recorder.append()
    journal.close()
    assert recorder.lost(tmp_path) == 0
