"""Why an answer is what it is: row by row, word by word, the facts behind, and the one thing that is missing."""

from collections.abc import Callable, Iterable, Mapping

from sidecar.authoring.explain import behind, ends, missing
from sidecar.authoring.explain.meaning import Meaning
from sidecar.authoring.explain.meanings import MEANINGS
from sidecar.authoring.explain.rows import Met, Row, Rulebook
from sidecar.authoring.explain.ruling import Heard, Ruling, Why, hear, opening_gates
from sidecar.authoring.explain.texts import PARTS, WHY, say
from sidecar.authoring.explain.values import (
    VERSION,
    Because,
    DelegatorSeen,
    Entity,
    Explanation,
    FactSeen,
    Outcome,
    PartSeen,
    QuestionSeen,
    RowSeen,
    Verdict,
    WordSeen,
)
from sidecar.authoring.explain.walk import Asked, Delegated, Key, Readings, Words, decide, keys
from sidecar.core.bundle import FOREVER
from sidecar.core.expression import Node
from sidecar.core.model import Decision, Effect, Known, PolicyRef
from sidecar.core.policy import PolicySet
from sidecar.core.question import NOT_AVAILABLE

UNKNOWN_WORD = Meaning("", "")

WordsFor = Callable[[Row], Words]


def explain(policies: PolicySet, rules: Rulebook, asked: Asked, language: str) -> Explanation:
    """Why these policies answer this question as they do. `rules` are the rows of the same pack.

    Never raises for what a row or a word does: a word that raises is shown as one.
    """
    decision = decide(policies, asked)
    readings = Readings(rules, asked)
    heard = hear(readings)
    pages = _Pages(readings, heard, language)
    parts = pages.parts()
    words = pages.words(pages.every_word(), heard)
    delegators = tuple(pages.delegator(each) for each in readings.delegated.values())
    return Explanation(
        explanation=VERSION,
        policy=PolicyRef(rules.pack.pack.name, rules.revision, rules.digest),
        question=_question(asked),
        outcome=_outcome(policies, decision, pages.facts, language),
        agrees=_agrees(heard, decision),
        why=pages.why(heard.truth),
        shown=pages.shown(decision),
        parts=parts,
        words=words,
        facts=tuple(pages.facts.values()),
        unused=pages.unused(),
        delegators=delegators,
        rests_on=_entities(asked, decision, pages.facts),
        rests_on_words=tuple(
            dict.fromkeys(word for part in parts if part.counted for row in part.rows for word in row.words)
        ),
        ends=ends.ends(policies.pack, readings, heard, decision, language),
        missing=None
        if decision.effect is Effect.PERMIT
        else missing.missing(policies, readings, heard, pages.row, language),
    )


def _agrees(heard: Heard, decision: Decision) -> bool:
    return (
        heard.truth.permit is (decision.effect is Effect.PERMIT)
        and heard.truth.reason == decision.true_reason
        and heard.shown.reason == decision.reason
        and set(heard.truth.rules) == set(decision.rules)
    ) or heard.truth.why is Why.RAISED


