"""A recorded decision, taken again: by the policy of its digest it comes out the same, or the difference is named."""

from collections.abc import Callable

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sidecar.core import instants, legal_basis
from sidecar.core.bundle import Snapshot
from sidecar.core.model import Decision, Opening, Request
from sidecar.core.policy import PolicySet
from sidecar.core.recall import Recalled
from sidecar.core.record import Checked

FACTS_UNAVAILABLE = "FACTS_UNAVAILABLE"


class Difference(Struct, frozen=True):
    """What a part of the decision was and what it came out as, in words."""

    name: str
    recorded: str
    again: str


class Replay(Struct, frozen=True):
    """A decision taken again: what differs from the record, nothing when it is the same.

    `unread` says that it is the same only as taken while the facts store could not be read.
    """

    decision: Decision
    differences: tuple[Difference, ...]
    unread: bool = False


def replay(recalled: Recalled, policies: PolicySet) -> Replay:
    """Take a recalled decision again with this policy set, and compare."""
    checked = recalled.found.checked
    recorded = checked.decision
    decision = again(recalled, policies, recalled.snapshot)
    basis, differences = _basis(checked, policies), _differences(recorded, decision)
    if differences and FACTS_UNAVAILABLE in (recorded.true_reason, *recorded.also):
        # The record does not tell a feed that is behind from a store that failed: then no fact of the patient was seen.
        blind = again(recalled, policies, replace(recalled.snapshot, patient=None))
        if not _differences(recorded, blind):
            return Replay(blind, basis, unread=True)
    return Replay(decision, (*differences, *basis))


def again(recalled: Recalled, policies: PolicySet, snapshot: Snapshot) -> Decision:
    """What this policy set says of a recalled question, were this known."""
    checked, controller_id, at = recalled.found.checked, recalled.controller_id, recalled.judged_at
    if checked.opening_at:
        asked = opening(checked.request)
        return policies.evaluate_open(asked, checked.caller, controller_id, snapshot, at)[0]
    return policies.evaluate(checked.request, checked.caller, controller_id, snapshot, at)


def opening(request: Request) -> Opening:
    """The opening that was recorded as this question."""
    context, resource = request.context, request.resource
    return Opening(
        request.subject,
        resource.patient_id,
        context.motive,
        context.justification,
        request.authentication,
        request.device,
        resource.controller_id,
        context.second_confirmation,
        request_id=context.request_id,
        language=context.language,
    )


def _differences(recorded: Decision, found: Decision) -> tuple[Difference, ...]:
    shown = ((name, show(recorded), show(found)) for name, show in SHOWN.items())
    return tuple(Difference(name, before, after) for name, before, after in shown if before != after)


def _basis(checked: Checked, policies: PolicySet) -> tuple[Difference, ...]:
    """Whether another legal basis would be recorded now; records made before it was kept hold none."""
    request, recorded = checked.request, checked.legal_basis
    found = legal_basis.of(policies.pack, request.purpose, request.context.legal_basis)
    return (Difference("legal_basis", recorded, found),) if recorded and recorded != found else ()


def _json(value: object) -> str:
    return msgspec.json.encode(value, order="sorted").decode()


def _until(decision: Decision) -> str:
    try:
        return instants.text(decision.valid_until)
    except OverflowError:
        return "no end"


def _relied(decision: Decision) -> str:
    return ", ".join(sorted(f"{each.source}/{each.id}@{each.seq}" for each in decision.relied))


# Every part of a decision, in the order a reader asks for them; lists whose order says nothing are sorted.
SHOWN: dict[str, Callable[[Decision], str]] = {
    "effect": lambda decision: decision.effect,
    "reason": lambda decision: decision.reason,
    "true_reason": lambda decision: decision.true_reason,
    "rule": lambda decision: decision.rule,
    "also": lambda decision: ", ".join(sorted(decision.also)),
    "rules": lambda decision: ", ".join(sorted(decision.rules)),
    "obligations": lambda decision: _json(decision.obligations),
    "advice": lambda decision: _json(decision.advice),
    "break_glass": lambda decision: _json(decision.offer),
    "valid_until": _until,
    "relied": _relied,
    "unknown": lambda decision: ", ".join(sorted(decision.unknown)),
}
