"""The question to be explained: a step of a story, a request with what is known given beside it, or a recorded one."""

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sidecar.authoring import core_asker, replay, stories, story_reading, yaml_lines
from sidecar.authoring.bundle import Bundle, compile_bundle
from sidecar.authoring.explain.rows import Rulebook
from sidecar.authoring.explain.walk import Asked, opening_request
from sidecar.authoring.story import Story
from sidecar.authoring.story_facts import StoryFacts
from sidecar.core import instants
from sidecar.core.break_glass import GrantTerms
from sidecar.core.bundle import Snapshot
from sidecar.core.model import KINDS, Caller, Decision, Fact, ItemFault, Opening, Request, Watermark
from sidecar.core.pack import Pack
from sidecar.core.policy import PolicySet
from sidecar.core.recall import Recalled
from sidecar.errors import InputFault


class Ready(Struct, frozen=True):
    """A question with the policies it is put to, and the rows of these."""

    policies: PolicySet
    rules: Rulebook
    asked: Asked


class _Given(Struct, forbid_unknown_fields=True):
    """A facts file: facts alone, or with the kinds whose feeds told everything (left out: all) and watermarks."""

    facts: tuple[Fact, ...] = ()
    complete: tuple[str, ...] | None = None
    watermarks: tuple[Watermark, ...] = ()


class Listening:
    """Answers as a policy set does, and keeps every question."""

    def __init__(self, policies: PolicySet, rules: Rulebook) -> None:
        self.policies, self.rules = policies, rules
        self.asked: list[Asked] = []

    @property
    def pack(self) -> Pack:
        """As the policy set's."""
        return self.policies.pack

    def malformed(self, request: Request) -> ItemFault | None:
        """As the policy set."""
        return self.policies.malformed(request)

    def evaluate(self, request: Request, caller: Caller, controller_id: str, snapshot: Snapshot, now: int) -> Decision:
        """As the policy set."""
        self.asked.append(Asked(request, caller, controller_id, snapshot, now))
        return self.policies.evaluate(request, caller, controller_id, snapshot, now)

    def evaluate_open(
        self, opening: Opening, caller: Caller, controller_id: str, snapshot: Snapshot, now: int
    ) -> tuple[Decision, GrantTerms | None]:
        """As the policy set."""
        request = opening_request(self.rules, opening)
        self.asked.append(Asked(request, caller, controller_id, snapshot, now, opening))
        return self.policies.evaluate_open(opening, caller, controller_id, snapshot, now)


def ready(bundle: Bundle) -> tuple[PolicySet, Rulebook]:
    """The policies of a pack and its rows. Raises PolicyFault with every fault found."""
    return compile_bundle(bundle), Rulebook(bundle)


def of_story(bundle: Bundle, story: Story, index: int, item: int | None) -> Ready:
    """Step `index` of a story, told from its beginning; of a batch, its item. Raises InputFault, PolicyFault."""
    if not 0 <= index < len(story.steps):
        raise InputFault(f"{story.file}: has asks 0 to {len(story.steps) - 1}, not {index}")
    told = replace(bundle, pack=core_asker.with_settings(bundle.pack, story.settings))
    listening = Listening(*ready(told))
    asker = core_asker.CoreAsker(listening, StoryFacts(story))
    stories.tell(replace(story, steps=story.steps[:index]), asker)
    before = len(listening.asked)
    stories.tell(replace(story, steps=story.steps[index : index + 1]), asker)
    asked = listening.asked[before:]
    where = f"{story.file}:{story.steps[index].line}: ask {index}"
    if not asked:
        raise InputFault(f"{where} puts no question to the rules: it writes, closes, or is malformed")
    if item is None and len(asked) > 1:
        raise InputFault(f"{where} is a batch of {len(asked)} questions; say which with --item, from 0")
    if not 0 <= (item or 0) < len(asked):
        raise InputFault(f"{where} has items 0 to {len(asked) - 1}, not {item}")
    return Ready(listening.policies, listening.rules, asked[item or 0])


def of_request(bundle: Bundle, request: Request, caller: Caller, known: str, file: str, at: int) -> Ready:
    """A request of this caller, what is known told by the text of a facts file (empty: nothing, by complete feeds).

    Raises InputFault for a request that is no question, PolicyFault for a facts file at fault.
    """
    policies, rules = ready(bundle)
    malformed = policies.malformed(request)
    if malformed is not None:
        raise InputFault(f"--request: {malformed.field}: {malformed.description}")
    controller = request.resource.controller_id or (caller.controllers[0] if len(caller.controllers) == 1 else "")
    if not controller:
        raise InputFault("--request: resource.controller_id: required, the caller acts for several")
    given = _given(known, file) if known else _Given()
    facts = tuple(fact if fact.controller_id else replace(fact, controller_id=controller) for fact in given.facts)
    complete = frozenset(KINDS if given.complete is None else given.complete)
    story = Story(file, "", facts, (), complete, {}, caller, at)
    held = StoryFacts(story)
    for mark in given.watermarks:
        held.mark(caller, mark)
    snapshot = held.snapshot(caller.tenant, controller, request.resource.patient_id, at)
    return Ready(policies, rules, Asked(request, caller, controller, snapshot, at))


def of_record(bundle: Bundle, recalled: Recalled) -> tuple[Ready, tuple[replay.Difference, ...]]:
    """A recorded decision with the facts of then, and what this pack makes of it otherwise than the record says."""
    policies, rules = ready(bundle)
    again = replay.replay(recalled, policies)
    checked, snapshot = recalled.found.checked, recalled.snapshot
    if again.unread:
        snapshot = replace(snapshot, patient=None)
    opening = replay.opening(checked.request) if checked.opening_at else None
    request = checked.request if opening is None else opening_request(rules, opening)
    asked = Asked(request, checked.caller, recalled.controller_id, snapshot, recalled.judged_at, opening)
    return Ready(policies, rules, asked), again.differences


def _given(text: str, file: str) -> _Given:
    document = yaml_lines.read(text, file)
    value = {"facts": document.value} if isinstance(document.value, list) else document.value
    try:
        given = instants.decode(_Given, value)
        for fact in given.facts:
            fact.kind  # noqa: B018  raises where a fact has no body, or two
    except (msgspec.ValidationError, ValueError) as fault:
        raise InputFault(f"{file}: {fault}") from None
    unknown = [kind for kind in given.complete or () if kind not in KINDS]
    if unknown:
        raise InputFault(f"{file}: unknown kind of fact `{unknown[0]}`: one of {', '.join(KINDS)}")
    return given


def caller_of(raw: dict[str, object], pack: str) -> Caller:
    """A caller as a story says it, over the story's usual one. Raises InputFault."""
    try:
        return instants.decode(Caller, {**story_reading.CALLER, "controllers": [pack], **raw})
    except msgspec.ValidationError as fault:
        raise InputFault(f"--caller: {fault}") from None
