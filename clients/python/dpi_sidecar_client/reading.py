"""Answers of the wire as outcomes. Whatever is not understood whole permits nothing."""

from collections.abc import Iterable, Set
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType

from google.protobuf.timestamp_pb2 import Timestamp

from dpi_sidecar_client.outcomes import (
    Answered,
    Closed,
    CloseOutcome,
    Grant,
    Obligation,
    Offer,
    Opened,
    OpenOutcome,
    Outcome,
    Permitted,
    Refused,
    Unavailable,
)
from dpi_sidecar_client.texts import sentence
from sidecar.v1 import access_pb2, break_glass_pb2


def outcome(response: access_pb2.CheckAccessResponse, implements: Set[str], language: str) -> Outcome:
    """What a response tells an application that implements these obligations."""
    if not response.decision_id:
        # Every answer is recorded under an id before it is given; without one this is not an answer.
        return fault("UNREADABLE", "an answer without a decision id", language)
    answer = _answered(response)
    obligations, grant = _obligations(response.obligations), _grant(response)
    if response.effect == access_pb2.EFFECT_DENY:
        offer = response.break_glass
        return Refused(answer, Offer(offer.available, tuple(offer.motives), offer.scope), obligations, grant=grant)
    if response.effect != access_pb2.EFFECT_PERMIT:
        return fault("UNKNOWN_EFFECT", f"effect {response.effect}", language)
    unknown = tuple(obligation.id for obligation in obligations if obligation.id not in implements)
    if unknown:
        told = replace(answer, reason="UNKNOWN_OBLIGATION", message=sentence("UNKNOWN_OBLIGATION", language))
        return Refused(told, obligations=obligations, unknown=unknown, grant=grant)
    return Permitted(answer, obligations, grant)


def outcomes(
    response: access_pb2.CheckAccessBatchResponse, asked: int, implements: Set[str], language: str
) -> tuple[Outcome, ...]:
    """One outcome for each of the `asked` items, in order; those left out were not evaluated."""
    if len(response.results) > asked:
        return (fault("UNREADABLE", "more results than items", language),) * asked
    told = tuple(_item(result, implements, language) for result in response.results)
    left_out = Unavailable("NOT_EVALUATED", sentence("NOT_EVALUATED", language), "an item before it stopped the batch")
    return told + (left_out,) * (asked - len(told))


def opened(response: break_glass_pb2.OpenResponse, implements: Set[str], language: str) -> OpenOutcome:
    """What a response to an opening tells."""
    told = outcome(response.answer, implements, language)
    if not isinstance(told, Permitted):
        return told
    grant = response.grant
    if not grant.id or not grant.HasField("until"):
        return fault("UNREADABLE", "a permit to open without its grant", language)
    until, review_due = _instant(grant.until), _moment(grant, "review_due")
    return Opened(told.answer, grant.id, grant.scope, _instant(grant.opened_at), until, review_due, told.obligations)


def closed(response: break_glass_pb2.CloseResponse, language: str) -> CloseOutcome:
    """What a response to a closing tells."""
    if not response.grant.id:
        return fault("UNREADABLE", "a closing without its grant", language)
    return Closed(response.grant.id, _moment(response.grant, "closed_at"))


def fault(reason: str, detail: str, language: str) -> Unavailable:
    """No answer, for a cause that trying again does not change."""
    return Unavailable(reason, sentence("FAULT", language), detail)


def _item(result: access_pb2.BatchResult, implements: Set[str], language: str) -> Outcome:
    if result.WhichOneof("result") == "answer":
        return outcome(result.answer, implements, language)
    if result.WhichOneof("result") == "error":
        return fault("INVALID_REQUEST", f"{result.error.field}: {result.error.description}", language)
    return fault("UNREADABLE", "a result that is neither an answer nor an error", language)


def _answered(response: access_pb2.CheckAccessResponse) -> Answered:
    policy, record = response.policy, response.record
    return Answered(
        reason=response.reason,
        message=response.message,
        decision_id=response.decision_id,
        # Only what is said to be observed is not binding; an enforcement this client does not know binds.
        binding=response.enforcement != access_pb2.ENFORCEMENT_OBSERVED,
        also=tuple(response.also),
        advice=_obligations(response.advice),
        valid_until=_instant(response.valid_until) if response.HasField("valid_until") else None,
        consistency_token=response.consistency_token,
        policy=f"{policy.pack}@{policy.revision}" if policy.pack else "",
        record=f"{record.origin}/{record.index}" if record.origin else "",
    )


def _obligations(stated: Iterable[access_pb2.Obligation | access_pb2.Advice]) -> tuple[Obligation, ...]:
    return tuple(Obligation(one.id, MappingProxyType(dict(one.params))) for one in stated)


def _grant(response: access_pb2.CheckAccessResponse) -> Grant | None:
    said = response.grant
    if not said.id or not said.HasField("until"):
        return None
    review_due = _instant(said.review_due) if said.HasField("review_due") else None
    return Grant(said.id, said.scope, _instant(said.opened_at), _instant(said.until), review_due)


def _moment(grant: break_glass_pb2.Grant, name: str) -> datetime | None:
    return _instant(getattr(grant, name)) if grant.HasField(name) else None


def _instant(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)
