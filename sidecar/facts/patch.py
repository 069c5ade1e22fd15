"""What one change does to the view: the names it touches, and what now stands under each of them."""

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from sidecar.core.bundle import TenantFacts
from sidecar.core.instants import DAY
from sidecar.core.model import Grant, Known

# An ended grant stays in memory this long, to tell "expired" from "never opened".
GRANTS_KEPT = 30 * DAY

Staff = Mapping[str, Mapping[str, tuple[Known, ...]]]  # table of TenantFacts → key → what stands
_Value = TypeVar("_Value")


class Patch(Struct, frozen=True):
    """The effect of one change on the facts of its tenant, complete: applying it reads nothing.

    `patients` are (controller, name), each with every name it is tied to by aliases.
    """

    tenant: str
    seq: int
    now: int
    patients: frozenset[tuple[str, str]] = frozenset()
    staff: Staff = {}
    watermarks: Mapping[tuple[str, str, str], int] = {}
    grants: tuple[Grant, ...] = ()

    def onto(self, facts: TenantFacts) -> TenantFacts:
        """The facts of the tenant after the change."""
        changed: dict[str, Any] = {"seq": self.seq}
        for table, entries in self.staff.items():
            changed[table] = _merged(getattr(facts, table), entries)
        if self.watermarks:
            changed["watermarks"] = {**facts.watermarks, **self.watermarks}
        if self.grants:
            changed.update(with_grants(facts, self.grants, self.now))
        return replace(facts, **changed)


def with_grants(facts: TenantFacts, news: Iterable[Grant], now: int) -> dict[str, Any]:
    """The two tables of TenantFacts that hold grants, with these added or in place of their earlier versions."""
    kept = [grant for grant in facts.grants.values() if ends(grant) > now - GRANTS_KEPT]
    return held_grants([*kept, *news], now)


def held_grants(grants: Iterable[Grant], now: int) -> dict[str, Any]:
    """The two tables of TenantFacts that hold grants; a later grant of the same id takes its place."""
    held = {grant.id: grant for grant in grants}
    opened: dict[tuple[str, str], tuple[Grant, ...]] = {}
    for grant in held.values():
        if not grant.ended and ends(grant) > now:
            key = (grant.subject_id, grant.patient_id)
            opened[key] = (*opened.get(key, ()), grant)
    return {"grants": held, "open_grants": opened}


def ends(grant: Grant) -> int:
    """When the grant opens nothing any more."""
    return grant.until if grant.closed_at is None else min(grant.until, grant.closed_at)


def _merged(held: Mapping[str, tuple[_Value, ...]], news: Mapping[str, tuple[_Value, ...]]) -> Mapping[str, Any]:
    merged: MutableMapping[str, tuple[_Value, ...]] = {**held, **news}
    for key, values in news.items():
        if not values:
            del merged[key]
    return merged
