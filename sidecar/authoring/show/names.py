"""What people call the names of a pack; a name its texts do not know is shown as its code."""

from collections.abc import Iterable, Mapping

from sidecar.authoring.show.sheet import Band, Named
from sidecar.core.groups import Members


class Names:
    """Labels in one language, and the bands a page lists names under."""

    def __init__(self, tables: Mapping[str, Mapping[str, str]], rest: str) -> None:
        """`rest` heads the names that no band holds."""
        self._tables, self._rest = tables, rest

    def of(self, table: str, code: str) -> Named:
        """A code and its label."""
        return Named(code, self._tables.get(table, {}).get(code, code))

    def all(self, table: str, codes: Iterable[str]) -> tuple[Named, ...]:
        """Codes and their labels, in their order."""
        return tuple(self.of(table, code) for code in codes)

    def text(self, table: str, code: str) -> str:
        """The label, or empty where there is none."""
        return self._tables.get(table, {}).get(code, "")

    def bands(self, table: str, listed: Iterable[str], groups: Iterable[str], members: Members) -> tuple[Band, ...]:
        """The names listed, each under the first of the groups that holds it, in the order of the list."""
        left = list(listed)
        found = []
        for group in groups:
            inside = [name for name in left if name in members.get(group, ())]
            left = [name for name in left if name not in inside]
            if inside:
                found.append(Band(self.of(table, group), self.all(table, inside)))
        if left:
            found.append(Band(Named("", self._rest), self.all(table, left)))
        return tuple(found)
