"""Tells a story to a real sidecar, through gRPC, at the story's instants; reads the leaves its answers left."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import msgspec
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from msgspec.structs import replace

from sidecar.api import recalls
from sidecar.api.shape import instant, message, stamp
from sidecar.authoring.stories import Answered, Outcome, Refusal
from sidecar.authoring.story import Batch, Close, Open, Review, Step, Story, Write
from sidecar.config import CallerSettings, Config, FactsSettings, LedgerSettings, Listen, LogSettings
from sidecar.core.model import Advice, Decision, Effect, Fact, Obligation, Offer, Request, Watermark
from sidecar.core.recall import Recalled
from sidecar.server import Sidecar
from sidecar.v1 import access_pb2, admin_pb2, break_glass_pb2, facts_pb2
from sidecar.v1.access_pb2_grpc import AccessServiceStub
from sidecar.v1.admin_pb2_grpc import AdminServiceStub
from sidecar.v1.break_glass_pb2_grpc import BreakGlassServiceStub
from sidecar.v1.facts_pb2_grpc import FactsServiceStub
from tests.judged import judged

DEADLINE = 30.0


class StoryServer:
    """A sidecar on a socket in `folder`, whose clock and callers are a story's."""

    def __init__(self, story: Story, pack: Path, folder: Path, transport: str) -> None:
        """Starts it. `transport` is native or grpc."""
        self.story = story
        self.now = story.now
        self.callers = [*dict.fromkeys((story.caller, *(step.caller for step in story.steps)))]
        self.tenants = sorted({caller.tenant for caller in self.callers})
        self.controllers = tuple(
            sorted(
                {name for caller in self.callers for name in caller.controllers}
                | {f.controller_id for f in facts_of(story)}
            )
        )
        self.address = f"unix:{folder}/s.sock"
        config = Config(
            data=str(folder / "data"),
            policy=judged(pack_with_settings(pack, story, folder)),
            facts=FactsSettings(story.required()),
            callers=(*self.askers(), *self.helpers()),
            listen=Listen(admin="127.0.0.1:0", **{transport: self.address}),
            ledger=LedgerSettings(segment_bytes=1 << 20, min_free_bytes=0),
            log=LogSettings(level="error"),
        )
        self.sidecar = Sidecar(config, lambda: self.now)
        self.sidecar.start()
        self.channel = grpc.insecure_channel(self.address)

    def askers(self) -> list[CallerSettings]:
        return [
            CallerSettings(
                name=f"asker-{number}",
                token_sha256=proof(f"asker-{number}"),
                channel=caller.channel,
                roles=tuple(sorted(caller.roles)),
                tenant=caller.tenant,
                controllers=caller.controllers,
                hds=caller.hds,
                may_assert=tuple(sorted(caller.may_assert)),
            )
            for number, caller in enumerate(self.callers)
        ]

    def helpers(self) -> list[CallerSettings]:
        """For each tenant, what feeds the facts of every controller and what reads the records."""
        return [
            CallerSettings(
                name=f"{role}-{tenant}",
                token_sha256=proof(f"{role}-{tenant}"),
                roles=(role,),
                tenant=tenant,
                controllers=self.controllers,
            )
            for tenant in self.tenants
            for role in ("feed", "auditor")
        ]

    def stop(self) -> None:
        self.channel.close()
        self.sidecar.stop()

    def call(self, method: Callable[..., Any], asked: object, name: str) -> Any:
        return method(asked, metadata=(("authorization", f"Bearer {name}"),), timeout=DEADLINE, wait_for_ready=True)


