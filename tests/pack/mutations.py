"""Small faults put into a pack, one at a time: what somebody could have written instead of a row or a number."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sidecar.core.casbin_text import Cell, Condition, Duty, Link, Otherwise, Rows, Rule
from sidecar.core.expression import Both, Constant, Either, Node, Term
from sidecar.core.pack import Pack

Row = Rule | Duty | Cell
Number = tuple[str, ...]  # the keys that lead to a number of pack.toml

DELETED, FLIPPED, DROPPED, NEGATED = "deleted", "eft flipped", "conjunct dropped", "word negated"
MOVED, WIDENED = "edge moved", "group widened"
OPERATORS = (DELETED, FLIPPED, DROPPED, NEGATED, MOVED, WIDENED)

COLUMNS = {"profile": "g", "category": "g2", "action": "g3", "purpose": "g4"}
TABLES = {Rule: "rules", Duty: "duties", Cell: "cells", Link: "links"}
DURATION = re.compile(r"(?<![A-Za-z0-9_])([0-9]+)(?=[smhd]?[,)])")
# The numbers of pack.toml that move an edge, by the table they are in.
EDGES = ("vocabulary", "break_glass", "freshness", "settings")


class Mutant(Struct, frozen=True):
    """One fault: the row or number it is in, what became of it, and the pack's rows or parameters with it."""

    operator: str
    place: str  # the row as it is written, or the path of a number
    change: str
    before: Row | Link | None = None
    after: Row | None = None
    number: tuple[Number, int] | None = None

    @property
    def name(self) -> str:
        """What identifies it from one version of the pack to the next."""
        return f"{self.place} ⇒ {self.change}"

    def rows(self, rows: Rows) -> Rows:
        """The rows with the fault in them."""
        if self.before is None:
            return rows
        table = TABLES[type(self.before)]
        kept = [row for row in getattr(rows, table) if row is not self.before]
        if self.after is None:
            return replace(rows, **{table: tuple(kept)})
        return replace(rows, **{table: (*kept, self.after)})

    def pack(self, pack: Pack) -> Pack:
        """The parameters with the fault in them."""
        if self.number is None:
            return pack
        return msgspec.convert(moved(msgspec.to_builtins(pack), *self.number), Pack)


def mutants(pack: Pack, rows: Rows, files: Mapping[str, str]) -> Iterator[Mutant]:
    """Every fault of every kind in every row, link and number of a pack, each once."""
    texts = {name: text.split("\n") for name, text in files.items()}
    parents: dict[tuple[str, str], list[str]] = {}
    for link in rows.links:
        parents.setdefault((link.section, link.member), []).append(link.group)
    seen: set[str] = set()
    every: tuple[Row | Link, ...] = (*rows.rules, *rows.cells, *rows.duties, *rows.links)
    for row in every:
        written = texts[row.at.file][row.at.line - 1]
        for operator, change, after in _of_row(pack, row, parents):
            made = Mutant(operator, written, change, row, after)
            if made.name not in seen:
                seen.add(made.name)
                yield made
    for path, value in numbers(msgspec.to_builtins(pack)):
        for step in (1, -1):
            yield Mutant(MOVED, ".".join(path), f"{value} {step:+}", number=(path, value + step))


def _of_row(
    pack: Pack, row: Row | Link, parents: Mapping[tuple[str, str], Sequence[str]]
) -> Iterator[tuple[str, str, Row | None]]:
    """What may become of one row: the kind of fault, the change in words, the row with it."""
    yield DELETED, "deleted", None
    if isinstance(row, Link):
        return
    if not isinstance(row, Duty):
        yield FLIPPED, "allow" if row.deny else "deny", flipped(pack, row)
    for operator, change, when in _of_condition(row.when):
        yield operator, change, replace(row, when=when)
    if isinstance(row, Rule) and row.otherwise is not None:
        yield DROPPED, "no otherwise", replace(row, otherwise=None)
        if row.otherwise.when is not None:
            for operator, change, when in _of_condition(row.otherwise.when):
                yield operator, f"otherwise: {change}", replace(row, otherwise=Otherwise(row.otherwise.reason, when))
    if isinstance(row, Duty):
        for text in _moved_text(row.obligation):
            yield MOVED, text, replace(row, obligation=text)
    for column, section in COLUMNS.items():
        if not isinstance(row, Cell) or column != "purpose":
            for parent in parents.get((section, getattr(row, column)), ()):
                yield WIDENED, f"{column} {parent}", replace(row, **{column: parent})


