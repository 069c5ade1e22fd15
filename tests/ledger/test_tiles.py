"""The layout of the tree's files, against the words of c2sp.org/tlog-tiles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core import tiles


def test_paths_are_those_of_the_specification():
    assert tiles.tile_path(0, 0) == "tile/0/000"
    assert tiles.tile_path(3, 1234067) == "tile/3/x001/x234/067"
    assert tiles.tile_path(1, 273, 17) == "tile/1/273.p/17"
    assert tiles.bundle_path(1000, 5) == "tile/entries/x001/000.p/5"


def test_a_tree_of_70_000_has_the_tiles_the_specification_counts():
    assert list(tiles.widths(70_000)) == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert list(tiles.widths(256)) == [(0, 0, 256), (1, 0, 1)]
    assert list(tiles.widths(0)) == []


@given(st.lists(st.binary(max_size=70), max_size=256))
def test_a_bundle_gives_its_entries_back(entries):
    assert tiles.entries(tiles.bundle(entries)) == entries


@pytest.mark.parametrize("cut", [1, 2, 4])
def test_a_cut_bundle_or_tile_is_refused(cut):
    with pytest.raises(ValueError):
        tiles.entries(tiles.bundle([b"one", b"two"])[:-cut])
    with pytest.raises(ValueError):
        tiles.hashes(bytes(64)[:-cut])


def test_a_large_leaf_is_an_entry_that_names_it():
    longest, large = bytes(tiles.LONGEST_ENTRY), bytes(tiles.LONGEST_ENTRY + 1)
    assert tiles.entry(longest) == longest and tiles.large_leaf(longest) is None
    digest, length = tiles.large_leaf(tiles.entry(large))
    assert length == len(large) and tiles.large_path(digest) == f"large/{digest.hex()}"
