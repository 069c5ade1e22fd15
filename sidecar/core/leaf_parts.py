"""What many leaves of checks say alike, encoded once: the subject, what is around it, the decision, caller, policy.

A part is the bytes of neighbouring fields, to be encoded between others as it is (msgspec.Raw). It is kept by the
identity of the objects it says, which are the same each time they come again; they are kept with it, so that no other
object gets the identity of one of them. Whoever needs a part looks it up here, and has it made when it is not there.
"""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from sidecar.core.leaf import CallerPart, CheckLeaf, CheckSecrets, OutcomePart, PolicyPart, Secrets
from sidecar.core.model import NO_CONTEXT, Authentication, Caller, Decision, Device, PolicyRef, Request, Subject

NO_CACHE = "none"
MOST_KEPT = 4096  # parts of each kind, until all of that kind are let go
NOTHING: Final = Raw(b"")

_encode = msgspec.msgpack.Encoder().encode
# No msgpack begins with this byte, no UTF-8 has it, and no number is as long: what a request says never is a gap.
_GAP: Final = Raw(b"\xc1" * 16)

# The parts, then what they are kept by.
SUBJECTS: dict[int, tuple[Raw, Subject]] = {}
AROUND: dict[tuple[object, ...], tuple[Raw, Raw, Raw, Authentication | None, Device | None]] = {}
DECISIONS: dict[tuple[object, ...], tuple[Raw, Raw, object]] = {}
CALLERS: dict[tuple[int, str], tuple[Raw, Caller]] = {}
POLICIES: dict[int, tuple[Raw, PolicyRef]] = {}


def begin(kind: type[Struct], *tag: str) -> bytes:
    """What the array of a kind begins with: how many fields it has (msgpack, fixarray), and its tag."""
    return _encode([None] * (len(kind.__struct_fields__) + len(tag)))[:1] + fields(*tag)


def fields(*values: object) -> bytes:
    """These neighbours in an array, at most 15."""
    return _encode(values)[1:]


CHECK: Final = begin(CheckLeaf, "check.1")
_OUTCOME, _REST, _SECRETS = begin(OutcomePart), begin(Secrets), begin(CheckSecrets)


def subject(said: Subject) -> tuple[Raw, Subject]:
    """A subject."""
    _bound(SUBJECTS)
    made = SUBJECTS[id(said)] = Raw(_encode(said)), said
    return made


def around(key: tuple[object, ...], request: Request) -> tuple[Raw, Raw, Raw, Authentication | None, Device | None]:
    """The sealed request without facts: what stands before its subject, between that and the resource, and after.

    What follows is the context, where there is one. The key is of action, purpose, whether there is no context, and
    the identities of authentication and device.
    """
    _bound(AROUND)
    context: Any = request.context if request.context is NO_CONTEXT else _GAP
    gaps: dict[str, Any] = {"subject": _GAP, "resource": _GAP, "context": context}
    before, between, after = _encode(replace(request, **gaps)).split(bytes(_GAP))[:3]
    raws = Raw(_SECRETS + before), Raw(between), Raw(after)
    made = AROUND[key] = *raws, request.authentication, request.device
    return made


def decision(key: tuple[object, ...], said: Decision) -> tuple[Raw, Raw, object]:
    """A decision before the end of its validity, and its sealed rest before the facts it relied on.

    The key is of what it says, and the identities of its obligations, advice and offer.
    """
    _bound(DECISIONS)
    duties, advice, offer = said.obligations, said.advice, said.offer
    ids = [each.id for each in duties], [each.id for each in advice]
    params = [each.params for each in duties], [each.params for each in advice]
    words = said.effect, said.reason, said.true_reason, said.rule, said.also, said.rules
    outcome = _encode(NO_CACHE) + _OUTCOME + fields(*words, *ids)
    made = DECISIONS[key] = Raw(outcome), Raw(_REST + fields(*params, offer)), (duties, advice, offer)
    return made


def caller(said: Caller, asked: str) -> tuple[Raw, Caller]:
    """Tenant, caller, what it is, and the controller of a call that asked for this one."""
    _bound(CALLERS)
    parts = fields(said.tenant, said.id, caller_part(said), controller(said, asked))
    made = CALLERS[id(said), asked] = Raw(parts), said
    return made


def policy(said: PolicyRef) -> tuple[Raw, PolicyRef]:
    """A policy."""
    _bound(POLICIES)
    made = POLICIES[id(said)] = Raw(_encode(policy_part(said))), said
    return made


def caller_part(caller: Caller) -> CallerPart:
    """What a leaf says of a caller."""
    return CallerPart(
        caller.channel,
        caller.controllers,
        caller.hds,
        tuple(sorted(caller.may_assert)),
        tuple(sorted(caller.roles)),
    )


def policy_part(policy: PolicyRef) -> PolicyPart:
    """What a leaf says of a policy."""
    return PolicyPart(policy.pack, policy.revision, policy.digest)


def controller(caller: Caller, asked: str) -> str:
    """The controller of the record, when it is one of the caller's; what else was asked for stays sealed."""
    controllers = caller.controllers
    if asked:
        return asked if asked in controllers else ""
    return controllers[0] if len(controllers) == 1 else ""


def _bound(kept: dict[Any, Any]) -> None:
    if len(kept) >= MOST_KEPT:
        kept.clear()
