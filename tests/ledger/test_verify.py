"""Whatever is done to a log's files is found from the public key and the files alone, and named."""

import os
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.core import checkpoint, merkle, tiles
from sidecar.core.checkpoint import Signature
from sidecar.errors import InputFault
from sidecar.ledger import verify, verify_scan
from sidecar.ledger.room import LedgerRoom
from sidecar.ledger.signing import VKEYS
from sidecar.ledger.verify_files import LogFolder
from sidecar.ledger.verify_journal import Tail
from sidecar.ledger.verify_scan import Level, Pair
from tests.ledger import tampering
from tests.ledger.builders import NOW, a_batch, a_check
from tests.ledger.logs import KEY, KEYS, ORIGIN, OTHER_KEY, a_log, put, some_leaves
from tests.ledger.tampering import Deed, Files, Tree

EVERY = 1 if os.environ.get("SOAK") else 211  # of how many bytes one is tried


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> Path:
    return tampering.the_log(tmp_path_factory.mktemp("log") / "ledger")


@pytest.fixture(scope="module")
def files(log) -> Files:
    return tampering.read(log)


def tampered(log: Path, files: Files, deed: Deed) -> verify.Report:
    """What is found after a deed, which is then undone."""
    after = deed.files(files)
    assert after != files, deed.name
    tampering.write(log, after, files)
    try:
        return verify.verify(log, KEYS)
    finally:
        tampering.write(log, files, after)


def unnamed(report: verify.Report, deed: Deed) -> str | None:
    """What a report fails to say about a deed; None when it names the file, what was done, and the records."""
    if "noted" in deed.kinds and any(f"{deed.named}: " in notice for notice in report.notices):
        return None
    named = [each for each in report.findings if deed.named in (None, each.file) and each.what in deed.kinds]
    if not named:
        return f"{deed.name}: found {[(each.what, each.file) for each in report.findings]}"
    told = {n for each in named if each.first is not None for n in range(each.first, (each.last or each.first) + 1)}
    if deed.records is not None and not deed.records <= told:
        return f"{deed.name}: records {sorted(deed.records - told)[:5]} are not named"
    return None


# ---- what is sound


def test_a_log_as_it_was_signed_is_found_so(log):
    report = verify.verify(log, KEYS)
    assert report.findings == ()
    assert report.checkpoint is not None
    assert (report.checkpoint.origin, report.checkpoint.size) == (ORIGIN, tampering.SIGNED)
    assert report.unsigned == tampering.TAIL
    assert verify.verify(log / "tree", KEYS).findings == ()


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 65_536, 65_793])
def test_a_log_of_any_size_is_found_sound(tmp_path, size):
    leaves = some_leaves(size + 3, 1)
    report = verify.verify(a_log(tmp_path / "log", leaves[:size], leaves[size:], journal_from=size - size % 256), KEYS)
    assert (report.findings, report.unsigned) == ((), 3)


def test_processes_side_by_side_find_what_one_does(tmp_path):
    log = a_log(tmp_path / "log", some_leaves(20_001, 1))
    seen = []
    alone = verify.verify(log, KEYS, progress=lambda done, size: seen.append((done, size)))
    assert verify.verify(log, KEYS, jobs=2) == alone
    assert seen == sorted(seen)
    assert seen[-1] == (20_001, 20_001)
    put(log / "tree/tile/entries/070", b"\0\0")
    assert verify.verify(log, KEYS, jobs=2) == verify.verify(log, KEYS)
    assert {each.file for each in verify.verify(log, KEYS, jobs=2).findings} == {"tree/tile/entries/070"}


def test_what_a_ledger_writes_is_found_sound_while_it_goes_on(tmp_path):
    """Segments, partial tiles and checkpoints come and go while they are read."""
    room = LedgerRoom(tmp_path / "ledger", ORIGIN, segment_bytes=1 << 17, flush_s=0.01, checkpoint_s=0.02)
    room.open(NOW)
    keys = [checkpoint.verifier_key(line) for line in (tmp_path / "ledger/keys/signing" / VKEYS).read_text().split()]
    enough = threading.Event()

    def go_on() -> None:
        while not enough.is_set():
            room.record([a_check(patient=f"P{n}") for n in range(25)], NOW)
            room.record([a_batch(200)], NOW)
            time.sleep(0.001)

    recording = threading.Thread(target=go_on)
    recording.start()
    sizes = set()
    try:
        while len(sizes) < 10:
            report = verify.verify(tmp_path / "ledger", keys)
            assert report.findings == ()
            sizes.add(report.checkpoint.size if report.checkpoint else 0)
    finally:
        enough.set()
        recording.join()
        room.close()
    report = verify.verify(tmp_path / "ledger", keys)
    assert (report.findings, report.checkpoint.size if report.checkpoint else 0) == ((), room.size)


