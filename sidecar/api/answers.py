"""What is answered, as messages: answers, grants, facts, records, status."""

from functools import lru_cache

from sidecar.api.shape import message
from sidecar.core.model import Answer, Effect, Grant, ItemFault, PolicyRef
from sidecar.core.reading import FactsPage, RecordsPage, Status, Written
from sidecar.pdp import BatchAnswer
from sidecar.v1 import access_pb2, admin_pb2, break_glass_pb2, facts_pb2

EFFECTS = {Effect.PERMIT: access_pb2.EFFECT_PERMIT, Effect.DENY: access_pb2.EFFECT_DENY}
ENFORCED = access_pb2.ENFORCEMENT_ENFORCED


def answer(given: Answer) -> access_pb2.CheckAccessResponse:
    """The message of an answer. What the ledger alone keeps, such as the true reason, is not in it."""
    decision = given.decision
    said = access_pb2.CheckAccessResponse(
        effect=EFFECTS[decision.effect],
        enforcement=ENFORCED,
        reason=decision.reason,
        also=decision.also,
        rule=decision.rule,
        policy=_policy(given.policy),
        decision_id=given.decision_id,
        consistency_token=given.consistency_token,
        message=given.message,
    )
    said.record.origin = given.origin
    said.record.index = given.index
    seconds, micros = divmod(decision.valid_until, 1_000_000)
    said.valid_until.seconds = seconds
    said.valid_until.nanos = micros * 1000
    for obligation in decision.obligations:
        said.obligations.add(id=obligation.id, params=obligation.params)
    for advice in decision.advice:
        said.advice.add(id=advice.id, params=advice.params)
    offer = decision.offer
    said.break_glass.available = offer.available
    if offer.available:
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


def grant(given: Grant, now: int) -> break_glass_pb2.Grant:
    """The message of a grant as it stands at `now`."""
    state = "open" if given.open_at(now) else "expired" if given.closed_at is None else "closed"
    return message(break_glass_pb2.Grant, given, state=state)


def opened(given: Answer, granted: Grant | None, now: int) -> break_glass_pb2.OpenResponse:
    """The answer to an opening, with the grant when there is one."""
    return break_glass_pb2.OpenResponse(answer=answer(given), grant=None if granted is None else grant(granted, now))


def closed(given: Grant, token: str, now: int) -> break_glass_pb2.CloseResponse:
    """The grant as it ended."""
    return break_glass_pb2.CloseResponse(grant=grant(given, now), consistency_token=token)


def got(given: Grant, now: int) -> break_glass_pb2.GetResponse:
    """One grant."""
    return break_glass_pb2.GetResponse(grant=grant(given, now))


def written(given: Written) -> facts_pb2.WriteFactsResponse:
    """What a write changed."""
    return message(facts_pb2.WriteFactsResponse, given)


def facts_page(given: FactsPage) -> facts_pb2.ReadFactsResponse:
    """Some of the facts."""
    return message(facts_pb2.ReadFactsResponse, given)


def records_page(given: RecordsPage) -> admin_pb2.ShowRecordsResponse:
    """Some of the records."""
    return message(admin_pb2.ShowRecordsResponse, given)


def status(given: Status) -> admin_pb2.GetStatusResponse:
    """What the sidecar is doing."""
    return message(admin_pb2.GetStatusResponse, given)


@lru_cache(maxsize=8)
def _policy(ref: PolicyRef) -> access_pb2.PolicyRevision:
    return access_pb2.PolicyRevision(pack=ref.pack, revision=ref.revision, digest=ref.digest)