class ServerAsker:
    """Asks a story's server. What a story calls complete or fresh is written again at each new instant."""

    def __init__(self, server: StoryServer) -> None:
        self.server, self.story = server, server.story
        self.access = AccessServiceStub(server.channel)
        self.glass = BreakGlassServiceStub(server.channel)
        self.feeds = FactsServiceStub(server.channel)
        self.records = AdminServiceStub(server.channel)
        self.grants: dict[str, str] = {}
        self.fresh: dict[str, dict[tuple[str, str, str], Fact]] = {}  # facts that state no `as_of`, by tenant
        self.writes = 0
        self.step: Step | None = None  # the one that is asked
        self.decided: list[tuple[str, str]] = []  # (decision id, tenant) of every answer
        self.first_of_a_kind: dict[tuple[str, ...], tuple[str, str]] = {}  # of the first for each reason and rule
        self.told: set[tuple[str, int]] = set()  # (tenant, instant) whose feeds have told everything
        self.write_facts(self.story.caller.tenant, self.story.facts, ())

    def request(self, step: Step, request: Request) -> Outcome:
        self.reach(step)
        name = request.context.grant
        if name in self.grants:
            request = replace(request, context=replace(request.context, grant=self.grants[name]))
        return self.asked(step, self.access.CheckAccess, message(access_pb2.CheckAccessRequest, request), self.answered)

    def open(self, step: Step, opening: Open) -> Outcome:
        self.reach(step)

        def opened(response: break_glass_pb2.OpenResponse, tenant: str) -> Outcome:
            if response.HasField("grant"):
                self.grants[opening.name] = response.grant.id
            return self.answered(response.answer, tenant)

        asked = replace(opening.opening, request_id=opening.opening.request_id or f"open-{step.index}")
        return self.asked(step, self.glass.Open, message(break_glass_pb2.OpenRequest, asked), opened)

    def close(self, step: Step, closing: Close) -> Outcome:
        self.reach(step)
        asked = message(
            break_glass_pb2.CloseRequest, replace(closing, grant=self.grants.get(closing.grant, closing.grant))
        )

        def closed(response: break_glass_pb2.CloseResponse, tenant: str) -> Outcome:
            return self.answered(response.answer, tenant) if response.HasField("answer") else None

        return self.asked(step, self.glass.Close, asked, closed)

    def review(self, step: Step, review: Review) -> Outcome:
        self.reach(step)
        asked = message(
            break_glass_pb2.ReviewRequest, replace(review, grant=self.grants.get(review.grant, review.grant))
        )
        return self.asked(step, self.glass.Review, asked, lambda said, tenant: self.answered(said.answer, tenant))

    def write(self, step: Step, writing: Write) -> Outcome:
        self.server.now = step.at
        self.write_facts(step.caller.tenant, writing.facts, writing.watermarks)
        return None

    def batch(self, step: Step, batch: Batch) -> Refusal | tuple[Outcome, ...]:
        self.reach(step)
        asked = access_pb2.CheckAccessBatchRequest(
            subject=message(access_pb2.Subject, batch.subject),
            authentication=batch.authentication and message(access_pb2.Authentication, batch.authentication),
            device=batch.device and message(access_pb2.Device, batch.device),
            context=message(access_pb2.Context, batch.context),
            purpose=batch.purpose,
            patient_id=batch.patient_id,
            items=[
                access_pb2.BatchItem(action=item.action, resource=message(access_pb2.Resource, item.resource))
                for item in batch.items
            ],
            semantics=access_pb2.BATCH_SEMANTICS_DENY_ON_FIRST_DENY
            if batch.deny_on_first_deny
            else access_pb2.BATCH_SEMANTICS_EXECUTE_ALL,
        )

        def answers(response: access_pb2.CheckAccessBatchResponse, tenant: str) -> tuple[Outcome, ...]:
            return tuple(
                Refusal(result.error.reason, result.error.field)
                if result.HasField("error")
                else self.answered(result.answer, tenant)
                for result in response.results
            )

        return self.asked(step, self.access.CheckAccessBatch, asked, answers)

    def asked(self, step: Step, method: Callable[..., Any], asked: object, read: Callable[[Any, str], Any]) -> Any:
        self.step = step
        try:
            response = self.server.call(method, asked, f"asker-{self.server.callers.index(step.caller)}")
        except grpc.RpcError as error:
            return Refusal(error.code().name, violated_field(error))
        return read(response, step.caller.tenant)

    def answered(self, response: access_pb2.CheckAccessResponse, tenant: str) -> Answered:
        decision = decision_of(response)
        self.decided.append((response.decision_id, tenant))
        self.first_of_a_kind.setdefault((decision.effect, decision.reason, decision.rule), self.decided[-1])
        told = self.step is not None and says_what_is_recorded(self.step)
        return Answered(decision, *self.kept(response.decision_id, tenant)) if told else Answered(decision)

    def kept(self, decision_id: str, tenant: str) -> tuple[Decision, str]:
        """What the ledger holds of a decision, and its legal basis."""
        query = admin_pb2.ShowRecordsRequest(decision_id=decision_id)
        (line,) = self.server.call(self.records.ShowRecords, query, f"auditor-{tenant}").records
        leaf = msgspec.json.decode(line)
        opened = leaf["opened"]
        if leaf["kind"] == "batch":
            place = [item["id"] for item in leaf["items"]].index(decision_id)
            leaf, opened = leaf["items"][place], opened["items"][place]
        decision = Decision(
            effect=Effect(leaf["effect"]),
            reason=leaf["reason"],
            true_reason=leaf["true_reason"],
            also=tuple(leaf["also"]),
            rules=tuple(leaf["rules"]),
        )
        return decision, opened["legal_basis"]

    def recalled(self, decision_id: str, tenant: str) -> Recalled:
        """What a decision was taken from, as an auditor of the tenant is told."""
        query = admin_pb2.RecallDecisionRequest(decision_id=decision_id)
        return recalls.recalled(self.server.call(self.records.RecallDecision, query, f"auditor-{tenant}"))

    def reach(self, step: Step) -> None:
        """Come to the step's instant: what the story calls complete is so, what it dates by no `as_of` is fresh."""
        self.server.now = step.at
        tenant = step.caller.tenant
        if (tenant, step.at) in self.told:
            return
        self.told.add((tenant, step.at))
        required = self.story.required()
        marks = [
            Watermark(source, (kind,), step.at, controller)
            for kind in sorted(self.story.complete)
            for source in required[kind]
            for controller in self.server.controllers
        ]
        stale = [fact for fact in self.fresh.get(tenant, {}).values() if fact.kind not in self.story.complete]
        self.write_facts(tenant, tuple(stale), tuple(marks))

    def write_facts(self, tenant: str, facts: tuple[Fact, ...], watermarks: tuple[Watermark, ...]) -> None:
        for fact in facts:
            if fact.as_of is None:
                self.fresh.setdefault(tenant, {})[fact.controller_id, fact.source, fact.id] = fact
        own = self.story.caller.controllers[0]
        self.writes += 1
        asked = facts_pb2.WriteFactsRequest(
            request_id=f"write-{self.writes}",
            controller_id=own,
            facts=[message(facts_pb2.Fact, fact) for fact in facts],
            watermarks=[
                facts_pb2.Watermark(
                    source=mark.source,
                    controller_id=mark.controller_id or own,
                    kinds=mark.kinds,
                    complete_until=stamp(mark.complete_until),
                )
                for mark in watermarks
            ],
        )
        self.server.call(self.feeds.WriteFacts, asked, f"feed-{tenant}")


