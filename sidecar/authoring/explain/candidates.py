"""What might make a word answer otherwise: changes of one thing, worth trying. None is told before it was tried."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from msgspec.structs import replace

from sidecar.authoring.explain import behind
from sidecar.authoring.explain.changes import Change
from sidecar.authoring.explain.walk import Asked, Key
from sidecar.core.model import (
    Assignment,
    Authentication,
    Body,
    Contract,
    Delegation,
    Device,
    Fact,
    Known,
    Period,
    Relation,
    Scope,
    Stay,
    Watermark,
)
from sidecar.core.pack import Pack
from sidecar.core.vocabulary import REFERENCES

MOST = 4  # units, people or references of each kind that are tried
NAME = "explained"  # source and id of a fact that is only tried


class Scene:
    """A question, and what the candidates are made from: who, where, when."""

    def __init__(self, asked: Asked, pack: Pack) -> None:
        self.asked, self.pack = asked, pack
        self.request, self.now = asked.request, asked.now
        self.subject, self.resource = asked.request.subject, asked.request.resource
        self.patient = self.resource.patient_id

    def fact(self, body: Body, kind: str) -> Change:
        """A fact of this kind, in force from now on."""
        bare = Fact(NAME, NAME, self.asked.controller_id, period=Period(self.now))
        return Change("fact", fact=replace(bare, **{kind: body}))

    def related(self, kind: str, **more: object) -> Iterator[Change]:
        """A relation of this kind to the patient; nothing where the pack tells no such facts."""
        window = self.pack.vocabulary.relations.get(kind)
        if window is not None and not window.derived:
            yield self.fact(replace(Relation(kind, self.patient), **more), "relation")

    def stays(self) -> list[Known]:
        """The patient's active stays that are open now."""
        patient = self.asked.snapshot.patient
        return [
            known
            for known in (patient.stays if patient is not None else ())
            if known.fact.stay is not None
            and known.fact.stay.status == "active"
            and known.start <= self.now < known.end
        ][:MOST]

    def stay_units(self) -> list[str]:
        """The units the patient is in."""
        return list(dict.fromkeys(known.fact.stay.unit for known in self.stays() if known.fact.stay is not None))

    def units(self, subject_id: str = "") -> list[str]:
        """The units of a person: assigned, and for who asks those the request says."""
        found = [] if subject_id else list(self.subject.units)
        for known in self.asked.snapshot.tenant.assignments.get(subject_id or self.subject.id, ()):
            if known.fact.assignment is not None and known.start <= self.now < known.end:
                found.append(known.fact.assignment.unit)
        return list(dict.fromkeys(found))[:MOST]

    def colleagues(self) -> list[str]:
        """Those who work in the patient's units now."""
        where, found = set(self.stay_units()), []
        for subject_id, shelf in self.asked.snapshot.tenant.assignments.items():
            for known in shelf:
                work = known.fact.assignment
                here = work is not None and work.unit in where and not work.on_call
                if here and known.start <= self.now < known.end and subject_id != self.subject.id:
                    found.append(subject_id)
        return list(dict.fromkeys(found))[:MOST]

    def assigned(self, subject_id: str, unit: str, on_call: bool = False) -> Change:
        """An assignment of a person; of somebody else, under the profile they are known by."""
        known = self.asked.snapshot.tenant.assignments.get(subject_id, ())
        profiles = [each.fact.assignment.profile for each in known if each.fact.assignment is not None]
        profile = self.subject.profile if subject_id == self.subject.id or not profiles else profiles[0]
        return self.fact(Assignment(subject_id, unit, profile, on_call), "assignment")


Maker = Callable[[Scene, Key], Iterator[Change]]


def candidates(asked: Asked, pack: Pack, words: tuple[Key, ...], relied: tuple[Known, ...]) -> list[Change]:
    """Changes that may turn these words, each once: facts first, then feeds, facts to take away, the request.

    `relied` are the facts that bear what forbids.
    """
    scene = Scene(asked, pack)
    made = [change for word in words for change in _of_word(scene, word)]
    facts = [change for change in made if change.kind == "fact"]
    asks = [change for change in made if change.kind == "request"]
    taken = [Change("taken", fact=known.fact) for known in relied if known.seq]
    found: list[Change] = []
    for change in (*facts, *_feeds(scene), *taken, *asks):
        if change not in found:
            found.append(change)
    return found


def _of_word(scene: Scene, word: Key) -> Iterator[Change]:
    maker = MAKERS.get(f"{word.noun}.{word.word}")
    return iter(()) if maker is None else maker(scene, word)


def _feeds(scene: Scene) -> Iterator[Change]:
    """Each source that is behind, telling that it has told everything of what it is behind with."""
    asked, tenant = scene.asked, scene.asked.snapshot.tenant
    late: dict[str, set[str]] = {}
    for kind in tenant.required:
        for feed in behind.feeds(asked, scene.pack, kind):
            if feed.source and not feed.vouches:
                late.setdefault(feed.source, set()).add(kind)
    for known in behind.about(asked):
        if behind.fresh_until(known, asked, scene.pack) <= scene.now:
            late.setdefault(known.fact.source, set()).add(known.kind)
    for source, kinds in sorted(late.items()):
        mark = Watermark(source, tuple(sorted(kinds)), scene.now, asked.controller_id)
        yield Change("feed", watermark=mark)


