"""What the page shows, in one language, whatever it is written as."""

from collections.abc import Sequence

from msgspec import Struct


class Named(Struct, frozen=True):
    """A code and what people call it."""

    code: str
    label: str


class Part(Struct, frozen=True):
    """One letter of a square, and what opens it (`reach.Mark`)."""

    letter: str
    mark: str


class Line(Struct, frozen=True):
    """A profile and its squares, in the order of the columns; a closed square has no parts."""

    name: Named
    squares: tuple[tuple[Part, ...], ...]


class Band(Struct, frozen=True):
    """Neighbouring columns, or lines, under one heading."""

    name: Named
    columns: tuple[Named, ...] = ()
    lines: tuple[Line, ...] = ()


class Map(Struct, frozen=True):
    """A table of profiles: bands of columns, bands of lines."""

    columns: tuple[Band, ...]
    lines: tuple[Band, ...]


class RowSeen(Struct, frozen=True):
    """A row in words: whom and what it is about, when it holds, what it gives, and as it is written.

    `gives` is a reason or an obligation, `sentence` what is read of it; `otherwise` what a refusal says in its place.
    """

    rule: str
    profile: Named
    category: Named
    action: Named
    purpose: Named | None
    condition: str
    gives: str
    sentence: str
    otherwise: str
    written: str
    sources: tuple[str, ...]
    place: str


class RuleSeen(Struct, frozen=True):
    """A rule and its rows."""

    name: Named
    rows: tuple[RowSeen, ...]


class Gate(Struct, frozen=True):
    """A gate, in the order they are read."""

    name: Named
    rules: tuple[RuleSeen, ...]


class Glass(Struct, frozen=True):
    """What an emergency grant opens to a profile."""

    scope: Named
    reads: tuple[Named, ...]
    writes: tuple[Named, ...]
    tags: tuple[Named, ...]


class CellSeen(Struct, frozen=True):
    """Cells of one profile under one condition: the categories, the actions, and the rows they come from."""

    categories: tuple[Named, ...]
    actions: tuple[Named, ...]
    condition: str
    written: str
    sources: tuple[str, ...]
    places: tuple[str, ...]

    @property
    def where(self) -> str:
        """The places, each file named once and without its folder: `matrix.csv:9-12, 14`."""
        files: dict[str, list[int]] = {}
        for place in self.places:
            file, _, line = place.rpartition(":")
            files.setdefault(file.rpartition("/")[2], []).append(int(line))
        return "; ".join(f"{file}:{_runs(sorted(lines))}" for file, lines in files.items())


def _runs(lines: Sequence[int]) -> str:
    """Line numbers, neighbours as a run."""
    runs: list[list[int]] = []
    for line in lines:
        if runs and line == runs[-1][-1] + 1:
            runs[-1].append(line)
        else:
            runs.append([line])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


class ProfileSeen(Struct, frozen=True):
    """One profile: who holds it, what for, its cells, the rules that give it a ground."""

    name: Named
    kinds: tuple[Named, ...]
    purposes: tuple[Named, ...]
    cells: tuple[CellSeen, ...]
    grounds: tuple[Named, ...]
    glass: Glass | None
    job: bool


class Parameter(Struct, frozen=True):
    """A switch, a number or a list, its source and who sets it; both are empty where the pack does not say."""

    key: str
    label: str
    value: str
    source: str
    set_by: str


class Parameters(Struct, frozen=True):
    """Parameters of one table."""

    name: Named
    listed: tuple[Parameter, ...]


class Source(Struct, frozen=True):
    """A source, what it asks, and what follows it."""

    name: Named
    rules: tuple[str, ...]
    parameters: tuple[str, ...]


class Text(Struct, frozen=True):
    """A code and the sentence people read."""

    code: str
    sentence: str
    hidden: bool = False  # kept in the record, never shown to the caller


class Sheet(Struct, frozen=True):
    """The whole page."""

    language: str
    pack: str
    version: str
    revision: str
    digest: str
    rights: Map
    acts: Map
    why: Map
    gates: tuple[Gate, ...]
    grounds: tuple[RuleSeen, ...]
    duties: tuple[RuleSeen, ...]
    shut: tuple[RuleSeen, ...]  # rows that shut cells whatever else opens them
    profiles: tuple[ProfileSeen, ...]
    motives: tuple[Text, ...]
    permits: tuple[Text, ...]
    refusals: tuple[Text, ...]
    obligations: tuple[Text, ...]
    parameters: tuple[Parameters, ...]
    sources: tuple[Source, ...]

    @property
    def told(self) -> frozenset[str]:
        """The rules that are told row by row, which a link may lead to."""
        gates = (rule for gate in self.gates for rule in gate.rules)
        return frozenset(rule.name.code for rule in (*gates, *self.grounds, *self.duties, *self.shut))

    @property
    def figures(self) -> tuple[tuple[str, int], ...]:
        """How much there is of what, by heading."""
        return (
            ("n_profiles", len(self.profiles)),
            ("n_categories", sum(len(band.columns) for band in self.rights.columns[:-1])),
            ("n_gates", len(self.gates)),
            ("n_grounds", len(self.grounds)),
            ("n_cells", sum(len(cell.places) for profile in self.profiles for cell in profile.cells)),
            ("n_duties", sum(len(rule.rows) for rule in self.duties)),
            ("n_refusals", len(self.refusals)),
            ("n_sources", len(self.sources)),
        )
