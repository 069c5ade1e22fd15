"""The parameters of a pack as people read them, with their source and who sets them; and every source it cites."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from sidecar.authoring.explain.rows import Row
from sidecar.authoring.show.labels import key_label, label, value_label
from sidecar.authoring.show.labels import unit as unit_name
from sidecar.authoring.show.names import Names
from sidecar.authoring.show.sheet import Named, Parameter, Parameters, Source
from sidecar.authoring.show.wording import duration
from sidecar.core.compiled import number
from sidecar.core.pack import Pack

# Whole numbers of [break_glass] that count seconds; the others count what their label says.
DURATIONS = frozenset({"ttl", "reauth", "review_deadline"})
# Keys that name what a question asks with, or are shown elsewhere on the page.
ELSEWHERE = frozenset({
    "action", "purpose", "modes", "reason", "motives", "gates", "eligible", "notices",
    "close_action", "review_action", "review_purpose", "review_category", "holder_audience",
})  # fmt: skip


class Told:
    """Reads parameters for one language."""

    def __init__(self, pack: Pack, names: Names, language: str) -> None:
        """`pack` is as its file says, groups not flattened."""
        self._pack, self._names, self._language = pack, names, language

    def tables(self) -> tuple[Parameters, ...]:
        """Every table that holds something to argue about."""
        found = (
            ("settings", self._settings()),
            ("break_glass", [*self._fields("break_glass", self._pack.break_glass), *self._notices()]),
            ("legal_bases", self._bases()),
            ("relations", self._relations()),
            ("freshness", self._fields("freshness", self._pack.freshness)),
            ("vocabulary", self._lists()),
            ("jobs", self._jobs()),
        )
        return tuple(
            Parameters(Named(name, label(name, self._language)), tuple(listed)) for name, listed in found if listed
        )

    def sources(self, rows: Iterable[Row]) -> tuple[Source, ...]:
        """Every source that a row, a setting or an origin names, by number."""
        rules: dict[str, set[str]] = {}
        keys: dict[str, set[str]] = {}
        for row in rows:
            for each in row.source.split():
                rules.setdefault(each, set()).add(row.rule)
        for table in self.tables():
            for parameter in table.listed:
                for each in parameter.source.split():
                    keys.setdefault(each, set()).add(parameter.key)
        return tuple(
            Source(
                Named(each, self._names.text("sources", each) or self._pack.sources.get(each, "")),
                tuple(sorted(rules.get(each, ()), key=number)),
                tuple(sorted(keys.get(each, ()))),
            )
            for each in sorted({*rules, *keys}, key=number)
        )

    def _settings(self) -> list[Parameter]:
        return [
            Parameter(
                name,
                self._names.text("settings", name) or name,
                self._value(name, setting.value, setting.unit),
                setting.source,
                setting.set_by,
            )
            for name, setting in self._pack.settings.items()
        ]

    def _bases(self) -> list[Parameter]:
        return [
            Parameter(
                f"legal_bases.{purpose}",
                self._names.of("purposes", purpose).label,
                label(found.basis, self._language),
                found.source,
                found.set_by,
            )
            for purpose, found in self._pack.legal_bases.items()
        ]

    def _relations(self) -> list[Parameter]:
        found = []
        for kind, window in self._pack.vocabulary.relations.items():
            parts = [
                f"{duration(length, self._language)} {label(side, self._language)}"
                for side, length in (("before", window.before), ("after", window.after))
                if length
            ]
            if parts:
                name = self._names.text("relations", kind) or kind
                found.append(self._parameter(f"vocabulary.relations.{kind}", name, ", ".join(parts)))
        return found

    def _fields(self, table: str, struct: msgspec.Struct) -> list[Parameter]:
        found = []
        for info in msgspec.structs.fields(struct):
            path, value = f"{table}.{info.encode_name}", getattr(struct, info.name)
            if info.encode_name in ELSEWHERE or value in ((), {}):
                continue
            what = key_label(path, self._language)
            unit = "s" if table == "freshness" or info.encode_name in DURATIONS else ""
            if isinstance(value, Mapping):
                for inner, one in value.items():
                    said = f"{what} ({self._said(inner)})"
                    found.append(self._parameter(f"{path}.{inner}", said, self._value(path, one, unit)))
            else:
                found.append(self._parameter(path, what, self._value(path, value, unit)))
        return found

    def _notices(self) -> list[Parameter]:
        """Who is told of what, and within how long."""
        found = []
        for notice in self._pack.break_glass.notices:
            who = self._names.of("audiences", notice.audience).label
            within = duration(notice.within, self._language) if notice.within else label("at_once", self._language)
            if notice.by_review:
                within = label("by_review", self._language)
            path = f"break_glass.notices.{notice.audience}.{notice.on}"
            found.append(self._parameter(path, f"{label(notice.on, self._language)} → {who}", within))
        return found

    def _lists(self) -> list[Parameter]:
        found = []
        for key, table in (("denied_purposes", "purposes"), ("protected_flags", "flags"), ("heir_motives", "motives")):
            path = f"vocabulary.{key}"
            named = self._names.all(table, getattr(self._pack.vocabulary, key))
            found.append(
                self._parameter(path, key_label(path, self._language), ", ".join(each.label for each in named))
            )
        return found

    def _jobs(self) -> list[Parameter]:
        found = []
        for name, job in self._pack.jobs.items():
            parts = (
                ", ".join(each.label for each in self._names.all("actions", job.actions)),
                ", ".join(each.label for each in self._names.all("categories", job.categories)),
                ", ".join(each.label for each in self._names.all("purposes", job.purposes)),
            )
            found.append(self._parameter(f"jobs.{name}", self._names.of("profiles", name).label, " · ".join(parts)))
        return found

    def _parameter(self, path: str, what: str, value: str) -> Parameter:
        """A parameter with the origin of the nearest table above it that states one."""
        parts = path.split(".")
        for kept in range(len(parts), 0, -1):
            origin = self._pack.origins.get(".".join(parts[:kept]))
            if origin:
                return Parameter(path, what, value, origin.source, origin.set_by)
        return Parameter(path, what, value, "", "")

    def _value(self, path: str, value: Any, unit: str) -> str:
        if isinstance(value, bool):
            return label("yes" if value else "no", self._language)
        if isinstance(value, int):
            return (
                duration(value, self._language)
                if unit == "s"
                else f"{value} {unit_name(unit, self._language, value)}".rstrip()
            )
        if isinstance(value, tuple):
            return ", ".join(self._said(each) for each in value)
        if value == "":
            return label("none", self._language)
        named = value_label(f"{path}.{value}", self._language)
        return named if named != value else self._said(str(value))

    def _said(self, name: str) -> str:
        """What a name is called, whichever table has it; an obligation keeps its code, for its argument."""
        code = name.split("(", maxsplit=1)[0]
        duty = self._names.text("obligations", code) or self._names.text("advice", code)
        if duty:
            return f"{duty} {name}"
        tables = ("motives", "profiles", "relations")
        found = next((said for table in tables if (said := self._names.text(table, name))), "")
        return found or value_label(name, self._language)
