"""Grants and their notices as the corridor and the sender of notices read them."""

from collections.abc import Collection, Sequence

from sidecar.core.bundle import TenantFacts
from sidecar.core.model import Grant
from sidecar.core.notices import Notice
from sidecar.core.reading import EventsPage, EventsQuery, GrantsPage, GrantsQuery, GrantTotals
from sidecar.errors import InvalidRequest
from sidecar.facts import outbox, reads
from sidecar.facts.database import Database
from sidecar.facts.patch import ends
from sidecar.facts.tokens import Tokens

PAGE = 100
LARGEST_PAGE = 1000
MOST_NOTICES = 100  # that one request acknowledges


class Grants:
    """What is on disk of grants and notices, as far as their changes are acknowledged."""

    def __init__(self, database: Database, tokens: Tokens) -> None:
        self._database, self._tokens = database, tokens

    def page(self, tenant: str, controllers: Collection[str], query: GrantsQuery, now: int) -> GrantsPage:
        """The grants of these controllers that match, a page at a time, and what stands now.

        Raises InvalidRequest for a token or a page size that cannot be used, FactsUnavailable.
        """
        limit = _size(query.page_size, "page_size")
        named = {query.controller_id} & set(controllers) if query.controller_id else set(controllers)
        with self._database.reading() as connection:
            at = reads.visible(connection, tenant)
            found = outbox.grants(connection, tenant, named, query, at, now, query.page_token, limit + 1)
            totals = outbox.totals(connection, tenant, named, at, now)
        shown, more = tuple(found[:limit]), len(found) > limit
        return GrantsPage(shown, shown[-1].id if more else "", totals)

    def totals(self, tenant: str, controllers: Collection[str], now: int) -> GrantTotals:
        """What stands in these controllers now. Raises FactsUnavailable."""
        with self._database.reading() as connection:
            return outbox.totals(connection, tenant, controllers, reads.visible(connection, tenant), now)

    def events(self, tenant: str, controllers: Collection[str], query: EventsQuery) -> EventsPage:
        """The notices after a cursor, in the order they were committed.

        Raises InvalidRequest for a cursor or a limit that cannot be used, FactsUnavailable.
        """
        limit = _size(query.limit, "limit")
        after = self._tokens.read("events", tenant, query.cursor, "cursor")[0] if query.cursor else 0
        with self._database.reading() as connection:
            at = reads.visible(connection, tenant)
            found = outbox.notices(connection, tenant, controllers, query.audiences, after, at, limit + 1)
        shown = tuple(found[:limit])
        last = shown[-1].seq if shown else after
        return EventsPage(shown, self._tokens.make("events", tenant, last), len(found) > limit)

    def notices(self, tenant: str, grant_id: str) -> tuple[Notice, ...]:
        """Every notice of a grant, in the order they were committed. Raises FactsUnavailable."""
        with self._database.reading() as connection:
            return tuple(outbox.of_grant(connection, tenant, grant_id, reads.visible(connection, tenant)))

    def named_notices(self, tenant: str, ids: Collection[str]) -> tuple[Notice, ...]:
        """The notices of these ids that there are, in the order they were committed. Raises FactsUnavailable."""
        with self._database.reading() as connection:
            return tuple(outbox.named(connection, tenant, ids, reads.visible(connection, tenant)))

    def undelivered(self, tenant: str, after: int, limit: int) -> Sequence[Notice]:
        """The notices that nobody has taken, in the order they were committed, behind `after`.

        Raises FactsUnavailable.
        """
        with self._database.reading() as connection:
            return outbox.undelivered(connection, tenant, after, reads.visible(connection, tenant), limit)

    def sequence_at(self, tenant: str, instant: int) -> int:
        """The last sequence of the tenant recorded at or before an instant. Raises FactsUnavailable."""
        with self._database.reading() as connection:
            return reads.sequence_at(connection, tenant, instant)

    def tried(self, tenant: str, notice_id: str, taken: bool, now: int) -> None:
        """Note a delivery that was tried, and whether it was taken. Raises FactsUnavailable."""
        with self._database.writing() as tx:
            outbox.note_attempt(tx, tenant, notice_id, taken, now)


def ran_out(facts: TenantFacts, now: int) -> list[Grant]:
    """The grants in memory whose time is past at `now` and whose end is not kept yet."""
    return [grant for grant in facts.grants.values() if not grant.ended and ends(grant) <= now]


def _size(asked: int, field: str) -> int:
    if not 0 <= asked <= LARGEST_PAGE:
        raise InvalidRequest(field, f"from 1 to {LARGEST_PAGE}")
    return asked or PAGE
