"""The page as Markdown, for a review tool or a wiki."""

import re
from collections.abc import Iterable, Iterator, Sequence

from sidecar.authoring.show.labels import label
from sidecar.authoring.show.reach import SIGNS, Mark
from sidecar.authoring.show.sheet import Map, Named, Parameter, ProfileSeen, RuleSeen, Sheet, Source, Text

SPECIAL = re.compile(r"([\\|*_<>\[\]`])")


def markdown(sheet: Sheet) -> str:
    """The whole page."""
    return "\n".join(_Page(sheet).lines()) + "\n"


class _Page:
    """Writes one sheet."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet

    def lines(self) -> Iterator[str]:
        sheet = self._sheet
        yield f"# {self._t('title')} · {_text(sheet.pack)} {sheet.version}"
        yield ""
        yield f"*{self._t('subtitle')}* · {self._t('digest')} `{sheet.digest[:16]}`"
        for name in ("howto_1", "howto_2", "howto_3"):
            yield from ("", self._t(name))
        yield from self._head("legend")
        for letter in "RWrL":
            yield f"- **{letter}** {self._t(f'legend_{letter}')}"
        for mark, sign in SIGNS.items():
            yield f"- **{_text('R' + sign)}** {self._t(f'legend_{mark}')}"
        yield f"- **–** {self._t('legend_closed')}"
        for name, table in (("rights", sheet.rights), ("acts", sheet.acts), ("why", sheet.why)):
            yield from self._head(name, note=True)
            yield from self._map(table)
        yield from self._head("gates", note=True)
        for place, gate in enumerate(sheet.gates, 1):
            yield from ("", f"### {place}. {_named(gate.name)}", "")
            yield from self._rules(gate.rules)
        for name, rules in (("grounds", sheet.grounds), ("duties", sheet.duties)):
            yield from self._head(name, note=True)
            yield from self._rules(rules)
        yield from self._glass()
        yield from self._head("shut", note=True)
        yield from self._rules(sheet.shut)
        yield from self._head("profiles")
        for profile in sheet.profiles:
            yield from self._profile(profile)
        yield from self._head("sentences")
        for name, texts in (
            ("permits", sheet.permits),
            ("refusals", sheet.refusals),
            ("obligations", sheet.obligations),
        ):
            yield from ("", f"### {self._t(name)}", "")
            yield from self._table(("code", "sentence"), (self._sentence(text) for text in texts))
        yield from self._head("parameters", note=True)
        for parameters in sheet.parameters:
            yield from ("", f"### {parameters.name.label}", "")
            yield from self._table(
                ("what", "code", "value", "set_by", "source"), (self._parameter(each) for each in parameters.listed)
            )
        yield from self._head("sources")
        yield from self._table(("source", "what", "followed"), (_source(each) for each in sheet.sources))

    def _t(self, name: str) -> str:
        return label(name, self._sheet.language)

    def _head(self, name: str, note: bool = False) -> Iterator[str]:
        yield from ("", f"## {self._t(name)}", "")
        if note:
            yield from (self._t(f"{name}_note"), "")

    def _table(self, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
        yield f"| {' | '.join(self._t(head) for head in heads)} |"
        yield f"|{'---|' * len(heads)}"
        for row in rows:
            yield f"| {' | '.join(row)} |"

    def _map(self, table: Map) -> Iterator[str]:
        columns = [each for band in table.columns for each in band.columns]
        yield f"| {self._t('profile')} | {' | '.join(_text(each.label) for each in columns)} |"
        yield f"|---|{':-:|' * len(columns)}"
        for band in table.lines:
            for line in band.lines:
                squares = [
                    "".join(_text(part.letter + SIGNS[Mark(part.mark)]) for part in square) or "–"
                    for square in line.squares
                ]
                yield f"| {_text(line.name.label)} | {' | '.join(squares)} |"

    def _rules(self, rules: Iterable[RuleSeen]) -> Iterator[str]:
        for rule in rules:
            yield f"- **{_named(rule.name)}**"
            for row in rule.rows:
                about = [row.profile.label, row.action.label, row.category.label]
                about += [row.purpose.label] if row.purpose else []
                otherwise = f"; {self._t('else')} {_text(row.otherwise)}" if row.otherwise else ""
                yield f"  - {_text(' · '.join(about))}: {_text(row.condition)} → **{_text(row.gives)}**{otherwise}"
                yield f"    `{row.written}` ({', '.join(row.sources)}; {row.place})"

    def _glass(self) -> Iterator[str]:
        yield from self._head("glass", note=True)
        yield from self._table(
            ("profile", "scope", "reads", "writes", "sensitive"),
            (
                (
                    _text(profile.name.label),
                    _text(profile.glass.scope.label),
                    _list(profile.glass.reads),
                    _list(profile.glass.writes),
                    _list(profile.glass.tags),
                )
                for profile in self._sheet.profiles
                if profile.glass
            ),
        )
        without = ", ".join(profile.name.label for profile in self._sheet.profiles if not profile.glass)
        yield from ("", f"**{self._t('glass_none')}** {_text(without)}.", "", f"### {self._t('motives')}", "")
        for motive in self._sheet.motives:
            yield f"- {_text(motive.sentence)} (`{motive.code}`)"

    def _profile(self, profile: ProfileSeen) -> Iterator[str]:
        yield from ("", f"### {_text(profile.name.label)} (`{profile.name.code}`)", "")
        yield f"{self._t('held_by')}: {_list(profile.kinds)}. {self._t('purposes')}: {_list(profile.purposes)}."
        if profile.grounds:
            yield f"{self._t('by_rules')}: {', '.join(each.code for each in profile.grounds)}."
        yield ""
        if not profile.cells:
            yield self._t("no_cells")
            return
        yield from self._table(
            ("categories", "actions", "when", "written", "source"),
            (
                (
                    _list(cell.categories),
                    _list(cell.actions),
                    _text(cell.condition),
                    f"`{cell.written.replace('||', chr(92) + '|' + chr(92) + '|')}`",
                    f"{', '.join(cell.sources)} ({cell.where})",
                )
                for cell in profile.cells
            ),
        )

    def _parameter(self, each: Parameter) -> tuple[str, ...]:
        by = self._t(f"set_by_{each.set_by}")
        return _text(each.label), f"`{each.key}`", _text(each.value), by, each.source

    def _sentence(self, text: Text) -> tuple[str, str]:
        hidden = f" *({self._t('hidden')})*" if text.hidden else ""
        return f"`{text.code}`", _text(text.sentence) + hidden


def _source(source: Source) -> tuple[str, str, str]:
    followed = ", ".join((*source.rules, *(f"`{key}`" for key in source.parameters)))
    return source.name.code, _text(source.name.label), followed


def _text(text: str) -> str:
    """The text with nothing in it that Markdown would read."""
    return SPECIAL.sub(r"\\\1", text)


def _named(name: Named) -> str:
    return name.code if name.code == name.label else f"{name.code} {_text(name.label)}"


def _list(names: Iterable[Named]) -> str:
    return _text(" · ".join(each.label for each in names)) or "–"
