"""An explanation on the terminal: the answer first, then why, what one change would do, and everything behind."""

from collections.abc import Iterable, Mapping

import click

from sidecar.authoring.explain.changes import shown
from sidecar.authoring.explain.values import (
    DelegatorSeen,
    Explanation,
    FactSeen,
    FeedSeen,
    Missing,
    PartSeen,
    RowSeen,
    WordSeen,
)
from sidecar.authoring.replay import Difference
from sidecar.cli.output import printable, show_table
from sidecar.core import instants
from sidecar.core.model import Advice, Effect, Obligation

LABELS: Mapping[str, tuple[str, str]] = {
    "true": ("tient", "holds"),
    "false": ("non", "no"),
    "unknown": ("INCONNU", "UNKNOWN"),
    "yes": ("oui", "yes"),
    "raised": ("ERREUR", "ERROR"),
    "passed": ("passe", "passes"),
    "refused": ("REFUSE", "REFUSES"),
    "doubt": ("INCONNU", "UNKNOWN"),
    "open": ("ouvre", "opens"),
    "none": ("aucun ne tient", "none holds"),
    "met": ("tient", "holds"),
    "after": ("(sans effet : déjà décidé)", "(no effect: decided before)"),
    "rules": ("Règle par règle", "Rule by rule"),
    "words": ("Mot par mot", "Word by word"),
    "facts": ("Les faits derrière les mots", "The facts behind the words"),
    "unused": ("Connus, et sans effet ici", "Known, and without effect here"),
    "old": ("trop ancien depuis", "too old since"),
    "delegator": ("Pour le délégant {who} ({profile})", "For {who}, who delegated ({profile})"),
    "why": ("Pourquoi", "Why"),
    "seen": ("Vu de l'appelant", "Seen by the caller"),
    "lasts": ("Valable jusqu'à", "Valid until"),
    "policy": ("Politique", "Policy"),
    "rests": ("Repose sur", "Rests on"),
    "missing": ("Ce qui manque", "What is missing"),
    "nearest": ("Motif le plus proche", "Nearest ground"),
    "astray": ("il y manque", "lacking"),
    "instead": ("sinon", "else"),
    "obligations": ("Obligations", "Obligations"),
    "glass": ("Un bris de glace peut être ouvert.", "Break-glass may be opened."),
    "colon": (" : ", ": "),
    "quoted": ("« {said} »", "“{said}”"),
    "differs": ("Le registre dit autre chose", "The record says otherwise"),
    "disagrees": (
        "L'explication ne concorde pas avec la décision : c'est la décision qui vaut. Signalez-le.",
        "The explanation does not agree with the decision: the decision counts. Please report it.",
    ),
    "as_absent": ("lu comme absent (bris de glace)", "read as absent (grant)"),
    "no_source": ("aucune source désignée", "no source named"),
    "silent": ("ne confirme rien depuis", "has not vouched since"),
    "never": ("n'a jamais rien confirmé", "never vouched"),
    "vouches": ("confirmé complet jusqu'à", "vouched complete until"),
    "col_answer": ("réponse", "answer"),
    "col_rule": ("règle", "rule"),
    "col_says": ("raison", "reason"),
    "col_when": ("condition", "when"),
    "col_where": ("ligne", "line"),
    "col_source": ("source", "source"),
    "col_word": ("mot", "word"),
    "col_means": ("vrai si", "true when"),
    "col_behind": ("d'après", "from"),
    "col_fact": ("fait", "fact"),
    "col_tells": ("dit", "says"),
    "col_from": ("de", "from"),
    "col_to": ("à", "to"),
    "col_fresh": ("frais jusqu'à", "fresh until"),
    "col_part": ("partie", "part"),
    "col_recorded": ("au registre", "recorded"),
    "col_again": ("expliqué", "explained"),
}


