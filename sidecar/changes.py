"""Every change of what we know: check it, record it, store it, and only then let it be seen.

Grants are the other half: `breaking_glass.py`.
"""

from collections.abc import Sequence

import msgspec

from sidecar.core.change import Counts, FactsChange, RequirementChange
from sidecar.core.model import Caller, Fact, PolicyRef, Retraction, Watermark
from sidecar.core.policy import PolicySet
from sidecar.core.reading import Written
from sidecar.core.record import Changed
from sidecar.core.statement import fault_of
from sidecar.errors import InvalidRequest
from sidecar.keeping import ITSELF, Keeping, controller_of, digest


class Changes(Keeping):
    """Writes facts and puts policies in force."""

    def settle(self) -> None:
        """Finish what a stop interrupted: append the leaf of every change that lacks one.

        And note which sources must report, where the settings changed that: decisions rest on it from now on.
        Raises LedgerUnavailable, FactsUnavailable: the changes stay pending.
        """
        now = self._clock()
        with self._facts.changing():
            self._settle()
            for tenant in self._facts.to_note():
                self._note_required(tenant, now)

    def write_facts(
        self,
        caller: Caller,
        controller_id: str,
        request_id: str,
        facts: Sequence[Fact],
        retract: Sequence[Retraction],
        watermarks: Sequence[Watermark],
    ) -> Written:
        """Keep these facts, all or nothing; they are on disk with their leaf when this returns.

        Raises InvalidRequest naming the field, PermissionDenied for another controller, FactsUnavailable,
        LedgerUnavailable.
        """
        pack, now = self._policies.current.pack, self._clock()
        controller_id = controller_of(caller, controller_id, "controller_id")
        for n, fact in enumerate(facts):
            if fact.controller_id:
                controller_of(caller, fact.controller_id, f"facts[{n}].controller_id")
            fault = fault_of(fact, pack)
            if fault is not None:
                raise InvalidRequest(f"facts[{n}].{fault.field}", fault.description)
        for n, mark in enumerate(watermarks):
            if mark.controller_id:
                controller_of(caller, mark.controller_id, f"watermarks[{n}].controller_id")
        change = FactsChange(
            self._ids(),
            caller.tenant,
            caller.id,
            request_id,
            digest((controller_id, facts, retract, watermarks)),
            controller_id,
            now,
            tuple(facts),
            tuple(retract),
            tuple(watermarks),
        )
        with self._facts.changing():
            self._settle()
            stored = self._facts.write(change, lambda seq, counts: self._facts_leaf(change, caller, seq, counts))
            self._append(stored)
        token = self._facts.token(caller.tenant, stored.seq)
        return Written(token, stored.changed, stored.unchanged, stored.retracted)

    def swap_policy(self, policies: PolicySet, tenants: Sequence[str]) -> None:
        """Put a policy set in force; each tenant's ledger says so on disk first.

        Raises LedgerUnavailable: without its record there is no swap.
        """
        before, now = self._policies.status.ref, self._clock()
        ref = policies.ref
        detail = f"{_named(before)} -> {_named(ref)}"
        with self._facts.changing():
            for tenant in tenants:
                entry = Changed(
                    self._ids(), Caller(ITSELF, "service", tenant=tenant), "swap_policy", "", "", ref.digest,
                    0, detail=detail,
                )  # fmt: skip
                self._ledger.append_change(self._ledger.change_leaf(entry, now))
            self._policies.put_in_force(policies)

    def _facts_leaf(self, change: FactsChange, caller: Caller, seq: int, counts: Counts) -> bytes:
        entry = Changed(
            change.change_id,
            caller,
            "write_facts",
            change.request_id,
            change.controller_id,
            change.digest,
            seq,
            counts,
        )
        return self._ledger.change_leaf(entry, change.now)

    def _note_required(self, tenant: str, now: int) -> None:
        sources, caller = dict(self._facts.required), Caller(ITSELF, "service", tenant=tenant)
        change = RequirementChange(self._ids(), tenant, caller.id, digest(sources), sources, now)

        def leaf(seq: int, counts: Counts) -> bytes:
            detail = msgspec.json.encode(sources, order="sorted").decode()
            entry = Changed(
                change.change_id, caller, "require_sources", "", "", change.digest, seq, counts, detail=detail
            )
            return self._ledger.change_leaf(entry, change.now)

        self._append(self._facts.note_required(change, leaf))


def _named(ref: PolicyRef | None) -> str:
    return "none" if ref is None else f"{ref.pack} {ref.revision} {ref.digest}"
