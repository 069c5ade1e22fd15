"""A clock that moves harms no record, and is counted and said."""

from sidecar.ledger.clock import ClockWatch
from sidecar.ledger.room import LedgerRoom
from tests.ledger.builders import DAY, NOW, a_check

SECOND = 1_000_000


def test_a_clock_set_back_or_forward_is_counted_and_one_that_runs_is_not():
    moves = []
    watch = ClockWatch(moves.append)
    wall, ticks = NOW, 1000.0
    for step, jump in ((1.0, 0), (0.25, 400_000), (1.0, 0), (0.25, -3600 * SECOND), (1.0, 0), (1.0, 7200 * SECOND)):
        wall, ticks = wall + int(step * SECOND) + jump, ticks + step
        watch.look(wall, ticks)
    assert moves == ["back", "forward"]


def test_records_dated_before_the_latest_one_keep_their_place_and_the_room_says_so(tmp_path):
    room = LedgerRoom(tmp_path, "sidecar-1", min_free_bytes=0)
    room.open(NOW)
    room.record([a_check(subject="before")], NOW)
    room.record([a_check(subject="a little earlier")], NOW - SECOND // 2)
    assert room.ready == (True, "")
    room.record([a_check(subject="set back")], NOW - 3600 * SECOND)
    ready, said = room.ready
    assert ready
    assert said.startswith("the clock is behind the latest record")
    room.close()
    again = LedgerRoom(tmp_path, "sidecar-1", min_free_bytes=0)
    again.open(NOW - 3600 * SECOND)
    assert [entry.request.subject.id for _, entry in again.entries()] == ["before", "a little earlier", "set back"]
    again.record([a_check()], NOW + DAY)
    assert again.ready == (True, "")
    again.close()


def test_a_start_with_a_clock_behind_the_latest_record_says_so(tmp_path):
    for now, said in ((NOW, ""), (NOW - DAY, "the clock is behind")):
        room = LedgerRoom(tmp_path, "sidecar-1", min_free_bytes=0)
        room.open(now)
        room.look(now, 0.0)
        assert room.ready[1].startswith(said) and bool(room.ready[1]) == bool(said)
        room.record([a_check()], NOW)
        room.close()
