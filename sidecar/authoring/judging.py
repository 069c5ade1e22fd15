"""Tells a pack's stories to it and to stock PyCasbin at once, and says where the two differ.

For every question PyCasbin is given what production's words answer, and says of each row, alone, whether it holds;
production's own functions of the rows must say the same, and so must the effect of the rows together. Reasons,
ranks and `otherwise` are no matter of Casbin's: the pack's expectations speak of those.
"""

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from sidecar.authoring.bundle import Bundle, compile_bundle
from sidecar.authoring.core_asker import CoreAsker, with_settings
from sidecar.authoring.judge import Key, Names, Pycasbin, Row, Values, key_of
from sidecar.authoring.judge_rows import Asked, Counted, counted, found_rows, word_values
from sidecar.authoring.stories import Failure, Outcome, Refusal, tell
from sidecar.authoring.story import Batch, Open, Step, Story
from sidecar.authoring.story_facts import StoryFacts
from sidecar.core import expression
from sidecar.core.break_glass import GrantTerms
from sidecar.core.bundle import Snapshot
from sidecar.core.compiled import gate_of
from sidecar.core.model import Caller, Context, Decision, Effect, ItemFault, Opening, Request, Resource
from sidecar.core.pack import Pack
from sidecar.core.policy import PolicySet

GRANT_OPEN: Key = ("context", "grant_open", None)
SHOWN = 20  # disagreements told of one pack; the rest is their number

Answered = Sequence[tuple[Row, bool | None]]


class Verdict(Struct, frozen=True):
    """What a judged pack was asked, and what was otherwise: than PyCasbin says, or than its stories expect."""

    stories: int
    asks: int
    rows: int
    enforced: int  # how often PyCasbin was asked
    failures: tuple[Failure, ...]


def judge_pack(
    bundle: Bundle, stories: Sequence[Story], told: Callable[[int], None], policies: PolicySet | None = None
) -> Verdict:
    """Both judges on every story; `told` hears how many stories are done.

    `policies` is the bundle compiled, where the caller has it. Raises PolicyFault when the pack does not compile
    under a story's settings, or PyCasbin keeps other rows than its files hold.
    """
    pycasbin = Pycasbin(bundle.files)
    compiled: dict[tuple[tuple[str, bool | int | str], ...], PolicySet] = {(): policies or compile_bundle(bundle)}
    failures: list[Failure] = []
    asks = 0
    for done, story in enumerate(stories, 1):
        key = tuple(sorted(story.settings.items()))
        if key not in compiled:
            compiled[key] = compile_bundle(replace(bundle, pack=with_settings(bundle.pack, story.settings)))
        asker = JudgedAsker(compiled[key], pycasbin, StoryFacts(story), story.file)
        result = tell(story, asker)
        failures += [*asker.disagreements, *result.failures]
        asks += result.asks
        told(done)
    return Verdict(len(stories), asks, len(pycasbin.rows), pycasbin.asked, tuple(failures))


class JudgedAsker(CoreAsker):
    """Answers the steps of a story, PyCasbin asked beside; notes each disagreement with its step."""

    def __init__(self, policies: PolicySet, pycasbin: Pycasbin, facts: StoryFacts, file: str) -> None:
        super().__init__(_Watched(policies, pycasbin, self._differ), facts)
        self._file = file
        self._step: Step | None = None
        self.disagreements: list[Failure] = []

    def request(self, step: Step, request: Request) -> Outcome:
        """As the core answers."""
        self._step = step
        return super().request(step, request)

    def open(self, step: Step, opening: Open) -> Outcome:
        """As the core answers."""
        self._step = step
        return super().open(step, opening)

    def batch(self, step: Step, batch: Batch) -> Refusal | tuple[Outcome, ...]:
        """As the core answers."""
        self._step = step
        return super().batch(step, batch)

    def _differ(self, text: str) -> None:
        step = self._step
        if step is not None:
            self.disagreements.append(Failure(self._file, step.line, step.index, f"PyCasbin disagrees: {text}"))