class _Pages:
    """The parts of one explanation, as they are shown. `facts` gathers those that words rest on, by their `ref`."""

    def __init__(self, readings: Readings, heard: Heard, language: str) -> None:
        self.readings, self.heard, self.language = readings, heard, language
        self.asked, self.pack = readings.asked, readings.rules.pack
        self.facts: dict[str, FactSeen] = {}

    def parts(self) -> tuple[PartSeen, ...]:
        """Gates in order, matrix, grounds, duties."""
        met, heard = self.heard.met, self.heard
        return () if met is None else tuple(self._parts(met, self.gates(met), heard.truth, heard.words_for))

    def gates(self, met: Met) -> tuple[Row, ...]:
        """The gates this question is asked."""
        return met.gates if self.asked.opening is None else opening_gates(self.readings, met)

    def every_word(self) -> list[Key]:
        """Every word of the rows that are shown, in the order they are."""
        met = self.heard.met
        if met is None:
            return []
        merits = (*met.forbidden, *met.cells, *met.grounds) if self.asked.opening is None else ()
        nodes = (node for row in (*self.gates(met), *merits, *met.duties) for node in (row.node, row.instead_when))
        return list(dict.fromkeys(word for node in nodes for word in keys(node)))

    def _parts(self, met: Met, gates: tuple[Row, ...], ruling: Ruling | None, words_for: WordsFor) -> list[PartSeen]:
        parts = []
        for gate in dict.fromkeys(row.gate for row in gates):
            rows = tuple(row for row in gates if row.gate == gate)
            parts.append((gate, self.say(PARTS, "gate", gate=gate), rows))
        if self.asked.opening is None:
            parts.append(("matrix", self.say(PARTS, "matrix"), (*met.forbidden, *met.cells)))
            parts.append(("grounds", self.say(PARTS, "grounds"), met.grounds))
        parts.append(("duties", self.say(PARTS, "duties"), met.duties))
        seen, counted = [], True
        for name, title, rows in parts:
            answers = [answered(words_for(row), row.node) for row in rows]
            seen.append(
                PartSeen(
                    name,
                    title,
                    verdict(name, rows, answers),
                    counted,
                    tuple(self.row(row, words_for(row), ruling) for row in rows),
                )
            )
            counted = counted and (ruling is None or name != ruling.reached)
        return seen

    def row(self, row: Row, words: Words, ruling: Ruling | None = None) -> RowSeen:
        """A row and what it answers."""
        return RowSeen(
            kind=row.kind,
            rule=row.rule,
            reason=row.reason,
            obligation=row.obligation,
            when=row.when,
            answer=answered(words, row.node),
            decided=ruling is not None and row is ruling.deciding,
            words=tuple(dict.fromkeys(word.name for word in keys(row.node))),
            instead=row.instead,
            instead_answer=answered(words, row.instead_when) if row.instead else None,
            file=row.file,
            line=row.line,
            source=row.source,
        )

    def words(self, wanted: Iterable[Key], heard: Heard) -> tuple[WordSeen, ...]:
        """Each word with what lies behind it, read strictly; `counted_as` tells what a grant made of it."""
        return tuple(self.word(word, self.asked, heard.firm, heard.rest) for word in wanted)

    def word(self, word: Key, asked: Asked, words: Words, rest: Words) -> WordSeen:
        """One word of a question."""
        meaning = MEANINGS[word.noun].get(word.word, UNKNOWN_WORD)
        try:
            said, counted = words.ask(word), rest.ask(word).value
        except Exception as error:  # shown to whoever must mend it
            reads = behind.reads(asked, meaning)
            return WordSeen(
                word.name, meaning.text(self.language, word.args), None, None, reads, (), (), None, type(error).__name__
            )
        feeds = behind.feeds(asked, self.pack, meaning.feed) if said.value is not True else ()
        return WordSeen(
            word=word.name,
            means=meaning.text(self.language, word.args),
            value=said.value,
            counted_as=counted,
            reads=behind.reads(asked, meaning),
            facts=(*self._known(said.relied), *self._counts(said.counts), *self._grant(meaning)),
            feeds=feeds,
            ends=None if said.ends == FOREVER else said.ends,
        )

    def _known(self, relied: Iterable[Known]) -> list[str]:
        found = [behind.fact_seen(known, self.asked, self.pack) for known in relied]
        self.facts.update((fact.ref, fact) for fact in found)
        return list(dict.fromkeys(fact.ref for fact in found))

    def _counts(self, counts: Mapping[str, int]) -> list[str]:
        found = [behind.count_seen(name, count) for name, count in counts.items()]
        self.facts.update((fact.ref, fact) for fact in found)
        return [fact.ref for fact in found]

    def _grant(self, meaning: Meaning) -> list[str]:
        grant = behind.grant_named(self.asked) if "context.grant" in meaning.reads else None
        if grant is None:
            return []
        seen = behind.grant_seen(grant)
        self.facts[seen.ref] = seen
        return [seen.ref]

    def delegator(self, each: Delegated) -> DelegatorSeen:
        """What somebody who delegated may do."""
        met, words, who = each.met, each.words, each.asked.request.subject
        if met is None:
            return DelegatorSeen(who.id, who.profile, each.may, (), ())
        gates = tuple(row for row in met.gates if row.gate in self.pack.order.delegator_gates)
        parts = self._parts(Met(gates, met.forbidden, met.cells, met.grounds, ()), gates, None, lambda _: words)
        rows = (*gates, *met.forbidden, *met.cells, *met.grounds)
        shown = dict.fromkeys(word for row in rows for node in (row.node, row.instead_when) for word in keys(node))
        seen = tuple(self.word(word, each.asked, words, words) for word in shown)
        return DelegatorSeen(who.id, who.profile, each.may, tuple(parts[:-1]), seen)

    def why(self, ruling: Ruling) -> Because:
        """Why this reason and no other."""
        request, row, met = self.asked.request, ruling.deciding, self.heard.met
        cells = 0 if met is None else len(met.cells)
        words = [] if row is None else [word.name for word in keys(row.node)]
        unknown = [name for name in words if self._is_unknown(name)]
        return Because(
            ruling.why,
            self.say(
                WHY,
                ruling.why,
                name=self._unknown_name(ruling.reason),
                gate="" if row is None else row.gate,
                rule="" if row is None else row.rule,
                at="" if row is None else f"{row.file}:{row.line}",
                reason=ruling.reason,
                unknown=", ".join(unknown),
                profile=request.subject.profile,
                category=request.resource.category,
                action=request.action,
                purpose=request.purpose,
                cells=self.say(WHY, "cells_some" if cells else "cells_none", number=cells),
            ),
        )

    def shown(self, decision: Decision) -> Because:
        """What the caller sees of it, and why that."""
        if decision.reason == decision.true_reason:
            return Because("shown_as_is", self.say(WHY, "shown_as_is"))
        code = "not_available" if decision.reason == NOT_AVAILABLE else "plain_refusal"
        return Because(code, self.say(WHY, "concealed", reason=decision.reason))

    def unused(self) -> tuple[FactSeen, ...]:
        """The facts about this patient and these people that no word rests on: over, too old, or of something else."""
        found = (behind.fact_seen(known, self.asked, self.pack) for known in behind.about(self.asked))
        return tuple({fact.ref: fact for fact in found if fact.ref not in self.facts}.values())

    def say(self, texts: Mapping[str, tuple[str, str]], code: str, **values: object) -> str:
        """A sentence in the explanation's language."""
        return say(texts, code, self.language, **values)

    def _is_unknown(self, name: str) -> bool:
        return any(
            word.name == name and said.value is None
            for words in (self.heard.firm, self.heard.rest)
            for word, said in words.said.items()
        )

    def _unknown_name(self, reason: str) -> str:
        request = self.asked.request
        return {
            "UNKNOWN_PROFILE": request.subject.profile,
            "UNKNOWN_CATEGORY": request.resource.category,
            "UNKNOWN_PURPOSE": request.purpose,
            "UNKNOWN_ACTION": request.action,
        }.get(reason, "")


