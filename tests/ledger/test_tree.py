"""The tree on disk is the one RFC 6962 describes, grows with the journal, and is never begun anew by itself."""

import os
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.core import checkpoint, merkle, tiles
from sidecar.core.checkpoint import SigningKey
from sidecar.errors import LedgerUnavailable
from sidecar.ledger.tree import Tree
from tests.ledger.test_merkle import plain_root

KEY = SigningKey("chu", bytes(range(32)))
KEYS = [KEY.public]
AT = 1_790_000_000


def a_tree(folder):
    tree = Tree(folder, "chu")
    if not tree.open(KEYS):
        tree.sign([KEY], AT)  # the first act of a ledger: from then on a missing checkpoint is a lost one
    return tree


def leaves_of(count, start=0):
    return [b"leaf %d" % n for n in range(start, start + count)]


def grown(folder, count):
    tree = a_tree(folder)
    tree.add(leaves_of(count))
    tree.sign([KEY], AT)
    return tree


def entries_on_disk(folder, size):
    """The entries of the first `size` leaves, by the words of tlog-tiles alone."""
    found = []
    for bundle in range(-(-size // 256)):
        width = min(256, size - bundle * 256)
        path = folder / "tile" / "entries" / f"{bundle:03}"
        data = path.read_bytes() if width == 256 else (path.parent / f"{bundle:03}.p" / str(width)).read_bytes()
        while data:
            length = int.from_bytes(data[:2], "big")
            found.append(data[2 : 2 + length])
            data = data[2 + length :]
    return found


def hashes_on_disk(folder, size):
    """Every hash of every tile a tree of `size` must have: (level, index) → hash of 256**level entries."""
    found, level = {}, 0
    while count := size >> 8 * level:
        for tile in range(-(-count // 256)):
            width = min(256, count - tile * 256)
            path = folder / "tile" / str(level) / f"{tile:03}"
            data = path.read_bytes() if width == 256 else (path.parent / f"{tile:03}.p" / str(width)).read_bytes()
            assert len(data) == width * 32
            found |= {(level, tile * 256 + n): data[32 * n : 32 * n + 32] for n in range(width)}
        level += 1
    return found


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 700, 1024])
def test_the_files_are_those_of_the_specification_and_the_root_that_of_rfc_6962(tmp_path, size):
    tree = grown(tmp_path, size)
    leaves = leaves_of(size)
    assert entries_on_disk(tmp_path, size) == leaves
    for (level, index), found in hashes_on_disk(tmp_path, size).items():
        assert found == plain_root(leaves[index << 8 * level : (index + 1) << 8 * level])
    note = (tmp_path / "checkpoint").read_bytes()
    head = checkpoint.opened(note, KEYS)
    assert (head.origin, head.size, head.root) == ("chu", size, plain_root(leaves))
    assert checkpoint.signed_at(note, KEYS) == AT
    assert tree.signed == head


def test_a_tree_of_three_levels_is_taken_up_again_with_the_same_root(tmp_path):
    leaves = leaves_of(65_536 + 300)
    tree = a_tree(tmp_path)
    tree.add(leaves)
    tree.sign([KEY], AT)
    again = a_tree(tmp_path)
    again.add(leaves_of(5, 65_836))
    again.sign([KEY], AT)
    assert again.signed.root == merkle.root(merkle.leaf_hashes(leaves + leaves_of(5, 65_836)))
    assert (tmp_path / "tile/2/000.p/1").exists()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), st.booleans(), st.booleans()), max_size=8))
def test_any_growth_with_restarts_gives_the_same_tree_and_only_grows(tmp_path_factory, history):
    folder = tmp_path_factory.mktemp("tree")
    tree, heads = a_tree(folder), []
    for count, sign, restart in history:
        tree.add(leaves_of(count, tree.size))
        if sign:
            tree.sign([KEY], AT)
            heads.append(tree.signed)
        if restart:
            tree = a_tree(folder)  # what was not signed is hashed again from the journal
            assert tree.size == (heads[-1].size if heads else 0)
    for head in heads:
        assert head.root == plain_root(leaves_of(head.size))


def test_partial_tiles_stay_until_a_full_one_stands_for_them(tmp_path):
    tree = a_tree(tmp_path)
    for _ in range(25):
        tree.add(leaves_of(10, tree.size))
        tree.sign([KEY], AT)
    assert len(list((tmp_path / "tile/0/000.p").iterdir())) == 25
    assert len(list((tmp_path / "tile/entries/000.p").iterdir())) == 8
    tree.add(leaves_of(10, tree.size))
    tree.sign([KEY], AT)
    assert not (tmp_path / "tile/0/000.p").exists()
    assert not (tmp_path / "tile/entries/000.p").exists()
    assert not list(tmp_path.rglob("*.new"))


