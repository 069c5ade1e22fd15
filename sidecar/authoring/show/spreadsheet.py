"""The page as one CSV table: a line for each square of the matrix, each row of a rule, each parameter and source."""

import csv
import io
from collections.abc import Iterable, Iterator

from sidecar.authoring.show.sheet import Map, RuleSeen, Sheet

COLUMNS = (
    "section", "rule", "title", "profile", "category", "action", "purpose", "gives", "condition", "casbin", "source",
    "set_by", "place",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t")  # a spreadsheet would work out a cell that begins so


def spreadsheet(sheet: Sheet) -> str:
    """The table, in UTF-8 with a byte order mark, which spreadsheets need to read accents."""
    written = io.StringIO()
    table = csv.DictWriter(written, COLUMNS, restval="", lineterminator="\r\n")
    table.writeheader()
    for line in _lines(sheet):
        table.writerow({name: f"'{text}" if text.startswith(FORMULA) else text for name, text in line.items()})
    return "\ufeff" + written.getvalue()


def _lines(sheet: Sheet) -> Iterator[dict[str, str]]:
    yield from _map("matrix", "category", sheet.rights)
    yield from _map("action", "action", sheet.acts)
    for gate in sheet.gates:
        yield from _rules("gate", gate.rules)
    yield from _rules("ground", sheet.grounds)
    yield from _rules("obligation", sheet.duties)
    yield from _rules("shut", sheet.shut)
    for profile in sheet.profiles:
        for cell in profile.cells:
            yield {
                "section": "cell",
                "profile": profile.name.code,
                "category": " ".join(each.code for each in cell.categories),
                "action": " ".join(each.code for each in cell.actions),
                "condition": cell.condition,
                "casbin": cell.written,
                "source": " ".join(cell.sources),
                "place": " ".join(cell.places),
            }
        if profile.glass:
            yield {
                "section": "break-glass",
                "profile": profile.name.code,
                "title": profile.glass.scope.label,
                "category": " ".join(each.code for each in profile.glass.reads),
            }
    for table in sheet.parameters:
        for each in table.listed:
            yield {
                "section": "parameter",
                "rule": each.key,
                "title": each.label,
                "gives": each.value,
                "source": each.source,
                "set_by": each.set_by,
            }
    for text in (*sheet.permits, *sheet.refusals, *sheet.obligations, *sheet.motives):
        yield {"section": "sentence", "rule": text.code, "title": text.sentence}
    for source in sheet.sources:
        yield {
            "section": "source",
            "rule": source.name.code,
            "title": source.name.label,
            "gives": " ".join((*source.rules, *source.parameters)),
        }


def _map(section: str, column: str, table: Map) -> Iterator[dict[str, str]]:
    columns = [each.code for band in table.columns for each in band.columns]
    for band in table.lines:
        for line in band.lines:
            for name, square in zip(columns, line.squares, strict=True):
                yield {
                    "section": section,
                    "profile": line.name.code,
                    column: name,
                    "gives": " ".join(part.letter for part in square) or "–",
                    "condition": " ".join(part.mark for part in square) or "closed",
                }


def _rules(section: str, rules: Iterable[RuleSeen]) -> Iterator[dict[str, str]]:
    for rule in rules:
        for row in rule.rows:
            yield {
                "section": section,
                "rule": row.rule,
                "title": rule.name.label,
                "profile": row.profile.code,
                "category": row.category.code,
                "action": row.action.code,
                "purpose": row.purpose.code if row.purpose else "",
                "gives": row.gives,
                "condition": row.condition,
                "casbin": row.written,
                "source": " ".join(row.sources),
                "place": row.place,
            }
