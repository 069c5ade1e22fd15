"""What is answered, as messages: answers, grants, facts, records, status."""

from functools import lru_cache

from sidecar.api.shape import message
from sidecar.api.strict import LAST_SECOND
from sidecar.core.model import Advice, Answer, Effect, ItemFault, Obligation, PolicyRef
from sidecar.core.reading import FactsPage, RecordsPage, Retirement, Rotation, Status, Written
from sidecar.pdp import BatchAnswer
from sidecar.v1 import access_pb2, admin_pb2, facts_pb2

EFFECTS = {Effect.PERMIT: access_pb2.EFFECT_PERMIT, Effect.DENY: access_pb2.EFFECT_DENY}
LAST_INSTANT = LAST_SECOND * 1_000_000  # a decision that nothing ends is good until the last Timestamp
ENFORCED = access_pb2.ENFORCEMENT_ENFORCED


def answer(given: Answer) -> access_pb2.CheckAccessResponse:
    """The message of an answer. What the ledger alone keeps, such as the true reason, is not in it."""
    decision = given.decision
    # Setting fields on a copy of what never changes costs a third of naming them all to the constructor.
    said = access_pb2.CheckAccessResponse.FromString(_unchanging(given.policy, given.origin))
    said.effect = EFFECTS[decision.effect]
    said.reason = decision.reason
    said.rule = decision.rule
    said.decision_id = given.decision_id
    said.consistency_token = given.consistency_token
    said.message = given.message
    said.record.index = given.index
    until = said.valid_until
    until.seconds, micros = divmod(min(decision.valid_until, LAST_INSTANT), 1_000_000)
    until.nanos = micros * 1000
    if decision.also:
        said.also.extend(decision.also)
    for obligation in decision.obligations:
        _fill(said.obligations.add(), obligation)
    for advice in decision.advice:
        _fill(said.advice.add(), advice)
    offer = decision.offer
    if offer.available:
        said.break_glass.available = True
        said.break_glass.motives.extend(offer.motives)
        said.break_glass.scope = offer.scope
    return said


def batch_answer(given: BatchAnswer) -> access_pb2.CheckAccessBatchResponse:
    """The message of a batch's answers."""
    said = access_pb2.CheckAccessBatchResponse()
    for result in given.results:
        if isinstance(result, ItemFault):
            fault = said.results.add().error
            fault.reason, fault.field, fault.description = "INVALID_REQUEST", result.field, result.description
        else:
            said.results.add().answer.CopyFrom(answer(result))
    return said


def written(given: Written) -> facts_pb2.WriteFactsResponse:
    """What a write changed."""
    return message(facts_pb2.WriteFactsResponse, given)


def facts_page(given: FactsPage) -> facts_pb2.ReadFactsResponse:
    """Some of the facts."""
    return message(facts_pb2.ReadFactsResponse, given)


def records_page(given: RecordsPage) -> admin_pb2.ShowRecordsResponse:
    """Some of the records."""
    return message(admin_pb2.ShowRecordsResponse, given)


def rotation(given: Rotation, origin: str) -> admin_pb2.RotateSigningKeyResponse:
    """A signing key that followed another."""
    return admin_pb2.RotateSigningKeyResponse(
        former_vkey=given.former_vkey,
        vkey=given.vkey,
        handover=given.handover,
        record=access_pb2.RecordReference(origin=origin, index=given.record.index),
    )


def retirement(given: Retirement, origin: str) -> admin_pb2.RetireMonthResponse:
    """A month that was retired, or what retiring it would close."""
    record = given.record
    return admin_pb2.RetireMonthResponse(
        month=given.month,
        records=[admin_pb2.KindCount(kind=kind, count=count) for kind, count in given.kinds.items()],
        first=given.first,
        last=given.last,
        record=None if record is None else access_pb2.RecordReference(origin=origin, index=record.index),
    )


def status(given: Status) -> admin_pb2.GetStatusResponse:
    """What the sidecar is doing."""
    return message(admin_pb2.GetStatusResponse, given)


@lru_cache(maxsize=8)
def _unchanging(policy: PolicyRef, origin: str) -> bytes:
    return access_pb2.CheckAccessResponse(
        enforcement=ENFORCED,
        break_glass=access_pb2.BreakGlassOffer(),
        policy=access_pb2.PolicyRevision(pack=policy.pack, revision=policy.revision, digest=policy.digest),
        record=access_pb2.RecordReference(origin=origin),
    ).SerializeToString()


def _fill(said: access_pb2.Obligation | access_pb2.Advice, meant: Obligation | Advice) -> None:
    said.id = meant.id
    params = said.params
    for name, text in meant.params.items():
        params[name] = text
