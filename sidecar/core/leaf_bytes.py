"""An entry → the exact bytes of its leaf, and back."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec

from sidecar.core import leaf_parts
from sidecar.core.leaf import (
    BatchLeaf,
    BatchSecrets,
    CallerPart,
    ChangeLeaf,
    ChangeSecrets,
    CheckLeaf,
    CheckSecrets,
    Common,
    ConsultedLeaf,
    Keys,
    Leaf,
    OutcomePart,
    RefusedLeaf,
    Secrets,
)
from sidecar.core.leaf_parts import (
    AROUND,
    CALLERS,
    CHECK,
    DECISIONS,
    NO_CACHE,
    NOTHING,
    POLICIES,
    SUBJECTS,
    caller_part,
    controller,
    policy_part,
)
from sidecar.core.model import NO_CONTEXT, Advice, Caller, Decision, Obligation, PolicyRef, Relied, Request
from sidecar.core.record import Changed, Checked, CheckedBatch, Consulted, Entry, Refused

_encode = msgspec.msgpack.Encoder().encode
_decode_check = msgspec.msgpack.Decoder(CheckSecrets).decode
_decode_batch = msgspec.msgpack.Decoder(BatchSecrets).decode
_decode_change = msgspec.msgpack.Decoder(ChangeSecrets).decode
_named, _sequence = attrgetter("source", "id"), attrgetter("seq")
_decode_text = msgspec.msgpack.Decoder(str).decode


def encode(entry: Entry, id_: bytes, now: int, keys: Keys, since: int = 0) -> bytes:
    """The bytes of the leaf that keeps `entry`, taken at instant `now`, under an id that no other leaf has.

    `since` is the size of the ledger, for a change. Raises ValueError for a batch that has no item or whose
    items differ in more than action and resource.
    """
    return _ENCODE[type(entry)](entry, id_, now, keys, since)


def _check(entry: Checked, id_: bytes, now: int, keys: Keys, _since: int) -> bytes:
    """The bytes of a CheckLeaf. What comes again is there already (leaf_parts), so the counts in front are too."""
    request, decision, caller, policy = entry.request, entry.decision, entry.caller, entry.policy
    subject, resource, relied, tenant = request.subject, request.resource, decision.relied, caller.tenant
    offer, duties, advice = decision.offer, decision.obligations, decision.advice
    key = (
        decision.effect, decision.reason, decision.true_reason, decision.rule, decision.also, decision.rules,
        id(duties), id(advice), id(offer),
    )  # fmt: skip
    outcome, rest, _ = DECISIONS.get(key) or leaf_parts.decision(key, decision)
    if request.facts:
        secrets = _encode(CheckSecrets(request, _secrets(decision), entry.opening_at, entry.legal_basis))
    else:
        context, authentication, device = request.context, request.authentication, request.device
        around = request.action, request.purpose, context is NO_CONTEXT, id(authentication), id(device)
        before, between, after, _, _ = AROUND.get(around) or leaf_parts.around(around, request)
        who, _ = SUBJECTS.get(id(subject)) or leaf_parts.subject(subject)
        circumstance = NOTHING if context is NO_CONTEXT else context
        named = list(map(_named, relied))
        secrets = _encode(
            (before, who, between, resource, after, circumstance, rest, named, entry.opening_at, entry.legal_basis)
        )[1:]
    asked = resource.controller_id
    told = _encode(
        (
            now,
            id_,
            (CALLERS.get((id(caller), asked)) or leaf_parts.caller(caller, asked))[0],
            keys.patient(tenant, resource.patient_id),
            keys.subject(tenant, subject.id),
            (POLICIES.get(id(policy)) or leaf_parts.policy(policy))[0],
            entry.facts_seq,
            outcome,
            decision.valid_until,
            list(map(_sequence, relied)),
            decision.unknown,
            entry.elapsed_us,
            keys.seal(id_, secrets),
        )
    )
    return CHECK + told[1:]


def _batch(entry: CheckedBatch, id_: bytes, now: int, keys: Keys, _since: int) -> bytes:
    if not entry.items:
        raise ValueError("a batch without an answered item is recorded as a refused call")
    first = entry.items[0]
    caller, request = first.caller, first.request
    if not all(_shares(item, first) for item in entry.items):
        raise ValueError("the items of a batch differ in action and resource only")
    tenant = caller.tenant
    patients = dict.fromkeys(item.request.resource.patient_id for item in entry.items)
    items = tuple([(item.request.action, item.request.resource, _secrets(item.decision)) for item in entry.items])
    secrets = BatchSecrets(request, items, tuple([field for _, field in entry.malformed]), first.legal_basis)
    return _encode(
        BatchLeaf(
            now,
            id_,
            tenant,
            caller.id,
            caller_part(caller),
            controller(caller, request.resource.controller_id),
            tuple([keys.patient(tenant, patient) for patient in patients]),
            keys.subject(tenant, request.subject.id),
            policy_part(first.policy),
            first.facts_seq,
            NO_CACHE,
            tuple([_outcome(item.decision, item.elapsed_us) for item in entry.items]),
            tuple([index for index, _ in entry.malformed]),
            keys.seal(id_, _encode(secrets)),
        )
    )


def _refused(entry: Refused, id_: bytes, now: int, keys: Keys, _since: int) -> bytes:
    sealed = keys.seal(id_, _encode(entry.field))
    return _encode(RefusedLeaf(now, id_, entry.tenant, entry.caller_id, entry.method, entry.reason, sealed))


def _change(entry: Changed, id_: bytes, now: int, keys: Keys, since: int) -> bytes:
    caller = entry.caller
    secrets = ChangeSecrets(
        entry.subject_id, entry.patient_id, entry.controller_id, entry.request_id, entry.digest, entry.detail
    )
    return _encode(
        ChangeLeaf(
            now,
            id_,
            caller.tenant,
            caller.id,
            caller_part(caller),
            since,
            entry.change_id,
            entry.what,
            controller(caller, entry.controller_id),
            keys.patient(caller.tenant, entry.patient_id),
            keys.subject(caller.tenant, entry.subject_id),
            entry.facts_seq,
            entry.counts,
            entry.grant_id,
            keys.seal(id_, _encode(secrets)),
        )
    )


def _consulted(entry: Consulted, id_: bytes, now: int, keys: Keys, _since: int) -> bytes:
    caller = entry.caller
    sealed = keys.seal(id_, _encode(entry.filter))
    return _encode(ConsultedLeaf(now, id_, caller.tenant, caller.id, caller_part(caller), entry.shown, sealed))


_ENCODE: dict[type, Callable[[Any, bytes, int, Keys, int], bytes]] = {
    Checked: _check,
    CheckedBatch: _batch,
    Refused: _refused,
    Changed: _change,
    Consulted: _consulted,
}


def _shares(item: Checked, first: Checked) -> bool:
    """Whether two items of a batch have in common what the leaf writes once."""
    ours, theirs = item.request, first.request
    return (
        (item.caller is first.caller or item.caller == first.caller)
        and (item.policy is first.policy or item.policy == first.policy)
        and item.facts_seq == first.facts_seq
        and item.legal_basis == first.legal_basis
        and (ours.subject is theirs.subject or ours.subject == theirs.subject)
        and (ours.authentication is theirs.authentication or ours.authentication == theirs.authentication)
        and (ours.device is theirs.device or ours.device == theirs.device)
        and (ours.context is theirs.context or ours.context == theirs.context)
        and ours.purpose == theirs.purpose
        and ours.facts == theirs.facts
    )


def _outcome(decision: Decision, elapsed_us: int) -> OutcomePart:
    return OutcomePart(
        decision.effect,
        decision.reason,
        decision.true_reason,
        decision.rule,
        decision.also,
        decision.rules,
        tuple([obligation.id for obligation in decision.obligations]),
        tuple([advice.id for advice in decision.advice]),
        decision.valid_until,
        tuple([relied.seq for relied in decision.relied]),
        decision.unknown,
        elapsed_us,
    )


def _secrets(decision: Decision) -> Secrets:
    return Secrets(
        tuple([obligation.params for obligation in decision.obligations]),
        tuple([advice.params for advice in decision.advice]),
        decision.offer,
        tuple([(relied.source, relied.id) for relied in decision.relied]),
    )


# ---- bytes → entry


def open_leaf(leaf: Leaf, keys: Keys) -> Entry:
    """The entry that a leaf keeps, whole. Raises ValueError when the keys are not those of its month."""
    return _OPEN[type(leaf)](leaf, keys)


def _open_check(leaf: CheckLeaf, keys: Keys) -> Checked:
    secrets = _decode_check(keys.unseal(leaf.id, leaf.sealed))
    return _checked(leaf, leaf.outcome, secrets.request, secrets.rest, secrets.legal_basis, secrets.opening_at)


def _open_batch(leaf: BatchLeaf, keys: Keys) -> CheckedBatch:
    secrets = _decode_batch(keys.unseal(leaf.id, leaf.sealed))
    items = [
        _checked(
            leaf,
            outcome,
            msgspec.structs.replace(secrets.request, action=action, resource=resource),
            rest,
            secrets.legal_basis,
        )
        for outcome, (action, resource, rest) in zip(leaf.outcomes, secrets.items, strict=True)
    ]
    return CheckedBatch(tuple(items), tuple(zip(leaf.malformed, secrets.malformed, strict=True)))


def _open_refused(leaf: RefusedLeaf, keys: Keys) -> Refused:
    field = _decode_text(keys.unseal(leaf.id, leaf.sealed))
    return Refused(leaf.caller, leaf.tenant, leaf.method, field, leaf.reason)


def _open_change(leaf: ChangeLeaf, keys: Keys) -> Changed:
    secrets = _decode_change(keys.unseal(leaf.id, leaf.sealed))
    return Changed(
        change_id=leaf.change,
        caller=_caller(leaf, leaf.caller_is),
        what=leaf.what,
        request_id=secrets.request_id,
        controller_id=secrets.controller_id,
        digest=secrets.digest,
        facts_seq=leaf.facts_seq,
        counts=leaf.counts,
        subject_id=secrets.subject_id,
        patient_id=secrets.patient_id,
        grant_id=leaf.grant,
        detail=secrets.detail,
    )


def _open_consulted(leaf: ConsultedLeaf, keys: Keys) -> Consulted:
    asked = _decode_text(keys.unseal(leaf.id, leaf.sealed))
    return Consulted(_caller(leaf, leaf.caller_is), asked, leaf.shown)


_OPEN: dict[type, Callable[[Any, Keys], Entry]] = {
    CheckLeaf: _open_check,
    BatchLeaf: _open_batch,
    RefusedLeaf: _open_refused,
    ChangeLeaf: _open_change,
    ConsultedLeaf: _open_consulted,
}


def _caller(leaf: Common, part: CallerPart) -> Caller:
    return Caller(
        leaf.caller, part.channel, frozenset(part.roles), leaf.tenant, part.controllers, part.hds,
        frozenset(part.may_assert),
    )  # fmt: skip


def _checked(
    leaf: CheckLeaf | BatchLeaf,
    outcome: OutcomePart,
    request: Request,
    rest: Secrets,
    legal_basis: str,
    opening_at: int = 0,
) -> Checked:
    policy = leaf.policy
    return Checked(
        request,
        _caller(leaf, leaf.caller_is),
        _decision(outcome, rest),
        PolicyRef(policy.pack, policy.revision, policy.digest),
        leaf.facts_seq,
        outcome.elapsed_us,
        opening_at,
        legal_basis,
    )


def _decision(outcome: OutcomePart, rest: Secrets) -> Decision:
    return Decision(
        effect=outcome.effect,
        reason=outcome.reason,
        true_reason=outcome.true_reason,
        rule=outcome.rule,
        also=outcome.also,
        rules=outcome.rules,
        obligations=tuple(Obligation(*pair) for pair in zip(outcome.obligations, rest.obligations, strict=True)),
        advice=tuple(Advice(*pair) for pair in zip(outcome.advice, rest.advice, strict=True)),
        offer=rest.offer,
        valid_until=outcome.valid_until,
        relied=tuple(Relied(source, id_, seq) for seq, (source, id_) in zip(outcome.relied, rest.relied, strict=True)),
        unknown=outcome.unknown,
    )