def test_a_folder_that_holds_no_log_is_refused(tmp_path):
    with pytest.raises(InputFault, match="holds no log"):
        verify.verify(tmp_path, KEYS)


def test_tiles_that_are_newer_than_the_checkpoint_are_noted_and_no_fault(log, files):
    entry = b"a record more"
    more = {
        "tree/tile/entries/002.p/89": files["tree/tile/entries/002.p/88"] + tiles.bundle([entry]),
        "tree/tile/0/002.p/89": files["tree/tile/0/002.p/88"] + merkle.leaf_hash(entry),
        "tree/tile/0/003.new": b"",
    }
    report = tampered(log, files, Deed("grown", lambda files: {**files, **more}, None, set()))
    assert report.findings == ()
    assert report.notices == (
        "2 files of the tree are newer than its checkpoint",
        "1 files of the tree were never finished",
    )


def test_a_partial_tile_that_has_grown_since_stands_for_the_one_that_is_gone(log, files):
    """A log that is written to while it is read takes superseded tiles away."""
    entry = b"a record more"
    bundle, tile = files["tree/tile/entries/002.p/88"], files["tree/tile/0/002.p/88"]

    def grown(files: Tree) -> Tree:
        left = {name: data for name, data in files.items() if "002.p" not in name}
        left["tree/tile/entries/002.p/89"] = bundle + tiles.bundle([entry])
        left["tree/tile/0/002.p/90"] = tile + 2 * merkle.leaf_hash(entry)
        return left

    assert tampered(log, files, Deed("grown", grown, None, set())).findings == ()


# ---- what is not


def test_every_changed_byte_every_cut_and_every_byte_more_is_found_and_its_file_named(log, files):
    assert not [
        fault for deed in tampering.byte_deeds(files, EVERY) if (fault := unnamed(tampered(log, files, deed), deed))
    ]


def test_every_record_tile_and_checkpoint_changed_removed_swapped_or_repeated_is_found_and_named(log, files):
    assert not [fault for deed in tampering.deeds(files) if (fault := unnamed(tampered(log, files, deed), deed))]


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_no_two_deeds_hide_each_other(log, files, data):
    """Also when tile and bundle are both at fault something is found, in the half of the files that was touched."""
    many = [*tampering.deeds(files)]
    one, other = data.draw(st.sampled_from(many)), data.draw(st.sampled_from(many))
    try:
        after = other.files(one.files(files))
    except (KeyError, IndexError, ValueError):
        return  # the second needs what the first took away
    touched = {name for name in files.keys() | after.keys() if files.get(name) != after.get(name)}
    report = tampered(log, files, Deed("both", lambda _: after, None, set())) if touched else None
    if report is not None:
        halves = {name.split("/")[0] for name in touched}
        assert halves & {each.file.split("/")[0] for each in report.findings}, (one.name, other.name)


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_any_bytes_put_anywhere_are_found(log, files, data):
    name = data.draw(st.sampled_from(sorted(files)))
    before = files[name]
    start = data.draw(st.integers(0, len(before)))
    end = data.draw(st.integers(start, min(len(before), start + 600)))
    new = data.draw(st.binary(max_size=300))
    after = before[:start] + new + before[end:]
    if after != before:
        report = tampered(log, files, Deed(name, lambda files: {**files, name: after}, name, set()))
        assert name in {each.file for each in report.findings}


def test_hashes_of_hashes_are_named_with_the_records_under_them(tmp_path):
    """A log of three tile levels: 257 full tiles of the lowest, one of the next."""
    tree = a_log(tmp_path / "log", some_leaves(65_837, 1), journal_from=65_536) / "tree"
    under = {
        "tile/1/000": [(5, 1280, 1535), (255, 65_280, 65_535)],
        "tile/1/001.p/1": [(0, 65_536, 65_791)],
        "tile/2/000.p/1": [(0, 0, 65_535)],
    }
    for file, changed in under.items():
        before = (tree / file).read_bytes()
        data = bytearray(before)
        for place, _, _ in changed:
            data[32 * place] ^= 1
        put(tree / file, bytes(data))
        found = [(each.what, each.file, each.first, each.last) for each in verify.verify(tree, KEYS).findings]
        assert found == [("modified", file, first, last) for _, first, last in changed]
        (tree / file).unlink()
        assert [(each.what, each.file) for each in verify.verify(tree, KEYS).findings] == [("missing", file)]
        put(tree / file, before)
    # A record, its tile and the tile above changed alike: what is left to contradict them is at the top.
    entries = tiles.entries((tree / "tile/entries/003").read_bytes())
    entries[7] = b"forged"
    hashes = [merkle.leaf_hash(entry) for entry in entries]
    put(tree / "tile/entries/003", tiles.bundle(entries))
    put(tree / "tile/0/003", b"".join(hashes))
    above = tiles.hashes((tree / "tile/1/000").read_bytes())
    put(tree / "tile/1/000", b"".join([*above[:3], merkle.root(hashes), *above[4:]]))
    [finding] = verify.verify(tree, KEYS).findings
    assert (finding.what, finding.file) == ("modified", "tile/1/000")


