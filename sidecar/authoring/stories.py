"""Tells stories and compares: the same file to the core, to a server, to a command line, whoever can be asked."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from sidecar.authoring.story import Batch, Close, Expect, ExpectOne, Named, Open, Review, Step, Story, Write
from sidecar.core.model import Advice, Decision, Obligation, Request


class Answered(Struct, frozen=True):
    """A decision as the caller sees it, and as the leaf keeps it where the asker can read the leaf.

    `legal_basis` is what the leaf keeps beside it.
    """

    seen: Decision
    kept: Decision | None = None
    legal_basis: str = ""


class Refusal(Struct, frozen=True):
    """A call, or an item of a batch, that got no decision: the status, and the field at fault where one is named."""

    error: str
    field: str = ""


Outcome = Answered | Refusal | None


class Asker(Protocol):
    """Whoever a story can be told to. `step` gives the instant and the caller."""

    def request(self, step: Step, request: Request) -> Outcome:
        """Ask one question; `context.grant` is the name the story gave a grant."""

    def open(self, step: Step, opening: Open) -> Outcome:
        """Ask for a grant."""

    def close(self, step: Step, closing: Close) -> Outcome:
        """End a grant: a refusal, or nothing; the decision, where it was somebody else's."""

    def review(self, step: Step, review: Review) -> Outcome:
        """Give the verdict on a grant."""

    def write(self, step: Step, writing: Write) -> Outcome:
        """Make facts and watermarks known: a refusal or nothing."""

    def batch(self, step: Step, batch: Batch) -> Refusal | tuple[Outcome, ...]:
        """Ask several questions at once: what each one got, in order, or the refusal of the whole call."""


class Failure(Struct, frozen=True):
    """An answer that is not what its story expects."""

    file: str
    line: int
    ask: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: ask {self.ask}: {self.text}"


class Told(Struct, frozen=True):
    """One story, told to its end: what went otherwise, how much was asked, and the rules that took part."""

    failures: tuple[Failure, ...]
    asks: int
    rules: frozenset[str]


def tell(story: Story, asker: Asker) -> Told:
    """What this asker answers otherwise than the story expects, and the rules that took part."""
    failures: list[Failure] = []
    rules: set[str] = set()
    answers: dict[int, Decision] = {}
    asks = 0
    for step in story.steps:
        got = _ask(step, asker)
        each = got if isinstance(got, tuple) else (got,)
        for outcome in each:
            if isinstance(outcome, Answered):
                rules.update((outcome.kept or outcome.seen).rules)
        if isinstance(got, Answered):
            answers[step.index] = got.seen
        asks += 0 if isinstance(step.what, Write) else len(each)
        texts = [*_unlike(step.expect, got, answers), *_unlike_record(step.record, got)]
        failures += [Failure(story.file, step.line, step.index, text) for text in texts]
    return Told(tuple(failures), asks, frozenset(rules))


def run(story: Story, asker: Asker) -> list[Failure]:
    """Every answer of this asker that is not what the story expects; empty when it is told as written."""
    return list(tell(story, asker).failures)


def _ask(step: Step, asker: Asker) -> Outcome | tuple[Outcome, ...]:
    what = step.what
    if isinstance(what, Request):
        return asker.request(step, what)
    if isinstance(what, Open):
        return asker.open(step, what)
    if isinstance(what, Close):
        return asker.close(step, what)
    if isinstance(what, Review):
        return asker.review(step, what)
    if isinstance(what, Write):
        return asker.write(step, what)
    return asker.batch(step, what)


def _unlike(
    expect: ExpectOne | None, got: Outcome | tuple[Outcome, ...], answers: Mapping[int, Decision]
) -> Iterator[str]:
    """What was got otherwise than expected, as sentences. A refused call that no story expects is one too."""
    if expect is None:
        if isinstance(got, Refusal):
            yield f"was refused: {_refusal(got)}"
    elif isinstance(got, tuple):
        yield from _unlike_batch(expect, got, answers)
    elif expect.error is not None or not isinstance(got, Answered):
        wanted = Refusal(expect.error or "", expect.field or "")
        met = isinstance(got, Refusal) and got.error == wanted.error and expect.field in (None, got.field)
        if not met:
            yield f"expected {_refusal(wanted) if expect.error else 'a decision'}, got {_shown(got)}"
    else:
        yield from _unlike_decision(expect, got.seen, got.kept)
        if expect.same_as is not None:
            yield from _unlike_other(expect.same_as, answers.get(expect.same_as), got.seen)


