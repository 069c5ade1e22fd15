"""The tree keeps up with the journal, says when it cannot, and never goes on over records that were lost.

Each protection is also taken out, to see what it keeps.
"""

import shutil
import threading

import pytest

from sidecar.core import checkpoint, merkle
from sidecar.core.checkpoint import SigningKey
from sidecar.errors import LedgerUnavailable
from sidecar.ledger.book import Book
from sidecar.ledger.tree import Tree
from sidecar.ledger.tree_files import TreeFiles
from sidecar.ledger.tree_keeper import Keeper
from tests.ledger.builders import frames_on_disk
from tests.ledger.disks import mounts_allowed, small_disk
from tests.ledger.weakened import opened

KEY = SigningKey("chu", bytes(range(32)))
KEYS = [KEY.public]
NOW = 1_790_000_000


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self):
        self.seconds = 0.0

    def ticks(self):
        return self.seconds

    def now(self):
        return (NOW + int(self.seconds)) * 1_000_000


class Ledger:
    """A journal and its tree in one folder, tended by hand."""

    def __init__(self, folder, keeper=Keeper, **settings):
        self.folder, self.clock = folder, Clock()
        self.journal = opened(folder / "journal", **settings)
        self.tree = Tree(folder / "tree", "chu")
        self.keeper = keeper(
            self.tree, self.journal, lambda: [KEY], lambda: KEYS, self.clock.now, ticks=self.clock.ticks
        )
        try:
            self.notices = self.keeper.open()
        except LedgerUnavailable:
            self.journal.close()
            raise
        self.book = Book(self.journal, self.tree)

    def append(self, count, size=40):
        start = self.journal.size
        for n in range(start, start + count):
            self.journal.append([b"%d:" % n + b"." * size])

    def round(self, seconds=2.0):
        """What the background threads do, `seconds` later."""
        self.clock.seconds += seconds
        self.journal.tend()
        self.keeper.tend()

    def leaves(self, start=0):
        return [leaf for _, leaf in self.book.leaves(start)]

    def close(self):
        self.keeper.close()
        self.journal.close()


def head_of(folder):
    return checkpoint.opened((folder / "tree/checkpoint").read_bytes(), KEYS)


def numbers(leaves):
    return [int(leaf.split(b":")[0]) for leaf in leaves]


def test_the_checkpoint_follows_the_journal_and_covers_what_is_on_disk_alone(tmp_path):
    ledger = Ledger(tmp_path)
    assert head_of(tmp_path).size == 0
    ledger.append(300)
    ledger.clock.seconds += 2
    ledger.keeper.tend()
    assert head_of(tmp_path).size == 0  # nothing was flushed: a machine that stops would lose it
    ledger.round()
    assert head_of(tmp_path).root == merkle.root(merkle.leaf_hashes(ledger.leaves()))
    ledger.append(5)
    ledger.round(0.1)
    assert head_of(tmp_path).size == 300  # not yet its time
    ledger.round(1)
    assert head_of(tmp_path).size == 305
    ledger.close()