def test_a_journal_that_lost_what_is_signed_is_named(tmp_path):
    leaves = some_leaves(300)
    log = a_log(tmp_path / "log", leaves, some_leaves(10), journal_from=256)
    newest = log / "journal/000001.log"
    newest.write_bytes(newest.read_bytes()[:32])
    [finding] = verify.verify(log, KEYS).findings
    assert (finding.what, finding.file, finding.first, finding.last) == ("truncated", "journal/000001.log", 256, 299)


def test_a_tree_that_nobody_signed_is_named(tmp_path):
    log = a_log(tmp_path / "log", some_leaves(300))
    (log / "tree/checkpoint").unlink()
    assert [(each.what, each.file) for each in verify.verify(log, KEYS).findings] == [("missing", "tree/checkpoint")]


def test_a_checkpoint_that_both_the_old_and_the_new_key_signed_is_accepted_with_either(tmp_path):
    leaves = some_leaves(300)
    log = a_log(tmp_path / "log", leaves)
    text = checkpoint.note(checkpoint.read((log / "tree/checkpoint").read_bytes()))
    put(log / "tree/checkpoint", checkpoint.signed(text, [KEY, OTHER_KEY], 1_800_000_000))
    for keys in ([KEY.public], [OTHER_KEY.public], [KEY.public, OTHER_KEY.public]):
        assert verify.verify(log, keys).findings == ()


def test_one_of_two_signature_lines_taken_away_is_found(tmp_path):
    log = a_log(tmp_path / "log", some_leaves(3))
    whole = (log / "tree/checkpoint").read_text().splitlines(keepends=True)
    for line in (-1, -2):
        put(log / "tree/checkpoint", "".join(each for each in whole if each != whole[line]).encode())
        assert [each.what for each in verify.verify(log, KEYS).findings] == ["modified"]


# ---- with a check taken out


def without_signatures(monkeypatch):
    monkeypatch.setattr(checkpoint, "signatures", lambda *_: [Signature(KEY.public), Signature(KEY.public, 1)])


def without_the_entries(monkeypatch):
    """Believes the hash tiles."""
    pair, right_edge = verify_scan._pair, verify_scan._right_edge

    def believed(folder: LogFolder, n: int) -> Pair:
        told = pair(folder, n)
        return Pair(told.by_tile, told.by_tile, True, told.large)

    def believed_edge(folder: LogFolder, size: int) -> Level:
        told = right_edge(folder, size)
        return Level(told.stored, told.stored, told.stored)

    monkeypatch.setattr(verify_scan, "_pair", believed)
    monkeypatch.setattr(verify_scan, "_right_edge", believed_edge)


def without_the_root(monkeypatch):
    """Is content when the files agree with each other."""
    tree = verify._tree
    monkeypatch.setattr(
        verify, "_tree", lambda folder, found, _root: tree(folder, found, verify.entries_root(found) or b"")
    )


def without_the_tiles(monkeypatch):
    """Is content when the entries make the root."""
    tree = verify._tree
    monkeypatch.setattr(
        verify,
        "_tree",
        lambda folder, found, root: [] if verify.entries_root(found) == root else tree(folder, found, root),
    )


def without_large_records(monkeypatch):
    monkeypatch.setattr(verify, "_large", lambda *_: [])


def without_the_journal(monkeypatch):
    monkeypatch.setattr(verify, "journal", lambda _folder, size, _blamed: Tail(size, [], []))


def without_other_files(monkeypatch):
    monkeypatch.setattr(verify, "_others", lambda *_: ([], []))


@pytest.mark.parametrize(
    ("remove", "missed_at_least"),
    [
        (without_signatures, 2),
        (without_the_entries, 20),
        (without_the_root, 1),
        (without_the_tiles, 4),
        (without_large_records, 2),
        (without_the_journal, 7),
        (without_other_files, 1),
    ],
)
def test_each_check_is_needed(log, files, monkeypatch, remove, missed_at_least):
    """With one check taken out, so many deeds go unseen that the whole verification sees."""
    remove(monkeypatch)
    missed = [deed.name for deed in tampering.deeds(files) if not tampered(log, files, deed).findings]
    assert len(missed) >= missed_at_least, missed