# ---- care


def _in_care_team(scene: Scene, word: Key) -> Iterator[Change]:
    for unit in scene.stay_units():
        yield scene.assigned(scene.subject.id, unit)
    for unit in scene.units():
        yield scene.fact(Stay(scene.patient, unit, "active"), "stay")
    yield from _named_in_care(scene, word)
    for unit in scene.stay_units():
        yield Change("request", field="subject.units", value=(*scene.subject.units, unit))


def _named_in_care(scene: Scene, word: Key) -> Iterator[Change]:
    yield from scene.related("REL_TEAM", subject_id=scene.subject.id)


def _has_appointment(scene: Scene, word: Key) -> Iterator[Change]:
    yield from scene.related("REL_APPT", subject_id=scene.subject.id)


def _responsible(scene: Scene, word: Key) -> Iterator[Change]:
    for known in scene.stays():
        stay = known.fact.stay
        if stay is not None:
            yield scene.fact(Stay(scene.patient, stay.unit, "active", stay.stay_id, scene.subject.id), "stay")


def _on_call(scene: Scene, word: Key) -> Iterator[Change]:
    for unit in scene.stay_units():
        yield scene.assigned(scene.subject.id, unit, on_call=True)


def _expecting_transfer(scene: Scene, word: Key) -> Iterator[Change]:
    for unit in scene.units():
        yield scene.fact(Stay(scene.patient, unit, "planned"), "stay")


def _signed_request(scene: Scene, word: Key) -> Iterator[Change]:
    if scene.resource.id:
        scope = Scope(documents=(scene.resource.id,))
        yield from scene.related("REL_REQ", requester_id=scene.subject.id, scope=scope)


def _created_before_leaving(scene: Scene, word: Key) -> Iterator[Change]:
    patient = scene.asked.snapshot.patient
    for known in islice(patient.stays if patient is not None else (), MOST):
        yield Change("request", field="resource.created_at", value=known.start)


def _assignment(scene: Scene, word: Key) -> Iterator[Change]:
    for unit in islice(dict.fromkeys((*scene.subject.units, *scene.stay_units())), MOST):
        yield scene.assigned(scene.subject.id, unit)
    profile = scene.pack.vocabulary.profiles.get(scene.subject.profile)
    for kind in profile.kinds if profile is not None else ():
        yield Change("request", field="subject.kind", value=kind)
    yield Change("request", field="subject.units", value=tuple(scene.units(scene.subject.id)))


def _in_objects_unit(scene: Scene, word: Key) -> Iterator[Change]:
    if scene.resource.unit:
        yield scene.assigned(scene.subject.id, scene.resource.unit)
    for unit in scene.units():
        yield Change("request", field="resource.unit", value=unit)


def _delegation(scene: Scene, word: Key) -> Iterator[Change]:
    for person in scene.colleagues():
        yield scene.fact(Delegation(person, scene.subject.id, scene.patient), "delegation")


def _delegated(scene: Scene, word: Key) -> Iterator[Change]:
    yield from _delegation(scene, word)
    for known in islice(scene.asked.snapshot.tenant.delegations.get(scene.subject.id, ()), MOST):
        if known.fact.delegation is not None:
            person = known.fact.delegation.from_subject_id
            for unit in scene.stay_units():
                yield scene.assigned(person, unit)
            for unit in scene.units(person):
                yield scene.fact(Stay(scene.patient, unit, "active"), "stay")


def _senior(scene: Scene, word: Key) -> Iterator[Change]:
    senior = scene.subject.supervised_by
    if senior:
        for unit in scene.stay_units():
            yield scene.assigned(senior, unit)
    for person in scene.colleagues():
        yield Change("request", field="subject.supervised_by", value=person)


def _supervised(scene: Scene, word: Key) -> Iterator[Change]:
    supervisor = scene.subject.supervised_by
    if supervisor:
        for unit in (*scene.units(), *scene.stay_units()):
            yield scene.assigned(supervisor, unit)
    for person in islice(scene.asked.snapshot.tenant.assignments, MOST):
        yield Change("request", field="subject.supervised_by", value=person)


def _contract(scene: Scene, word: Key) -> Iterator[Change]:
    if scene.subject.structure:
        contract = Contract(scene.subject.structure, approved=True, confidentiality_signed=True)
        yield scene.fact(contract, "contract")
    yield Change("request", field="subject.confidentiality_signed", value=True)
    yield Change("request", field="subject.contract_until", value=None)
    for provider in islice(scene.asked.snapshot.tenant.contracts, MOST):
        yield Change("request", field="subject.structure", value=provider)


