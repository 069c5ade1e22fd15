"""A recorded decision is found by its id, whole, or the reason why it cannot be opened is told."""

import shutil
from itertools import islice

import msgspec
import pytest

from sidecar.core import leaf_bytes
from sidecar.core.leaf import RUN_BYTES, leaf_id
from sidecar.core.record import CheckedBatch, item_id
from sidecar.errors import NotFound, RecordClosed
from sidecar.ledger import show
from sidecar.ledger.keys import KeyFolder
from tests.ledger.builders import DAY, NOW, a_batch, a_change, a_check, a_consultation, a_refusal

RUN = bytes(RUN_BYTES)


class Leaves(list):
    """A ledger as it is read: leaves by index."""

    @property
    def size(self):
        return len(self)

    def leaves(self, start):
        return islice(enumerate(self), start, None)


@pytest.fixture
def keys(tmp_path):
    return KeyFolder(tmp_path / "keys", RUN, lambda count: b"k" * count)


def book(keys, *entries):
    at = range(NOW, NOW + len(entries))
    ids = [leaf_id(RUN, n) for n in range(len(entries))]
    sealing = keys.current(NOW)
    leaves = [leaf_bytes.encode(*each, sealing) for each in zip(entries, ids, at, strict=True)]
    return Leaves(leaves), [each.hex() for each in ids]


def test_a_decision_is_found_wherever_it_stands_and_is_the_one_that_was_recorded(keys):
    entries = [msgspec.structs.replace(a_check(subject=f"dr-{n}"), opening_at=n) for n in range(900)]
    leaves, ids = book(keys, *entries)
    for n in (0, 1, 131, 388, 643, 644, 899):
        found = show.find(leaves, keys, "chu", ids[n])
        assert (found.index, found.recorded_at, found.checked) == (n, NOW + n, entries[n])
        assert show.find(leaves, keys, "chu", ids[n], n) == found


def test_an_item_of_a_batch_is_found_by_its_place(keys):
    batch = a_batch(12)
    leaves, [id_] = book(keys, batch)
    for n, item in enumerate(batch.items):
        assert show.find(leaves, keys, "chu", item_id(id_, n)).checked == item


@pytest.mark.parametrize("position", ["", ".", ".12", ".-1", ".01", ".x", ".1.1", ".٣"])
def test_an_item_that_is_none_is_not_found(keys, position):
    leaves, [id_] = book(keys, a_batch(12))
    with pytest.raises(NotFound):
        show.find(leaves, keys, "chu", id_ + position)


def test_what_is_no_decision_of_the_tenant_is_not_found(keys):
    leaves, ids = book(keys, a_check(), a_refusal(), a_change(), a_consultation())
    asked = [("other", ids[0], None), ("chu", ids[0], 1), ("chu", ids[0], 9), ("chu", "zz", None), ("chu", "ab", None)]
    for tenant, id_, index in asked + [("chu", id_, None) for id_ in (*ids[1:], ids[0] + ".0")]:
        with pytest.raises(NotFound):
            show.find(leaves, keys, tenant, id_, index)


def test_a_record_whose_keys_are_gone_or_that_was_altered_stays_closed(keys, tmp_path):
    leaves, [id_] = book(keys, a_check())
    for at in range(len(leaves[0]) - 30, len(leaves[0])):
        altered = Leaves([leaves[0][:at] + bytes([leaves[0][at] ^ 1]) + leaves[0][at + 1 :]])
        with pytest.raises(RecordClosed, match="altered"):
            show.find(altered, keys, "chu", id_)
    shutil.rmtree(tmp_path / "keys/2026-03")
    with pytest.raises(RecordClosed, match="keys of 2026-03 are missing"):
        show.find(leaves, KeyFolder(tmp_path / "keys", RUN, bytes), "chu", id_)


def test_pages_follow_one_another_without_a_gap(keys):
    leaves, ids = book(keys, *(a_check(subject=f"dr-{n % 3}") for n in range(1000)))
    for limit in (7, 250, 1000):
        seen, before = [], 0
        while True:
            query = show.RecordsQuery(subject_id="dr-1", limit=limit, before=before, to=NOW + DAY)
            page = show.page(leaves, keys, "o", "chu", query)
            seen = [msgspec.json.decode(record)["id"] for record in page.records] + seen
            before = page.next_before
            if not before:
                break
        assert seen == ids[1::3]


def test_records_too_long_for_one_message_come_in_several(keys):
    long = CheckedBatch(tuple(a_check(action=f"read{n}") for n in range(500)))
    leaves, ids = book(keys, *[long] * 12)
    seen, before, pages = [], 0, 0
    while before or not pages:
        page = show.page(leaves, keys, "o", "chu", show.RecordsQuery(limit=1000, before=before))
        assert sum(map(len, page.records)) < 4 << 20
        seen = [msgspec.json.decode(record)["id"] for record in page.records] + seen
        before, pages = page.next_before, pages + 1
    assert seen == ids
    assert 1 < pages < 12
