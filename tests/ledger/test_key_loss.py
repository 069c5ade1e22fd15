"""What losing each key means is what docs/keys.md says, and no key is made in the place of a lost one."""

import msgspec
import pytest

from sidecar.core import checkpoint
from sidecar.core.reading import RecordsQuery
from sidecar.errors import LedgerUnavailable, RecordClosed
from sidecar.ledger.room import LedgerRoom
from sidecar.ledger.verify import verify
from tests.ledger.builders import DAY, NOW, a_check

APRIL = NOW + 40 * DAY


def a_ledger(folder, now=APRIL):
    room = LedgerRoom(folder, "sidecar-1", min_free_bytes=0, flush_s=0.01, checkpoint_s=0.02)
    room.open(now)
    return room


@pytest.fixture
def two_months(tmp_path):
    """A stopped ledger with a check in March and one in April; its verifier keys and the ids of both."""
    room = a_ledger(tmp_path, NOW)
    places = room.record([a_check()], NOW) + room.record([a_check(subject="dr-b")], APRIL)
    room.close()
    return tmp_path, room.vkeys, [place.id for place in places]


def verifies(folder, vkeys):
    return not verify(folder, [checkpoint.verifier_key(vkey) for vkey in vkeys]).findings


@pytest.mark.parametrize(
    "lost",
    ["keys", "keys/signing", "keys/signing/key", "keys/signing/vkeys", "keys/2026-04", "keys/2026-04/pseudonym",
     "keys/2026-04/content", "keys/retired"],
)  # fmt: skip
def test_the_ledger_does_not_start_without_it_starts_with_its_copy_and_verifies_meanwhile(two_months, tmp_path, lost):
    folder, vkeys, _ = two_months
    if lost == "keys/retired":
        (folder / lost).write_bytes(b"\xff")
    else:
        (folder / lost).rename(tmp_path / "copy")
    before = sorted(folder.glob("keys/**/*"))
    with pytest.raises(LedgerUnavailable, match="put"):
        a_ledger(folder)
    assert sorted(folder.glob("keys/**/*")) == before
    assert verifies(folder, vkeys)
    if lost == "keys/retired":
        (folder / lost).unlink()
    else:
        (tmp_path / "copy").rename(folder / lost)
    room = a_ledger(folder)
    assert len(list(room.entries())) == 2
    room.close()
    assert room.vkeys == vkeys


@pytest.mark.parametrize("lost", ["keys/2026-03", "keys/2026-03/pseudonym", "keys/2026-03/content"])
def test_without_the_key_of_an_earlier_month_that_month_is_closed_and_the_rest_goes_on(two_months, tmp_path, lost):
    folder, vkeys, ids = two_months
    (folder / lost).rename(tmp_path / "copy")
    room = a_ledger(folder)
    assert any("2026-03" in notice for notice in room.notices) is (lost == "keys/2026-03")
    records = [msgspec.json.decode(record) for record in room.show("chu", RecordsQuery()).records]
    assert [record["opened"] is None for record in records] == [True, False]
    assert "put" in records[0]["closed"] or "missing" in records[0]["closed"]
    with pytest.raises(RecordClosed):
        room.find("chu", ids[0])
    assert room.find("chu", ids[1]).checked.request.subject.id == "dr-b"
    assert room.record([a_check()], APRIL)
    (tmp_path / "copy").rename(folder / lost)
    assert room.find("chu", ids[0]).checked.request.subject.id == "dr-nuit"
    room.close()
    assert verifies(folder, vkeys)
