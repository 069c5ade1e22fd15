"""What is answered, as messages: answers, grants, facts, records, status."""

from functools import lru_cache

from sidecar.api.shape import message, stamp
from sidecar.api.strict import LAST_SECOND
from sidecar.core.model import Advice, Answer, Effect, ItemFault, Obligation
from sidecar.core.reading import FactsPage, RecordsPage, Retirement, Rotation, Status, Written
from sidecar.pdp import BatchAnswer
from sidecar.v1 import access_pb2, admin_pb2, facts_pb2

EFFECTS = {Effect.PERMIT: access_pb2.EFFECT_PERMIT, Effect.DENY: access_pb2.EFFECT_DENY}
LAST_INSTANT = LAST_SECOND * 1_000_000  # a decision that nothing ends is good until the last Timestamp
ENFORCED = access_pb2.ENFORCEMENT_ENFORCED
# Number and wire type: 2 is a length and its bytes, 0 a varint.
DECISION_ID, RECORD, INDEX = bytes((11 << 3 | 2,)), bytes((12 << 3 | 2,)), bytes((2 << 3 | 0,))
LAST, MORE = tuple(bytes((n,)) for n in range(128)), tuple(bytes((n | 128,)) for n in range(128))
SHARED_KEPT = 4096  # what duties filled in for one question say is kept in vain, until the rest is let go with it

_KEPT: dict[tuple[object, ...], tuple[tuple[object, ...], bytes]] = {}


def answer(given: Answer) -> access_pb2.CheckAccessResponse:
    """The message of an answer. What the ledger alone keeps, such as the true reason, is not in it."""
    return access_pb2.CheckAccessResponse.FromString(answered(given))


def answered(given: Answer) -> bytes:
    """The bytes of that message: what other answers say too, then what this one alone does.

    A message may be said in parts (protobuf's encoding): readers take them together.
    """
    decision_id = given.decision_id.encode()
    record = _recorded_in(given.origin)
    if given.index:
        record += INDEX + _varint(given.index)
    own = (
        _shared(given),
        _good_until(given.decision.valid_until),
        DECISION_ID,
        _varint(len(decision_id)),
        decision_id,
        RECORD,
        _varint(len(record)),
        record,
        _as_fresh_as(given.consistency_token),
    )
    return b"".join(own)


def _shared(given: Answer) -> bytes:
    """What an answer says that many say. Duties and advice that a row states whole are the same objects each time."""
    decision, policy = given.decision, given.policy
    effect, obligations, advice, offer = decision.effect, decision.obligations, decision.advice, decision.offer
    same = id(effect), id(obligations), id(advice), id(offer), id(policy)
    key = same, decision.reason, decision.rule, decision.also, given.message
    kept = _KEPT.get(key)
    if kept is None:
        if len(_KEPT) >= SHARED_KEPT:
            _KEPT.clear()
        # The parts are kept too, so that no other object gets the id of one of them.
        kept = _KEPT[key] = (effect, obligations, advice, offer, policy), _saying(given).SerializeToString()
    return kept[1]


def _saying(given: Answer) -> access_pb2.CheckAccessResponse:
    decision, policy = given.decision, given.policy
    said = access_pb2.CheckAccessResponse(
        enforcement=ENFORCED,
        effect=EFFECTS[decision.effect],
        reason=decision.reason,
        rule=decision.rule,
        also=decision.also,
        message=given.message,
        policy=access_pb2.PolicyRevision(pack=policy.pack, revision=policy.revision, digest=policy.digest),
        break_glass=access_pb2.BreakGlassOffer(),
    )
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
def _recorded_in(origin: str) -> bytes:
    return access_pb2.RecordReference(origin=origin).SerializeToString()


@lru_cache(maxsize=1024)
def _good_until(at: int) -> bytes:
    return access_pb2.CheckAccessResponse(valid_until=stamp(min(at, LAST_INSTANT))).SerializeToString()


@lru_cache(maxsize=1024)
def _as_fresh_as(token: str) -> bytes:
    return access_pb2.CheckAccessResponse(consistency_token=token).SerializeToString()


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; every byte but the last is marked (protobuf's encoding)."""
    return LAST[number] if number < 128 else MORE[number & 127] + _varint(number >> 7)


def _fill(said: access_pb2.Obligation | access_pb2.Advice, meant: Obligation | Advice) -> None:
    said.id = meant.id
    params = said.params
    for name, text in meant.params.items():
        params[name] = text
