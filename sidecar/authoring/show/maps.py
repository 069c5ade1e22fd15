"""The tables of profiles: what the matrix opens, the other actions, and which rules give a ground."""

from collections.abc import Callable, Iterable, Sequence

from sidecar.authoring.explain.rows import Rulebook
from sidecar.authoring.show.names import Names
from sidecar.authoring.show.reach import WIDEST, Mark, Reach
from sidecar.authoring.show.sheet import Band, Line, Map, Named, Part
from sidecar.core.compiled import number

READ, LIST = "read", "list"
WRITE = ("create", "update")
ON_THE_MAP = (READ, *WRITE)
BESIDE = (LIST, "sign")  # told with reading and writing in the profile's own list
DOT = "●"

Squares = Callable[[str], tuple[tuple[Part, ...], ...]]


class Maps:
    """Lays the tables out for one language."""

    def __init__(self, book: Rulebook, reach: Reach, names: Names) -> None:
        self._book, self._reach, self._names = book, reach, names
        pack = book.pack
        self._profiles = names.bands("profiles", pack.vocabulary.profiles, pack.show.profiles, book.members("g"))
        self._categories = names.bands(
            "categories", pack.vocabulary.categories, pack.show.categories, book.members("g2")
        )

    def rights(self, tags: Named) -> Map:
        """Profile × category: reading and writing; then, of the clinical categories, each sensitive tag."""
        pack = self._book.pack
        categories = [column.code for band in self._categories for column in band.columns]
        clinical = [
            name for name in pack.vocabulary.categories if name in self._book.members("g2")[pack.vocabulary.clinical]
        ]

        def squares(profile: str) -> tuple[tuple[Part, ...], ...]:
            plain = [self._square(profile, [category]) for category in categories]
            return (*plain, *(self._square(profile, clinical, tag) for tag in pack.vocabulary.tags))

        sensitive = Band(tags, self._names.all("tags", pack.vocabulary.tags))
        return Map((*self._categories, sensitive), self._lines(squares))

    def acts(self) -> Map:
        """Profile × every other action some profile has a cell for."""
        pack = self._book.pack
        written = {action for profile in pack.vocabulary.profiles for _, _, action in self._reach.cells(profile)}
        actions = [each for each in pack.vocabulary.actions if each in written and each not in (*ON_THE_MAP, *BESIDE)]

        def squares(profile: str) -> tuple[tuple[Part, ...], ...]:
            return tuple(_parts((DOT, self._widest(profile, pack.vocabulary.categories, [each]))) for each in actions)

        return Map((Band(Named("", ""), self._names.all("actions", actions)),), self._lines(squares))

    def why(self) -> Map:
        """Profile × rule that gives it a ground."""
        rules = sorted({placed.row.rule for placed in self._book.placed if placed.row.kind == "ground"}, key=number)
        reason = self._book.pack.break_glass.reason

        def squares(profile: str) -> tuple[tuple[Part, ...], ...]:
            held: dict[str, Mark] = {}
            for ground in self.grounds(profile):
                mark = Mark.GLASS if ground[1] == reason else Mark.OPEN
                held[ground[0]] = min(mark, held.get(ground[0], mark), key=WIDEST.index)
            return tuple(_parts((DOT, held.get(rule, Mark.CLOSED))) for rule in rules)

        return Map((Band(Named("", ""), self._names.all("rules", rules)),), self._lines(squares))

    def grounds(self, profile: str) -> list[tuple[str, str]]:
        """The rules that give a profile a ground, with their reason, in the order of their numbers."""
        found = {
            (ground.row.rule, ground.row.reason)
            for _, category, action in self._reach.cells(profile)
            for ground in self._reach.grounds(profile, category, action)
        }
        return sorted(found, key=lambda each: (number(each[0]), each[1]))

    def _square(self, profile: str, categories: Sequence[str], tag: str | None = None) -> tuple[Part, ...]:
        reads = self._widest(profile, categories, [READ], tag)
        letter = "R"
        if reads is Mark.CLOSED:
            reads, letter = self._widest(profile, categories, [LIST], tag), "L"
        elif tag is None and all(self._reach.redacted(profile, category, READ) for category in categories):
            letter = "r"
        return _parts((letter, reads), ("W", self._widest(profile, categories, WRITE, tag)))

    def _widest(self, profile: str, categories: Iterable[str], actions: Iterable[str], tag: str | None = None) -> Mark:
        marks = [self._reach.mark(profile, category, each, tag) for category in categories for each in actions]
        return min(marks, key=WIDEST.index, default=Mark.CLOSED)

    def _lines(self, squares: Squares) -> tuple[Band, ...]:
        return tuple(
            Band(band.name, lines=tuple(Line(profile, squares(profile.code)) for profile in band.columns))
            for band in self._profiles
        )


def _parts(*letters: tuple[str, Mark]) -> tuple[Part, ...]:
    return tuple(Part(letter, mark) for letter, mark in letters if mark is not Mark.CLOSED)
