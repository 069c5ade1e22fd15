"""Rows found by the names they apply to, so that a slice costs what it meets, however many rows there are."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, product
from typing import Generic, TypeVar

from sidecar.core.casbin_text import LINKS, NONE
from sidecar.core.groups import Members

T = TypeVar("T")
Place = tuple[str, ...]  # the name or group a row states in each column: profile, category, action, purpose
ANY = NONE  # a row of the matrix knows no purpose


class Index(Generic[T]):
    """Rows by the profile, category, action and purpose they state, in the order they were added."""

    def __init__(self, members: Mapping[str, Members]) -> None:
        """`members` are the flattened sections of links, one a column."""
        self.rows: list[T] = []
        self._places: list[Place] = []
        self._groups = tuple(_groups_of(members[section]) for section in LINKS)
        self._stated: tuple[dict[str, list[int]], ...] = tuple({} for _ in LINKS)

    def add(self, placed: Iterable[tuple[Place, T]]) -> None:
        """Add rows after those that are there."""
        for place, row in placed:
            for stated, name in zip(self._stated, place, strict=True):
                stated.setdefault(name, []).append(len(self.rows))
            self.rows.append(row)
            self._places.append(place)

    def placed(self) -> Iterator[tuple[Place, T]]:
        """Every row and what it states, in order."""
        return zip(self._places, self.rows, strict=True)

    def met(self, names: Place) -> list[T]:
        """The rows that apply to these names, in order."""
        reach = [self._reach(column, name) for column, name in enumerate(names)]
        # The column that leaves the fewest rows is read; the others are looked at row by row.
        fewest = min(
            ([stated[name] for name in found if name in stated]
             for found, stated in zip(reach, self._stated, strict=True)),
            key=lambda lists: sum(map(len, lists)),
        )  # fmt: skip
        return [self.rows[number] for number in sorted(chain(*fewest)) if self._applies(number, reach)]

    def distinct(self, vocabulary: Sequence[Iterable[str]], limit: int) -> Iterator[tuple[Place, list[T]]]:
        """Each different list of rows that names of the vocabulary meet, and the first names that do.

        `vocabulary` has the names of each column; what meets the same rows of the columns so far is looked at once,
        and after `limit` looks the rest is left out.
        """
        met: dict[int, tuple[str, ...]] = {~0: ()}
        looked = 0
        for column, names in enumerate(vocabulary):
            masks, wider = self._masks(column, names), met
            met = {}
            for (rows, given), (mask, name) in islice(product(wider.items(), masks.items()), limit - looked):
                looked += 1
                met.setdefault(rows & mask, (*given, name))
        for rows, place in met.items():
            yield place, [self.rows[number] for number in _bits(rows)]

    def _masks(self, column: int, names: Iterable[str]) -> dict[int, str]:
        """For each different set of rows that names of this column leave, as bits, one such name."""
        found: dict[int, str] = {}
        of_stated = {name: sum(1 << number for number in rows) for name, rows in self._stated[column].items()}
        for name in names:
            mask = 0
            for group in self._reach(column, name):
                mask |= of_stated.get(group, 0)
            found.setdefault(mask, name)
        return found

    def _reach(self, column: int, name: str) -> frozenset[str]:
        """What a row may state in this column to apply to this name."""
        return self._groups[column].get(name, frozenset()) | {name, ANY}

    def _applies(self, number: int, reach: Sequence[frozenset[str]]) -> bool:
        return all(name in found for name, found in zip(self._places[number], reach, strict=True))


def _bits(mask: int) -> Iterator[int]:
    """The places of the bits that are set, the lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _groups_of(members: Members) -> dict[str, frozenset[str]]:
    """For each name, the groups it is in."""
    found: dict[str, set[str]] = {}
    for group, names in members.items():
        for name in names:
            found.setdefault(name, set()).add(group)
    return {name: frozenset(groups) for name, groups in found.items()}
