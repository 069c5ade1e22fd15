"""Compares the hashes of a tile or bundle with the true ones: what was changed, left out, cut, moved or repeated."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from msgspec import Struct

MODIFIED: Final = "modified"
MISSING: Final = "missing"
REORDERED: Final = "reordered"
DUPLICATED: Final = "duplicated"
TRUNCATED: Final = "truncated"


class Place(Struct, frozen=True):
    """A run of places and what is wrong there; `other` is the record that stands there instead."""

    what: str
    first: int
    last: int
    other: int | None = None


class Elsewhere(Struct, frozen=True):
    """Where hashes that are out of place belong (hash → record), and which records still stand where they belong."""

    home: Mapping[bytes, int] = {}
    kept: AbstractSet[int] = frozenset()


def places(found: Sequence[bytes], true: Sequence[bytes], base: int, elsewhere: Elsewhere) -> list[Place]:
    """What is wrong with `found`, which should be `true`, the hashes from record `base` on."""
    if list(found) == list(true):
        return []
    if len(found) < len(true):
        if list(found) == list(true[: len(found)]):
            return [Place(TRUNCATED, len(found), len(true) - 1)]
        gone = left_out(true, found)
        if gone is not None:
            return [Place(MISSING, first, last) for first, last in runs(gone)]
    home = {**elsewhere.home, **{hash_: base + n for n, hash_ in enumerate(true)}}
    if len(found) > len(true):
        added = left_out(found, true)
        if added is not None:
            return [Place(DUPLICATED if found[n] in home else MODIFIED, n, n, home.get(found[n])) for n in added]
    kept = {base + n for n, (ours, theirs) in enumerate(zip(found, true, strict=False)) if ours == theirs}
    return _one_by_one(found, true, home, kept | elsewhere.kept)


def _one_by_one(
    found: Sequence[bytes], true: Sequence[bytes], home: Mapping[bytes, int], kept: AbstractSet[int]
) -> list[Place]:
    wrong: list[Place] = []
    changed: list[int] = []
    for n in range(max(len(found), len(true))):
        if n < len(found) and n < len(true) and found[n] == true[n]:
            continue
        other = home.get(found[n]) if n < len(found) else None
        if other is None:
            changed.append(n)
        else:
            _joined(wrong, Place(DUPLICATED if other in kept else REORDERED, n, n, other))
    return wrong + [Place(MODIFIED, first, last) for first, last in runs(changed)]


def _joined(found: list[Place], place: Place) -> None:
    """Add a place, to the run before it where it goes on with what stands there."""
    run = found[-1] if found else None
    if run is None or run.other is None or place.other is None:
        found.append(place)
    elif (run.what, run.last + 1, run.other + place.first - run.first) == (place.what, place.first, place.other):
        found[-1] = Place(run.what, run.first, place.last, run.other)
    else:
        found.append(place)


def left_out(whole: Sequence[bytes], part: Sequence[bytes]) -> list[int] | None:
    """The places of `whole` that are not in `part`, when `part` is the rest in order; else None."""
    left, at = [], 0
    for n, hash_ in enumerate(whole):
        if at < len(part) and part[at] == hash_:
            at += 1
        else:
            left.append(n)
    return left if at == len(part) else None


def runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Ascending numbers as runs, each by its first and last."""
    start = 0
    for n in range(1, len(numbers) + 1):
        if n == len(numbers) or numbers[n] != numbers[n - 1] + 1:
            yield numbers[start], numbers[n - 1]
            start = n
