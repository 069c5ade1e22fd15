"""What one question is answered from, and what the answer rested on.

A fact supports a ground only while it is fresh, and a restriction is absent only when somebody vouches for it
(3.0.1 Absence). Whatever is read leaves its edges here.

INVARIANT: no word changes its answer in [now, ends) while the facts and the request stay what they are.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from sidecar.core.bundle import FOREVER, NEVER, PatientFacts, Snapshot
from sidecar.core.instants import SECOND
from sidecar.core.kept import UNTOLD, Assigned, Record, Stays
from sidecar.core.model import Caller, Fact, Grant, Known, Relation, Request, Scope, Stay
from sidecar.core.once import once
from sidecar.core.pack import Pack, Window
from sidecar.core.standing import together
from sidecar.core.vocabulary import NOUNS

Units = Mapping[str, Known | None]  # unit → the assignment that says so; None where the caller asserts it
# Whether a delegator may make this request; what the answer rests on is noted in the evidence.
Ask = Callable[[Any, Request], bool | None]

NO_WINDOW = Window()
SHELVES = {
    "stay": "stays",
    "relation": "relations",
    "directive": "directives",
    "record_state": "record_states",
    "call": "calls",
}


class Evidence:
    """The request, what is known, the instant, and three collectors.

    `relied` holds each fact a word rested on, once; `unknown` each word that answered None, as `noun.word`;
    `ends` is the earliest instant at which some answer given so far could change (FOREVER if none will).
    `bundle` is what is known of the patient, None when the store cannot be read; `speaker` is the caller.
    With `lenient`, an unknown restriction is read as absent (`bg_unknown`). With `will` off, the patient's
    directives, and what the request says of them, are not read. `delegate` is given by the policy set; without it
    nobody acts for anybody, which is how depth stays one.
    """

    # Set where they differ: most questions need none of them.
    will = True
    ends = FOREVER
    held_at: Mapping[int, int] = MappingProxyType({})  # what `ends` was when a prohibition was found to hold
    delegate: Ask | None = None
    unheard: frozenset[str] = frozenset()  # delegators left out, for the patient's will refuses them
    asserted: Mapping[str, list[Known]] = MappingProxyType({})  # facts the request carries, by kind
    counts: Mapping[str, int] = MappingProxyType({})  # what the sidecar counted of the subject, where that decided

    def __init__(
        self,
        request: Request,
        caller: Caller,
        controller_id: str,
        snapshot: Snapshot,
        now: int,
        pack: Pack,
        lenient: bool = False,
    ) -> None:
        self.request, self.speaker, self.controller_id = request, caller, controller_id
        self.snapshot, self.tenant = snapshot, snapshot.tenant
        self.now, self.pack, self.lenient = now, pack, lenient
        self.relied: list[Known] = []
        self.unknown: list[str] = []
        self.ungranted = not request.context.grant
        self.vouched: dict[str, bool | None] = {}
        self.bundle = bundle = self._bundle()
        # Whether nothing is known of the patient's will, of relations; whether anything is of the record as a whole.
        self.undirected = bundle is not None and not bundle.directives
        self.unrelated = bundle is not None and not bundle.relations
        self.unconsented = self.undirected  # whatever of the patient's will is read
        self.stated = bundle is not None and bool(bundle.record_states)
        # Every name this patient goes by now.
        self.names: tuple[str, ...] = (request.resource.patient_id,)
        if bundle is not None and bundle.aliases:
            self.names = self._names(bundle.aliases)

    def _bundle(self) -> PatientFacts | None:
        name, patient = self.request.resource.patient_id, self.snapshot.patient
        if not name:
            patient = PatientFacts("", self.controller_id, self.tenant.seq)
        if patient is None or patient.patient_id != name or patient.controller_id != self.controller_id:
            return None  # another patient's bundle would say nothing true of this one
        if self.request.facts and "facts" in self.speaker.may_assert:
            patient = self._with_asserted(patient)
        return patient

    def _with_asserted(self, patient: PatientFacts) -> PatientFacts:
        """The bundle and the facts the request carries; these never join or part two names of a patient."""
        asserted: dict[str, list[Known]] = {}
        for fact in self.request.facts:
            if fact.controller_id in ("", self.controller_id):
                known = _known(fact, self.controller_id, self.now)
                asserted.setdefault(known.kind, []).append(known)
        self.asserted = asserted
        more = {
            shelf: getattr(patient, shelf) + tuple(asserted[kind])
            for kind, shelf in SHELVES.items()
            if kind in asserted
        }
        persons = [known for known in asserted.get("alias", ()) if _is_person(known.fact)]
        return replace(patient, persons=patient.persons + tuple(persons), **more)

    # ---- time, freshness, absence

    def edge(self, instant: int) -> None:
        """Note that an answer could change at this instant, if it is to come."""
        if self.now < instant < self.ends:
            self.ends = instant

    def holds(self, start: int, end: int) -> bool:
        """Whether now is in [start, end)."""
        now = self.now
        if now < start:
            self.edge(start)
            return False
        if now < end < self.ends:
            self.ends = end
        return now < end

    def fresh_until(self, known: Known) -> int:
        """When the fact stops supporting grounds: its age limit after it, or its source for its kind, last spoke."""
        freshness = self.pack.freshness
        limit = freshness.on_call_max_age if known.on_call else freshness.facts_max_age.get(known.kind)
        if limit is None:
            return FOREVER
        told, as_of = self.tenant.watermarks.get(known.feed, NEVER), known.as_of
        return (told if told > as_of else as_of) + limit * SECOND

    def supports(self, known: Known) -> bool:
        """Whether the fact is fresh enough for a ground; if so, the answer rests on it."""
        until = self.fresh_until(known)
        if self.now >= until:
            return False
        if until < self.ends:
            self.ends = until
        self.rest_on(known)
        return True

    def bears(self, known: Known) -> bool:
        """Whether the fact is in force now and fresh enough for a ground; if so, the answer rests on it."""
        if not self.holds(known.start, known.end):
            return False
        until = self.fresh_until(known)
        if self.now >= until:
            return False
        if until < self.ends:
            self.ends = until
        self.rest_on(known)
        return True

    def rest_on(self, known: Known) -> None:
        """Note that an answer rests on this fact."""
        for seen in self.relied:
            if seen is known:
                return
        self.relied.append(known)

    def counted(self, name: str, count: int, threshold: int) -> bool:
        """Whether a count of the sidecar's own has come to this threshold; the answer then rests on it."""
        if count < threshold:
            return False
        self.counts = {**self.counts, name: count}
        self.edge(self.now + 1)  # counts move with every question: nobody keeps an answer that rests on one
        return True

    def absent(self, kind: str) -> bool | None:
        """False when the feeds of this kind vouch that nothing more is known of the patient, else None.

        A question about no patient has nothing to miss. A store that cannot be read vouches for nothing.
        """
        vouched = self.vouched
        if kind in vouched:
            return vouched[kind]
        answer: bool | None = False
        if self.request.resource.patient_id:
            answer = None
            if self.bundle is not None:
                told = self.tenant.complete_until(self.controller_id, kind)
                until = told + self.pack.freshness.watermark_max_age * SECOND
                if self.now < until:
                    answer = False
                    if until < self.ends:
                        self.ends = until
        vouched[kind] = answer
        return answer

    def unanswered(self, noun: str, word: str) -> bool | None:
        """What an unknown word answers: None, or False for a restriction under `lenient`. Noted either way."""
        name = f"{noun}.{word}"
        if name not in self.unknown:
            self.unknown.append(name)
        return False if self.lenient and NOUNS[noun][word].kind == "restriction" else None

    # ---- whom and what the question is about

    def _names(self, aliases: Iterable[Known]) -> tuple[str, ...]:
        """Every name: a merge makes each of two names mean both until an unmerge ends it."""
        merges: list[tuple[frozenset[str], Known]] = []
        parted: dict[frozenset[str], int] = {}
        for known in aliases:
            alias = known.fact.alias
            if alias is None or known.fact.controller_id != self.controller_id:
                continue
            pair = frozenset((alias.patient_id, alias.other_id))
            if alias.kind == "merge" and self.holds(known.start, known.end):
                merges.append((pair, known))
            elif alias.kind == "unmerge" and self.holds(known.start, FOREVER):
                # Without a start it ends every merge of this pair; with one, those that began no later.
                came = FOREVER if known.start == NEVER else known.start
                parted[pair] = max(came, parted.get(pair, NEVER))
        joined = [(pair, known) for pair, known in merges if known.start > parted.get(pair, NEVER - 1)]
        names = {self.request.resource.patient_id}
        while reached := [(pair, known) for pair, known in joined if pair & names and not pair <= names]:
            for pair, known in reached:
                names |= pair
                self.rest_on(known)
        return tuple(sorted(names))

    def about(self, known: Known, patient_id: str) -> bool:
        """Whether a fact about this name counts for the record that is asked about."""
        return patient_id in self.names and known.fact.controller_id == self.controller_id

    @once
    def active_stays(self) -> tuple[tuple[Known, Stay], ...]:
        """The patient's stays that are neither planned nor cancelled, of any time."""
        bundle = self.bundle
        if bundle is None:
            return ()
        kept: Stays | None = bundle.kept.get("stays")
        if kept is None or kept.names != self.names:
            stays = ((known, known.fact.stay) for known in bundle.stays)
            kept = bundle.kept["stays"] = Stays(
                self.names,
                tuple(
                    (known, stay)
                    for known, stay in stays
                    if stay is not None and stay.status == "active" and self.about(known, stay.patient_id)
                ),
            )
        return kept.active

    @once
    def record(self) -> Record:
        """What each source says of the record now, however old."""
        bundle = self.bundle
        if bundle is None:
            return UNTOLD
        kept: Record | None = bundle.kept.get("record")
        if kept is None or kept.names != self.names or not kept.at <= self.now < kept.until:
            kept = bundle.kept["record"] = self._record(bundle)
        if kept.until < self.ends:
            self.ends = kept.until
        return kept

    def _record(self, bundle: PatientFacts) -> Record:
        ends, self.ends = self.ends, FOREVER
        states = []
        for known in bundle.record_states:
            state = known.fact.record_state
            if state is not None and self.about(known, state.patient_id) and self.holds(known.start, known.end):
                states.append((known, state))
        until, self.ends = self.ends, ends
        return Record(self.names, self.now, until, tuple(states), together([state for _, state in states]))

    def in_scope(self, scope: Scope) -> bool:
        """Whether a relation narrowed to `scope` reaches the object asked about."""
        asked = self.request.resource
        return (
            (not scope.categories or asked.category in scope.categories)
            and (not scope.documents or asked.id in scope.documents)
            and (not scope.stay_id or asked.stay == scope.stay_id)
        )

    def window(self, kind: str) -> Window:
        """The window the pack adds to a kind of relation."""
        return self.pack.vocabulary.relations.get(kind, NO_WINDOW)

    def relation_holds(self, known: Known, relation: Relation) -> bool:
        """Whether the relation is fresh, inside its window and reaches the object; the answer then rests on it."""
        window = self.window(relation.kind)
        return (
            self.in_scope(relation.scope)
            and self.holds(known.start - window.before * SECOND, known.end + window.after * SECOND)
            and self.supports(known)
        )

    # ---- staff

    def assignments(self, subject_id: str) -> tuple[Known, ...]:
        """Every assignment known of a member of staff, of any time."""
        known = self.tenant.assignments.get(subject_id, ())
        return known + self._asserted("assignment", "subject_id", subject_id) if self.asserted else known

    def delegations(self, subject_id: str) -> tuple[Known, ...]:
        """Every delegation to this subject, of any time."""
        known = self.tenant.delegations.get(subject_id, ())
        return known + self._asserted("delegation", "to_subject_id", subject_id) if self.asserted else known

    def contracts(self, provider_id: str) -> tuple[Known, ...]:
        """Every contract of this provider, of any time."""
        known = self.tenant.contracts.get(provider_id, ())
        return known + self._asserted("contract", "provider_id", provider_id) if self.asserted else known

    def references(self, ref: str) -> tuple[Known, ...]:
        """Every relation that carries this reference, of any time."""
        known = self.tenant.refs.get(ref, ())
        return known + self._asserted("relation", "ref", ref) if self.asserted else known

    def knows_reference(self, kind: str, ref: str) -> bool:
        """Whether a relation of this kind carries the reference, in its period.

        Where it names a patient or a subject, they must be those of the question.
        """
        for known in self.references(ref) if ref else ():
            relation = known.fact.relation
            if relation is None or relation.kind != kind or known.fact.controller_id != self.controller_id:
                continue
            if relation.patient_id and relation.patient_id not in self.names:
                continue
            if relation.subject_id and relation.subject_id != self.request.subject.id:
                continue
            if self.relation_holds(known, relation):
                return True
        return False

    def _asserted(self, kind: str, field: str, value: str) -> tuple[Known, ...]:
        return tuple(
            known for known in self.asserted.get(kind, ()) if getattr(getattr(known.fact, kind), field) == value
        )

    def current_assignments(self, subject_id: str) -> tuple[Known, ...]:
        """The assignments in force and fresh; on-call ones give on-call grounds and nothing else."""
        tenant = self.tenant
        if self.asserted or subject_id not in tenant.assignments:
            return self._current_assignments(subject_id)
        kept: Assigned | None = tenant.kept.get(subject_id)
        if kept is None or kept.pack is not self.pack or not kept.at <= self.now < kept.until:
            ends, self.ends = self.ends, FOREVER
            current = self._current_assignments(subject_id)
            kept = tenant.kept[subject_id] = Assigned(self.pack, self.now, self.ends, current)
            self.ends = ends
        if kept.until < self.ends:
            self.ends = kept.until
        return kept.current

    def _current_assignments(self, subject_id: str) -> tuple[Known, ...]:
        current, now = [], self.now
        for known in self.assignments(subject_id):
            if known.fact.assignment is None or known.on_call or not self.holds(known.start, known.end):
                continue
            until = self.fresh_until(known)
            if now < until:
                if until < self.ends:
                    self.ends = until
                current.append(known)
        return tuple(current)

    def units_of(self, subject_id: str) -> dict[str, Known | None]:
        """The units a member of staff works in, each with the assignment that says so."""
        units: dict[str, Known | None] = {}
        for known in self.current_assignments(subject_id):
            if known.fact.assignment is not None:
                units[known.fact.assignment.unit] = known
        return units

    @once
    def units(self) -> dict[str, Known | None]:
        """The subject's units: their assignments, and what the caller asserts where it may (3.1.1)."""
        units = self.units_of(self.request.subject.id)
        if "identity" in self.speaker.may_assert:
            for unit in self.request.subject.units:
                units.setdefault(unit, None)
        return units

    def rest_on_unit(self, units: Units, unit: str) -> None:
        """Note that an answer rests on the subject working in this unit."""
        known = units[unit]
        if known is not None:
            self.rest_on(known)

    # ---- grants

    @once
    def grant(self) -> Grant | None:
        """The subject's own grant that the request names, in whatever state; None in a mode that uses none."""
        context = self.request.context
        if not context.grant or context.access_mode not in self.pack.break_glass.modes:
            return None
        grant = self.tenant.grants.get(context.grant)
        if grant is None or grant.subject_id != self.request.subject.id or grant.tenant != self.tenant.tenant:
            return None
        return grant if grant.controller_id == self.controller_id else None

    @once
    def open_grant(self) -> Grant | None:
        """That grant while it opens this patient's record to the profile it was given to."""
        grant = self.grant
        if grant is None or grant.patient_id not in self.names or grant.profile != self.request.subject.profile:
            return None
        if grant.ended:  # once its end is kept, a clock that moved back does not open it again
            return None
        end = grant.until if grant.closed_at is None else min(grant.until, grant.closed_at)
        return grant if self.holds(grant.opened_at, end) else None

    # ---- settings

    def switch(self, name: str) -> bool:
        """A boolean setting of the pack. Raises KeyError or TypeError for a pack without it."""
        value = self.pack.settings[name].value
        if not isinstance(value, bool):
            raise TypeError(f"setting `{name}` is not a switch")
        return value

    def number(self, name: str) -> int:
        """A whole number among the pack's settings. Raises KeyError or TypeError for a pack without it."""
        value = self.pack.settings[name].value
        if type(value) is not int:  # a switch is none
            raise TypeError(f"setting `{name}` is not a whole number")
        return value


def _is_person(fact: Fact) -> bool:
    return fact.alias is not None and fact.alias.kind == "same_person"


def _known(fact: Fact, controller_id: str, now: int) -> Known:
    """A fact the caller asserts for this question alone, as the store would hold it."""
    start = NEVER if fact.period.from_ is None else fact.period.from_
    end = FOREVER if fact.period.to is None else fact.period.to
    as_of = now if fact.as_of is None else min(fact.as_of, now)
    return Known(replace(fact, controller_id=controller_id), fact.kind, 0, start, end, as_of)
