"""FHIR R4 files, resource by resource: `read` gives the facts of each, and says what it skipped and why.

The files are read twice: once for who and what everything is, once for the facts. Memory holds one document at a
time, and the directory of people and places.
"""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from pathlib import Path

import msgspec

from sidecar.facts.feeds import periods
from sidecar.facts.feeds.directory import Directory
from sidecar.facts.feeds.files import Consumed, Part, Unreadable, parts, size
from sidecar.facts.feeds.mapping import take
from sidecar.facts.feeds.reading import Feed, Reading, Skipped, Told
from sidecar.facts.feeds.resources import (
    DECODERS,
    HEADER,
    POINTED,
    READ,
    RESULT,
    RESULTS,
    Encounter,
    Identifier,
    Resource,
    ServiceRequest,
)
from sidecar.facts.feeds.stays import VOID

UNREADABLE = "cannot be read"  # why a piece of a file was skipped that nothing could be made of


def unwatched(_: int) -> None:
    """For an import whose progress nobody watches."""


def work(paths: Sequence[Path]) -> int:
    """How many bytes `read` tells `consumed` in all. Raises InputFault for a file that cannot be opened."""
    return 2 * size(paths)


def read(paths: Sequence[Path], feed: Feed, consumed: Consumed = unwatched) -> Iterator[Reading]:
    """What each resource of these files says, in their order; faults among them, with file and line.

    `consumed` is told the bytes read since it was last called. Raises InputFault, before anything else, for a file
    that cannot be opened.
    """
    size(paths)
    directory = _directory(paths, feed, consumed)
    for path in paths:
        for part in parts(path, consumed):
            yield _reading(part, feed, directory)


def _directory(paths: Sequence[Path], feed: Feed, consumed: Consumed) -> Directory:
    """Who and what the files speak of. Faults are left to the second reading, which reports them."""
    directory = Directory(feed.patient_systems, feed.practitioner_systems)
    encounters: list[tuple[Encounter, int]] = []
    for path in paths:
        for part in parts(path, consumed):
            if isinstance(part, Unreadable):
                continue
            resource = _pointed_at(part, directory)
            if isinstance(resource, Encounter):
                directory.numbered(resource, part.full_url)
                if (instant := _last_instant(resource, feed.zone)) is not None:
                    encounters.append((Encounter(subject=resource.subject), instant))
            elif resource is not None:
                directory.add(resource, part.full_url)
    # Not before the end: an export that sorts by type tells encounters before their patients.
    for encounter, instant in encounters:
        directory.cared(encounter, instant)
    directory.answers.settle(directory.patient)
    return directory


def _pointed_at(part: Part, directory: Directory) -> Resource | None:
    """A resource that others point at, or None for one that is malformed or of another type."""
    try:
        header = HEADER.decode(part.raw)
        if header.resource_type in POINTED:
            return DECODERS[header.resource_type].decode(part.raw)
        _asked_or_answered(header.resource_type, part, directory)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    directory.called(header, part.full_url)
    return None


def _asked_or_answered(kind: str, part: Part, directory: Directory) -> None:
    """Remember a request, or what may answer one. Raises msgspec.DecodeError or UnicodeDecodeError."""
    if kind in RESULTS:
        result = RESULT.decode(part.raw)
        directory.answers.given(_name(result, part.full_url).partition("/")[2], result)
    elif kind == "ServiceRequest":
        request = DECODERS[kind].decode(part.raw)
        if isinstance(request, ServiceRequest):
            directory.answers.asked(_name(request, part.full_url), request, part.full_url)


def _last_instant(encounter: Encounter, zone: tzinfo) -> int | None:
    """The end of an encounter that took place, its start while it lasts; None when there is none to be had."""
    if encounter.status in VOID or encounter.status == "planned":
        return None
    try:
        stated = periods.period(encounter.period, zone)
    except ValueError:
        return None
    return stated.from_ if stated.to is None else stated.to


def _reading(part: Part | Unreadable, feed: Feed, directory: Directory) -> Reading:
    """What one part of a file says."""
    if isinstance(part, Unreadable):
        return Reading(part.where, "", skipped=(Skipped(UNREADABLE, part.what),))
    kind = ""
    try:
        kind = HEADER.decode(part.raw).resource_type
        if kind not in READ:
            known = Skipped("not a type facts are made of", lost=False)
            return Reading(part.where, kind, skipped=(known if kind else Skipped("no resourceType: not FHIR"),))
        resource = DECODERS[kind].decode(part.raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Reading(part.where, kind, skipped=(Skipped("malformed", str(error)),))
    told = Told(feed, _name(resource, part.full_url))
    if not told.name:
        return told.nothing(part.where, kind, "no id and no identifier", "it could not be found again")
    try:
        take(told, resource, feed, directory)
    except ValueError as error:
        return told.nothing(part.where, kind, "a date or period that cannot be used", str(error))
    return told.reading(part.where, kind)


def _name(resource: Resource, full_url: str) -> str:
    """The identity of a resource, the same at every import: its id, its URN or its first identifier; or empty."""
    stated: tuple[Identifier, ...] | Identifier | None = getattr(resource, "identifier", None)
    identifiers = (stated,) if isinstance(stated, Identifier) else stated or ()
    first = next((identifier.key for identifier in identifiers if identifier.value), "")
    identity = resource.id or full_url.removeprefix("urn:uuid:") or first
    return f"{resource.resource_type}/{identity}" if identity else ""
