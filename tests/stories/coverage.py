"""Which rule the stories ask about, and whether one change takes it away: `python -m tests.stories.coverage`."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache

from msgspec import Struct
from msgspec.structs import replace

from sidecar.authoring.bundle import compile_bundle
from sidecar.authoring.core_asker import CoreAsker, with_settings
from sidecar.authoring.stories import Answered, Outcome, Refusal, Told, tell
from sidecar.authoring.story import Batch, Close, Open, Review, Step, Story
from sidecar.authoring.story_facts import StoryFacts
from sidecar.core.model import Decision, Effect, Request
from sidecar.core.policy import PolicySet
from tests.stories import hospital


class Rule(Struct, frozen=True):
    """What a rule id stands for in the pack.

    `refuses` holds the reasons its rows of p deny with, empty where they permit; `beside` says that it has no row of
    its own in p: it is a cell or an obligation.
    """

    id: str
    refuses: frozenset[str]
    beside: bool

    @property
    def name(self) -> str:
        """As the table says it: one id may both permit and refuse."""
        return f"{self.id} refuses" if self.refuses else self.id


class Asked(Struct):
    """How the stories ask about one rule: asks it took part in, asks it decided, and whether a flip turns on it."""

    asks: int = 0
    decided: int = 0
    flipped: bool = False


@cache
def rules() -> dict[str, tuple[Rule, ...]]:
    """Every rule of the pack, by id."""
    reasons: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name, text in sorted(hospital.pack().files.items()):
        if name.startswith("rules/"):
            for fields in ([field.strip() for field in line.split(", ")] for line in text.splitlines()):
                if fields[0] in ("p", "p2", "p3"):
                    held = reasons[fields[1]]
                    if fields[0] == "p":
                        held[fields[-4]].add(fields[-3])
    found = {}
    for rule_id, held in sorted(reasons.items()):
        permits = [Rule(rule_id, frozenset(), beside="allow" not in held)] if "allow" in held or not held else []
        refuses = [Rule(rule_id, frozenset(held["deny"]), beside=False)] if "deny" in held else []
        found[rule_id] = (*permits, *refuses)
    return found


def asked() -> dict[str, Asked]:
    """For every rule of the pack, by its name: how the stories ask about it."""
    found = {rule.name: Asked() for held in rules().values() for rule in held}
    for heard in told():
        for decision in heard.decisions():
            for rule in (rule for rule_id in decision.rules for rule in rules()[rule_id]):
                entry = found[rule.name]
                entry.asks += 1
                entry.decided += decides(rule, decision)
        for one, other in heard.flips():
            for rule in (rule for rule_id in {*one.rules, *other.rules} for rule in rules()[rule_id]):
                if decides(rule, one) != decides(rule, other):
                    found[rule.name].flipped = True
    return found


def decides(rule: Rule, decision: Decision) -> bool:
    """Whether the answer is this rule's: its gate refuses, its ground is the reason, its cell is used."""
    if rule.id not in decision.rules:
        return False
    if rule.refuses:
        return decision.effect is Effect.DENY and decision.true_reason in rule.refuses
    return decision.effect is Effect.PERMIT and (rule.beside or decision.rule == rule.id)


class Heard(Struct, frozen=True):
    """One story, what the core answered to each of its steps, and where that is not as told."""

    story: Story
    told: Told
    answers: dict[int, Outcome | tuple[Outcome, ...]]

    def decisions(self) -> Iterator[Decision]:
        """Every decision of the story, those inside its batches too."""
        for got in self.answers.values():
            for each in got if isinstance(got, tuple) else (got,):
                if isinstance(each, Answered):
                    yield each.seen

    def flips(self) -> Iterator[tuple[Decision, Decision]]:
        """What both sides of every flip were answered."""
        for step in self.story.steps:
            if step.flip_of is not None:
                one, other = self.answers.get(step.flip_of), self.answers.get(step.index)
                if isinstance(one, Answered) and isinstance(other, Answered):
                    yield one.seen, other.seen


@cache
def told() -> tuple[Heard, ...]:
    """Every story of the pack, told to the core once."""
    return tuple(_heard(story) for story in hospital.stories())


def _heard(story: Story) -> Heard:
    listener = _Listener(_policies(tuple(sorted(story.settings.items()))), StoryFacts(story))
    return Heard(story, tell(story, listener), listener.answers)


@cache
def _policies(settings: tuple[tuple[str, bool | int | str], ...]) -> PolicySet:
    pack = hospital.pack()
    return compile_bundle(replace(pack, pack=with_settings(pack.pack, dict(settings))))


class _Listener(CoreAsker):
    """The core, and what it answered to each step."""

    def __init__(self, policies: PolicySet, facts: StoryFacts) -> None:
        super().__init__(policies, facts)
        self.answers: dict[int, Outcome | tuple[Outcome, ...]] = {}

    def request(self, step: Step, request: Request) -> Outcome:
        return self._kept(step, super().request(step, request))

    def open(self, step: Step, opening: Open) -> Outcome:
        return self._kept(step, super().open(step, opening))

    def close(self, step: Step, closing: Close) -> Outcome:
        return self._kept(step, super().close(step, closing))

    def review(self, step: Step, review: Review) -> Outcome:
        return self._kept(step, super().review(step, review))

    def batch(self, step: Step, batch: Batch) -> Refusal | tuple[Outcome, ...]:
        answers = super().batch(step, batch)
        self.answers[step.index] = answers
        return answers

    def _kept(self, step: Step, outcome: Outcome) -> Outcome:
        self.answers[step.index] = outcome
        return outcome


def table() -> str:
    """The rules, one a line: asks they took part in, asks they decided, whether one change takes them away."""
    lines = [f"{'rule':<20} {'asks':>6} {'decided':>8}  flipped"]
    for name, entry in asked().items():
        lines.append(f"{name:<20} {entry.asks:>6} {entry.decided:>8}  {'yes' if entry.flipped else 'NO'}")
    effects = Counter(decision.effect for heard in told() for decision in heard.decisions())
    flips = sum(1 for heard in told() for _ in heard.flips())
    return "\n".join(lines) + (
        f"\n{len(told())} stories, {effects.total()} decisions: {effects[Effect.PERMIT]} permits, "
        f"{effects[Effect.DENY]} refusals; {flips} flips"
    )


if __name__ == "__main__":
    print(table())