def answered(words: Words, node: Node) -> bool | None:
    """What a condition answers; None too when a word of it raises."""
    try:
        return words.value(node)
    except Exception:  # the word itself is shown with its error
        return None


def verdict(name: str, rows: tuple[Row, ...], answers: list[bool | None]) -> Verdict:
    """What a part says, all its rows taken together."""
    if name == "duties":
        return "passed"
    forbids = [answer for row, answer in zip(rows, answers, strict=True) if row.kind in ("gate", "forbidden")]
    opens = [answer for row, answer in zip(rows, answers, strict=True) if row.kind in ("cell", "ground")]
    if True in forbids:
        return "refused"
    if None in forbids:
        return "unknown"
    if name in ("matrix", "grounds") and True not in opens:
        return "unknown" if None in opens else "refused"
    return "passed"


def _question(asked: Asked) -> QuestionSeen:
    request = asked.request
    return QuestionSeen(
        at=asked.now,
        caller=asked.caller.id,
        tenant=asked.caller.tenant,
        controller_id=asked.controller_id,
        subject_id=request.subject.id,
        profile=request.subject.profile,
        action=request.action,
        purpose=request.purpose,
        category=request.resource.category,
        patient_id=request.resource.patient_id,
        resource_id=request.resource.id,
        access_mode=request.context.access_mode,
        opening=asked.opening is not None,
    )


def _outcome(policies: PolicySet, decision: Decision, facts: Mapping[str, FactSeen], language: str) -> Outcome:
    refs = {(fact.source, fact.id): fact.ref for fact in facts.values()}
    return Outcome(
        effect=decision.effect,
        reason=decision.reason,
        true_reason=decision.true_reason,
        rule=decision.rule,
        rules=decision.rules,
        also=decision.also,
        obligations=decision.obligations,
        advice=decision.advice,
        break_glass=decision.offer.available,
        valid_until=decision.valid_until,
        relied=tuple(dict.fromkeys(refs.get((each.source, each.id), each.id) for each in decision.relied)),
        unknown=decision.unknown,
        message=policies.message(decision.reason, decision.effect, language),
    )


def _entities(asked: Asked, decision: Decision, facts: dict[str, FactSeen]) -> tuple[Entity, ...]:
    """Who and what the decision rested on: those the question names, and those its facts speak of."""
    request = asked.request
    found = [
        ("subject", request.subject.id),
        ("patient", request.resource.patient_id),
        ("resource", request.resource.id),
        ("controller", asked.controller_id),
        ("grant", request.context.grant if behind.grant_named(asked) is not None else ""),
    ]
    rested = {(each.source, each.id) for each in decision.relied}
    for fact in facts.values():
        if (fact.source, fact.id) in rested:
            for name, kind in SPOKEN.items():
                value = fact.says.get(name)
                found.append((kind, value if isinstance(value, str) else ""))
    return tuple(Entity(kind, name) for kind, name in dict.fromkeys(found) if name)


SPOKEN = {
    "subject_id": "subject",
    "from_subject_id": "subject",
    "to_subject_id": "subject",
    "requester_id": "subject",
    "patient_id": "patient",
    "other_id": "patient",
    "unit": "unit",
    "structure": "structure",
    "provider_id": "structure",
}