def test_an_idle_ledger_says_that_it_is_alive(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(3)
    ledger.round()
    first = checkpoint.signed_at((tmp_path / "tree/checkpoint").read_bytes(), KEYS)
    ledger.round(30)
    assert checkpoint.signed_at((tmp_path / "tree/checkpoint").read_bytes(), KEYS) == first
    ledger.round(31)
    assert checkpoint.signed_at((tmp_path / "tree/checkpoint").read_bytes(), KEYS) == first + 61
    ledger.close()


def test_what_is_signed_is_stored_once_and_read_from_wherever_it_is(tmp_path):
    ledger = Ledger(tmp_path, segment_bytes=5000)
    for _ in range(20):
        ledger.append(70)
        ledger.round()
        assert numbers(ledger.leaves()) == list(range(ledger.journal.size))
    assert ledger.journal.first > 1000
    assert ledger.tree.whole == 1400 // 256 * 256 >= ledger.journal.first
    for start in (0, 255, 256, 1279, 1280, 1399, 1400):
        assert numbers(ledger.leaves(start)) == list(range(start, 1400))
    ledger.close()
    again = Ledger(tmp_path, segment_bytes=5000)
    assert numbers(again.leaves()) == list(range(1400))
    again.close()


def test_a_reader_that_is_overtaken_by_the_tree_misses_no_record(tmp_path):
    ledger = Ledger(tmp_path, segment_bytes=5000)
    ledger.append(600)
    reading = ledger.book.leaves(0)
    found = [next(reading) for _ in range(10)]
    ledger.append(600)
    ledger.round()
    assert ledger.journal.first > 10
    assert [index for index, _ in (*found, *reading)] == list(range(600))
    ledger.close()


def test_a_kept_tree_and_readers_in_threads_of_their_own_agree(tmp_path):
    ledger = Ledger(tmp_path, segment_bytes=20_000, flush_s=0.002)
    ledger.journal.start()
    keeper = Keeper(
        ledger.tree, ledger.journal, lambda: [KEY], lambda: KEYS, ledger.clock.now, every_s=0.01, look_s=0.002
    )
    keeper.start()
    wrong = []

    def read():
        while not wrong and ledger.journal.size < 6000:
            try:
                found = numbers(ledger.leaves(max(ledger.journal.size - 3000, 0)))
            except LedgerUnavailable as fault:
                wrong.append(str(fault))
                return
            if found != list(range(found[0], found[0] + len(found))) if found else False:
                wrong.append(found)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(60):
        ledger.append(100, size=100)
    for reader in readers:
        reader.join()
    ledger.journal.flush()
    keeper.close()
    ledger.journal.close()
    assert not wrong
    assert head_of(tmp_path).size == 6000
    assert len(list((tmp_path / "journal").glob("*.log"))) < 5


def test_a_start_signs_what_the_last_run_left_unsigned(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(400)
    ledger.journal.close()  # as a process that dies: nothing signs
    again = Ledger(tmp_path)
    assert head_of(tmp_path).size == 400
    again.close()


def test_a_ledger_from_before_there_was_a_tree_gets_one(tmp_path):
    journal = opened(tmp_path / "journal")
    journal.append([b"%d:" % n for n in range(300)])
    journal.close()
    ledger = Ledger(tmp_path)
    assert ledger.notices == ["the tree was made anew over the 300 records of the journal"]
    assert head_of(tmp_path).size == 300
    ledger.close()


# ---- records taken away


class TrustingKeeper(Keeper):
    """The protection off: goes on with whatever journal it finds."""

    def _compare(self):
        return None


def _restored(folder, keeper=Keeper):
    """A journal put back from an older copy under a newer tree: leaves signed that the ledger no longer has."""
    ledger = Ledger(folder)
    ledger.append(100)
    ledger.journal.flush()
    shutil.copytree(folder / "journal", folder / "copy")
    ledger.append(100)
    ledger.round()
    signed = ledger.leaves()
    ledger.close()
    shutil.rmtree(folder / "journal")
    (folder / "copy").rename(folder / "journal")
    again = Ledger(folder, keeper)
    again.append(110, size=30)  # other records in the places of those that were signed
    again.round()
    kept = again.leaves()
    again.close()
    return sum(leaf not in kept for leaf in signed)


def test_a_journal_that_lost_what_was_signed_is_refused(tmp_path):
    with pytest.raises(LedgerUnavailable, match=r"ends at record 100, and `tree/checkpoint` was signed over 200"):
        _restored(tmp_path)


def test_without_the_comparison_signed_records_would_be_lost_unsaid(tmp_path):
    assert _restored(tmp_path, TrustingKeeper) > 0


def _forked(folder, keeper=Keeper):
    ledger = Ledger(folder)
    ledger.append(100)
    ledger.journal.flush()
    shutil.copytree(folder / "journal", folder / "copy")
    ledger.append(100)
    ledger.round()
    ledger.close()
    shutil.rmtree(folder / "journal")
    (folder / "copy").rename(folder / "journal")
    other = opened(folder / "journal")
    for n in range(100, 250):
        other.append([b"%d:another history" % n])
    other.close()
    again = Ledger(folder, keeper)
    again.close()
    return again


def test_a_journal_with_another_history_than_the_signed_one_is_refused(tmp_path):
    with pytest.raises(LedgerUnavailable, match="record 100 of the journal is not the one that was signed"):
        _forked(tmp_path)


def test_without_the_comparison_another_history_would_be_signed_on(tmp_path):
    ledger = _forked(tmp_path, TrustingKeeper)
    signed = TreeFiles(tmp_path / "tree").entries(0, ledger.tree.signed.size)
    recorded = frames_on_disk(tmp_path / "journal")
    assert sum(entry != leaf for entry, leaf in zip(signed, recorded, strict=True)) > 0


def test_a_tree_that_is_gone_is_refused_when_the_journal_no_longer_has_its_records(tmp_path):
    ledger = Ledger(tmp_path, segment_bytes=5000)
    ledger.append(1000)
    ledger.round()
    ledger.close()
    shutil.rmtree(tmp_path / "tree")
    with pytest.raises(LedgerUnavailable, match="the records between are missing: put"):
        Ledger(tmp_path, segment_bytes=5000)


def test_a_segment_goes_only_when_every_record_of_it_is_in_a_bundle_under_a_checkpoint_on_disk(tmp_path):
    ledger = Ledger(tmp_path, segment_bytes=5000)
    while ledger.journal.size < 900:
        ledger.append(37)
        ledger.round()
        on_disk = head_of(tmp_path).size
        assert ledger.journal.first <= on_disk - on_disk % 256
        assert (tmp_path / "tree/tile/entries/000").exists() == (on_disk >= 256)
    ledger.close()


# ---- a tree that cannot be written


def test_records_that_cannot_be_signed_stop_the_permits_in_the_end_and_go_on_by_themselves(tmp_path):
    assert mounts_allowed(tmp_path / "trial"), "a small disk cannot be mounted: run this as root"
    with small_disk(tmp_path / "tree", "256k"):
        ledger = Ledger(tmp_path)
        filler = tmp_path / "tree/filler"
        with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
            while True:
                file.write(bytes(4096))
        ledger.append(600)
        ledger.round()
        assert ledger.keeper.fault == "`tree/` cannot be written: No space left on device"
        ledger.append(1)  # recorded is recorded: for a while it may stay unsigned
        ledger.round(61)
        assert ledger.journal.trouble.cause == "unsigned"
        with pytest.raises(LedgerUnavailable, match="records cannot be signed: `tree/` cannot be written"):
            ledger.append(1)
        filler.unlink()
        ledger.round()
        assert (ledger.keeper.fault, ledger.journal.trouble) == (None, None)
        ledger.append(1)
        ledger.round()
        assert head_of(tmp_path).size == 602
        ledger.close()


class UnjudgedKeeper(Keeper):
    """The protection off: nobody minds that records stay unsigned."""

    def _judge(self):
        return None


def _unsigned(folder, keeper):
    """Records taken two hours after the last checkpoint, with a tree that cannot be written."""
    ledger = Ledger(folder, keeper)
    ledger.append(10)
    ledger.round()
    shutil.rmtree(folder / "tree")
    (folder / "tree").write_text("in the way")
    taken = 0
    for _ in range(120):
        ledger.round(60)
        try:
            ledger.append(1)
        except LedgerUnavailable:
            continue
        taken += 1
    ledger.journal.close()
    return taken


def test_records_stay_unsigned_for_a_bounded_time(tmp_path):
    assert _unsigned(tmp_path, Keeper) <= 2


def test_without_the_bound_records_would_stay_unsigned_for_ever(tmp_path):
    assert _unsigned(tmp_path, UnjudgedKeeper) == 120


def test_a_tree_folder_that_is_deleted_is_noticed_and_never_made_anew(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(300)
    ledger.round()
    (tmp_path / "tree").rename(tmp_path / "away")
    ledger.append(1)
    ledger.round()
    assert "is missing: put it back" in ledger.keeper.fault
    assert not (tmp_path / "tree/checkpoint").exists()
    shutil.rmtree(tmp_path / "tree", ignore_errors=True)
    (tmp_path / "away").rename(tmp_path / "tree")
    ledger.round()
    assert ledger.keeper.fault is None
    assert head_of(tmp_path).size == 301
    ledger.close()


def test_a_checkpoint_that_is_deleted_or_replaced_is_there_again_at_the_next_one(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(3)
    ledger.round()
    (tmp_path / "tree/checkpoint").unlink()
    ledger.round(61)
    assert head_of(tmp_path).size == 3
    ledger.close()
