"""What is known, in memory, as decisions read it.

A tenant's staff, grants and watermarks are held whole; patients are loaded when asked about, whole with every name
they go by, and a bounded number of them is kept.

Readers take no lock. What keeps them right:

- `TenantFacts` is immutable and replaced by one reference; its `seq` says what it is a view of.
- A patient is loaded as of the `seq` of the TenantFacts it is read with, and kept only if that is still current,
  checked under the lock that changes are applied under. So nothing older than the last change stays in memory.
- A change drops the patients it touches before it replaces TenantFacts, and a reader looks again at the reference
  after it found a patient: an older TenantFacts is never paired with a patient of a later change, nor the reverse.
"""

import threading
from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace

from sidecar.core.bundle import PatientFacts, Snapshot, TenantFacts
from sidecar.core.model import Grant
from sidecar.errors import FactsTooOld, FactsUnavailable
from sidecar.facts.patch import Patch, with_grants


class Source(Protocol):
    """Where the view reads what it does not hold."""

    def tenant_facts(self, tenant: str) -> TenantFacts:
        """A whole tenant, as of its last acknowledged change. Raises FactsUnavailable."""

    def patient(self, tenant: str, controller_id: str, patient_id: str, at: int) -> PatientFacts:
        """A whole patient as of sequence `at`. Raises FactsUnavailable."""


class _Tenant:
    """A tenant in memory. Patients live in two generations: when the young one is full, the old one is forgotten."""

    __slots__ = ("facts", "old", "young")

    def __init__(self, facts: TenantFacts) -> None:
        self.facts = facts
        self.young: dict[tuple[str, str], PatientFacts] = {}
        self.old: dict[tuple[str, str], PatientFacts] = {}


class View:
    """What is known of every tenant. Safe for any number of readers and one writer at a time."""

    def __init__(self, source: Source, patients: int, empty: Callable[[str], TenantFacts]) -> None:
        """`patients` bounds those held for each tenant; `empty` gives a tenant of which nothing is known."""
        self._source, self._generation, self._empty = source, max(patients // 2, 1), empty
        self._tenants: dict[str, _Tenant] = {}
        self._beside: dict[str, tuple[Grant, ...]] = {}  # by tenant, what the store has not taken yet
        self._lock = threading.Lock()

    def snapshot(self, tenant: str, controller_id: str, patient_id: str, at_least: int = 0) -> Snapshot:
        """What is known now, at least as fresh as sequence `at_least`. Raises FactsTooOld.

        `patient` is None when the store cannot be read; an empty `patient_id` gives an empty bundle.
        """
        held = self._tenants.get(tenant)
        if held is None:
            held = self._load(tenant)
            if held is None:
                return Snapshot(self._nothing(tenant), None)
        facts = held.facts
        if facts.seq < at_least:
            raise FactsTooOld(f"the facts are at sequence {facts.seq}, and {at_least} was asked for")
        if not patient_id:
            return Snapshot(facts, PatientFacts("", controller_id, facts.seq))
        patient = held.young.get((controller_id, patient_id))
        if patient is not None and held.facts is facts:
            return Snapshot(facts, patient)
        return self._fetch(held, facts, (controller_id, patient_id))

    def tenant_facts(self, tenant: str) -> TenantFacts:
        """What is held of a tenant; nothing when the store cannot be read."""
        held = self._tenants.get(tenant) or self._load(tenant)
        return self._nothing(tenant) if held is None else held.facts

    def held(self) -> list[TenantFacts]:
        """What is held of every tenant in memory."""
        return [tenant.facts for tenant in list(self._tenants.values())]

    def apply(self, patch: Patch) -> None:
        """Make a change visible."""
        with self._lock:
            held = self._tenants.get(patch.tenant)
            if held is None or held.facts.seq >= patch.seq:
                return  # will be loaded when asked about, or was loaded since
            if held.facts.seq + 1 != patch.seq:
                del self._tenants[patch.tenant]  # a change was missed: nothing held can be trusted
                return
            for key in patch.patients:
                held.young.pop(key, None)
                held.old.pop(key, None)
            held.facts = patch.onto(held.facts)

    def show_beside(self, tenant: str, grants: tuple[Grant, ...], now: int) -> None:
        """Let these grants stand as they are, the latest version last, until the store has taken them.

        They have no sequence: the next change of the store comes after the last one still.
        """
        with self._lock:
            self._beside[tenant] = grants
            held = self._tenants.get(tenant)
            if held is not None and grants:
                held.facts = replace(held.facts, **with_grants(held.facts, grants, now))

    def forget(self, tenant: str) -> None:
        """Drop a tenant, to be read again from the store when it is next asked about."""
        with self._lock:
            self._tenants.pop(tenant, None)

    def patients_held(self) -> int:
        """How many patients are in memory."""
        return sum(len(held.young) + len(held.old) for held in list(self._tenants.values()))

    def _load(self, tenant: str) -> _Tenant | None:
        with self._lock:
            held = self._tenants.get(tenant)
            if held is None:
                try:
                    facts = self._with_beside(self._source.tenant_facts(tenant))
                    held = self._tenants[tenant] = _Tenant(facts)
                except FactsUnavailable:
                    return None
            return held

    def _nothing(self, tenant: str) -> TenantFacts:
        return self._with_beside(self._empty(tenant))

    def _with_beside(self, facts: TenantFacts) -> TenantFacts:
        beside = self._beside.get(facts.tenant, ())
        # Which of them are over is for each decision to say: here, none is forgotten.
        return replace(facts, **with_grants(facts, beside, 0)) if beside else facts

    def _fetch(self, held: _Tenant, facts: TenantFacts, key: tuple[str, str]) -> Snapshot:
        """The snapshot of a patient that is not in the young generation, or was there under a later change."""
        patient = held.old.get(key)
        if patient is None or held.facts is not facts:
            try:
                patient = self._source.patient(facts.tenant, *key, facts.seq)
            except FactsUnavailable:
                return Snapshot(facts, None)
        with self._lock:
            # INVARIANT: what is kept stands as of the current TenantFacts; a change since would not drop it.
            if held.facts is facts and self._tenants.get(facts.tenant) is held:
                if len(held.young) >= self._generation:
                    held.old, held.young = held.young, {}
                held.young[key] = patient
        return Snapshot(facts, patient)
