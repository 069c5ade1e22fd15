"""Two tenants with the same names for everything never see or change each other.

Each tenant acts alone first, in a world of names of its own. Then both act in one world, with the same patients,
subjects, facts and request ids, each trying what the other was given: every answer must be what it was.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from sidecar.v1 import access_pb2, facts_pb2
from tests.server.client import Client, violated
from tests.server.process import SOURCE, Running, a_caller, running, settings
from tests.server.world import a_batch, a_check, a_subject, a_write, an_opening, told, under_grant

LEFT, RIGHT = SIDES = ("left", "right")
ROLES = ("dpi", "feed", "auditor")
DEEDS = (
    "write", "move", "retract", "read", "page", "check", "batch", "open", "use", "get", "close", "show", "status",
)  # fmt: skip
NOBODYS = "0" * 40
WORLDS = count()


class Step(NamedTuple):
    """What a tenant does, about which patient, and whether with a name that the other tenant was given."""

    side: str
    does: str
    patient: int = 0
    stolen: bool = False


class Member:
    """One tenant in one world: its callers, and what it was given there."""

    def __init__(self, callers: dict[str, Client], world: str) -> None:
        self._callers, self.world = callers, world
        self._sent: dict[str, Message] = {}
        self.given: dict[str, list[str]] = {"grant": [], "token": [], "page": [], "decision": []}

    def act(self, step: Step, other: "Member") -> object:
        """What came of a step, without what no two runs have in common."""
        deed = getattr(self, step.does)
        try:
            return deed(f"{self.world}-P{step.patient}", other if step.stolen else self)
        except grpc.RpcError as error:
            return error.code(), *violated(error)

    def write(self, patient: str, owner: "Member") -> object:
        return self._written(self._same(f"{patient}-w", a_write(f"{patient}-w", told(patient, f"{self.world}-dr"))))

    def move(self, patient: str, owner: "Member") -> object:
        stay = told(patient, f"{self.world}-dr", "UF-AUTRE")[1:2]
        return self._written(self._same(f"{patient}-m", a_write(f"{patient}-m", stay)))

    def retract(self, patient: str, owner: "Member") -> object:
        gone = facts_pb2.Retraction(source=SOURCE, id=f"s-{patient}")
        return self._written(facts_pb2.WriteFactsRequest(request_id=f"{patient}-r", retract=[gone]))

    def read(self, patient: str, owner: "Member") -> object:
        token = "" if owner is self else owner.last("token")
        answer = self._call("feed", "ReadFacts", patient_id=patient, as_of_token=token)
        first = self._call("auditor", "ReadFacts", patient_id=patient, page_size=1)
        self.given["page"] += filter(None, [first.next_page_token])
        return sorted((each.fact.id.replace(self.world, ""), each.fact.stay.unit) for each in answer.facts)

    def page(self, patient: str, owner: "Member") -> object:
        token = owner.last("page")
        return len(self._call("auditor", "ReadFacts", patient_id=patient, page_size=1, page_token=token).facts)

    def check(self, patient: str, owner: "Member") -> object:
        asked = a_check(patient, a_subject(f"{self.world}-dr"))
        if owner is not self or self.given["token"]:
            asked.context.consistency_token = owner.last("token")
        return self._answered(self._call("dpi", "CheckAccess", asked))

    def batch(self, patient: str, owner: "Member") -> object:
        asked = a_batch(patient, a_subject(f"{self.world}-dr"), ("cr", "biologie"))
        return [self._answered(each.answer) for each in self._call("dpi", "CheckAccessBatch", asked).results]

    def open(self, patient: str, owner: "Member") -> object:
        asked = self._same(f"{patient}-o", an_opening(patient, f"{self.world}-nuit", f"{patient}-o"))
        opened = self._call("dpi", "Open", asked)
        known = opened.grant.id in self.given["grant"]
        self.given["grant"] += [] if known else filter(None, [opened.grant.id])
        return self._answered(opened.answer), opened.grant.patient_id == patient, opened.grant.state, known

    def use(self, patient: str, owner: "Member") -> object:
        asked = under_grant(owner.last("grant"), patient, f"{self.world}-nuit")
        return self._answered(self._call("dpi", "CheckAccess", asked))

    def get(self, patient: str, owner: "Member") -> object:
        return self._call("dpi", "Get", grant=owner.last("grant")).grant.state

    def close(self, patient: str, owner: "Member") -> object:
        subject = an_opening(patient, f"{self.world}-nuit").subject
        return self._call("dpi", "Close", grant=owner.last("grant"), subject=subject).grant.state

    def show(self, patient: str, owner: "Member") -> object:
        named: dict[str, Any] = {"patient_id": patient} if owner is self else {"decision_id": owner.last("decision")}
        records = map(json.loads, self._call("auditor", "ShowRecords", limit=1000, **named).records)
        return [(each["kind"], each.get("reason"), each.get("what")) for each in records]

    def status(self, patient: str, owner: "Member") -> object:
        answer = self._call("auditor", "GetStatus")
        return answer.ready, [(feed.controller_id, feed.kind, feed.HasField("complete_until")) for feed in answer.feeds]

    def last(self, what: str) -> str:
        """The last of these names it was given, or one that nobody was."""
        return self.given[what][-1] if self.given[what] else NOBODYS

    def _call(self, role: str, name: str, message: Message | None = None, **fields: Any) -> Any:
        return self._callers[role].call(name, message, **fields)

    def _same(self, name: str, made: Message) -> Message:
        """A request that is repeated is the same to the last bit."""
        return self._sent.setdefault(name, made)

    def _written(self, asked: Message) -> object:
        written = self._call("feed", "WriteFacts", asked)
        self.given["token"].append(written.consistency_token)
        return written.changed, written.unchanged, written.retracted

    def _answered(self, answer: access_pb2.CheckAccessResponse) -> object:
        self.given["decision"].append(answer.decision_id)
        return answer.effect, answer.reason, list(answer.also), answer.rule, answer.break_glass.available


Tenants = dict[str, dict[str, Client]]


def leaks(tenants: Tenants, steps: Sequence[Step]) -> list[tuple[Step, object, object]]:
    """The steps that came out differently when the other tenant was there: (step, alone, together)."""
    number = next(WORLDS)
    stranger = Member({}, "nowhere")
    alone = {side: Member(tenants[side], f"{side}{number}") for side in SIDES}
    expected = [alone[step.side].act(step, stranger) for step in steps]
    both = {side: Member(tenants[side], f"both{number}") for side in SIDES}
    other = {LEFT: both[RIGHT], RIGHT: both[LEFT]}
    found = [both[step.side].act(step, other[step.side]) for step in steps]
    return [told for told in zip(steps, expected, found, strict=True) if told[1] != told[2]]


def tenants_of(sidecar: Running) -> Tenants:
    """The callers of both tenants; each was told that its facts are complete."""
    transport = {LEFT: "native", RIGHT: "grpc"}
    callers = {side: {role: sidecar.client(f"{role}-{side}", transport[side]) for role in ROLES} for side in SIDES}
    for side in SIDES:
        callers[side]["feed"].call("WriteFacts", a_write("begin", complete=True))
    return callers


def serving(folder: Path, weakening: str = "") -> Any:
    """A sidecar of two tenants, which act for the same controller."""
    callers = [a_caller(f"{role}-{side}", role, tenant=side) for side in SIDES for role in ROLES]
    return running(folder, settings(folder, callers), weakening)


# All that a tenant can do; then the other with the same names, and with what the first was given; then both on.
EVERYTHING = [
    *(Step(LEFT, does) for does in ("write", "check", "batch", "open", "use", "get", "read", "page", "show", "status")),
    *(Step(RIGHT, does) for does in ("check", "read", "show", "retract")),
    *(Step(RIGHT, does, stolen=True) for does in ("check", "use", "get", "close", "read", "page", "show")),
    *(Step(RIGHT, does) for does in ("open", "write", "check", "status")),
    *(Step(side, does) for does in ("move", "check", "retract", "read", "close", "get", "show") for side in SIDES),
]
STEPS = st.builds(Step, st.sampled_from(SIDES), st.sampled_from(DEEDS), st.integers(0, 1), st.booleans())


@pytest.fixture(scope="module")
def tenants(module_folder: Path) -> Iterator[Tenants]:
    with serving(module_folder) as sidecar:
        yield tenants_of(sidecar)


def test_the_steps_below_do_something(tenants: Tenants) -> None:
    assert {step.does for step in EVERYTHING} == set(DEEDS)
    member = Member(tenants[LEFT], "trial")
    outcomes = {step.does: member.act(step, member) for step in EVERYTHING if step.side == LEFT}
    refused = [
        does
        for does, outcome in outcomes.items()
        if isinstance(outcome, tuple) and isinstance(outcome[0], grpc.StatusCode)
    ]
    assert refused == []


def test_all_that_a_tenant_can_do_comes_out_as_if_it_were_alone(tenants: Tenants) -> None:
    assert leaks(tenants, EVERYTHING) == []


@given(steps=st.lists(STEPS, min_size=2, max_size=14))
@examples(max_examples=50, deadline=None)
def test_no_history_of_two_tenants_shows_one_to_the_other(tenants: Tenants, steps: list[Step]) -> None:
    assert leaks(tenants, steps) == []


@pytest.mark.parametrize(
    "weakening",
    [
        "reads_any_tenants_patients",
        "reads_any_tenants_facts",
        "finds_any_tenants_grants",
        "finds_any_tenants_requests",
        "shows_any_tenants_records",
    ],
)
def test_a_lookup_without_its_tenant_would_leak(folder: Path, weakening: str) -> None:
    with serving(folder, weakening) as sidecar:
        assert len(leaks(tenants_of(sidecar), EVERYTHING)) > 0
