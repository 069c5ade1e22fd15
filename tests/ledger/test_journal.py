"""The journal keeps what it acknowledged, in order, through restarts and crashes, and says when it cannot."""

import os
import subprocess
import sys
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.errors import LedgerUnavailable
from sidecar.ledger import segment
from tests.ledger.builders import frames_on_disk
from tests.ledger.weakened import RUN, opened

ROOT = Path(__file__).parent.parent.parent
KILLS = 100 if os.environ.get("SOAK") else 8


def kept(journal, start=0):
    return [data for _, data in journal.leaves(start)]


def leaves_of(count, size=20):
    return [f"{n}:".encode().ljust(size, b".") for n in range(count)]


def test_the_index_of_a_leaf_is_its_place(tmp_path):
    journal = opened(tmp_path)
    assert [journal.append([b"a", b"b"]), journal.append([b"c"]), journal.append([b"d"], durable=True)] == [0, 2, 3]
    assert list(journal.leaves(1)) == [(1, b"b"), (2, b"c"), (3, b"d")]
    assert frames_on_disk(tmp_path) == [b"a", b"b", b"c", b"d"]
    assert journal.size == 4


def test_a_restart_goes_on_where_the_last_run_ended(tmp_path):
    for n in range(4):
        journal = opened(tmp_path)
        assert (journal.size, journal.notices) == (n, [])
        assert journal.append([b"%d" % n]) == n
        journal.close()
    assert frames_on_disk(tmp_path) == [b"0", b"1", b"2", b"3"]


def test_a_run_that_records_nothing_leaves_no_file_behind(tmp_path):
    for _ in range(3):
        opened(tmp_path).close()
    journal = opened(tmp_path)
    journal.append([b"a"])
    journal.close()
    for _ in range(3):
        opened(tmp_path).close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000001.log", "000002.log"]


def test_a_full_segment_is_followed_by_a_fresh_one(tmp_path):
    leaves = leaves_of(50)
    journal = opened(tmp_path, segment_bytes=200)
    assert [journal.append([leaf]) for leaf in leaves] == list(range(50))
    assert len(list(tmp_path.glob("*.log"))) > 5
    assert kept(journal) == frames_on_disk(tmp_path) == leaves
    assert kept(journal, 33) == leaves[33:]
    journal.close()
    assert opened(tmp_path).size == 50


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=4), st.booleans(), st.booleans())
    )
)
def test_any_history_of_appends_and_restarts_is_read_back(tmp_path_factory, history):
    folder = tmp_path_factory.mktemp("journal")
    journal, expected = opened(folder, segment_bytes=500), []
    for leaves, durable, restart in history:
        assert journal.append(leaves, durable) == len(expected)
        expected += leaves
        if restart:
            journal.close()
            journal = opened(folder, segment_bytes=500)
    assert kept(journal) == frames_on_disk(folder) == expected
    journal.close()


@pytest.mark.parametrize("leaf", [b"", b"x" * (segment.LARGEST_LEAF + 1)], ids=["empty", "too long"])
def test_a_leaf_no_frame_can_hold_is_refused_with_all_that_came_with_it(tmp_path, leaf):
    journal = opened(tmp_path)
    with pytest.raises(LedgerUnavailable, match="does not fit"):
        journal.append([b"a", leaf])
    assert journal.append([b"b"]) == 0


def test_control_characters_and_bytes_that_look_like_frames_split_no_record(tmp_path):
    nasty = [b"\n", b"\r\n\x1b[2K", "\u2028".encode(), b"\0" * 100, segment.MAGIC, segment.frames([b"inner"]) * 2]
    nasty.append(segment.header(9, RUN) + segment.frames([b"a", b"b"]))
    journal = opened(tmp_path)
    for leaf in nasty:
        journal.append([leaf])
    journal.close()
    assert opened(tmp_path).size == len(nasty)
    assert frames_on_disk(tmp_path) == nasty


# ---- crashes


def test_a_journal_cut_at_any_byte_starts_again_with_every_whole_leaf(tmp_path):
    leaves = leaves_of(4, 30)
    journal = opened(tmp_path)
    journal.append(leaves)
    journal.close()
    path = tmp_path / "000001.log"
    data = path.read_bytes()
    ends = list(accumulate([segment.FRAME_BYTES + 30] * 4, initial=segment.HEADER_BYTES))
    for cut in range(segment.HEADER_BYTES, len(data) + 1):
        for other in tmp_path.iterdir():
            other.unlink()
        path.write_bytes(data[:cut])
        journal = opened(tmp_path)
        whole = sum(end <= cut for end in ends) - 1
        assert kept(journal) == leaves[:whole]
        assert journal.append([b"next"]) == whole
        torn = cut - ends[whole]
        told = [f"a torn tail of {torn} bytes was cut from `journal/000001.log`"] if torn else []
        assert journal.notices == told
        if whole:
            assert path.stat().st_size == ends[whole]
        journal.close()


@pytest.mark.parametrize("zeros", [1, 8, 64, 4096])
def test_zeros_at_the_end_are_no_records(tmp_path, zeros):
    journal = opened(tmp_path)
    journal.append([b"a", b"b"])
    journal.close()
    with (tmp_path / "000001.log").open("ab") as file:
        file.write(bytes(zeros))
    journal = opened(tmp_path)
    assert kept(journal) == [b"a", b"b"]
    assert journal.notices == [f"a torn tail of {zeros} bytes was cut from `journal/000001.log`"]


