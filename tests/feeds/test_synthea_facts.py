"""Real bundles: the facts of an import agree with an independent reading of the same files."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from msgspec import structs

from sidecar.core import instants
from sidecar.core.model import ALWAYS, Fact
from sidecar.facts.feeds.writes import Report, Write
from tests.feeds import independent
from tests.feeds.hospital_by_hand import FAMILY_DOCTOR, FEED, imported, repository_data

SEED = 20240601
SETS = ("small", "worcester", "bordeaux")
SYNTHEA = structs.replace(FEED, profiles=FAMILY_DOCTOR)


def files(name: str) -> list[Path]:
    return sorted((repository_data("fhir-synthea") / name).iterdir())


@cache
def import_of(name: str) -> tuple[list[Write], Report]:
    return imported(*files(name), feed=SYNTHEA)


def facts_of(name: str) -> list[Fact]:
    return [fact for write in import_of(name)[0] for fact in write.facts]


class Ties:
    """Who is tied to whom and when, by the facts alone: named in the care, or working in the unit of an open stay."""

    def __init__(self, facts: list[Fact]) -> None:
        self.named: dict[tuple[str, str], list[Fact]] = {}
        self.stays: dict[tuple[str, str], list[Fact]] = {}
        self.posts: dict[str, list[Fact]] = {}
        for fact in facts:
            if fact.relation is not None:
                self.named.setdefault((fact.relation.subject_id, fact.relation.patient_id), []).append(fact)
            elif fact.stay is not None:
                self.stays.setdefault((fact.stay.unit, fact.stay.patient_id), []).append(fact)
            elif fact.assignment is not None:
                self.posts.setdefault(fact.assignment.subject_id, []).append(fact)

    def tied(self, practitioner: str, patient: str, instant: int) -> bool:
        if any(holds(fact, instant) for fact in self.named.get((practitioner, patient), ())):
            return True
        units = {fact.assignment.unit for fact in self.posts.get(practitioner, ()) if holds(fact, instant)}
        return any(holds(fact, instant) for unit in units for fact in self.stays.get((unit, patient), ()))


def holds(fact: Fact, instant: int) -> bool:
    start, end = fact.period.from_, fact.period.to
    return (start is None or start <= instant) and (end is None or instant < end)


def wrong(ties: Ties, told: independent.Bundles) -> Counter:
    """Disagreements over 2 000 questions, by what the independent reading says."""
    counted: Counter = Counter()
    for practitioner, patient, moment in independent.sample(told, 2000, SEED):
        where = told.where(practitioner, patient, moment)
        tied = ties.tied(practitioner, patient, instants.of(moment))
        counted[f"wrong {where}"] += tied != (where == "inside")
        counted[where] += 1
    return counted


@pytest.mark.parametrize("name", SETS)
def test_facts_tie_a_practitioner_to_a_patient_exactly_while_an_independent_reading_does(name: str):
    counted = wrong(Ties(facts_of(name)), independent.read(files(name)))
    assert min(counted["inside"], counted["between"], counted["outside"]) > 100, "the questions fall on every side"
    assert counted["wrong inside"] + counted["wrong between"] + counted["wrong outside"] == 0


def test_an_import_that_forgot_when_care_ends_would_be_caught():
    """The twin: the same facts without their periods."""
    endless = [structs.replace(fact, period=ALWAYS) for fact in facts_of("small")]
    assert wrong(Ties(endless), independent.read(files("small")))["wrong outside"] > 0


def test_every_encounter_team_and_role_of_the_city_is_taken_or_said():
    writes, report = import_of("worcester")
    assert report.facts["stay"] == report.resources["Encounter"] == 15_915
    assert report.facts["relation"] == 15_915 + 418, "one practitioner an encounter, one an active team"
    assert report.facts["record_state"] == report.resources["Patient"] == 227
    assert report.facts["assignment"] == report.resources["PractitionerRole"] == 79
    assert report.taken_back == report.skipped["CareTeam", "status inactive"] == 367
    assert report.vouched == ("assignment", "record_state", "relation", "stay")
    assert sum(len(write.facts) for write in writes) == sum(report.facts.values())
    deaths = [fact for write in writes for fact in write.facts if fact.record_state and fact.record_state.death_date]
    assert len(deaths) == 27