def test_a_leaf_too_long_for_a_bundle_has_a_file_of_its_own_and_an_entry_that_names_it(tmp_path):
    large = os.urandom(100_000)
    tree = a_tree(tmp_path)
    tree.add([b"small", large, *leaves_of(254)])
    tree.sign([KEY], AT)
    digest, length = tiles.large_leaf(entries_on_disk(tmp_path, 256)[1])
    assert (length, (tmp_path / tiles.large_path(digest)).read_bytes()) == (100_000, large)
    assert [leaf for _, leaf in tree.leaves(0, 3)] == [b"small", large, b"leaf 0"]
    (tmp_path / tiles.large_path(digest)).write_bytes(large[:-1] + b"?")
    with pytest.raises(LedgerUnavailable, match="is damaged"):
        list(tree.leaves(0, 3))


def test_an_idle_ledger_is_signed_again_with_a_later_time_that_never_goes_back(tmp_path):
    tree = grown(tmp_path, 3)
    for given_at, expected in ((AT + 60, AT + 60), (AT, AT + 60), (AT + 61, AT + 61)):
        tree.sign([KEY], given_at)
        assert checkpoint.signed_at((tmp_path / "checkpoint").read_bytes(), KEYS) == expected
    assert a_tree(tmp_path).signed_at == AT + 61


# ---- what is not begun anew


def test_a_tree_whose_checkpoint_is_gone_is_refused(tmp_path):
    grown(tmp_path, 3)
    (tmp_path / "checkpoint").unlink()
    with pytest.raises(LedgerUnavailable, match="`tree/checkpoint` is missing: put it back"):
        a_tree(tmp_path)


def test_a_checkpoint_of_another_key_or_another_ledger_is_refused(tmp_path):
    grown(tmp_path, 3)
    with pytest.raises(LedgerUnavailable, match="not this ledger's: the note is not signed by a key of chu"):
        Tree(tmp_path, "chu").open([SigningKey("chu", bytes(32)).public])
    with pytest.raises(LedgerUnavailable, match="is of the ledger `chu`, and this one is `other`"):
        Tree(tmp_path, "other").open(KEYS)


def test_a_tree_with_any_changed_or_missing_file_at_its_edge_is_refused(tmp_path):
    grown(tmp_path / "whole", 600)
    edge = ["tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/002.p/88", "checkpoint"]
    for path in edge:
        for change in ("missing", "changed", "cut"):
            folder = tmp_path / f"{change}{path.replace('/', '-')}"
            shutil.copytree(tmp_path / "whole", folder)
            file = folder / path
            data = file.read_bytes()
            if change == "missing":
                file.unlink()
            else:
                file.write_bytes(data[:-1] if change == "cut" else data[:40] + bytes([data[40] ^ 1]) + data[41:])
            with pytest.raises(LedgerUnavailable, match="put"):
                a_tree(folder)


class UnorderedTree(Tree):
    """The protection off: its checkpoint may reach the disk before what it speaks of."""

    def sign(self, keys, at):
        sync, self._files.sync = self._files.sync, lambda: None
        try:
            super().sign(keys, at)
        finally:
            self._files.sync = sync


def _lost_power(folder, kind):
    """Grows a tree on a disk that forgets what was not flushed, and says whether the checkpoint found is good."""
    kept: dict[str, bytes] = {}

    def flushed(descriptor):
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if os.path.isfile(path):
            with open(path, "rb") as file:
                kept[path.removesuffix(".new")] = file.read()

    tree = kind(folder, "chu", flushed)
    tree.open(KEYS)
    for _ in range(4):
        tree.add(leaves_of(150, tree.size))
        tree.sign([KEY], AT)
    shutil.rmtree(folder)
    for path, data in kept.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
    try:
        return Tree(folder, "chu").open(KEYS)
    except LedgerUnavailable:
        return False


def test_a_checkpoint_that_outlives_a_power_cut_finds_all_it_speaks_of(tmp_path):
    assert _lost_power(tmp_path / "tree", Tree)


def test_without_the_order_a_power_cut_would_leave_a_checkpoint_over_nothing(tmp_path):
    assert not _lost_power(tmp_path / "tree", UnorderedTree)
