"""Tells stories to the core itself: `dpi-sidecar test`, and the judge a new policy passes before it is in force."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from sidecar.authoring.bundle import Bundle, compile_bundle
from sidecar.authoring.stories import Answered, Failure, Outcome, Refusal, tell
from sidecar.authoring.story import Batch, Close, Open, Review, Step, Story, Write
from sidecar.authoring.story_facts import StoryFacts
from sidecar.core import break_glass, legal_basis
from sidecar.core.break_glass import Event, GrantTerms
from sidecar.core.bundle import Snapshot
from sidecar.core.model import Caller, Decision, Effect, Grant, ItemFault, Opening, Request, Resource
from sidecar.core.model import Review as Verdict
from sidecar.core.pack import Pack
from sidecar.core.policy import PolicySet
from sidecar.core.reviewing import comment, ill_said, out_of_turn, question
from sidecar.core.usage import Counters

REVIEWER = "reviewer"  # the role of callers that speak for who reviews


class Policies(Protocol):
    """What a story is decided by: a policy set, or one that is watched."""

    @property
    def pack(self) -> Pack:
        """As `PolicySet.pack`."""

    def malformed(self, request: Request) -> ItemFault | None:
        """As `PolicySet.malformed`."""

    def evaluate(self, request: Request, caller: Caller, controller_id: str, snapshot: Snapshot, now: int) -> Decision:
        """As `PolicySet.evaluate`."""

    def evaluate_open(
        self, opening: Opening, caller: Caller, controller_id: str, snapshot: Snapshot, now: int
    ) -> tuple[Decision, GrantTerms | None]:
        """As `PolicySet.evaluate_open`."""


class CoreAsker:
    """Answers the steps of one story with a policy set and the story's own facts, and nothing else."""

    def __init__(self, policies: Policies, facts: StoryFacts) -> None:
        self._policies, self._facts = policies, facts
        self._grants: dict[str, str] = {}  # the story's name of a grant → its id
        self._counters = Counters()

    def request(self, step: Step, request: Request) -> Outcome:
        """The decision, or INVALID_ARGUMENT for a malformed request."""
        return self._decided(step, request, "INVALID_ARGUMENT", "")

    def open(self, step: Step, opening: Open) -> Outcome:
        """The decision; a permit keeps a grant under the story's name for it."""
        asked, caller = opening.opening, step.caller
        controller = asked.controller_id
        snapshot = self._facts.snapshot(caller.tenant, controller, asked.patient_id, step.at)
        decision, terms = self._policies.evaluate_open(asked, caller, controller, snapshot, step.at)
        if terms is not None:
            grant = Grant(
                id=f"grant-{step.index}",
                tenant=caller.tenant,
                controller_id=controller,
                caller_id=caller.id,
                subject_id=asked.subject.id,
                patient_id=asked.patient_id,
                profile=asked.subject.profile,
                scope=terms.scope,
                motive=asked.motive,
                justification=asked.justification,
                opened_at=step.at,
                until=terms.until,
                review_due=terms.review_due,
                second_confirmation=bool(asked.second_confirmation),
                units=asked.subject.units,
                opener=asked.subject,
                alerts=terms.alerts,
            )
            self._facts.keep(grant)
            self._grants[opening.name] = grant.id
        return self._answered(decision, self._policies.pack.break_glass.purpose)

    def close(self, step: Step, closing: Close) -> Outcome:
        """Nothing, or the decision on ending somebody else's; NOT_FOUND where the caller may not ask for that."""
        grant = self._named(step, closing.grant)
        if grant is None or (grant.subject_id != closing.subject.id and REVIEWER not in step.caller.roles):
            return Refusal("NOT_FOUND")
        outcome, event = None, Event.CLOSE
        if grant.subject_id != closing.subject.id:
            action, event = self._policies.pack.break_glass.close_action, Event.REVOKE
            outcome = self._asked(step, closing, action, grant)
            if outcome.seen.effect is Effect.DENY:
                return outcome
        after = break_glass.NEXT.get((break_glass.state(grant, step.at), event))
        if after is not None:
            self._facts.keep(replace(grant, closed_at=step.at, ended=after.value, ended_by=closing.subject.id))
        return outcome

    def review(self, step: Step, review: Review) -> Outcome:
        """The decision; a permit keeps the verdict. INVALID_ARGUMENT where it is ill said, or out of turn."""
        if REVIEWER not in step.caller.roles:
            return Refusal("PERMISSION_DENIED")
        rules, grant = self._policies.pack.break_glass, self._named(step, review.grant)
        fault = ill_said(rules, review)
        if fault is not None:
            return Refusal("INVALID_ARGUMENT", fault.field)
        if grant is None:
            return Refusal("NOT_FOUND")
        outcome = self._asked(step, review, rules.review_action, grant)
        if outcome.seen.effect is Effect.DENY:
            return outcome
        fault = out_of_turn(grant, step.at)
        if fault is not None:
            return Refusal("INVALID_ARGUMENT", fault.field)
        ended = break_glass.ending(grant, step.at)
        verdict = Verdict(review.verdict, review.subject.id, step.caller.id, step.at, comment(review))
        self._facts.keep(replace(grant, review=verdict, ended=ended.value))
        return outcome

    def _named(self, step: Step, name: str) -> Grant | None:
        """The grant a story calls so, if it is one of the caller's controllers."""
        grant = self._facts.grant(self._grants.get(name, name))
        if grant is None or grant.tenant != step.caller.tenant or grant.controller_id not in step.caller.controllers:
            return None
        return grant

    def _asked(self, step: Step, asking: Close | Review, action: str, grant: Grant) -> Answered:
        request = question(self._policies.pack.break_glass, asking, action, grant)
        snapshot = self._facts.snapshot(step.caller.tenant, grant.controller_id, grant.patient_id, step.at)
        decision = self._policies.evaluate(request, step.caller, grant.controller_id, snapshot, step.at)
        return self._answered(decision, request.purpose)

    def write(self, step: Step, writing: Write) -> Outcome:
        """Nothing: the facts are known from this step on."""
        self._facts.write(step.caller.tenant, writing.facts)
        for mark in writing.watermarks:
            self._facts.mark(step.caller, mark)
        return None

    def batch(self, step: Step, batch: Batch) -> Refusal | tuple[Outcome, ...]:
        """What each item got, up to the first refusal where the batch stops there."""
        outcomes: list[Outcome] = []
        for index, item in enumerate(batch.items):
            place = f"items[{index}]."
            patient = item.resource.patient_id
            if patient not in ("", batch.patient_id):
                outcome: Outcome = Refusal("INVALID_REQUEST", f"{place}resource.patient_id")
            else:
                resource = replace(item.resource, patient_id=batch.patient_id)
                outcome = self._decided(step, _question(batch, item.action, resource), "INVALID_REQUEST", place)
            outcomes.append(outcome)
            permitted = isinstance(outcome, Answered) and outcome.seen.effect is Effect.PERMIT
            if batch.deny_on_first_deny and not permitted:
                break
        return tuple(outcomes)

    def _decided(self, step: Step, request: Request, error: str, place: str) -> Outcome:
        malformed = self._policies.malformed(request)
        if malformed is not None:
            return Refusal(error, place + malformed.field)
        controller = request.resource.controller_id or _only(step.caller.controllers)
        if not controller:
            return Refusal(error, f"{place}resource.controller_id")
        name = request.context.grant
        if name in self._grants:
            request = replace(request, context=replace(request.context, grant=self._grants[name]))
        snapshot = self._facts.snapshot(step.caller.tenant, controller, request.resource.patient_id, step.at)
        who = step.caller.tenant, request.subject.id, request.resource.patient_id
        counted = replace(snapshot, usage=self._counters.usage(*who, step.at))
        decision = self._policies.evaluate(request, step.caller, controller, counted, step.at)
        self._counters.note(*who, decision.effect is Effect.PERMIT, step.at)
        return self._answered(decision, request.purpose, request.context.legal_basis)

    def _answered(self, decision: Decision, purpose: str, basis: str = "") -> Answered:
        return Answered(decision, decision, legal_basis.of(self._policies.pack, purpose, basis))


