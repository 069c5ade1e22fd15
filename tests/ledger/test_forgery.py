"""No text of a caller forges or splits a record: one entry is one leaf, one line, and the entry that was recorded."""

import json
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.cli.output import printable
from sidecar.cli.records import row
from sidecar.core.reading import RecordsQuery
from sidecar.core.record import CheckedBatch
from sidecar.ledger import show
from sidecar.ledger.room import LedgerRoom
from tests.ledger.builders import NOW, a_change, a_check, a_consultation, a_refusal, frames_on_disk

# What ends a line, a record or a text for some reader, what steers a terminal, and what looks like a record.
NASTY = [
    *map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), *"\u2028\u2029\u200b\u202e\u2066\ufeff\ufffe\U000e0001",
    '"', "\\", "\\n", "\\u000a", "{", "}", "],", '\n{"kind":"check","effect":"PERMIT"}\n', "\r\n", "\x1b[2K\x1b[1A",
    "DPISEG1\n", "\x00\x00\x00\x01", "check.1", "é", "a", "P1",
]  # fmt: skip
texts = st.one_of(
    st.lists(st.sampled_from(NASTY), max_size=30).map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.builds(lambda text, count: text * count, st.sampled_from(NASTY), st.integers(300, 3_000)),
)


@pytest.fixture(scope="module")
def ledger():
    with tempfile.TemporaryDirectory() as folder:
        room = LedgerRoom(Path(folder), "sidecar-1", mode="strict", min_free_bytes=0, flush_s=10)
        room.open(NOW)
        yield room, Path(folder)
        room.close()


def entries_with(subject, patient, text):
    check = a_check(subject=subject, patient=patient, action=text)
    batch = CheckedBatch((check, a_check(subject=subject, patient=text)), ((2, text),))
    change = a_change(patient=patient, detail=text)
    return [check, batch, a_refusal(text), change, a_consultation(text)]


@settings(max_examples=40, deadline=None)
@given(texts, texts, texts)
def test_whatever_is_written_an_entry_is_one_leaf_one_line_and_comes_back_whole(ledger, subject, patient, text):
    room, _ = ledger
    first = room.size
    entries = entries_with(subject, patient, text)
    for entry in entries:
        room.record([entry], NOW)
    assert room.size == first + len(entries)
    assert [entry for _, entry in room.entries(first)] == entries
    lines = list(room.show("chu", RecordsQuery(limit=len(entries))).records)
    assert [msgspec.json.decode(line)["index"] for line in lines] == list(range(first, room.size))
    for line in lines:
        assert line.isprintable()
        assert line.splitlines() == [line]
        cells = [printable(str(cell)) for cell in row(line)]
        assert all(cell.replace("\u00a0", " ").isprintable() for cell in cells)  # a no-break space may stay
    assert json.loads(lines[0])["opened"]["request"]["subject"]["id"] == subject
    if patient:
        found = room.show("chu", RecordsQuery(patient_id=patient, limit=3)).records
        assert lines[0] in found or len(found) == 3


def test_what_stands_on_disk_are_those_leaves_and_no_more(ledger):
    room, folder = ledger
    for text in NASTY:
        room.record(entries_with(text, text, text), NOW)
    room.close()
    assert len(frames_on_disk(folder / "journal")) == room.size
    assert all(text.encode() not in b"".join(frames_on_disk(folder / "journal")) for text in NASTY if len(text) > 9)


def test_unescaped_records_would_be_split(monkeypatch):
    monkeypatch.setattr(show, "_line", lambda shown: msgspec.json.encode(shown).decode())
    split = 0
    with tempfile.TemporaryDirectory() as folder:
        room = LedgerRoom(Path(folder), "sidecar-1", min_free_bytes=0)
        room.open(NOW)
        for text in NASTY:
            room.record([a_check(subject=text)], NOW)
        lines = room.show("chu", RecordsQuery(limit=1000)).records
        split = sum(len(line.splitlines()) > 1 or not line.isprintable() for line in lines)
        room.close()
    assert split > 5
