"""The second judge: a plain reading of the rules (design 4 and 5, packs 3.0 and 3.1), from raw facts.

It shares nothing with the product but the values that travel, `sidecar.core.model`: own reader of rows, own groups,
own words, own calendar; no index, no memory, no Casbin. Meant to be checked by eye against the text.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from msgspec.structs import replace as with_fields

from sidecar.core.model import Caller, Context, Opening, Request, Resource
from tests.oracle.days import DAY, SECOND
from tests.oracle.duties import Said, merged, obligation, seconds
from tests.oracle.openings import asks_anew, many, overrides, review_due
from tests.oracle.parameters import without_groups
from tests.oracle.rules import Names, Row, by_number, groups_of, read_links, read_rows, value, words_in
from tests.oracle.words import Words
from tests.oracle.world import World

__all__ = ["Answer", "Oracle", "World"]

DOUBTS = ("FACTS_UNAVAILABLE", "POLICY_ERROR")


@dataclass(frozen=True)
class Answer:
    """What the rules say. `edges` are the instants to come at which something it was read from turns."""

    effect: str
    reason: str
    true_reason: str
    rule: str = ""
    also: tuple[str, ...] = ()
    obligations: tuple[Said, ...] = ()
    advice: tuple[Said, ...] = ()
    offer: tuple[tuple[str, ...], str] | None = None  # motives, scope
    terms: tuple[str, int, int] | None = None  # of an opening: scope, end, review due
    edges: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Verdict:
    """What gates, matrix and grounds say, before it is put in words; `firm` is a gate that no grant changes."""

    reason: str
    row: Row | None = None
    permits: bool = False
    also: tuple[str, ...] = ()
    firm: bool = False


class Oracle:
    """The rules of one pack: `parameters` as pack.toml says them, `files` the texts of roles.csv and rules/*.csv."""

    def __init__(self, parameters: Mapping[str, Any], files: Mapping[str, str]) -> None:
        self.rows, links = read_rows(files), read_links(files)
        said = {(section, name) for section, *names in links for name in names}
        self.groups = {(section, name): groups_of(links, section, name) for section, name in said}
        self.pack = without_groups(parameters, self.holds)
        self.conceals = self.pack["settings"].get("mask_disclosure", {"value": "none"})["value"] == "none"
        self.order, self.rules, self.duties = self.pack["order"], self.pack["break_glass"], self.pack["obligations"]
        begun = {
            row.rule: [gate for gate in self.order["gates"] if f"{row.rule}-".startswith(f"{gate}-")]
            for row in self.rows
        }
        self.gates = {rule: max(gates, key=len, default="") for rule, gates in begun.items()}

    # ---- questions

    def decide(self, request: Request, caller: Caller, controller: str, world: World, now: int) -> Answer:
        """What the rules say of this request, in this world, at this instant."""
        unknown_name = self._unknown_name(request)
        if unknown_name:
            return self._refusal(Verdict(unknown_name), Verdict(unknown_name), None, [])
        strict, loose = self.readings(request, caller, controller, world, now)
        met = self.met(names_of(request))
        verdict = self._verdict(met, strict, loose)
        if verdict.permits:
            return self._permit(verdict, met, strict, loose)
        # 3.0.4: a delegator's refusals count under a delegation; who needs none is not under one.
        own = self.readings(request, caller, controller, world, now, acting=False)
        for_themselves = self._verdict(met, *own)
        if for_themselves.permits:
            return self._permit(for_themselves, met, *own)
        # 3.0.4: what would be refused without the patient's will too shows that refusal; else what is refused to
        # somebody without the delegators whom it shuts out; else NOT_AVAILABLE.
        plain = self.readings(request, caller, controller, world, now, will=False)
        shown = verdict
        if self.conceals and self._may_tell(verdict, met):
            untagged = replaced(request, tags=()) if request.resource.tags else request
            bare = self.readings(untagged, caller, controller, world, now, will=False)
            shown = self._verdict(met, *bare)
            plain = plain if shown.permits else bare
            shown = self._verdict(met, *plain)
            if shown.permits:
                alone = self.readings(request, caller, controller, world, now, will=False, heard=False)
                plain = alone if alone[0].unheard else plain
                shown = self._verdict(met, *plain)
            shown = Verdict("NOT_AVAILABLE") if shown.permits else shown
        return self._refusal(verdict, shown, strict, [strict, loose, *plain])

    def open(self, opening: Opening, caller: Caller, controller: str, world: World, now: int) -> Answer:
        """Whether this subject may open a grant (3.0.6): gates, eligibility, re-authentication, motive and why."""
        profile, rules = opening.subject.profile, self.rules
        if profile not in self.pack["vocabulary"]["profiles"]:
            return self._refusal(Verdict("UNKNOWN_PROFILE"), Verdict("UNKNOWN_PROFILE"), None, [])
        scope = rules["eligible"].get(profile, self.pack["vocabulary"]["clinical"])
        request = Request(
            opening.subject,
            rules["action"],
            Resource(scope, opening.patient_id, controller_id=opening.controller_id),
            rules["purpose"],
            opening.authentication,
            opening.device,
            Context(motive=opening.motive, justification=opening.justification),
        )
        strict = self.reading(request, caller, controller, world, now)
        lenient = rules["unknown"] == "open"
        loose = self.reading(request, caller, controller, world, now, lenient=True) if lenient else strict
        met = self.met(names_of(request))
        categories = [name for name in self.pack["vocabulary"]["categories"] if self.holds("g2", name, scope)]
        inside = [self.met((profile, each, request.action, request.purpose)) for each in categories]
        # 3.0.4: opening a grant is not refused for a patient-will reason.
        gates = [row for row in self.rows if row in met or any(row in some for some in inside)]
        gates = [row for row in gates if self._gate(row) in rules["gates"] and not self._discloses(row)]
        verdict = self._gates(gates, strict, loose)
        if verdict is None:
            reason = (
                "BREAK_GLASS_NOT_ELIGIBLE"
                if profile not in rules["eligible"]
                else "REAUTH_REQUIRED"
                if not strict.authentication_younger_than(rules["reauth"]) or asks_anew(opening, strict)
                else "JUSTIFICATION_REQUIRED"
                if not strict.says_why(opening.motive, opening.justification)
                else ""
            )
            verdict = Verdict(reason) if reason else None
        if verdict is not None:
            return self._refusal(verdict, verdict, strict, [strict, loose])
        until = now + rules["ttl"] * SECOND
        loosely = [row for row in gates if not self.firm(row)]
        more = [*rules["many_obligations"]] if many(opening, strict) else []
        more += rules["override_obligations"] if overrides(opening, strict) else []
        answer = self._permit(Verdict(rules["reason"], permits=True), met, strict, loose, until, loosely, more)
        due = review_due(answer.obligations, rules["review_deadline"])
        return replace(answer, terms=(scope, until, now + due * SECOND), edges=answer.edges | {until})

    def reading(
        self, *question: Any, lenient: bool = False, will: bool = True, acting: bool = True, heard: bool = True
    ) -> Words:
        """One reading of (request, caller, controller, world, now), able to ask what a delegator may do; without
        `heard`, not those whom the patient's will refuses."""
        words = Words(self.pack, *question, lenient=lenient, will=will)
        if acting:
            words.may = lambda request: self._may(words, (request, *question[1:]), will)
        if not heard:
            before = self.reading(*question, lenient=lenient)
            before.refuse_delegators()
            words.unheard = before.unheard
            words.edges |= before.edges
        return words

    def readings(
        self, *question: Any, will: bool = True, acting: bool = True, heard: bool = True
    ) -> tuple[Words, Words]:
        """The strict reading, and the one that gates after G-PUR, matrix and grounds get: lenient under an open
        grant where the pack says so (`bg_unknown`)."""
        strict = self.reading(*question, will=will, acting=acting, heard=heard)
        if self.rules["unknown"] == "open" and strict.context_grant_open():
            return strict, self.reading(*question, lenient=True, will=will, acting=acting, heard=heard)
        return strict, strict

    # ---- rows

    def met(self, names: Names) -> list[Row]:
        """The rows whose profile, category, action and purpose hold these names."""
        columns = (("g", "profile"), ("g2", "category"), ("g3", "action"), ("g4", "purpose"))
        held = {column: self._groups(section, name) for (section, column), name in zip(columns, names, strict=True)}
        # The matrix knows no purpose.
        return [row for row in self.rows if all(row.said[name] in held[name] for name in held if name in row.said)]

    def firm(self, row: Row) -> bool:
        """Whether this is a row of a gate that no grant changes."""
        return row.kind == "p" and row.denies and self._gate(row) in self.order["firm_gates"]

    def _gate(self, row: Row) -> str:
        """The gate of a prohibition: the longest that begins its rule's id."""
        return self.gates[row.rule] if row.kind == "p" and row.denies else ""

    def _discloses(self, row: Row) -> bool:
        return bool(self.pack["reasons"][row.said["reason"]].get("discloses", False))

    def _may_tell(self, verdict: Verdict, met: list[Row]) -> bool:
        """Whether a refusal stands at or after the first gate that would tell the patient's will."""
        gates = self.order["gates"]
        telling = [gates.index(self._gate(row)) for row in met if self._gate(row) and self._discloses(row)]
        gate = self._gate(verdict.row) if verdict.row is not None else ""
        return bool(telling) and (not gate or gates.index(gate) >= min(telling))

    def _groups(self, section: str, name: str) -> frozenset[str]:
        """A name and every group it is in."""
        return self.groups.get((section, name), frozenset({name}))

    def holds(self, section: str, name: str, group: str) -> bool:
        """Whether a name is this group's, or the group itself."""
        return group in self._groups(section, name)

    def applies(self, row: Row, category: str, action: str) -> bool:
        """Whether a row is about this category and action."""
        return self.holds("g2", category, row.said["category"]) and self.holds("g3", action, row.said["action"])

    def unknown(self, *question: Any) -> set[str]:
        """Every word of the rows met by a question (request, caller, controller, world, now) that is unknown."""
        reading = self.reading(*question)
        for row in self.met(names_of(question[0])):
            for word in (*words_in(row.when), *words_in(row.otherwise[1])):
                reading.ask(*word)
        return set(reading.unsaid)

    # ---- verdicts

    def _verdict(self, met: list[Row], strict: Words, loose: Words) -> Verdict:
        """Gates, then matrix, then grounds (3.0.4)."""
        gates = [row for row in met if row.kind == "p" and row.denies]
        return self._gates(gates, strict, loose) or self._merits(met, loose)

    def _gates(self, rows: list[Row], strict: Words, loose: Words) -> Verdict | None:
        """The first gate in which a row matches or is unknown; inside it a known one by number, else the doubt."""
        reasons = list(self.pack["reasons"])
        for gate in self.order["gates"]:
            inside = sorted(
                (row for row in rows if self._gate(row) == gate),
                key=lambda row: (by_number(row.rule), reasons.index(row.said["reason"]), row.said["when"]),
            )
            firm = gate in self.order["firm_gates"]
            reading = strict if firm else loose
            said = [(row, value(row.when, reading.ask)) for row in inside]
            for row, holds in said:
                if holds is True:
                    return Verdict(row.said["reason"], row, firm=firm)
            for row, holds in said:
                if holds is None:
                    return Verdict("FACTS_UNAVAILABLE", row, firm=firm)
        return None

    def _merits(self, met: list[Row], reading: Words) -> Verdict:
        """What the matrix, then the grounds say."""
        cells = sorted(
            (row for row in met if row.kind == "p3"),
            key=lambda row: (by_number(row.rule), row.said["reason"].strip("-"), row.said["when"]),
        )
        ranks = self.order["allow_rank"]
        grounds = sorted(
            (row for row in met if row.kind == "p" and not row.denies),
            key=lambda row: (ranks.index(row.said["reason"]), by_number(row.rule), row.said["when"]),
        )
        said = [(row, value(row.when, reading.ask)) for row in cells]
        closed = [(row, holds) for row, holds in said if row.denies and holds is not False]
        opened = [(row, holds) for row, holds in said if not row.denies and holds is not False]
        for row, holds in closed:
            if holds:
                return Verdict(row.said["reason"] if row.said["reason"] != "-" else "PROFILE_CATEGORY", row)
        if closed:
            return Verdict("FACTS_UNAVAILABLE", closed[0][0])
        if not any(holds for _, holds in opened):
            return Verdict("FACTS_UNAVAILABLE", opened[0][0]) if opened else Verdict("PROFILE_CATEGORY")
        if not grounds:
            return Verdict("NO_RULE")
        said = [(row, value(row.when, reading.ask)) for row in grounds]
        held = [row for row, holds in said if holds]
        doubtful = [row for row, holds in said if holds is None]
        if held:
            best = held[0].said["reason"]
            also = dict.fromkeys(row.said["reason"] for row in held if row.said["reason"] != best)
            return Verdict(best, held[0], True, tuple(also))
        if doubtful:
            return Verdict("FACTS_UNAVAILABLE", doubtful[0])
        return self._otherwise(grounds, reading)

    def _otherwise(self, grounds: list[Row], reading: Words) -> Verdict:
        """The highest-ranked `otherwise` that is known to hold, else NO_RELATIONSHIP."""
        said = []
        for row in grounds:
            reason, when = row.otherwise
            if reason and value(when, reading.ask) is True:
                said.append((self.order["otherwise_rank"].index(reason), row, reason))
        best = min(said, key=lambda each: each[0], default=None)
        return Verdict("NO_RELATIONSHIP") if best is None else Verdict(best[2], best[1])

    def _may(self, asker: Words, question: tuple[Any, ...], will: bool) -> bool | None:
        """What a delegator may do: the gates that concern them, matrix and grounds; their delegators are not asked."""
        if self._unknown_name(question[0]):
            return False
        reading = self.reading(*question, will=will, acting=False)
        met = self.met(names_of(question[0]))
        gates = [row for row in met if self._gate(row) in self.order["delegator_gates"]]
        verdict = self._gates(gates, reading, reading) or self._merits(met, reading)
        asker.edges |= reading.edges
        return True if verdict.permits else None if verdict.reason == "FACTS_UNAVAILABLE" else False

    # ---- what comes with an answer

    def _permit(
        self,
        verdict: Verdict,
        met: list[Row],
        strict: Words,
        loose: Words,
        until: int | None = None,
        gates: list[Row] | None = None,
        more: Iterable[str] = (),
    ) -> Answer:
        """The permit and what comes with it; an opening counts its `gates` alone and ends at `until`."""
        duties = [row for row in met if row.kind == "p2" and value(row.when, strict.ask) is not False]
        said = [obligation(self.duties, row.said["obligation"], strict, until) for row in duties]
        said += [obligation(self.duties, text) for text in more]
        counted = gates if gates is not None else [row for row in met if row.kind != "p2" and not self.firm(row)]
        # Something unknown was read as absent: a row is unknown where nothing is read leniently.
        if loose is not strict and any(value(row.when, strict.ask) is None for row in counted):
            extra = (*self.rules["unknown_obligations"], *self.rules["unknown_advice"])
            said += [obligation(self.duties, text) for text in extra]
        obligations, advice = merged(self.duties, said)
        return Answer(
            "PERMIT",
            verdict.reason,
            verdict.reason,
            verdict.row.rule if verdict.row else "",
            verdict.also,
            obligations,
            advice,
            edges=frozenset(strict.edges | loose.edges),
        )

    def _refusal(self, verdict: Verdict, shown: Verdict, reading: Words | None, readings: list[Words]) -> Answer:
        """The refusal: `verdict` is recorded, `shown` is what the caller sees."""
        # NOT_AVAILABLE comes with what a plain NO_RELATIONSHIP refusal of this request would (3.0.4).
        like = "NO_RELATIONSHIP" if shown.reason == "NOT_AVAILABLE" else shown.reason
        table = self.pack["reasons"][like]
        obligations, advice = merged(
            self.duties, [obligation(self.duties, text) for text in table.get("obligations", ())]
        )
        offered = reading is not None and table.get("break_glass", False) and self._offers(like, shown, reading)
        motives = tuple(self.rules["motives"])
        return Answer(
            "DENY",
            shown.reason,
            verdict.reason,
            shown.row.rule if shown.row else "",
            (),
            obligations,
            advice,
            (motives, self.rules["eligible"][reading.me.profile]) if reading is not None and offered else None,
            edges=frozenset(edge for each in readings for edge in each.edges),
        )

    def _offers(self, reason: str, shown: Verdict, reading: Words) -> bool:
        """Whether emergency access is offered: a grant could open this, and none of the subject's is open (3.0.5)."""
        request, profile = reading.request, reading.me.profile
        clinical = self.holds("g2", request.resource.category, self.pack["vocabulary"]["clinical"])
        if reason == "FACTS_UNAVAILABLE" and (shown.firm or not clinical):
            return False
        met = self.met(names_of(request))
        opening = (profile, request.resource.category, request.action, self.rules["purpose"])
        grounds = [row for row in self.met(opening) if row.kind == "p" and not row.denies]
        widened = [row for row in met if row.kind == "p3" and not row.denies and "r.context.grant_open" in row.text]
        if reason == "PROFILE_CATEGORY" and not widened:
            return False
        already = [
            reading.within(grant.opened_at, grant.until) and not reading.come(grant.closed_at)
            for grant in reading.world.grants
            if (grant.tenant, grant.controller_id) == (reading.world.tenant, reading.controller)
            and grant.subject_id == reading.me.id
            and grant.patient_id in reading.names()
        ]
        return (
            profile in self.rules["eligible"]
            and bool(request.resource.patient_id)
            and any(row.said["reason"] == self.rules["reason"] for row in grounds)
            and not any(already)
        )

    def longest(self, answer: Answer) -> int:
        """How long an answer may be kept at most, microseconds (CACHE_MAX_AGE, `answer_max_age`, else a day)."""
        if answer.reason in DOUBTS:
            return 0
        setting = self.pack["settings"].get("answer_max_age")
        ages = [DAY if setting is None else int(setting["value"]) * SECOND]
        for name, params in answer.obligations if answer.effect == "PERMIT" else ():
            if name == "CACHE_MAX_AGE":
                ages.append((seconds(dict(params).get("s", "")) or 0) * SECOND)
        return min(ages)

    # ---- names

    def _unknown_name(self, request: Request) -> str:
        vocabulary = self.pack["vocabulary"]
        purposes = (*vocabulary["purposes"], *vocabulary["denied_purposes"])
        checks = (
            ("UNKNOWN_PROFILE", request.subject.profile, vocabulary["profiles"]),
            ("UNKNOWN_CATEGORY", request.resource.category, vocabulary["categories"]),
            ("UNKNOWN_PURPOSE", request.purpose, purposes),
            ("UNKNOWN_ACTION", request.action, vocabulary["actions"]),
        )
        return next((reason for reason, name, known in checks if name not in known), "")


def replaced(request: Request, **fields: Any) -> Request:
    """The question about an object with other values."""
    return with_fields(request, resource=with_fields(request.resource, **fields))


def names_of(request: Request) -> Names:
    """The four names by which rows are met."""
    return request.subject.profile, request.resource.category, request.action, request.purpose
