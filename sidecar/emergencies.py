"""Emergencies as people look at them: what one asks for, what was asked under one, where the glass is broken.

Nothing here changes anything; what is shown of records is itself recorded before it is given.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from sidecar.core import instants
from sidecar.core.bundle import Snapshot
from sidecar.core.emergencies import Access, Accesses, Choice, Description, Pressure, PressureQuery, Told, shortest
from sidecar.core.instants import DAY
from sidecar.core.model import Caller, Effect, Grant
from sidecar.core.policy import PolicySet
from sidecar.core.pressure import Emergency, missing, pressure
from sidecar.core.reading import GrantsPage, GrantsQuery, RecordsQuery
from sidecar.core.record import Consulted, Entry, Recorded
from sidecar.errors import InvalidRequest, NotFound

USUAL_PERIOD, LONGEST_PERIOD = 28 * DAY, 370 * DAY
PAGE, LARGEST_PAGE = 100, 1000


class Policies(Protocol):
    """What is needed of the authoring room."""

    @property
    def current(self) -> PolicySet:
        """The policy set in force. Raises PolicyUnavailable."""


class Grants(Protocol):
    """What is needed of the store of grants. Every method raises FactsUnavailable."""

    def page(self, tenant: str, controllers: Collection[str], query: GrantsQuery, now: int) -> GrantsPage:
        """The grants of these controllers that match, a page at a time."""

    def sequence_at(self, tenant: str, instant: int) -> int:
        """The last sequence of the tenant recorded at or before an instant."""


class Facts(Protocol):
    """What is needed of the facts room."""

    @property
    def grants(self) -> Grants:
        """Grants as they are listed."""

    def grant(self, tenant: str, grant_id: str) -> Grant:
        """The grant as it stands. Raises NotFound, FactsUnavailable."""

    def snapshot(self, tenant: str, controller_id: str, patient_id: str, at_least: int = 0) -> Snapshot:
        """What is known now."""


class Ledger(Protocol):
    """What is needed of the ledger room. Every method raises LedgerUnavailable."""

    def show_period(self, tenant: str, query: RecordsQuery) -> Sequence[str]:
        """The leaves of a period that match, as JSON objects, in order."""

    def record(self, entries: Sequence[Entry], now: int) -> list[Recorded]:
        """Keep these entries with one write."""


class Emergencies:
    """Answers those who offer an emergency, and those who look back at some."""

    def __init__(self, policies: Policies, facts: Facts, ledger: Ledger, clock: Callable[[], int]) -> None:
        """`clock` gives the instant in microseconds."""
        self._policies, self._facts, self._ledger, self._clock = policies, facts, ledger, clock

    def describe(self, profile: str, language: str) -> Description:
        """What an emergency asks of this profile and brings about, in this language. Raises PolicyUnavailable."""
        policies = self._policies.current
        rules = policies.pack.break_glass
        sentences = policies.sentences.get(language) or policies.sentences[policies.pack.pack.language]
        if not profile:
            return Description(
                names={code if "." in code else f"reasons.{code}": text for code, text in sentences.items()}
            )
        if profile not in rules.eligible:
            return Description()
        scope = rules.eligible[profile]

        def text(table: str, code: str) -> str:
            return sentences.get(f"{table}.{code}", code)

        categories = policies.pack.vocabulary.categories
        return Description(
            True,
            scope,
            tuple(each for each in categories if each in policies.compiled.members["g2"].get(scope, (scope,))),
            tuple(Choice(motive, text("motives", motive), shortest(rules, motive)) for motive in rules.motives),
            rules.justification_max,
            rules.ttl,
            rules.reauth,
            rules.review_deadline,
            tuple(
                Told(
                    rule.audience,
                    text("audiences", rule.audience),
                    _within(rule.by_review, rule.within, rules.review_deadline),
                )
                for rule in rules.notices
                if rule.on == "open_grant"
            ),
        )

    def accesses(self, caller: Caller, grant_id: str, limit: int) -> Accesses:
        """What was asked under a grant of the caller's controllers; the reading is recorded before it is given.

        Raises InvalidRequest, NotFound, FactsUnavailable, LedgerUnavailable, PolicyUnavailable.
        """
        if not 0 <= limit <= LARGEST_PAGE:
            raise InvalidRequest("limit", f"from 1 to {LARGEST_PAGE}")
        grant, now = self._facts.grant(caller.tenant, grant_id), self._clock()
        if grant.controller_id not in caller.controllers:
            raise NotFound("grant: no grant of this name")
        # A question under a grant may come after its end, and is refused: that is worth seeing too.
        query = RecordsQuery(subject_id=grant.subject_id, from_=grant.opened_at, to=min(now, grant.until + DAY) + 1)
        leaves = self._ledger.show_period(caller.tenant, query)
        pack = self._policies.current.pack
        about = (pack.break_glass.close_action, pack.break_glass.review_action)  # they name a grant, under none
        found = [access for leaf in leaves for access in _under(grant, msgspec.json.decode(leaf))]
        found = [access for access in found if access.action not in about]
        shown = tuple(found[-(limit or PAGE) :])
        kind = missing(pack, grant, self._snapshot(grant), self._told_by(grant))
        self._ledger.record([Consulted(caller, f"accesses under {grant.id}", len(shown))], now)
        return Accesses(shown, len(found), kind.kind if kind.known else "")

    def pressure(self, caller: Caller, query: PressureQuery) -> Pressure:
        """The openings of a period by unit; the last 28 days where none is named.

        Raises InvalidRequest, FactsUnavailable, PolicyUnavailable.
        """
        end = self._clock() if query.end is None else query.end
        start = end - USUAL_PERIOD if query.start is None else query.start
        if not 0 < end - start <= LONGEST_PERIOD:
            raise InvalidRequest("from", f"before `to`, by {LONGEST_PERIOD // DAY} days at most")
        pack = self._policies.current.pack
        found = [
            Emergency(
                next(iter(grant.opener.units if grant.opener else ()), ""),
                grant.motive,
                missing(pack, grant, self._snapshot(grant), self._told_by(grant)),
            )
            for grant in self._opened(caller, GrantsQuery(query.controller_id, opened_from=start, opened_to=end))
        ]
        return Pressure(start, end, len(found), pressure(found, start, end))

    def _opened(self, caller: Caller, query: GrantsQuery) -> Iterator[Grant]:
        while True:
            page = self._facts.grants.page(
                caller.tenant, caller.controllers, msgspec.structs.replace(query, page_size=LARGEST_PAGE), self._clock()
            )
            yield from page.grants
            if not page.next_page_token:
                return
            query = msgspec.structs.replace(query, page_token=page.next_page_token)

    def _snapshot(self, grant: Grant) -> Snapshot:
        return self._facts.snapshot(grant.tenant, grant.controller_id, grant.patient_id)

    def _told_by(self, grant: Grant) -> int:
        return self._facts.grants.sequence_at(grant.tenant, grant.opened_at)


def _within(by_review: bool, within: int, review: int) -> int | None:
    return review if by_review else within or None


def _under(grant: Grant, leaf: Mapping[str, Any]) -> Iterator[Access]:
    """The questions of a shown leaf that were asked under this grant; none of one whose keys are gone."""
    opened = leaf.get("opened") or {}
    if leaf["kind"] == "check":
        pairs = [(opened, leaf)]
    elif leaf["kind"] == "batch" and opened:
        pairs = list(zip(opened["items"], leaf["items"], strict=True))
    else:
        return
    for said, outcome in pairs:
        request = said.get("request", {})
        if request.get("context", {}).get("grant") == grant.id:
            resource = request.get("resource", {})
            yield Access(
                instants.parse(leaf["at"]),
                request.get("action", ""),
                resource.get("category", ""),
                resource.get("id", ""),
                Effect(outcome["effect"]),
                outcome["reason"],
                outcome["id"],
            )
