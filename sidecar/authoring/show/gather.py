"""From a pack to everything the page shows."""

from collections.abc import Iterable

from sidecar.authoring import bundle
from sidecar.authoring.bundle import Bundle
from sidecar.authoring.explain.rows import ALWAYS, Placed, Rulebook
from sidecar.authoring.show.labels import label
from sidecar.authoring.show.maps import Maps
from sidecar.authoring.show.names import Names
from sidecar.authoring.show.parameters import Told
from sidecar.authoring.show.reach import Reach
from sidecar.authoring.show.sheet import (
    CellSeen,
    Gate,
    Glass,
    Named,
    ProfileSeen,
    RowSeen,
    RuleSeen,
    Sheet,
    Text,
)
from sidecar.authoring.show.wording import Wording
from sidecar.core.compiled import number
from sidecar.core.judgement import PROFILE_CATEGORY


def sheet(loaded: Bundle, language: str) -> Sheet:
    """What a pack says, in this language. The bundle was compiled before: it has no fault."""
    return _Gather(loaded, language).sheet()


class _Gather:
    """Reads one pack in one language."""

    def __init__(self, loaded: Bundle, language: str) -> None:
        self._bundle, self._language = loaded, language
        self._book = Rulebook(loaded)
        self._reach = Reach(self._book)
        tables = bundle.sentences(loaded.files)[language]
        self._tables = tables
        self._names = Names(tables, label("rest", language))
        self._wording = Wording(language, tables)
        self._told = Told(loaded.pack, self._names, language)
        self._maps = Maps(self._book, self._reach, self._names)

    def sheet(self) -> Sheet:
        pack, told = self._book.pack, self._told
        reasons = [*pack.order.allow_rank, *(code for code in pack.reasons if code not in pack.order.allow_rank)]
        texts = [Text(code, self._names.text("reasons", code), pack.reasons[code].discloses) for code in reasons]
        duties = [Text(code, self._duty(code)) for code in pack.obligations]
        return Sheet(
            language=self._language,
            pack=pack.pack.name,
            version=pack.pack.version,
            revision=self._bundle.revision,
            digest=self._bundle.digest,
            rights=self._maps.rights(Named("", label("tags", self._language))),
            acts=self._maps.acts(),
            why=self._maps.why(),
            gates=self._gates(),
            grounds=self._rules("ground"),
            duties=self._rules("duty", "advice"),
            shut=self._rules("forbidden"),
            profiles=tuple(self._profile(profile) for profile in pack.vocabulary.profiles),
            motives=tuple(Text(code, self._names.text("motives", code)) for code in pack.break_glass.motives),
            permits=tuple(text for text in texts if text.code in pack.order.allow_rank),
            refusals=tuple(text for text in texts if text.code not in pack.order.allow_rank),
            obligations=tuple(duties),
            parameters=told.tables(),
            sources=told.sources(placed.row for placed in self._book.placed),
        )

    def _gates(self) -> tuple[Gate, ...]:
        seen = self._rules("gate")
        gates = {placed.row.rule: placed.row.gate for placed in self._book.placed if placed.row.kind == "gate"}
        return tuple(
            Gate(self._names.of("gates", gate), rules)
            for gate in self._book.pack.order.gates
            if (rules := tuple(rule for rule in seen if gates[rule.name.code] == gate))
        )

    def _rules(self, *kinds: str) -> tuple[RuleSeen, ...]:
        """The rules of these kinds in the order of their numbers, each with its rows in the order of the files."""
        found: dict[str, list[Placed]] = {}
        for placed in self._book.placed:
            if placed.row.kind in kinds:
                found.setdefault(placed.row.rule, []).append(placed)
        return tuple(
            RuleSeen(self._names.of("rules", rule), tuple(self._row(placed) for placed in found[rule]))
            for rule in sorted(found, key=number)
        )

    def _row(self, placed: Placed) -> RowSeen:
        row, (profile, category, action, purpose) = placed.row, placed.written
        otherwise = row.instead
        if row.instead and row.instead_when is not ALWAYS:
            otherwise = f"{row.instead} ({self._wording.condition(row.instead_when)})"
        refuses = row.kind in ("gate", "forbidden")
        said = self._wording.refusal if refuses else self._wording.condition
        reason = row.reason or (PROFILE_CATEGORY if refuses else "")
        return RowSeen(
            rule=row.rule,
            profile=self._names.of("profiles", profile),
            category=self._names.of("categories", category),
            action=self._names.of("actions", action),
            purpose=self._names.of("purposes", purpose) if purpose else None,
            condition=said(row.node),
            gives=row.obligation or reason,
            sentence=self._duty(row.obligation.split("(")[0])
            if row.obligation
            else self._names.text("reasons", reason),
            otherwise=otherwise,
            written=row.when,
            sources=tuple(row.source.split()),
            place=f"{row.file}:{row.line}",
        )

    def _profile(self, profile: str) -> ProfileSeen:
        pack = self._bundle.pack
        about = pack.vocabulary.profiles[profile]
        rules = dict.fromkeys(rule for rule, _ in self._maps.grounds(profile))
        return ProfileSeen(
            name=self._names.of("profiles", profile),
            kinds=self._names.all("kinds", about.kinds),
            purposes=self._names.all("purposes", about.purposes),
            cells=self._cells(profile),
            grounds=self._names.all("rules", rules),
            glass=self._glass(profile),
            job=profile in pack.jobs,
        )

    def _cells(self, profile: str) -> tuple[CellSeen, ...]:
        """The cells of a profile, those of one condition, action and source together."""
        found: dict[tuple[str, ...], list[Placed]] = {}
        for placed in self._book.placed:
            if placed.row.kind == "cell" and profile in placed.profiles:
                row = placed.row
                found.setdefault((placed.written[2], row.when, row.source), []).append(placed)
        return tuple(
            CellSeen(
                categories=self._names.all("categories", dict.fromkeys(each.written[1] for each in rows)),
                actions=self._names.all("actions", [action]),
                condition=self._wording.condition(rows[0].row.node),
                written=when,
                sources=tuple(source.split()),
                places=tuple(f"{each.row.file}:{each.row.line}" for each in rows),
            )
            for (action, when, source), rows in found.items()
        )

    def _glass(self, profile: str) -> Glass | None:
        pack = self._book.pack
        scope = pack.break_glass.eligible.get(profile)
        if scope is None:
            return None

        def opened(action: str, tag: str = "") -> Iterable[str]:
            return [each for each in pack.vocabulary.categories if self._reach.granted(profile, each, action, tag)]

        return Glass(
            scope=self._names.of("categories", scope),
            reads=self._names.all("categories", opened("read")),
            writes=self._names.all("categories", opened("create")),
            tags=self._names.all("tags", [tag for tag in pack.vocabulary.tags if opened("read", tag)]),
        )

    def _duty(self, code: str) -> str:
        return self._names.text("obligations", code) or self._names.text("advice", code)