def says_what_is_recorded(step: Step) -> bool:
    """Whether the story says what the record of this step must hold."""
    expected = step.expect
    items = () if expected is None or expected.items is None else expected.items
    return step.record is not None or any(each is not None and each.true_reason for each in (expected, *items))


def decision_of(answer: access_pb2.CheckAccessResponse) -> Decision:
    return Decision(
        effect=Effect(access_pb2.Effect.Name(answer.effect).removeprefix("EFFECT_")),
        reason=answer.reason,
        true_reason="",
        rule=answer.rule,
        also=tuple(answer.also),
        obligations=tuple(Obligation(each.id, dict(each.params)) for each in answer.obligations),
        advice=tuple(Advice(each.id, dict(each.params)) for each in answer.advice),
        offer=Offer(answer.break_glass.available, tuple(answer.break_glass.motives), answer.break_glass.scope),
        valid_until=instant(answer.valid_until),
    )


def violated_field(error: grpc.RpcError) -> str:
    """The field that the details of a refusal name; empty where they name none."""
    for detail in getattr(rpc_status.from_call(error), "details", ()):
        bad = error_details_pb2.BadRequest()
        if detail.Unpack(bad):
            return str(bad.field_violations[0].field)
    return ""


def facts_of(story: Story) -> list[Fact]:
    written = [fact for step in story.steps if isinstance(step.what, Write) for fact in step.what.facts]
    return [*story.facts, *written]


def pack_with_settings(pack: Path, story: Story, folder: Path) -> Path:
    """The pack as it is, or a copy in which the story's settings stand."""
    if not story.settings:
        return pack
    copy = folder / "pack"
    shutil.copytree(pack, copy, ignore=shutil.ignore_patterns("tests"))
    file = copy / "pack.toml"
    lines = file.read_text().splitlines()
    for name, value in story.settings.items():
        (number,) = (n for n, line in enumerate(lines) if line.startswith(f"{name} =") and "set_by" in line)
        before, _, after = lines[number].partition("value = ")
        lines[number] = f"{before}value = {msgspec.json.encode(value).decode()},{after.partition(',')[2]}"
    file.write_text("\n".join(lines) + "\n")
    return copy


def proof(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
