"""Worlds that differ in nothing but the patient's will, asked through the real corridor, and what the asking took.

The corridor answers from a world held in memory, with the bytes of the wire; ids are the same for every answer, so
that two answers differ only in what they say. Beside each stand the rows that were tried and the facts that were read:
counted outside the product, in the sections it asks and the facts it is handed.
"""

from collections.abc import Iterator, Sequence
from itertools import repeat

from msgspec import Struct, field
from msgspec.structs import replace

from sidecar.api import answers
from sidecar.core.bundle import PatientFacts, Snapshot, TenantFacts
from sidecar.core.model import Answer, Directive, Effect, Fact, Period, Request, Target
from sidecar.core.policy import PolicySet
from sidecar.core.record import Entry, Recorded
from sidecar.core.slices import Section, Slice
from sidecar.pdp import BatchAnswer, BatchCall, Call, Pdp
from tests.differential.chance import CONTROLLER
from tests.differential.production import snapshot
from tests.differential.worlds import Case
from tests.oracle import World

SECTIONS = ("firm", "gates", "delegator", "cells", "grounds", "otherwise", "contributions")
SHELVES = ("stays", "relations", "record_states", "aliases", "persons")  # all but the patient's will
LISTED = ("stays", "relations", "directives", "record_states", "aliases", "persons")
STAFF = ("assignments", "delegations", "contracts", "refs")
WILL = ("mask", "block", "opposition", "visibility")  # kinds of directives that forbid


class Work(Struct):
    """What was done for an answer so far."""

    rows: int = 0
    read: set[int] = field(default_factory=set)


class Said(Struct, frozen=True):
    """The bytes of an answer without its ids, whether it permits, and what it took."""

    said: bytes
    permits: bool
    rows: int
    facts: int


class Counted(tuple):  # type: ignore[type-arg]
    """A shelf of facts that notes those read from it, each once."""

    work: Work

    @classmethod
    def of(cls, facts: Sequence[object], work: Work) -> "Counted":
        made = cls(facts)
        made.work = work
        return made

    def __iter__(self) -> Iterator[object]:
        for fact in super().__iter__():
            self.work.read.add(id(fact))
            yield fact


class Shelves(dict):  # type: ignore[type-arg]
    """Shelves of facts about staff, by name."""

    work: Work

    def get(self, key: object, default: object = ()) -> object:
        found = super().get(key, default)
        return Counted.of(found, self.work) if isinstance(found, tuple) else found


class Room:
    """The rooms of a corridor: one world's facts, a policy set, a ledger that gives every record the same place."""

    origin = "pairs"

    def __init__(self, policy: PolicySet) -> None:
        self.current, self.work = policy, Work()
        self.world = World()
        self.slices: dict[int, Slice] = {}
        compiled = policy.compiled
        found = compiled.slice
        compiled.slice = lambda *names: self.watched(found(*names))  # type: ignore[method-assign]

    def watched(self, found: Slice | None) -> Slice | None:
        """The slice with every section counting its rows when they are asked."""
        if found is None:
            return None
        if id(found) not in self.slices:
            sections = {name: self.counting(getattr(found, name)) for name in SECTIONS}
            fields = {name: getattr(found, name) for name in Slice.__struct_fields__}
            self.slices[id(found)] = Slice(**{**fields, **sections})
        return self.slices[id(found)]

    def counting(self, section: Section) -> Section:  # type: ignore[type-arg]
        ask, rows = section.ask, len(section.rows)

        def counted(situation: object) -> int:
            self.work.rows += rows
            return ask(situation)

        return Section(section.rows, counted)

    # ---- what the corridor asks of its rooms

    def snapshot(self, tenant: str, controller_id: str, patient_id: str, at_least: int = 0) -> Snapshot:
        whole = snapshot(self.world, patient_id)
        held, patient = whole.tenant, whole.patient
        staff = {}
        for name in STAFF:
            staff[name] = Shelves(getattr(held, name))
            staff[name].work = self.work
        tenant_facts: TenantFacts = replace(held, **staff)
        if patient is not None:
            shelves = {name: Counted.of(getattr(patient, name), self.work) for name in SHELVES}
            patient = PatientFacts(patient.patient_id, CONTROLLER, 1, **{**shelves, "directives": patient.directives})
        return Snapshot(replace(tenant_facts, seq=1), patient, whole.usage)

    def token(self, tenant: str, seq: int) -> str:
        return "token"

    def sequence(self, tenant: str, token: str) -> int:
        return 1

    def record(self, entries: Sequence[Entry], now: int) -> list[Recorded]:
        return [Recorded("id", 0) for _ in entries]


