"""Compositions and document references as what the record system would send of the document with a question.

It is no fact: the record system says it of each object it asks about. An absent value is not known, never none: where
the export carries no label, whether the document is sensitive is not said here either.
"""

from sidecar.core.model import Resource
from sidecar.facts.feeds import codes, periods
from sidecar.facts.feeds.codes import codings, short, word
from sidecar.facts.feeds.directory import Directory
from sidecar.facts.feeds.people import NO_PATIENT, unit_named
from sidecar.facts.feeds.reading import Feed, Told
from sidecar.facts.feeds.resources import Coding, Composition, DocumentReference, Reference

VISIBILITY, CONFIDENTIALITY = "TRE_A07", "v3-Confidentiality"
# TRE_A07-StatutVisibiliteDocument 1.1.0
HIDDEN = frozenset({"INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX", "MASQUE_PS", "MASQUE_PSOCIAL", "MASQUE_PT"})
# HL7 v3-Confidentiality: up to normal, and above.
ORDINARY, RESTRICTED = frozenset({"U", "L", "M", "N"}), frozenset({"R", "V"})
# FHIR R4 CompositionStatus, DocumentReferenceStatus and its docStatus. A replaced version is read like the new one.
LIFECYCLES = {
    "preliminary": "brouillon",
    "final": "actif",
    "amended": "actif",
    "current": "actif",
    "superseded": "actif",
    "entered-in-error": "invalide",
}


def document(told: Told, resource: Composition | DocumentReference, feed: Feed, directory: Directory) -> None:
    """The document as `told.document`. Raises ValueError for an unusable date."""
    patient_id = directory.patient(resource.subject)
    if not patient_id:
        told.skip(NO_PATIENT, lost=False)
        return
    concepts = (resource.type, *resource.category)
    category = codes.first_word(concepts, feed.categories)
    if not category:
        told.skip("no category for this type of document", codes.named(concepts), lost=False)
        return
    labels = _labels(resource)
    people = [reference for reference in resource.author if directory.practitioner(reference)]
    author = people[0] if people else None
    told.document = Resource(
        category,
        patient_id,
        resource.resource_type,
        told.name.partition("/")[2],
        _tags(labels, feed) if labels else None,
        directory.practitioner(author),
        directory.structure(resource.custodian),
        periods.start(resource.date, feed.zone) if resource.date else None,
        _unit(author, resource, feed, directory),
        _stay(resource, directory),
        tuple(label.code for label in labels if label.code in HIDDEN) if labels else None,
        lifecycle=_lifecycle(resource),
    )


def _labels(resource: Composition | DocumentReference) -> list[Coding]:
    """The security labels; a Composition has one, its confidentiality."""
    if isinstance(resource, Composition):
        return [Coding(CONFIDENTIALITY, resource.confidentiality)] if resource.confidentiality else []
    return list(codings(resource.security_label))


def _tags(labels: list[Coding], feed: Feed) -> tuple[str, ...]:
    """The sensitive tags. A label that nothing maps stays as it is: a tag the pack does not know is sensitive too."""
    tags = []
    for label in labels:
        system = short(label.system)
        # Published French examples label confidentiality under the address of TRE_A07.
        if system in (CONFIDENTIALITY, VISIBILITY) and label.code in ORDINARY:
            continue
        if system == VISIBILITY and label.code in HIDDEN:
            continue
        if label.code in RESTRICTED and system == VISIBILITY:
            system = CONFIDENTIALITY
        tags.append(word(label, feed.tags) or f"{system}|{label.code}")
    return tuple(dict.fromkeys(tags))


def _unit(author: Reference | None, resource: Composition | DocumentReference, feed: Feed, directory: Directory) -> str:
    """The unit that made it: where its author writes, else who keeps it."""
    unit = directory.unit(directory.organization_of(author)) or directory.unit(resource.custodian)
    return unit_named(unit, feed)


def _stay(resource: Composition | DocumentReference, directory: Directory) -> str:
    """The stay it was made in; empty when there are several."""
    if isinstance(resource, Composition):
        return directory.stay(resource.encounter)
    stays = {directory.stay(reference) for reference in resource.context.encounter}
    return stays.pop() if len(stays) == 1 else ""


def _lifecycle(resource: Composition | DocumentReference) -> str | None:
    """Draft, valid, replaced or wrong; None for a status that says none of these."""
    status = LIFECYCLES.get(resource.status)
    if status == "actif" and isinstance(resource, DocumentReference):
        return LIFECYCLES.get(resource.doc_status, status)
    return status