def test_a_flipped_byte_anywhere_is_said_and_never_read_as_a_record(tmp_path):
    leaves = leaves_of(4, 30)
    journal = opened(tmp_path)
    journal.append(leaves)
    journal.close()
    path = tmp_path / "000001.log"
    data = path.read_bytes()
    last = len(data) - 30 - segment.FRAME_BYTES
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
        if at < last:
            with pytest.raises(LedgerUnavailable, match=r"damaged.*put the file back"):
                opened(tmp_path)
        else:  # nothing whole follows: a torn tail
            journal = opened(tmp_path)
            assert journal.notices
            assert kept(journal) == leaves[:3]
            journal.close()
            (tmp_path / "000002.log").unlink()


def test_a_flipped_byte_in_a_closed_segment_is_named_by_its_record(tmp_path):
    journal = opened(tmp_path, segment_bytes=100)
    for leaf in leaves_of(12):
        journal.append([leaf])
    path = tmp_path / "000002.log"
    path.write_bytes(path.read_bytes()[:-3] + b"?..")
    with pytest.raises(LedgerUnavailable, match=r"`journal/000002.log` is damaged: record 5 is not whole"):
        kept(journal)


def test_blocks_the_disk_never_stored_are_cut_and_what_follows_them_is_kept_aside(tmp_path):
    """What a machine that lost its power can leave: a hole of zeros, then later records."""
    leaves = leaves_of(60, 100)
    journal = opened(tmp_path)
    journal.append(leaves)
    journal.close()
    path = tmp_path / "000001.log"
    data = path.read_bytes()
    path.write_bytes(data[:2048] + bytes(1024) + data[3072:])
    journal = opened(tmp_path)
    whole = (2048 - segment.HEADER_BYTES) // 108
    assert kept(journal) == leaves[:whole]
    assert "the machine stopped before the last" in journal.notices[0]
    assert (tmp_path / "000001.cut").read_bytes().endswith(data[3072:])


def test_a_missing_segment_is_said_at_start(tmp_path):
    journal = opened(tmp_path, segment_bytes=100)
    for leaf in leaves_of(20):
        journal.append([leaf])
    journal.close()
    (tmp_path / "000002.log").unlink()
    journal = opened(tmp_path)
    assert journal.notices == ["`journal/000002.log` is missing"]
    assert journal.size == 20
    with pytest.raises(LedgerUnavailable, match="damaged"):
        kept(journal)


def test_a_segment_a_crash_left_half_made_is_made_again(tmp_path):
    journal = opened(tmp_path)
    journal.append([b"a"])
    journal.close()
    (tmp_path / segment.draft(2)).write_bytes(segment.header(1, RUN)[:20])
    journal = opened(tmp_path)
    assert journal.append([b"b"]) == 1
    assert not list(tmp_path.glob("*.new"))


WRITER = """
import sys
from pathlib import Path
from tests.ledger.weakened import {kind} as Kind
journal = Kind(Path(sys.argv[1]), b"w" * 12, min_free_bytes=0, segment_bytes=20_000, flush_s=0.005)
journal.open()
journal.start()
while True:
    index = journal.size
    first = journal.append([b"%d:" % (index + n) + b"." * 300 for n in range(1 + index % 5)], durable=index % 7 == 0)
    print(first, journal.size, flush=True)
"""


def _killed(folder, kind, acknowledgements) -> int:
    """Leaves a child process acknowledged before it was killed."""
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER.format(kind=kind), str(folder)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    acknowledged = 0
    for _ in range(acknowledgements):
        _first, acknowledged = map(int, child.stdout.readline().split())
    child.kill()
    rest = child.stdout.read().splitlines()
    child.wait()
    child.stdout.close()
    whole = [line.split() for line in rest if len(line.split()) == 2]
    return max([acknowledged, *(int(size) for _, size in whole[:-1])])


def test_kill_9_loses_no_acknowledged_leaf_and_leaves_at_most_one_torn_tail(tmp_path):
    for n in range(KILLS):
        acknowledged = _killed(tmp_path, "Journal", 1 + 17 * n % 140)
        journal = opened(tmp_path)
        assert len(journal.notices) <= 1
        assert journal.size >= acknowledged
        assert [data.split(b":")[0] for data in kept(journal)] == [b"%d" % index for index in range(journal.size)]
        journal.close()


def test_a_journal_that_acknowledged_from_memory_would_lose_leaves(tmp_path):
    lost = 0
    for n in range(3):
        folder = tmp_path / str(n)
        acknowledged = _killed(folder, "RememberingJournal", 200)
        lost += max(acknowledged - len(frames_on_disk(folder)), 0)
    assert lost > 0


# ---- one process


SECOND = """
import sys
from pathlib import Path
from sidecar.errors import LedgerUnavailable
from tests.ledger.weakened import {kind}, opened
try:
    print(opened(Path(sys.argv[1]), {kind}).append([b"second"]))
except LedgerUnavailable as fault:
    print(fault)
"""


def _second_process(folder, kind):
    command = [sys.executable, "-c", SECOND.format(kind=kind), str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def test_a_second_process_on_the_same_folder_is_refused_with_a_sentence(tmp_path):
    journal = opened(tmp_path)
    journal.append([b"first"])
    assert "another process holds" in _second_process(tmp_path, "Journal")
    journal.close()
    assert _second_process(tmp_path, "Journal") == "1"


def test_two_processes_on_one_folder_would_give_one_index_twice(tmp_path):
    journal = opened(tmp_path)
    journal.append([b"first"])
    taken = int(_second_process(tmp_path, "SharingJournal"))
    assert len({taken, journal.append([b"third"])}) < 2