def _reference(scene: Scene, word: Key) -> Iterator[Change]:
    name = word.args[0][1] if word.args else "ticket"
    kind, given = REFERENCES[name], getattr(scene.request.context.refs, name)
    if given:
        yield from scene.related(kind, ref=given)
    for ref, shelf in scene.asked.snapshot.tenant.refs.items():
        if any(known.fact.relation is not None and known.fact.relation.kind == kind for known in shelf):
            yield Change("request", field=f"context.refs.{name}", value=ref)


# ---- the request


def _purpose(scene: Scene, word: Key) -> Iterator[Change]:
    return purposes(scene.asked, scene.pack)


def purposes(asked: Asked, pack: Pack) -> Iterator[Change]:
    """The same question for each purpose the profile may state."""
    profile = pack.vocabulary.profiles.get(asked.request.subject.profile)
    for purpose in profile.purposes if profile is not None else ():
        if purpose not in pack.vocabulary.denied_purposes:
            yield Change("request", field="purpose", value=purpose)


def _controller(scene: Scene, word: Key) -> Iterator[Change]:
    for controller in scene.asked.caller.controllers:
        yield Change("request", field="resource.controller_id", value=controller)


def _proof(scene: Scene, word: Key) -> Iterator[Change]:
    whole = Authentication(mfa=True, time=scene.now, idle_s=0, remote="none")
    if scene.request.authentication is None:
        yield Change("request", field="authentication", value=whole)
        return
    for name in ("mfa", "time", "idle_s", "remote"):
        yield Change("request", field=f"authentication.{name}", value=getattr(whole, name))


def _device(scene: Scene, word: Key) -> Iterator[Change]:
    whole = Device(class_="workstation", managed=True, compromised=False)
    if scene.request.device is None:
        yield Change("request", field="device", value=whole)
        return
    for name, value in (("compromised", False), ("managed", True)):
        yield Change("request", field=f"device.{name}", value=value)


def _account(scene: Scene, word: Key) -> Iterator[Change]:
    for name, value in (
        ("account_type", "nominatif"),
        ("status", "actif"),
        ("valid_from", None),
        ("valid_until", None),
    ):
        yield Change("request", field=f"subject.{name}", value=value)


def _says(field: str, value: object) -> Maker:
    """The maker of a request that says this."""

    def made(scene: Scene, word: Key) -> Iterator[Change]:
        yield Change("request", field=field, value=value)

    return made


def _author(scene: Scene, word: Key) -> Iterator[Change]:
    if not scene.resource.author:
        yield Change("request", field="resource.author", value=scene.subject.id)


def _motive(scene: Scene, word: Key) -> Iterator[Change]:
    for motive in islice(scene.pack.break_glass.motives, MOST):
        yield Change("request", field="context.motive", value=motive)


MAKERS: Mapping[str, Maker] = {
    "subject.purpose_allowed": _purpose,
    "subject.named_account": _account,
    "subject.active": _account,
    "subject.profile_held": _assignment,
    "subject.under_contract": _contract,
    "subject.in_care_team": _in_care_team,
    "subject.left_unit_less_than": _signed_request,
    "subject.responsible_for_stay": _responsible,
    "subject.on_call_here": _on_call,
    "subject.expecting_transfer": _expecting_transfer,
    "subject.has_appointment": _has_appointment,
    "subject.named_in_care": _named_in_care,
    "subject.signed_request_for": _signed_request,
    "subject.is_author": _author,
    "subject.in_establishment": _assignment,
    "subject.in_producing_unit": _in_objects_unit,
    "subject.in_tag_unit": _in_objects_unit,
    "subject.delegation_covers": _delegation,
    "subject.delegated_for": _delegated,
    "subject.senior_in_team": _senior,
    "subject.supervised": _supervised,
    "authentication.present": _proof,
    "authentication.mfa": _proof,
    "authentication.idle_within_limit": _proof,
    "authentication.younger_than": _proof,
    "authentication.remote_without_channel": _proof,
    "device.compromised": _device,
    "device.managed": _device,
    "caller.acts_for": _controller,
    "resource.expired": _says("resource.lifecycle", "actif"),
    "resource.archived": _says("resource.lifecycle", "actif"),
    "resource.frozen": _says("resource.lifecycle", "actif"),
    "resource.invalidated": _says("resource.lifecycle", "actif"),
    "resource.draft": _says("resource.lifecycle", "brouillon"),
    "resource.created_before_leaving": _created_before_leaving,
    "resource.sensitive": _says("resource.tags", ()),
    "resource.tagged": _says("resource.tags", ()),
    "resource.only_tagged": _says("resource.tags", ()),
    "resource.masked_for_subject": _says("resource.masked_for", ()),
    "context.motive_given": _motive,
    "context.justified": _motive,
    "context.ticket_open": _reference,
    "context.has_ref": _reference,
    "context.touches_workstation": _says("context.workstation", "none"),
    "context.user_agreed": _says("context.user_agreement", True),
}