class Report(Struct, frozen=True):
    """What became of a run: `hits` maps each story's file to the ids of the rules that took part in it."""

    stories: int
    asks: int
    failures: tuple[Failure, ...]
    hits: dict[str, frozenset[str]]


def run_pack(bundle: Bundle, stories: Sequence[Story]) -> Report:
    """Tell these stories to this pack. Raises PolicyFault when the pack does not compile under a story's settings."""
    compiled: dict[tuple[tuple[str, bool | int | str], ...], PolicySet] = {}
    failures: list[Failure] = []
    hits: dict[str, frozenset[str]] = {}
    asks = 0
    for story in stories:
        key = tuple(sorted(story.settings.items()))
        if key not in compiled:
            compiled[key] = compile_bundle(replace(bundle, pack=with_settings(bundle.pack, story.settings)))
        told = tell(story, CoreAsker(compiled[key], StoryFacts(story)))
        failures += told.failures
        asks += told.asks
        hits[story.file] = told.rules
    return Report(len(stories), asks, tuple(failures), hits)


def with_settings(pack: Pack, settings: dict[str, bool | int | str]) -> Pack:
    """The pack with these settings in place of its own."""
    changed = {name: replace(pack.settings[name], value=value) for name, value in settings.items()}
    return replace(pack, settings={**pack.settings, **changed})


def _question(batch: Batch, action: str, resource: Resource) -> Request:
    return Request(
        subject=batch.subject,
        action=action,
        resource=resource,
        purpose=batch.purpose,
        authentication=batch.authentication,
        device=batch.device,
        context=batch.context,
    )


def _only(controllers: tuple[str, ...]) -> str:
    return controllers[0] if len(controllers) == 1 else ""