class Corridor:
    """Asks one pack."""

    def __init__(self, policy: PolicySet) -> None:
        self.room = Room(policy)

    def ask(self, case: Case) -> Said:
        """The answer to one question."""
        [answer] = self.pdp(case).check([Call(case.request, case.caller)])
        assert isinstance(answer, Answer), answer
        return self.said(answer)

    def ask_all(self, case: Case, requests: Sequence[Request]) -> list[Said]:
        """The answers to a batch, each with what the whole batch took."""
        given = self.pdp(case).check_batch(BatchCall(tuple(requests), case.caller))
        assert answers.batch_answer(BatchAnswer(given.results)).SerializeToString(deterministic=True)
        return [self.said(result) for result in given.results if isinstance(result, Answer)]

    def pdp(self, case: Case) -> Pdp:
        """A corridor in which nothing was asked yet, in this case's world at its instant."""
        self.room.world, self.room.work.rows = case.world, 0
        self.room.work.read.clear()
        ticks = repeat(0)
        return Pdp(
            self.room, self.room, self.room, lambda: case.now, lambda: next(ticks), lambda *_: None, lambda _: None
        )

    def said(self, answer: Answer) -> Said:
        same_ids = replace(answer, decision_id="id", index=0)
        written = answers.answer(same_ids).SerializeToString(deterministic=True)
        permits = answer.decision.effect is Effect.PERMIT
        return Said(written, permits, self.room.work.rows, len(self.room.work.read))


# ---- pairs


def unwilled(case: Case) -> Case:
    """The case in which the patient forbids nothing and the object bears no mark."""
    resource = replace(case.request.resource, masked_for=(), visibility=(), announced_since=None, tags=())

    def stays(fact: Fact) -> bool:
        return fact.directive is None or fact.directive.kind not in WILL

    request = replace(case.request, resource=resource, facts=tuple(filter(stays, case.request.facts)))
    return replace(case, request=request, world=with_facts(case.world, filter(stays, case.world.facts)))


def with_facts(world: World, facts: Iterator[Fact]) -> World:
    made = {name: getattr(world, name) for name in World.__dataclass_fields__}
    return World(**{**made, "facts": tuple(facts)})


def willed(case: Case) -> dict[str, Case]:
    """The same case with one thing the patient wills, each by its name."""
    me, patient = case.request.subject.id, case.request.resource.patient_id

    def directive(kind: str, target: Target) -> Case:
        since = Period(case.now - 10)
        fact = Fact("will", "dpi", CONTROLLER, case.now, since, directive=Directive(kind, patient, target=target))
        return replace(case, world=with_facts(case.world, iter((*case.world.facts, fact))))

    def stated(**fields: object) -> Case:
        resource = replace(case.request.resource, **fields)
        return replace(case, request=replace(case.request, resource=resource))

    return {
        "mask for everyone": directive("mask", Target(everyone=True)),
        "mask for the subject": directive("mask", Target(subject_id=me)),
        "mask for somebody else": directive("mask", Target(subject_id="someone")),
        "block": directive("block", Target(subject_id=me)),
        "opposition": directive("opposition", Target(everyone=True)),
        "mask the request states": stated(masked_for=("tous",)),
        "not shown to the patient": stated(visibility=("INVISIBLE_PATIENT",), announced_since=case.now - 10),
        "kept from representatives": stated(visibility=("INVISIBLE_REPRESENTANTS_LEGAUX",)),
    }


def tagged(case: Case, tags: Sequence[str]) -> dict[str, Case]:
    """The same case with one sensitive tag on the object, by the tag."""
    return {
        tag: replace(case, request=replace(case.request, resource=replace(case.request.resource, tags=(tag,))))
        for tag in tags
    }
