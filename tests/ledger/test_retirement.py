"""A month is retired: nobody can read what was recorded in it, and everything still verifies."""

import os

import msgspec
import pytest

from sidecar.core import checkpoint
from sidecar.core.reading import RecordsQuery
from sidecar.errors import InvalidRequest, LedgerUnavailable, RecordClosed
from sidecar.ledger.keys import KeyFolder
from sidecar.ledger.room import LedgerRoom
from sidecar.ledger.verify import verify
from tests.ledger.builders import CALLER, DAY, NOW, a_batch, a_check, a_refusal
from tests.ledger.dying import STEP, dies_at, killed

LATER = NOW + 40 * DAY  # in April: March is over
MARCH = "2026-03"


def a_ledger(folder, now=NOW, **settings):
    room = LedgerRoom(folder, "sidecar-1", min_free_bytes=0, flush_s=0.01, checkpoint_s=0.02, **settings)
    room.open(now)
    return room


def a_ledger_of_two_months(folder):
    """In March a check, a batch and a refusal; in April a check. Gives the ids too."""
    room = a_ledger(folder)
    places = [*room.record([a_check(), a_batch(), a_refusal()], NOW), *room.record([a_check(subject="dr-b")], LATER)]
    return room, [place.id for place in places]


def shown(room, **query):
    return [msgspec.json.decode(record) for record in room.show("chu", RecordsQuery(**query)).records]


def verified(folder, room):
    return [str(each) for each in verify(folder, [checkpoint.verifier_key(key) for key in room.vkeys]).findings]


def test_what_retiring_would_close_is_told_and_nothing_is_done(tmp_path):
    room, _ = a_ledger_of_two_months(tmp_path)
    told = room.retirement(MARCH, LATER)
    assert (told.kinds, told.first, told.last, told.record) == ({"batch": 1, "check": 1, "refused": 1}, 0, 2, None)
    assert room.size == 4
    assert all(record["opened"] for record in shown(room))
    room.close()


def test_a_retired_month_is_closed_for_good_the_others_open_and_every_proof_verifies(tmp_path):
    room, ids = a_ledger_of_two_months(tmp_path)
    hashes = [entry for _, entry in room.entries()]
    held = [os.open(path, os.O_RDONLY) for path in (tmp_path / "keys/2026-03").iterdir()]
    done = room.retire(CALLER, MARCH, LATER)
    assert done.kinds == {"batch": 1, "check": 1, "refused": 1}
    assert done.record.index == 4
    for again in range(2):
        records = shown(room)
        assert [record["opened"] is None for record in records] == [True, True, True, False, False], again
        assert records[0]["closed"] == "the keys of 2026-03 were retired at 2026-04-10T21:00:00Z"
        assert records[4]["opened"]["detail"] == MARCH
        assert records[4]["what"] == "retire_month"
        assert shown(room, patient_id="P1") == shown(room, subject_id="dr-b") == [records[3]]
        with pytest.raises(RecordClosed, match="keys of 2026-03 were retired at 2026-04-10"):
            room.find("chu", ids[0])
        assert room.find("chu", ids[3]).checked == hashes[3]
        room.close()
        assert verified(tmp_path, room) == []
        room = a_ledger(tmp_path, LATER)
    room.close()
    assert not (tmp_path / "keys/2026-03").exists()
    for descriptor in held:
        assert set(os.pread(descriptor, 1000, 0)) == {ord("0")}
        os.close(descriptor)


@pytest.mark.parametrize(
    ("month", "why"),
    [
        ("2026-04", "not over yet"),
        ("2026-05", "not over yet"),
        ("2026-02", "never had keys"),
        ("2026-13", "expected a month"),
        ("2026-3", "expected a month"),
        ("../signing", "expected a month"),
        ("", "expected a month"),
    ],
)
def test_a_month_that_cannot_be_retired_is_refused(tmp_path, month, why):
    room, _ = a_ledger_of_two_months(tmp_path)
    with pytest.raises(InvalidRequest, match=why):
        room.retire(CALLER, month, LATER)
    assert room.size == 4
    room.close()


def test_a_month_is_retired_once_and_no_clock_brings_it_back(tmp_path):
    room, _ = a_ledger_of_two_months(tmp_path)
    room.retire(CALLER, MARCH, LATER)
    with pytest.raises(InvalidRequest, match="retired already"):
        room.retire(CALLER, MARCH, LATER)
    with pytest.raises(LedgerUnavailable, match="were retired"):
        room.record([a_check()], NOW)
    assert room.record([a_check()], LATER)
    room.close()
    with pytest.raises(LedgerUnavailable, match="were retired"):
        a_ledger(tmp_path, NOW)
    a_ledger(tmp_path, LATER).close()


def test_without_its_record_no_key_is_erased(tmp_path):
    room, _ = a_ledger_of_two_months(tmp_path)
    (tmp_path / "journal").rename(tmp_path / "away")
    while room.ready[0]:
        pass
    with pytest.raises(LedgerUnavailable):
        room.retire(CALLER, MARCH, LATER)
    assert (tmp_path / "keys/2026-03").exists()
    (tmp_path / "away").rename(tmp_path / "journal")
    room.close()


def retiring(folder, at):
    room, _ = a_ledger_of_two_months(folder)
    dies_at(at)
    room.retire(CALLER, MARCH, LATER)


def test_killed_anywhere_a_month_is_whole_or_closed_for_good_and_verifies(tmp_path):
    outcomes, dead = [], True
    while dead:
        at = len(outcomes) * STEP
        folder = tmp_path / str(at)
        dead = killed(retiring, folder, at)
        room = a_ledger(folder, LATER)
        closed = {record["opened"] is None for record in shown(room)[:3]}
        recorded = any(record.get("what") == "retire_month" for record in shown(room))
        room.close()
        assert len(closed) == 1, at
        assert recorded or closed == {False}
        assert left_of_march(folder) is not closed.pop()
        assert verified(folder, room) == []
        outcomes.append((recorded, left_of_march(folder)))
    assert {(True, True), (True, False)} <= set(outcomes)
    assert outcomes[-1] == (True, False)


def test_a_start_that_did_not_finish_what_was_begun_would_leave_keys_of_a_retired_month(tmp_path, monkeypatch):
    monkeypatch.setattr(KeyFolder, "finish_retiring", lambda self: None)
    left, at, dead = 0, 0, True
    while dead:
        folder = tmp_path / str(at)
        dead = killed(retiring, folder, at)
        a_ledger(folder, LATER).close()
        left += left_of_march(folder) and (folder / "keys/retired").exists()
        at += STEP
    assert left


def left_of_march(folder):
    return (folder / "keys/2026-03").exists()
