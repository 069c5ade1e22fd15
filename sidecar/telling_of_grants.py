"""Grants as they stand, and who must know of them: what is read of emergencies, and who confirmed that they know."""

from collections.abc import Sequence

from msgspec.structs import replace

from sidecar.core import later_relation
from sidecar.core.change import Counts, NoticesChange
from sidecar.core.model import Caller, Grant
from sidecar.core.notices import Notice
from sidecar.core.reading import EventsPage, EventsQuery, GrantsPage, GrantsQuery
from sidecar.core.record import Changed, Consulted
from sidecar.errors import InvalidRequest, NotFound
from sidecar.keeping import Keeping, controller_of, digest

# Callers that speak for people who look at what others did: what they read is recorded.
REVIEWERS = frozenset(("reviewer", "auditor"))
MOST_NOTICES = 100  # that one call acknowledges


class TellingOfGrants(Keeping):
    """Shows grants and their notices, and notes who knows."""

    def get(self, caller: Caller, grant_id: str) -> tuple[Grant, tuple[str, ...], tuple[Notice, ...]]:
        """A grant of the caller's controllers, what would have permitted without it, and its notices.

        Raises NotFound, FactsUnavailable, LedgerUnavailable.
        """
        grant = self.found(caller, grant_id)
        notices = self._facts.grants.notices(caller.tenant, grant_id)
        if REVIEWERS.isdisjoint(caller.roles):
            return grant, (), notices
        self._ledger.record([Consulted(caller, f"grant {grant_id}", 1)], self._clock())
        return grant, self.also(grant), notices

    def also(self, grant: Grant) -> tuple[str, ...]:
        """The grounds that would have permitted without the grant, as far as is known by now (A-BG-9)."""
        snapshot = self._facts.snapshot(grant.tenant, grant.controller_id, grant.patient_id)
        return later_relation.grounds(self._policies.current, grant, snapshot)

    def page(self, caller: Caller, query: GrantsQuery) -> GrantsPage:
        """The grants of the caller's controllers that match; what reviewers read is recorded first.

        Who does not review lists the grants of one subject or one patient. Raises InvalidRequest, PermissionDenied
        for a controller the caller does not act for, FactsUnavailable, LedgerUnavailable.
        """
        if query.controller_id:
            controller_of(caller, query.controller_id, "controller_id")
        reviews = not REVIEWERS.isdisjoint(caller.roles)
        if not reviews and not query.subject_id and not query.patient_id:
            raise InvalidRequest("subject_id", "this or `patient_id`: required of who does not speak for reviewers")
        page = self._facts.grants.page(caller.tenant, caller.controllers, query, self._clock())
        if reviews:
            self._ledger.record([Consulted(caller, repr(query), len(page.grants))], self._clock())
        return page

    def events(self, caller: Caller, query: EventsQuery) -> EventsPage:
        """The notices of the caller's controllers after a cursor. Raises InvalidRequest, FactsUnavailable."""
        return self._facts.grants.events(caller.tenant, caller.controllers, query)

    def acknowledge(self, caller: Caller, ids: Sequence[str], request_id: str) -> tuple[tuple[Notice, ...], str]:
        """Keep that these notices are known; those that were stay as they are.

        Raises InvalidRequest, NotFound for a notice that is not the caller's to know, FactsUnavailable,
        LedgerUnavailable.
        """
        wanted = tuple(dict.fromkeys(ids))
        if not 1 <= len(wanted) <= MOST_NOTICES:
            raise InvalidRequest("notices", f"expected 1 to {MOST_NOTICES}")
        now = self._clock()
        with self._facts.changing():
            self._settle()
            known = self._facts.grants.named_notices(caller.tenant, wanted)
            if len(known) < len(wanted) or any(each.controller_id not in caller.controllers for each in known):
                raise NotFound("notices: one of them is not there")
            if any(each.pending() for each in known):
                change = NoticesChange(
                    self._ids(), caller.tenant, caller.id, request_id, digest(wanted), wanted, now, self._told(known)
                )

                def leaf(seq: int, counts: Counts) -> bytes:
                    entry = Changed(
                        change.change_id, caller, "acknowledge_notices", request_id, known[0].controller_id,
                        change.digest, seq, counts, detail=" ".join(wanted),
                    )  # fmt: skip
                    return self._ledger.change_leaf(entry, now)

                self._append(self._facts.acknowledge_notices(change, leaf))
                known = self._facts.grants.named_notices(caller.tenant, wanted)
        return known, self._token(caller, known[0].controller_id)

    def _told(self, known: Sequence[Notice]) -> tuple[Grant, ...]:
        """The grants these notices tell the opening of, with who knows from now on."""
        told: dict[str, Grant] = {}
        for each in known:
            if each.what == "open_grant":
                grant = told.get(each.grant_id) or self._facts.grant(each.tenant, each.grant_id)
                told[grant.id] = replace(grant, known_to=tuple(dict.fromkeys((*grant.known_to, each.audience))))
        return tuple(told.values())

    def found(self, caller: Caller, grant_id: str) -> Grant:
        """A grant of the caller's controllers. Raises NotFound, FactsUnavailable."""
        grant = self._facts.grant(caller.tenant, grant_id)
        if grant.controller_id not in caller.controllers:
            raise NotFound("grant: no grant of this name")
        return grant
