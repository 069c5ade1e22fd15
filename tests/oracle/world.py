"""What is known, as a plain list, and what one reading of it sees: facts, windows, freshness, absence, names, units."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sidecar.core.model import Caller, Fact, Grant, Request, Scope, Watermark
from tests.oracle.days import SECOND, begins, paris_day

# Facts about staff count in the whole tenant, the others for the records of their controller (design 5).
STAFF = ("assignment", "delegation", "contract")


@dataclass(frozen=True)
class World:
    """Every fact that stands in a tenant, what its feeds vouch for, its grants, and whether patients can be read."""

    facts: tuple[Fact, ...] = ()
    watermarks: tuple[Watermark, ...] = ()
    grants: tuple[Grant, ...] = ()
    required: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tenant: str = "T"
    readable: bool = True
    patients_this_hour: int = 0  # distinct ones the subject opened, the one asked about included
    refusals_lately: int = 0  # the subject met in ten minutes


class Reading:
    """One question and the world it is asked in, at one instant.

    `lenient` reads an unknown restriction as absent; `will` off takes the patient's directives and masks away.
    `edges` gathers every instant to come at which something compared here turns; `unsaid` every unknown word met.
    """

    def __init__(
        self,
        pack: Mapping[str, Any],
        request: Request,
        caller: Caller,
        controller: str,
        world: World,
        now: int,
        lenient: bool = False,
        will: bool = True,
    ) -> None:
        self.pack, self.world, self.request, self.caller = pack, world, request, caller
        self.controller, self.now, self.lenient, self.will = controller, now, lenient, will
        self.edges: set[int] = set()
        self.unsaid: list[str] = []
        self.unheard: set[str] = set()  # delegators left out: the patient's will refuses them
        self.readable = world.readable or not request.resource.patient_id

    # ---- time

    def within(self, start: int | None, end: int | None) -> bool:
        """Whether now is in [start, end); an absent bound is open."""
        self.edges.update(edge for edge in (start, end) if edge is not None and edge > self.now)
        return (start is None or start <= self.now) and (end is None or self.now < end)

    def come(self, instant: int | None) -> bool:
        """Whether an instant has come; one that is not set never does."""
        return instant is not None and not self.within(None, instant)

    def day_has_come(self, day: date) -> bool:
        """Whether it is this Paris day, or a later one."""
        if begins(day) > self.now:
            self.edges.add(begins(day))
        return paris_day(self.now) >= day

    # ---- facts

    def facts(self, kind: str) -> Iterator[tuple[Fact, Any]]:
        """The facts of a kind that count for this question, with their bodies: those known, then those it brings."""
        for fact in self.world.facts:
            body = getattr(fact, kind)
            if body is not None and (kind in STAFF or fact.controller_id == self.controller):
                yield fact, body
        if "facts" in self.caller.may_assert and self.readable:
            for fact in self.request.facts:
                body = getattr(fact, kind)
                if body is not None and fact.controller_id in ("", self.controller):
                    yield fact, body

    def of_patient(self, kind: str) -> Iterator[tuple[Fact, Any]]:
        """Those about the patient, under any of the names they go by now."""
        if self.readable:
            names = self.names()
            for fact, body in self.facts(kind):
                if body.patient_id in names and (body.patient_id or fact in self.request.facts):
                    yield fact, body

    def current(self, fact: Fact) -> bool:
        """Whether the fact's period holds now."""
        return self.within(fact.period.from_, fact.period.to)

    def fresh(self, fact: Fact, kind: str) -> bool:
        """Whether the fact is young enough for a ground: it, or its source's last word on its kind (3.0.1)."""
        ages = self.pack["freshness"]
        limit = ages["facts_max_age"].get(kind)
        if fact.assignment is not None and fact.assignment.on_call:
            limit = ages["on_call_max_age"]
        if limit is None:
            return True
        inline = fact in self.request.facts
        told = [self.now if fact.as_of is None else min(fact.as_of, self.now)]
        told += [
            mark.complete_until
            for mark in self.world.watermarks
            if mark.source == fact.source
            and kind in mark.kinds
            and mark.controller_id == (self.controller if inline else fact.controller_id)
        ]
        return self.within(None, max(told) + limit * SECOND)

    def stands(self, fact: Fact, kind: str) -> bool:
        """Whether the fact holds now and is fresh."""
        return self.current(fact) and self.fresh(fact, kind)

    def window(self, fact: Fact, kind: str) -> tuple[int | None, int | None]:
        """[from - before, to + after), as the pack says of this kind of relation (3.1.1)."""
        window = self.pack["vocabulary"]["relations"].get(kind, {})
        start, end = fact.period.from_, fact.period.to
        return (
            None if start is None else start - window.get("before", 0) * SECOND,
            None if end is None else end + window.get("after", 0) * SECOND,
        )

    def in_window(self, fact: Fact, kind: str) -> bool:
        """Whether now is in that window."""
        return self.within(*self.window(fact, kind))

    def absent(self, kind: str) -> bool | None:
        """False where it is known that nothing more of this kind is known of the patient, else unknown."""
        if not self.request.resource.patient_id:
            return False
        sources = self.world.required.get(kind, ())
        if not self.readable or not sources:
            return None
        limit = self.pack["freshness"]["watermark_max_age"] * SECOND
        for source in sources:
            marks = [
                mark.complete_until
                for mark in self.world.watermarks
                if (mark.source, mark.controller_id) == (source, self.controller) and kind in mark.kinds
            ]
            if not marks or not self.within(None, max(marks) + limit):
                return None
        return False

    def names(self) -> set[str]:
        """Every name the patient goes by now: a merge makes two names one until an unmerge of the two (3.1.1)."""
        names = {self.request.resource.patient_id}
        if not self.readable:
            return names
        aliases = [(fact, fact.alias) for fact in self.world.facts if fact.controller_id == self.controller]
        joined = []
        for fact, alias in aliases:
            if alias is None or alias.kind != "merge" or not self.current(fact):
                continue
            pair = {alias.patient_id, alias.other_id}
            parted = False
            for other, end in aliases:
                if end is None or end.kind != "unmerge" or {end.patient_id, end.other_id} != pair:
                    continue
                from_, merged = other.period.from_, fact.period.from_
                after = from_ is None or merged is None or merged <= from_
                if self.within(from_, None) and after:
                    parted = True
            if not parted:
                joined.append(pair)
        for _ in joined:
            for pair in joined:
                if pair & names:
                    names |= pair
        return names

    # ---- staff

    def assignments(self, subject_id: str) -> list[tuple[Fact, Any]]:
        """What is known of where a member of staff works, of any time."""
        return [(fact, work) for fact, work in self.facts("assignment") if work.subject_id == subject_id]

    def works(self, subject_id: str) -> list[Any]:
        """The assignments that hold now, fresh, rosters left out."""
        return [
            work for fact, work in self.assignments(subject_id) if not work.on_call and self.stands(fact, "assignment")
        ]

    def units(self, subject_id: str) -> set[str]:
        """The units somebody works in; the subject's too where the caller may say so (3.1.1)."""
        units = {work.unit for work in self.works(subject_id)}
        if subject_id == self.request.subject.id and "identity" in self.caller.may_assert:
            units |= set(self.request.subject.units)
        return units

    # ---- the patient

    def stays(self) -> list[tuple[Fact, Any]]:
        """The patient's stays that are neither planned nor cancelled, of any time."""
        return [(fact, stay) for fact, stay in self.of_patient("stay") if stay.status == "active"]

    def states(self) -> list[tuple[Fact, Any]]:
        """What is said of the record now, however old."""
        return [(fact, state) for fact, state in self.of_patient("record_state") if self.current(fact)]

    def reaches(self, scope: Scope) -> bool:
        """Whether a relation of this scope is about the object asked."""
        asked = self.request.resource
        return (
            asked.category in (scope.categories or (asked.category,))
            and asked.id in (scope.documents or (asked.id,))
            and scope.stay_id in ("", asked.stay)
        )

    # ---- the grant

    def named_grant(self) -> Grant | None:
        """The grant the request names if it is the subject's and the mode considers grants."""
        context = self.request.context
        if context.access_mode not in self.pack["break_glass"]["modes"]:
            return None
        for grant in self.world.grants:
            owned = (grant.tenant, grant.controller_id, grant.subject_id) == (
                self.world.tenant,
                self.controller,
                self.request.subject.id,
            )
            if context.grant and grant.id == context.grant and owned:
                return grant
        return None

    def open_grant(self) -> Grant | None:
        """That grant while it opens this patient's record to the profile asked with."""
        grant = self.named_grant()
        if (
            grant is None
            or grant.ended
            or grant.patient_id not in self.names()
            or grant.profile != self.request.subject.profile
        ):
            return None
        closed = grant.closed_at is not None and self.come(grant.closed_at)
        return grant if self.within(grant.opened_at, grant.until) and not closed else None
