"""Emergencies as metrics count them: how many, where, why, and how many came of a refusal a moment before.

Units are counted by group (`notices.unit_groups`), since a unit of few people would say who; a unit in no group, or
none stated, is `other`. Nothing identifying is ever a label.
"""

from collections.abc import Iterable, Mapping
from threading import Lock

from sidecar.core.bundle import TenantFacts
from sidecar.core.instants import SECOND
from sidecar.core.model import Grant
from sidecar.core.reading import GrantTotals
from sidecar.core.record import Checked
from sidecar.metrics import Metrics

OTHER = "other"
# A false refusal at the bedside is a safety event: a glass broken this soon after one is the first sign of it.
SOON = 120 * SECOND
REMEMBERED = 10_000  # refusals; the oldest is forgotten first


class EmergencyCounts:
    """Counts the openings of this process. Any thread may note refusals; one looks."""

    def __init__(
        self, metrics: Metrics, unit_groups: Mapping[str, Iterable[str]], started: int, remembered: int = REMEMBERED
    ) -> None:
        """Grants opened before `started`, in microseconds, were counted by an earlier process."""
        self._metrics, self._started, self._remembered = metrics, started, remembered
        self._groups = {unit: group for group, units in unit_groups.items() for unit in units}
        self._refusals: dict[tuple[str, str, str], int] = {}
        self._lock = Lock()
        self._seen: dict[str, Mapping[str, Grant]] = {}  # by tenant, the grants at the last look

    def refused(self, checked: Checked, now: int) -> None:
        """Remember a refusal that offered to break the glass."""
        key = checked.caller.tenant, checked.request.subject.id, checked.request.resource.patient_id
        with self._lock:
            self._refusals.pop(key, None)
            self._refusals[key] = now
            if len(self._refusals) > self._remembered:
                del self._refusals[next(iter(self._refusals))]

    def look(self, facts: TenantFacts) -> None:
        """Count the grants of a tenant that are new since the last look."""
        counted = self._seen.get(facts.tenant, {})
        if facts.grants is counted:  # as after every change but those of grants
            return
        for grant in facts.grants.values():
            if grant.opened_at >= self._started and grant.id not in counted:
                self._opened(grant)
        self._seen[facts.tenant] = facts.grants

    def stand(self, totals: Iterable[GrantTotals], now: int) -> None:
        """Say what stands now, all tenants together."""
        every = list(totals)
        metrics, oldest = (
            self._metrics,
            [each.oldest_unreviewed for each in every if each.oldest_unreviewed is not None],
        )
        metrics.emergencies_active.set(sum(each.open for each in every))
        metrics.emergencies_unreviewed.set(sum(each.pending for each in every))
        metrics.reviews_overdue.set(sum(each.overdue for each in every))
        metrics.oldest_unreviewed.set((now - min(oldest)) / SECOND if oldest else 0)
        metrics.notices_pending.set(sum(each.notices_pending for each in every))
        metrics.notices_overdue.set(sum(each.notices_overdue for each in every))

    def _opened(self, grant: Grant) -> None:
        units = grant.opener.units if grant.opener is not None else ()
        group = next((self._groups[unit] for unit in units if unit in self._groups), OTHER)
        self._metrics.emergencies_opened.labels(grant.motive, group).inc()
        with self._lock:
            refused_at = self._refusals.pop((grant.tenant, grant.subject_id, grant.patient_id), None)
        if refused_at is not None and 0 <= grant.opened_at - refused_at <= SOON:
            self._metrics.emergencies_after_refusal.labels(group).inc()
