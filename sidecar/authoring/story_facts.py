"""What a story knows, in memory, as the snapshots a decision is taken from."""

from collections.abc import Iterable

from sidecar.authoring.story import Story
from sidecar.core.bundle import FOREVER, NEVER, PatientFacts, Snapshot, TenantFacts
from sidecar.core.model import Caller, Fact, Grant, Known, Watermark


class StoryFacts:
    """The facts, watermarks and grants of a story, by tenant; later versions replace earlier ones.

    A fact that does not state its `as_of`, and the watermarks of the kinds the story calls complete, are at
    the instant of each snapshot.
    """

    def __init__(self, story: Story) -> None:
        self._complete = story.complete
        self._required = story.required()
        self._facts: dict[tuple[str, str, str, str], tuple[Fact, int]] = {}  # by tenant, controller, source, id
        self._marks: dict[tuple[str, str, str, str], int] = {}  # by tenant, controller, source, kind
        self._grants: dict[str, Grant] = {}
        self._seq = 0
        self.write(story.caller.tenant, story.facts)

    def write(self, tenant: str, facts: Iterable[Fact]) -> None:
        """Make these facts known from now on."""
        self._seq += 1
        for fact in facts:
            self._facts[tenant, fact.controller_id, fact.source, fact.id] = (fact, self._seq)

    def mark(self, caller: Caller, mark: Watermark) -> None:
        """Note that a source has told everything of these kinds, to the caller's controllers where it names none."""
        for controller in [mark.controller_id] if mark.controller_id else caller.controllers:
            for kind in mark.kinds:
                self._marks[caller.tenant, controller, mark.source, kind] = mark.complete_until

    def grant(self, grant_id: str) -> Grant | None:
        """The grant of this id."""
        return self._grants.get(grant_id)

    def keep(self, grant: Grant) -> None:
        """Keep a grant, opened or closed."""
        self._seq += 1
        self._grants[grant.id] = grant

    def snapshot(self, tenant: str, controller_id: str, patient_id: str, now: int) -> Snapshot:
        """What is known at `now` for a question about this patient; an empty `patient_id` gives an empty bundle."""
        known = [_known(fact, seq, now) for key, (fact, seq) in self._facts.items() if key[0] == tenant]
        own = [item for item in known if item.fact.controller_id == controller_id]
        return Snapshot(self._tenant(tenant, controller_id, known, now), self._patient(own, controller_id, patient_id))

    def _tenant(self, tenant: str, controller_id: str, known: list[Known], now: int) -> TenantFacts:
        marks = {key[1:]: until for key, until in self._marks.items() if key[0] == tenant}
        marks |= {(controller_id, name, kind): now for kind in self._complete for name in self._required[kind]}
        grants = {name: grant for name, grant in self._grants.items() if grant.tenant == tenant}
        opened: dict[tuple[str, str], tuple[Grant, ...]] = {}
        for grant in grants.values():
            if grant.open_at(now):
                key = (grant.subject_id, grant.patient_id)
                opened[key] = (*opened.get(key, ()), grant)
        return TenantFacts(
            tenant=tenant,
            seq=self._seq,
            assignments=_by("assignment", "subject_id", known),
            delegations=_by("delegation", "to_subject_id", known),
            contracts=_by("contract", "provider_id", known),
            refs=_by("relation", "ref", known),
            grants=grants,
            open_grants=opened,
            watermarks=marks,
            required=self._required,
        )

    def _patient(self, known: list[Known], controller_id: str, patient_id: str) -> PatientFacts:
        if not patient_id:
            return PatientFacts("", controller_id, self._seq)
        names = _names(patient_id, known)
        kinds: dict[str, list[Known]] = {}
        for item in known:
            if names & _told_of(item):
                kinds.setdefault(item.kind, []).append(item)
        aliases = kinds.get("alias", [])
        return PatientFacts(
            patient_id=patient_id,
            controller_id=controller_id,
            seq=self._seq,
            stays=tuple(kinds.get("stay", ())),
            relations=tuple(kinds.get("relation", ())),
            directives=tuple(kinds.get("directive", ())),
            record_states=tuple(kinds.get("record_state", ())),
            aliases=tuple(item for item in aliases if _joins_names(item)),
            persons=tuple(item for item in aliases if not _joins_names(item)),
            calls=tuple(kinds.get("call", ())),
        )


def _known(fact: Fact, seq: int, now: int) -> Known:
    period = fact.period
    return Known(
        fact=fact,
        kind=fact.kind,
        seq=seq,
        start=NEVER if period.from_ is None else period.from_,
        end=FOREVER if period.to is None else period.to,
        as_of=now if fact.as_of is None else min(fact.as_of, now),
    )


def _by(kind: str, name: str, known: list[Known]) -> dict[str, tuple[Known, ...]]:
    """The facts of one kind, by the value of a field of theirs that is not empty."""
    held: dict[str, tuple[Known, ...]] = {}
    for item in known:
        value = getattr(getattr(item.fact, kind), name) if item.kind == kind else ""
        if value:
            held[value] = (*held.get(value, ()), item)
    return held


def _joins_names(item: Known) -> bool:
    """Whether an alias fact is about two names of a patient, and not about a patient who is also a subject."""
    alias = item.fact.alias
    return alias is not None and alias.kind != "same_person"


def _told_of(item: Known) -> set[str]:
    """The patient names a fact is about."""
    alias = item.fact.alias
    if alias is not None and _joins_names(item):
        return {alias.patient_id, alias.other_id}
    return {item.fact.patient_id} - {""}


def _names(patient_id: str, known: list[Known]) -> set[str]:
    """Every name reachable from this one by merges and unmerges of any time."""
    joined = [_told_of(item) for item in known if _joins_names(item)]
    names = {patient_id}
    while grown := {name for pair in joined if pair & names for name in pair} - names:
        names |= grown
    return names