def _unlike_batch(expect: ExpectOne, got: tuple[Outcome, ...], answers: Mapping[int, Decision]) -> Iterator[str]:
    if not isinstance(expect, Expect) or expect.items is None:
        yield "a batch expects `items`"
        return
    if len(expect.items) != len(got):
        yield f"expected {len(expect.items)} answers, got {len(got)}"
    for index, (wanted, outcome) in enumerate(zip(expect.items, got, strict=False)):
        for text in _unlike(wanted, outcome, answers):
            yield f"item {index}: {text}"


def _unlike_record(expect: Expect | None, got: Outcome | tuple[Outcome, ...]) -> Iterator[str]:
    """What the leaf holds otherwise than expected; nothing where this asker cannot read it."""
    if expect is not None and isinstance(got, Answered) and got.kept is not None:
        for text in _unlike_decision(expect, got.kept, got.kept):
            yield f"the record: {text}"
        if expect.legal_basis not in (None, got.legal_basis):
            yield f"the record: expected legal_basis {expect.legal_basis}, got {got.legal_basis or 'none'}"


def _unlike_decision(expect: ExpectOne, seen: Decision, kept: Decision | None) -> Iterator[str]:
    compared: list[tuple[str, object, object]] = [
        ("effect", expect.effect, seen.effect),
        ("reason", expect.reason, seen.reason),
        ("also", expect.also and tuple(sorted(expect.also)), tuple(sorted(seen.also))),
        ("break_glass", expect.break_glass, seen.offer.available),
    ]
    if kept is not None:
        compared.append(("true_reason", expect.true_reason, kept.true_reason))
    why = f" (reason {seen.reason}, in truth {kept.true_reason if kept else 'unseen'}, unknown {seen.unknown})"
    for name, wanted, got in compared:
        if wanted is not None and wanted != got:
            yield f"expected {name} {wanted}, got {got}{why}"
    for kind, named, held in (
        ("obligation", expect.obligations, seen.obligations),
        ("advice", expect.advice, seen.advice),
    ):
        for wanted_one in named:
            one = Named(wanted_one) if isinstance(wanted_one, str) else wanted_one
            if not any(_is(one, other) for other in held):
                yield f"expected {kind} {one.id} {one.params or ''}, got {_listed(held)}"
        if expect.nothing_more:
            ids = {named_one if isinstance(named_one, str) else named_one.id for named_one in named}
            if more := [each for each in held if each.id not in ids]:
                yield f"expected no other {kind}, got {_listed(more)}"


def _is(wanted: Named, got: Obligation | Advice) -> bool:
    return wanted.id == got.id and all(got.params.get(name) == value for name, value in wanted.params.items())


def _unlike_other(index: int, other: Decision | None, seen: Decision) -> Iterator[str]:
    """What the caller could tell apart between this answer and an earlier one."""
    if other is None:
        yield f"expected the same as ask {index}, which got no decision"
        return
    for name in ("effect", "reason", "also", "rule", "obligations", "advice", "offer", "valid_until"):
        if getattr(other, name) != getattr(seen, name):
            yield f"tells itself from ask {index} by {name}: {getattr(other, name)} there, {getattr(seen, name)} here"


def _shown(got: Outcome) -> str:
    if got is None:
        return "no answer"
    return _refusal(got) if isinstance(got, Refusal) else f"{got.seen.effect} {got.seen.reason}"


def _refusal(refusal: Refusal) -> str:
    return f"{refusal.error} at `{refusal.field}`" if refusal.field else refusal.error


def _listed(held: Sequence[Obligation | Advice]) -> str:
    return ", ".join(f"{one.id} {one.params or ''}".strip() for one in held) or "none"