def flipped(pack: Pack, row: Rule | Cell) -> Row:
    """The row with the opposite effect, in the last gate or with the last reason to permit."""
    if isinstance(row, Cell):
        return replace(row, deny=not row.deny)
    if row.deny:
        return replace(row, deny=False, reason=pack.order.allow_rank[-1])
    return replace(row, deny=True, rule=pack.order.gates[-1], otherwise=None)


def _of_condition(when: Condition) -> Iterator[tuple[str, str, Condition]]:
    for operator, change, node in _of_node(when.node):
        made = Condition(written(node), node)
        if made.text != when.text:
            yield operator, change, made


def _of_node(node: Node) -> Iterator[tuple[str, str, Node]]:
    """What may become of a condition or of a part of it."""
    if isinstance(node, Constant):
        return
    if isinstance(node, Term):
        yield DROPPED, f"without {written(node)}", Constant(True)
        yield NEGATED, f"not {written(node)}", replace(node, negated=not node.negated)
        for place, (kind, text) in enumerate(node.args or ()):
            for step in (1, -1) if kind == "int" else ():
                args = list(node.args or ())
                args[place] = (kind, str(int(text) + step))
                yield MOVED, f"{int(text) + step} in {written(node)}", replace(node, args=tuple(args))
        return
    for place, part in enumerate(node.parts):
        before, after = node.parts[:place], node.parts[place + 1 :]
        rest = before + after
        yield DROPPED, f"without {written(part)}", rest[0] if len(rest) == 1 else type(node)(rest)
        for operator, change, made in _of_node(part):
            if operator != DROPPED or not isinstance(part, Term):
                yield operator, change, type(node)((*before, made, *after))


def _moved_text(obligation: str) -> Iterator[str]:
    """The obligation with each of its numbers one more, and one less."""
    for found in DURATION.finditer(obligation):
        for step in (1, -1):
            yield obligation[: found.start()] + str(int(found[1]) + step) + obligation[found.end() :]


def written(node: Node) -> str:
    """A condition as a rule file says it."""
    if isinstance(node, Constant):
        return str(node.value)
    if isinstance(node, Term):
        arguments = [f'"{text}"' if kind in ("str", "strs") else text for kind, text in node.args or ()]
        call = "" if node.args is None else f"({', '.join(arguments)})"
        return f"{'!' if node.negated else ''}r.{node.noun}.{node.word}{call}"
    joint: Callable[[Node], str] = written
    if isinstance(node, Either):
        return " || ".join(map(joint, node.parts))
    return " && ".join(f"({written(part)})" if isinstance(part, Either) else written(part) for part in node.parts)


def numbers(table: object, path: Number = ()) -> Iterator[tuple[Number, int]]:
    """Every number of pack.toml that moves an edge: windows, ages, limits; those that are not set are left out."""
    if isinstance(table, dict):
        for key, value in table.items():
            if path or key in EDGES:
                yield from numbers(value, (*path, key))
    elif isinstance(table, int) and not isinstance(table, bool) and table:
        yield path, table


def moved(table: dict[str, object], path: Number, value: int) -> dict[str, object]:
    """The table with another number at this path."""
    first, *rest = path
    inner = table[first]
    made = moved(inner, tuple(rest), value) if isinstance(inner, dict) and rest else value
    return {**table, first: made}


def parts(node: Node) -> tuple[Node, ...]:
    """What a condition is joined of."""
    return node.parts if isinstance(node, Both | Either) else ()
