"""Somebody named in the care of a patient: the relation, or why there is none."""

from collections.abc import Sequence

from msgspec import structs

from sidecar.core.model import Period, Relation
from sidecar.facts.feeds import periods
from sidecar.facts.feeds.reading import Feed, Told
from sidecar.facts.feeds.resources import FhirPeriod

TEAM = "REL_TEAM"
NOT_STAFF = frozenset({"Patient", "RelatedPerson", "Organization", "CareTeam", "Device", "Group"})

NO_UNIT = "no unit: no organisation, or a legal entity"
NOBODY = "a person nothing identifies for sure"
NO_PATIENT = "a patient these files do not identify"


def member(
    told: Told,
    name: str,
    relation: Relation,
    kind: str,
    stated: FhirPeriod | None,
    whole: Period,
    feed: Feed,
    absent: Sequence[Period] = (),
) -> None:
    """A practitioner is named in the care of a patient, for what their own period and the whole one share.

    `kind` is the type of what the reference points at. `absent`: when nobody cared. Raises ValueError.
    """
    if kind in NOT_STAFF:
        told.skip("not a named professional", kind, lost=False)
        return
    if not relation.subject_id:
        told.skip(NOBODY, kind)
        return
    shared = periods.within(periods.period(stated, feed.zone), whole)
    spells = periods.without(shared, absent) if shared is not None else []
    if not spells:
        told.skip("a part outside the period of the whole", lost=False)
    for n, spell in enumerate(spells):
        fact = told.blank(told.name_for(name) if n else name, spell)
        told.facts.append(structs.replace(fact, relation=relation))


def unit_named(unit: str, feed: Feed) -> str:
    """The unit as the record system names it."""
    return feed.units.get(unit, unit)
