"""What somebody must know about a grant, and until when: the rows of the outbox.

A notice is kept in the transaction of the change it tells of, so that none is lost and none tells of what never was.
It is a reference: whom it is about is asked for by name, by who may, and that is recorded.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct

from sidecar.core.instants import SECOND, Instant
from sidecar.core.model import Grant
from sidecar.core.pack import BreakGlass


class Notice(Struct, frozen=True, omit_defaults=True):
    """One thing one audience must know. `seq` orders the notices of a tenant as they were committed, from 1.

    `due` is when it must be known at the latest, None where nobody has to confirm it. `delivered_at` is when a
    delivery was taken, `acknowledged_at` when somebody confirmed that the audience knows.
    """

    id: str
    tenant: str
    controller_id: str
    grant_id: str
    what: str  # open_grant, close_grant, expire_grant, revoke_grant, review_grant; volume, blocked
    audience: str  # of the pack
    at: Instant
    due: Instant | None = None
    seq: int = 0
    delivered_at: Instant | None = None
    acknowledged_at: Instant | None = None
    attempts: int = 0

    def pending(self) -> bool:
        """Whether somebody still has to confirm that they know."""
        return self.due is not None and self.acknowledged_at is None

    def overdue(self, now: int) -> bool:
        """Whether that is late at `now`."""
        return self.due is not None and self.acknowledged_at is None and now >= self.due


class NoticeTotals(Struct, frozen=True):
    """How many notices wait to be acknowledged, and how many of those are late."""

    pending: int = 0
    overdue: int = 0


def notices_of(
    rules: BreakGlass, grant: Grant, what: str, alerts: Sequence[str], now: int, ids: Callable[[], str]
) -> tuple[Notice, ...]:
    """Whom the pack wants told of this change of a grant, and of what it alerts to."""
    happened = (what, *alerts)
    return tuple(
        Notice(
            ids(),
            grant.tenant,
            grant.controller_id,
            grant.id,
            rule.on,
            rule.audience,
            now,
            grant.review_due if rule.by_review else _due(rule.within, now),
        )
        for rule in rules.notices
        if rule.on in happened
    )


def _due(within: int, now: int) -> int | None:
    return now + within * SECOND if within else None