class _Watched:
    """A policy set whose every decision is compared with what PyCasbin makes of the same rows."""

    def __init__(self, policies: PolicySet, pycasbin: Pycasbin, differ: Callable[[str], None]) -> None:
        self._policies, self._pycasbin, self._differ = policies, pycasbin, differ
        self._terms = {
            key_of(term): term
            for text in {row.field("when") for row in pycasbin.rows} | {"r.context.grant_open"}
            for term in expression.terms(expression.parse(text))
        }

    @property
    def pack(self) -> Pack:
        return self._policies.pack

    def malformed(self, request: Request) -> ItemFault | None:
        return self._policies.malformed(request)

    def evaluate(self, request: Request, caller: Caller, controller_id: str, snapshot: Snapshot, now: int) -> Decision:
        decision = self._policies.evaluate(request, caller, controller_id, snapshot, now)
        self._compare(Asked(request, caller, controller_id, snapshot, now), decision)
        return decision

    def evaluate_open(
        self, opening: Opening, caller: Caller, controller_id: str, snapshot: Snapshot, now: int
    ) -> tuple[Decision, GrantTerms | None]:
        answered = self._policies.evaluate_open(opening, caller, controller_id, snapshot, now)
        if opening.subject.profile in self._policies.pack.vocabulary.profiles:
            asked = Asked(self._opening_question(opening), caller, controller_id, snapshot, now)
            self._compare_opening(asked, answered[0])
        return answered

    def _compare(self, asked: Asked, decision: Decision) -> None:
        found = self._policies.compiled.slice(*asked.names)
        if found is None:
            if decision.effect is not Effect.DENY:
                self._differ(f"{decision.effect} for a name that is in no vocabulary")
            return
        strict, loose = self._readings(asked)
        firm = free = self._pycasbin.answers(asked.names, strict)
        self._compare_rows(firm, found_rows(self._policies, asked, found, False))
        if loose is not strict:
            free = self._pycasbin.answers(asked.names, loose)
            self._compare_rows(free, found_rows(self._policies, asked, found, True))
        permit, took_part = self._together(asked.names, self._counting(firm, free), loose)
        if not permit and asked.snapshot.tenant.delegations.get(asked.request.subject.id):
            # 3.0.4: who needs no delegation is not under one.
            alone = self._readings(asked, alone=True)
            each = [self._pycasbin.answers(asked.names, values) for values in alone]
            own, rules = self._together(asked.names, self._counting(*each), alone[1])
            permit, took_part = (own, rules) if own else (permit, took_part)
        if permit is not (decision.effect is Effect.PERMIT):
            said = Effect.PERMIT if permit else Effect.DENY
            rows = ", ".join(dict.fromkeys(row.rule for row, _ in (*firm, *free))) or "none holds"
            self._differ(f"its rows ({rows}) give {said}, here {decision.effect} {decision.true_reason}")
        elif permit and took_part != set(decision.rules):
            self._differ(f"it rests on {sorted(took_part)}, here on {sorted(decision.rules)}")

    def _compare_rows(self, theirs: Answered, ours: Counted) -> None:
        judged = counted((_kind(row), row.rule, answer) for row, answer in theirs)
        for name in sorted(judged.keys() | ours.keys()):
            if judged.get(name) != ours.get(name):
                rows = [row for row in self._pycasbin.rows if f"{_kind(row)} {row.rule}" == name]
                places = ", ".join(f"{row.at.file}:{row.at.line}" for row in rows)
                there, here = _said(judged.get(name)), _said(ours.get(name))
                self._differ(f"row {name.rpartition(' ')[2]} ({places}) {there} there, {here} here")

    def _counting(self, firm: Answered, free: Answered) -> list[tuple[Row, bool | None]]:
        """The answers that count: an open grant touches neither a firm gate nor what comes with a yes (3.0.4)."""
        order = self._policies.pack.order

        def is_firm(row: Row) -> bool:
            return row.kind == "p2" or (row.deny and gate_of(row.rule, order.gates) in order.firm_gates)

        return [(row, answer) for row, answer in firm if is_firm(row)] + [
            (row, answer) for row, answer in free if not is_firm(row)
        ]

    def _together(self, names: Names, answers: Answered, values: Values) -> tuple[bool, set[str]]:
        """Whether the rows permit, and the rules a permit rests on.

        A row that may deny counts as one that does; one that may allow counts for nothing; an obligation that may be
        owed is. The rows that hold are put to PyCasbin together, for their effect.
        """
        if any(row.deny and answer is None for row, answer in answers):
            return False, set()
        took = [row for row, answer in answers if answer or row.kind == "p2"]
        return self._pycasbin.permits(took, names, values), {row.rule for row in took}

    def _compare_opening(self, asked: Asked, decision: Decision) -> None:
        pack = self._policies.pack
        strict, loose = self._opening_readings(asked)
        profile, scope, action, purpose = asked.names
        refused = False
        # A gate of any category that the grant would open is met.
        for category in (scope, *self._under(scope)):
            names = (profile, category, action, purpose)
            answers = self._pycasbin.answers(names, strict), self._pycasbin.answers(names, loose)
            for row, _ in self._counting(*answers):
                gate = gate_of(row.rule, pack.order.gates) if row.kind == "p" and row.deny else ""
                concerns = gate in pack.break_glass.gates and not pack.reasons[row.field("reason")].discloses
                refused = refused or concerns
        if refused is not bool(decision.rule):
            here = f"{decision.effect} {decision.true_reason} here"
            self._differ(f"the gates {'refuse' if refused else 'do not refuse'} this opening, {here}")

    def _under(self, scope: str) -> Iterable[str]:
        return self._policies.compiled.members["g2"].get(scope, frozenset()) - {scope}

    def _readings(self, asked: Asked, alone: bool = False) -> tuple[Values, Values]:
        """What the words answer, and what they answer where an open grant reads an unknown restriction as absent.

        `alone`: the subject acts for nobody.
        """
        rules = self._policies.pack.break_glass
        strict = self._words(asked, False, alone)
        grant = rules.unknown == "open" and asked.request.context.access_mode in rules.modes
        return strict, self._words(asked, True, alone) if grant and strict[GRANT_OPEN] is True else strict

    def _opening_readings(self, asked: Asked) -> tuple[Values, Values]:
        strict = self._words(asked, False)
        return strict, self._words(asked, True) if self._policies.pack.break_glass.unknown == "open" else strict

    def _words(self, asked: Asked, lenient: bool, alone: bool = False) -> Values:
        def delegate(outer: object, request: Request) -> bool | None:
            inner = Asked(request, asked.caller, asked.controller_id, asked.snapshot, asked.now)
            return self._may(inner)

        return word_values(self._policies, asked, self._terms.items(), lenient, None if alone else delegate)

    def _may(self, asked: Asked) -> bool | None:
        """What a delegator may do, by PyCasbin's rows: their gates in order, then matrix and grounds (3.0.4)."""
        if not self._policies.compiled.knows(*asked.names):
            return False
        values = word_values(self._policies, asked, self._terms.items(), False, None)
        answers = self._pycasbin.answers(asked.names, values)
        order = self._policies.pack.order
        for gate in order.gates:
            if gate not in order.delegator_gates:
                continue
            denies = [
                a for row, a in answers if row.kind == "p" and row.deny and gate_of(row.rule, order.gates) == gate
            ]
            if any(answer is not False for answer in denies):
                return False if True in denies else None
        forbidden = [answer for row, answer in answers if row.kind == "p3" and row.deny]
        cells = [answer for row, answer in answers if row.kind == "p3" and not row.deny]
        grounds = [answer for row, answer in answers if row.kind == "p" and not row.deny]
        if True in forbidden:
            return False
        if None in forbidden or (None in cells and True not in cells):
            return None
        if True not in cells:
            return False
        return True if True in grounds else None if None in grounds else False

    def _opening_question(self, opening: Opening) -> Request:
        """The opening as the question its gates are asked."""
        rules, vocabulary = self._policies.pack.break_glass, self._policies.pack.vocabulary
        return Request(
            opening.subject,
            rules.action,
            Resource(
                rules.eligible.get(opening.subject.profile, vocabulary.clinical),
                opening.patient_id,
                controller_id=opening.controller_id,
            ),
            rules.purpose,
            opening.authentication,
            opening.device,
            Context(
                motive=opening.motive,
                justification=opening.justification,
                request_id=opening.request_id,
                language=opening.language,
            ),
        )


def _kind(row: Row) -> str:
    return f"{row.kind} deny" if row.deny else row.kind


def _said(count: tuple[int, int] | None) -> str:
    held, unknown = count or (0, 0)
    if held and unknown:
        return f"{held} of its rows hold and {unknown} are unknown"
    if held or unknown:
        return ("holds" if held else "is unknown") + (f" {held or unknown} times" if held + unknown > 1 else "")
    return "does not hold"
