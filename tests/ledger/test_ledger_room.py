"""The ledger room: every entry kept before it is acknowledged, found again by those who hold the keys."""

import shutil
import threading

import msgspec
import pytest

from sidecar.core import leaf
from sidecar.core.model import Effect, Obligation
from sidecar.core.reading import RecordsQuery
from sidecar.core.record import CheckedBatch
from sidecar.errors import LedgerUnavailable
from sidecar.ledger.room import LedgerRoom
from tests.ledger.builders import (
    CALLER,
    DAY,
    NOW,
    a_batch,
    a_change,
    a_check,
    a_consultation,
    a_decision,
    a_refusal,
    frames_on_disk,
)
from tests.ledger.test_leaf import NAMES, _entries_naming_everybody


@pytest.fixture
def ledger(tmp_path):
    room = a_ledger(tmp_path)
    yield room
    room.close()


def a_ledger(folder, now=NOW, **settings):
    room = LedgerRoom(folder, "sidecar-1", min_free_bytes=0, **settings)
    room.open(now)
    return room


def shown(room, tenant="chu", **query):
    return [msgspec.json.decode(record) for record in room.show(tenant, RecordsQuery(**query)).records]


def test_entries_are_kept_in_order_with_one_id_and_one_index_each(ledger, tmp_path):
    entries = [a_check(), a_refusal(), a_batch(), a_consultation()]
    recorded = ledger.record(entries, NOW)
    assert [place.index for place in recorded] == [0, 1, 2, 3]
    assert len({place.id for place in recorded}) == 4
    assert [leaf.head(data).id.hex() for data in frames_on_disk(tmp_path / "journal")] == [p.id for p in recorded]
    assert [entry for _, entry in ledger.entries()] == entries
    assert ledger.record([], NOW) == []
    assert ledger.size == 4


