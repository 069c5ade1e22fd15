"""The hash tree, compared with a plain reading of RFC 6962 2.1 that shares nothing with it."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from sidecar.core import merkle

# The eight leaves and roots that certificate-transparency's implementations share as their test vector.
LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def plain_root(entries):
    """MTH of RFC 6962 2.1, word for word."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\0" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return sha256(b"\1" + plain_root(entries[:k]) + plain_root(entries[k:])).digest()


def entries_of(count):
    return [b"entry %d" % n for n in range(count)]


def node_of(entries):
    return lambda level, index: plain_root(entries[index << level : (index + 1) << level])


SIZES = st.integers(0, 70)


def test_the_roots_are_those_of_the_shared_test_vector():
    for count, expected in enumerate(ROOTS, 1):
        hashes = [merkle.leaf_hash(entry) for entry in LEAVES[:count]]
        assert merkle.root(hashes).hex() == expected
        frontier = merkle.Frontier()
        for entry_hash in hashes:
            frontier.append(entry_hash)
        assert (frontier.root.hex(), frontier.size) == (expected, count)


def test_the_root_is_the_same_whole_growing_and_resumed():
    entries, frontier = entries_of(70), merkle.Frontier()
    for count in range(71):
        expected = plain_root(entries[:count])
        assert merkle.root([merkle.leaf_hash(entry) for entry in entries[:count]]) == expected
        assert frontier.root == expected
        assert merkle.Frontier.of(count, node_of(entries)).root == expected
        if count < 70:
            frontier.append(merkle.leaf_hash(entries[count]))


def test_a_subtree_may_be_added_at_once():
    entries, frontier = entries_of(24), merkle.Frontier()
    frontier.append_subtree(4, plain_root(entries[:16]))
    frontier.append_subtree(3, plain_root(entries[16:]))
    assert (frontier.root, frontier.size) == (plain_root(entries), 24)


def test_every_inclusion_proof_of_small_trees_holds_and_is_of_its_place_alone():
    for size in range(1, 34):
        entries = entries_of(size)
        root, node = plain_root(entries), node_of(entries)
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, node)
            entry_hash = merkle.leaf_hash(entries[index])
            assert merkle.verify_inclusion(entry_hash, index, size, proof, root)
            for other in range(size + 1):
                assert other == index or not merkle.verify_inclusion(entry_hash, other, size, proof, root)


def test_every_consistency_proof_of_small_trees_holds():
    entries = entries_of(33)
    roots = [plain_root(entries[:size]) for size in range(34)]
    for new in range(34):
        for old in range(new + 1):
            proof = merkle.consistency_proof(old, new, node_of(entries))
            assert merkle.verify_consistency(old, roots[old], new, roots[new], proof)
            assert not merkle.verify_consistency(old, merkle.leaf_hash(b"other"), new, roots[new], proof)
            if old:
                assert not merkle.verify_consistency(old, roots[old], new, merkle.leaf_hash(b"other"), proof)


@given(st.data())
def test_a_changed_shortened_or_lengthened_proof_is_refused(data):
    size = data.draw(st.integers(2, 70))
    entries = entries_of(size)
    node, root = node_of(entries), plain_root(entries)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size - 1))
    for proof, holds in (
        (
            merkle.inclusion_proof(index, size, node),
            lambda told: merkle.verify_inclusion(merkle.leaf_hash(entries[index]), index, size, told, root),
        ),
        (
            merkle.consistency_proof(old, size, node),
            lambda told: merkle.verify_consistency(old, plain_root(entries[:old]), size, root, told),
        ),
    ):
        assert holds(proof)
        at = data.draw(st.integers(0, len(proof) - 1))
        bit = 1 << data.draw(st.integers(0, 7))
        changed = bytes([proof[at][0] ^ bit]) + proof[at][1:]
        assert not holds((*proof[:at], changed, *proof[at + 1 :]))
        assert not holds(proof[:at] + proof[at + 1 :])
        assert not holds((*proof[:at], proof[at], *proof[at:]))


def test_what_is_not_in_the_tree_is_not_proven():
    for index, size in ((0, 0), (3, 3), (-1, 3)):
        try:
            merkle.inclusion_proof(index, size, node_of(entries_of(3)))
        except ValueError:
            continue
        raise AssertionError((index, size))
