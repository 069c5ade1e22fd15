"""Rows found by the names they apply to, so that a slice costs what it meets, however many rows there are."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Generic, TypeVar

from sidecar.core.casbin_text import LINKS, NONE
from sidecar.core.groups import Members

T = TypeVar("T")
Place = tuple[str, ...]  # the name or group a row states in each column: profile, category, action, purpose
ANY = NONE  # a row of the matrix knows no purpose


class Index(Generic[T]):
    """Rows by the profile, category, action and purpose they state."""

    def __init__(self, placed: Sequence[tuple[Place, T]], members: Mapping[str, Members]) -> None:
        """`members` are the flattened sections of links, one a column."""
        self._placed = placed
        self.rows: Sequence[T] = [row for _, row in placed]
        self._groups = tuple(_groups_of(members[section]) for section in LINKS)
        self._stated: tuple[dict[str, list[int]], ...] = tuple({} for _ in LINKS)
        for number, (place, _) in enumerate(placed):
            for stated, name in zip(self._stated, place, strict=True):
                stated.setdefault(name, []).append(number)

    def met(self, names: Place) -> list[T]:
        """The rows that apply to these names, in order."""
        reach = [groups.get(name, frozenset()) | {name, ANY} for groups, name in zip(self._groups, names, strict=True)]
        # The column that leaves the fewest rows is read; the others are looked at row by row.
        found = min(
            ([stated[name] for name in groups if name in stated]
             for groups, stated in zip(reach, self._stated, strict=True)),
            key=lambda lists: sum(map(len, lists)),
        )  # fmt: skip
        return [self._placed[number][1] for number in sorted(chain(*found)) if self._applies(number, reach)]

    def _applies(self, number: int, reach: Sequence[frozenset[str]]) -> bool:
        return all(name in found for name, found in zip(self._placed[number][0], reach, strict=True))


def _groups_of(members: Members) -> dict[str, frozenset[str]]:
    """For each name, the groups it is in."""
    found: dict[str, set[str]] = {}
    for group, names in members.items():
        for name in names:
            found.setdefault(name, set()).add(group)
    return {name: frozenset(groups) for name, groups in found.items()}