class _Page:
    """Writes in one language."""

    def __init__(self, language: str) -> None:
        self.place = 0 if language == "fr" else 1

    def label(self, name: str) -> str:
        return LABELS[name][self.place]

    def columns(self, *names: str) -> list[str]:
        return [self.label(f"col_{name}") for name in names]

    def head(self, found: Explanation) -> None:
        """The question, the answer, why, what the caller sees, how long it lasts."""
        asked, said, policy = found.question, found.outcome, found.policy
        what = f"{asked.action} {asked.category}" + (f" {asked.resource_id}" if asked.resource_id else "")
        of = f" / {asked.patient_id}" if asked.patient_id else ""
        click.echo(
            printable(
                f"{asked.subject_id} ({asked.profile}) · {what}{of} · {asked.purpose} · {instants.text(asked.at)}"
            )
        )
        color = "green" if said.effect is Effect.PERMIT else "red"
        click.secho(f"{said.effect}  {said.true_reason}", bold=True, fg=color)
        if not found.agrees:
            click.secho(self.label("disagrees"), fg="yellow", bold=True)
        self.line("why", found.why.text)
        self.line("seen", f"{said.reason} {self.label('quoted').format(said=said.message)} {found.shown.text}")
        came: list[Obligation | Advice] = [*said.obligations, *said.advice]
        duties = [f"{each.id}({', '.join(each.params.values())})" for each in came]
        if duties:
            self.line("obligations", ", ".join(duty.replace("()", "") for duty in duties))
        if said.break_glass:
            click.echo(f"  {self.label('glass')}")
        self.line("lasts", f"{instants.text(found.ends.at)}. {found.ends.text}")
        self.line("policy", f"{policy.pack} {policy.revision} {policy.digest[:16]}")
        self.line("rests", ", ".join([*(f"{each.kind} {each.id}" for each in found.rests_on), *said.relied]))

    def line(self, name: str, text: str) -> None:
        """One labelled line."""
        click.echo(f"  {click.style(self.label(name), bold=True)}{self.label('colon')}{printable(text)}")

    def missing(self, missing: Missing) -> None:
        """What one change would do."""
        click.echo()
        click.secho(self.label("missing"), bold=True)
        if missing.row is not None:
            row = missing.row
            lacking = f" — {self.label('astray')} {', '.join(missing.astray)}" if missing.astray else ""
            self.line("nearest", f"{row.rule} {row.reason} ({row.file}:{row.line}){lacking}")
        click.echo(f"  {missing.text}")
        for step in missing.steps:
            click.echo(f"  · {printable(step.text)} → {step.effect} {step.reason}")

    def parts(self, parts: Iterable[PartSeen]) -> None:
        """Each part and its rows."""
        rows = []
        for part in parts:
            after = "" if part.counted else self.label("after")
            rows.append((self.verdict(part), part.title, after, "", "", ""))
            for row in part.rows:
                mark = "→ " if row.decided else "  "
                where = f"{row.file}:{row.line}"
                rows.append((mark + self.truth(row.answer), row.rule, self.says(row), row.when, row.source, where))
        columns = self.columns("answer", "rule", "says", "when", "source", "where")
        show_table(columns, rows, wrap=(columns[2], columns[3]))

    def verdict(self, part: PartSeen) -> str:
        """What a part says, in one word."""
        if part.name == "duties":
            return ""
        if part.verdict == "unknown":
            return self.label("doubt")
        if part.name == "matrix":
            return self.label("open" if part.verdict == "passed" else "refused")
        if part.name == "grounds":
            return self.label("met" if part.verdict == "passed" else "none")
        return self.label(part.verdict)

    def says(self, row: RowSeen) -> str:
        """What a row answers with."""
        said = row.obligation or row.reason or self.label("open" if row.kind == "cell" else "refused")
        return f"{said}, {self.label('instead')} {row.instead}" if row.instead_answer else said

    def truth(self, value: bool | None) -> str:
        """A row's answer."""
        return self.label("unknown" if value is None else "true" if value else "false")

    def words(self, words: Iterable[WordSeen], parts: Iterable[PartSeen]) -> None:
        """Each word, its answer and what lies behind; an arrow marks those of the row that decided."""
        decisive = {name for part in parts for row in part.rows if row.decided for name in row.words}
        rows = [
            (f"{'→' if word.word in decisive else ' '} {self.answer(word)}", word.word, word.means, self.behind(word))
            for word in words
        ]
        columns = self.columns("answer", "word", "means", "behind")
        show_table(columns, rows, wrap=columns[1:])

    def answer(self, word: WordSeen) -> str:
        """A word's answer."""
        if word.raised:
            return f"{self.label('raised')} {word.raised}"
        said = self.label("unknown" if word.value is None else "yes" if word.value else "false")
        return said if word.value is word.counted_as else f"{said}, {self.label('as_absent')}"

    def behind(self, word: WordSeen) -> str:
        """The fields, facts and feeds a word was worked out from."""
        said = [f"{name}={shown(value)}" for name, value in word.reads.items()]
        return "; ".join([*word.facts, *(self.feed(feed) for feed in word.feeds), *said])

    def feed(self, feed: FeedSeen) -> str:
        """How far a feed told."""
        if not feed.source:
            return f"{feed.kind}: {self.label('no_source')}"
        name = f"{feed.kind} {feed.source}"
        if feed.complete_until is None:
            return f"{name} {self.label('never')}"
        if feed.vouches or feed.vouches_until is None:
            return f"{name} {self.label('vouches')} {instants.text(feed.complete_until)}"
        return f"{name} {self.label('silent')} {instants.text(feed.complete_until)}"

    def facts(self, facts: Iterable[FactSeen], at: int) -> None:
        """Facts, with their periods."""
        rows = [
            (
                fact.ref,
                ", ".join(f"{name}={shown(value)}" for name, value in fact.says.items()),
                moment(fact.from_),
                moment(fact.to),
                self.freshness(fact, at),
            )
            for fact in facts
        ]
        columns = self.columns("fact", "tells", "from", "to", "fresh")
        show_table(columns, rows, wrap=columns)

    def freshness(self, fact: FactSeen, at: int) -> str:
        """Until when, or since when not, a fact is fresh enough to bear a ground."""
        old = fact.fresh_until is not None and fact.fresh_until <= at
        return f"{self.label('old')} {moment(fact.fresh_until)}" if old else moment(fact.fresh_until)

    def delegator(self, each: DelegatorSeen) -> None:
        """What somebody who delegated may do, and why."""
        title = self.label("delegator").format(who=each.subject_id, profile=each.profile)
        click.echo()
        click.secho(f"{title}{self.label('colon')}{self.truth(each.may)}", bold=True)
        self.parts(each.parts)
        click.echo()
        self.words(each.words, each.parts)


def show_explanation(found: Explanation, language: str) -> None:
    """An explanation, for a person."""
    page = _Page(language)
    page.head(found)
    if found.missing is not None:
        page.missing(found.missing)
    if found.parts:
        click.echo()
        click.secho(page.label("rules"), bold=True)
        page.parts(found.parts)
    for each in found.delegators:
        page.delegator(each)
    if found.words:
        click.echo()
        click.secho(page.label("words"), bold=True)
        page.words(found.words, found.parts)
    for name, facts in (("facts", found.facts), ("unused", found.unused)):
        if facts:
            click.echo()
            click.secho(page.label(name), bold=True)
            page.facts(facts, found.question.at)


def show_differences(differences: tuple[Difference, ...], language: str) -> None:
    """What the record says otherwise than this pack does now; nothing when there is nothing."""
    if differences:
        page = _Page(language)
        rows = [(each.name, each.recorded, each.again) for each in differences]
        columns = page.columns("part", "recorded", "again")
        show_table(columns, rows, page.label("differs"), wrap=columns[1:])
        click.echo()


def moment(instant: int | None) -> str:
    """An instant, or a dash for an open bound."""
    return "–" if instant is None else instants.text(instant)