def test_no_id_is_given_twice_over_restarts_and_threads(tmp_path):
    ids = []
    for _ in range(3):
        room = a_ledger(tmp_path)
        threads = [
            threading.Thread(target=lambda room=room: ids.extend(p.id for p in room.record([a_check()] * 5, NOW)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        room.close()
    assert len(ids) == len(set(ids)) == 120


def test_many_threads_record_at_once_and_each_finds_its_own_entry_at_its_index(tmp_path):
    room, told = a_ledger(tmp_path, segment_bytes=20_000, flush_s=0.002), {}

    def work(name):
        for n in range(40):
            subjects = [f"{name}-{n}-{k}" for k in range(1 + n % 3)]
            places = room.record([a_check(subject=subject) for subject in subjects], NOW)
            told.update({place.index: subject for place, subject in zip(places, subjects, strict=True)})

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    room.close()
    again = a_ledger(tmp_path)
    assert {index: entry.request.subject.id for index, entry in again.entries()} == told
    assert len(told) == again.size
    again.close()


def test_a_strict_ledger_has_each_record_on_disk_before_it_is_acknowledged(tmp_path):
    room = a_ledger(tmp_path, mode="strict", flush_s=3600)
    room.record([a_check()], NOW)
    assert room._journal._synced == 1
    room.close()


def test_a_ledger_that_cannot_keep_the_record_says_so_and_comes_back(tmp_path):
    causes = []
    room = a_ledger(tmp_path, flush_s=0.01, failed=causes.append)
    assert room.ready == (True, "")
    (tmp_path / "journal" / "000001.log").unlink()
    with pytest.raises(LedgerUnavailable, match="deleted or moved"):
        room.record([a_check()], NOW)
    assert causes == ["file_gone"]
    while not room.ready[0]:
        room._journal.sync(0)
    room.record([a_check()], NOW)
    room.close()
    assert room.ready == (False, "the journal is not open")
    with pytest.raises(LedgerUnavailable, match="not open"):
        room.record([a_check()], NOW)


# ---- changes


def test_the_leaf_of_a_change_is_on_disk_when_it_is_acknowledged(tmp_path):
    room = a_ledger(tmp_path, flush_s=3600)
    data = room.change_leaf(a_change(), NOW)
    assert room.size == 0
    place = room.append_change(data)
    assert room._journal._synced == room.size == 1
    assert frames_on_disk(tmp_path / "journal") == [data]
    assert place.id == leaf.head(data).id.hex()
    room.close()


def test_a_change_a_crash_interrupted_is_found_or_appended_once(tmp_path):
    room = a_ledger(tmp_path, segment_bytes=2000)
    room.record([a_check()] * 10, NOW)
    kept_leaf, lost_leaf = room.change_leaf(a_change("kept"), NOW), room.change_leaf(a_change("lost"), NOW)
    place = room.append_change(kept_leaf)
    room.record([a_check()] * 10, NOW)
    room.close()
    again = a_ledger(tmp_path)
    assert again.change_recorded(kept_leaf) == place
    assert again.change_recorded(lost_leaf) is None
    appended = again.append_change(lost_leaf)
    assert appended.index == 21
    assert again.change_recorded(lost_leaf) == appended
    assert [entry.change_id for _, entry in again.entries() if hasattr(entry, "change_id")] == ["kept", "lost"]
    again.close()


def test_a_change_whose_flush_failed_is_appended_once_when_asked_again(tmp_path):
    room = a_ledger(tmp_path, flush_s=3600)
    data = room.change_leaf(a_change(), NOW)
    working = room._journal._sync_file

    def failing(_file):
        raise OSError(5, "Input/output error")

    room._journal._sync_file = failing
    for _ in range(3):
        with pytest.raises(LedgerUnavailable):
            room.append_change(data)
    room._journal._sync_file = working
    room._journal.tend()
    assert room.append_change(data).index == 0
    room.close()
    assert frames_on_disk(tmp_path / "journal") == [data]


def test_only_changes_are_looked_for(ledger, tmp_path):
    ledger.record([a_check()], NOW)
    with pytest.raises(ValueError, match="only changes"):
        ledger.change_recorded(frames_on_disk(tmp_path / "journal")[0])


# ---- months and keys


def test_records_of_two_months_open_each_with_its_own_keys(tmp_path):
    room = a_ledger(tmp_path)
    room.record([a_check(subject="march")], NOW)
    room.record([a_check(subject="april")], NOW + 31 * DAY)
    room.record([a_check(subject="back")], NOW)
    assert [entry.request.subject.id for _, entry in room.entries()] == ["march", "april", "back"]
    assert [record["index"] for record in shown(room, patient_id="P1")] == [0, 1, 2]
    pseudonyms = [record["patient"] for record in shown(room, patient_id="P1")]
    assert pseudonyms[0] == pseudonyms[2] != pseudonyms[1]
    room.close()


def test_a_month_whose_keys_are_erased_cannot_be_read_while_its_leaves_stay(tmp_path):
    room = a_ledger(tmp_path)
    room.record([a_check()], NOW)
    room.record([a_check()], NOW + 31 * DAY)
    room.close()
    before = frames_on_disk(tmp_path / "journal")
    shutil.rmtree(tmp_path / "keys" / "2026-03")
    room = a_ledger(tmp_path, NOW + 31 * DAY)
    assert [record["opened"] is None for record in shown(room)] == [True, False]
    assert [record["index"] for record in shown(room, patient_id="P1")] == [1]
    assert frames_on_disk(tmp_path / "journal") == before
    with pytest.raises(ValueError, match="keys of its month are gone"):
        list(room.entries())
    room.close()


def test_a_journal_without_any_keys_does_not_start(tmp_path):
    room = a_ledger(tmp_path)
    room.record([a_check()], NOW)
    room.close()
    shutil.rmtree(tmp_path / "keys")
    with pytest.raises(LedgerUnavailable, match="folder `keys/` of the ledger is missing: put it back"):
        a_ledger(tmp_path)
    assert not (tmp_path / "keys").exists()
    shutil.rmtree(tmp_path / "journal")
    shutil.rmtree(tmp_path / "tree")
    a_ledger(tmp_path).close()


def test_keys_taken_away_while_running_stop_the_records_of_the_next_month(tmp_path):
    causes = []
    room = a_ledger(tmp_path, failed=causes.append)
    shutil.rmtree(tmp_path / "keys" / "2026-04")
    room.record([a_check()], NOW)
    with pytest.raises(LedgerUnavailable, match="keys of 2026-04 are missing"):
        room.record([a_check()], NOW + 31 * DAY)
    assert causes == ["keys"]
    room.close()


def test_a_second_ledger_on_the_same_folder_is_refused(ledger, tmp_path):
    with pytest.raises(LedgerUnavailable, match="another process holds"):
        a_ledger(tmp_path)


# ---- privacy


def _written(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_nothing_written_names_a_patient_a_subject_or_what_somebody_typed(tmp_path):
    room = a_ledger(tmp_path, segment_bytes=3000)
    entries = _entries_naming_everybody()
    for _ in range(5):
        room.record([entry for entry in entries if entry is not entries[3]], NOW)
        room.append_change(room.change_leaf(entries[3], NOW))
    assert [entry for _, entry in room.entries()][:3] == entries[:3]
    room.close()
    written = _written(tmp_path)
    assert len(written) > 10_000
    assert [name for name in NAMES.values() if name.encode() in written] == []
    assert b"zq-" not in written


def test_a_record_full_of_line_breaks_and_escapes_is_one_record(ledger, tmp_path):
    nasty = 'P1\n{"effect":"PERMIT"}\r\n\x1b[2J\u2028\u2029\x00\x85\x9b2J\u202e' * 20
    entry = a_check(patient=nasty)
    ledger.record([entry, a_refusal(nasty), a_check()], NOW)
    assert [kept for _, kept in ledger.entries()] == [entry, a_refusal(nasty), a_check()]
    page = ledger.show("chu", RecordsQuery())
    assert len(page.records) == 3
    assert all(record.isprintable() and record.splitlines() == [record] for record in page.records)
    assert shown(ledger, patient_id=nasty)[0]["index"] == 0


# ---- show


def test_records_are_found_by_what_is_asked(ledger):
    refused = a_decision(Effect.DENY, "NOT_AVAILABLE", true_reason="MASKED")
    batch = CheckedBatch((a_check(subject="dr-c"), a_check(subject="dr-c", decision=refused, action="write")))
    places = ledger.record(
        [
            a_check(subject="dr-a", patient="P1"),
            a_check(subject="dr-b", patient="P1", decision=refused),
            a_check(subject="dr-a", patient="P2"),
            batch,
            a_refusal(),
        ],
        NOW,
    )
    ledger.record([a_check(subject="dr-a", patient="P1")], NOW + DAY)

    def found(**query):
        return [record["index"] for record in shown(ledger, **query)]

    assert found() == [0, 1, 2, 3, 4, 5]
    assert found(subject_id="dr-a") == [0, 2, 5]
    assert found(patient_id="P1") == [0, 1, 3, 5]
    assert found(patient_id="P1", subject_id="dr-a") == [0, 5]
    assert found(effect="DENY") == [1, 3]
    assert found(reason="MASKED") == found(reason="NOT_AVAILABLE") == [1, 3]
    assert found(effect="PERMIT", reason="MASKED") == []
    assert found(reason="INVALID_REQUEST") == [4]
    assert found(from_=NOW + 1) == [5]
    assert found(to=NOW + DAY) == [0, 1, 2, 3, 4]
    assert found(from_=NOW, to=NOW) == []
    assert found(decision_id=places[2].id) == [2]
    assert found(decision_id=f"{places[3].id}.1") == [3]
    assert found(decision_id="no such id") == found(decision_id="ab" * 20) == found(patient_id="P9") == []
    assert found(limit=2) == [4, 5]
    assert found(limit=2, patient_id="P1") == [3, 5]


def test_a_tenant_sees_its_own_records_alone(ledger):
    other = msgspec.structs.replace(CALLER, tenant="other")
    ledger.record([a_check(), a_check(caller=other), a_refusal()], NOW)
    ledger.append_change(ledger.change_leaf(a_change(caller=other), NOW))
    assert [record["index"] for record in shown(ledger, "chu")] == [0, 2]
    assert [record["index"] for record in shown(ledger, "other")] == [1, 3]
    assert [record["index"] for record in shown(ledger, "other", patient_id="P1")] == [1, 3]
    assert shown(ledger, "third") == []


def test_a_shown_record_is_the_whole_entry_in_words_and_rfc_3339(ledger):
    decision = a_decision(obligations=(Obligation("COSIGN_BY", {"senior": "dr-chef"}),), valid_until=NOW + DAY)
    (place,) = ledger.record([a_check(decision=decision)], NOW)
    (record,) = shown(ledger)
    assert record["id"] == place.id
    assert record["kind"] == "check"
    assert (record["at"], record["valid_until"]) == ("2026-03-01T21:00:00Z", "2026-03-02T21:00:00Z")
    assert record["obligations"] == ["COSIGN_BY"]
    assert record["opened"]["obligations"] == [{"id": "COSIGN_BY", "params": {"senior": "dr-chef"}}]
    assert record["opened"]["request"]["subject"]["id"] == "dr-nuit"
    assert record["opened"]["request"]["authentication"]["time"] == "2026-03-01T21:00:00Z"
    assert record["caller"]["roles"] == ["dpi", "feed"]


def test_each_kind_of_record_can_be_shown(ledger):
    forever = a_check(decision=a_decision(valid_until=1 << 62))
    ledger.record([forever, a_batch(), a_refusal(), a_consultation()], NOW)
    ledger.append_change(ledger.change_leaf(a_change(detail="why"), NOW))
    records = shown(ledger)
    assert [record["kind"] for record in records] == ["check", "batch", "refused", "consulted", "change"]
    assert records[0]["valid_until"] is None
    assert records[1]["items"][2]["id"] == f"{records[1]['id']}.2"
    assert records[2]["opened"] == {"field": "resource.category"}
    assert records[3]["opened"] == {"filter": "patient_id: P1"}
    assert records[4]["opened"]["detail"] == "why"
    assert records[4]["counts"] == {"changed": 1, "unchanged": 0, "retracted": 0}


def test_showing_reads_back_from_the_newest_over_segments_and_says_how_many(tmp_path):
    room = a_ledger(tmp_path, segment_bytes=3000)
    for n in range(30):
        room.record([a_check(subject=f"dr-{n}")], NOW + n)
    page = room.show("chu", RecordsQuery(limit=7))
    assert [msgspec.json.decode(record)["index"] for record in page.records] == list(range(23, 30))
    assert 7 <= page.scanned < 30
    assert room.show("chu", RecordsQuery(subject_id="dr-0")).scanned == 30
    room.close()
