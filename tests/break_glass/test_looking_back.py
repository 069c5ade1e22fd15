"""What is counted of emergencies, and which relation would have avoided one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from sidecar.core.emergencies import PressureQuery
from sidecar.core.instants import DAY
from sidecar.core.model import Assignment, Effect, Fact, Period, Relation
from sidecar.core.pressure import Emergency, Missing, pressure
from sidecar.core.reading import GrantTotals
from sidecar.core.record import Checked
from sidecar.emergencies import Emergencies
from sidecar.emergency_counts import EmergencyCounts
from sidecar.errors import InvalidRequest, NotFound
from sidecar.metrics import Metrics
from tests.break_glass.rooms import (
    CONTROLLER,
    HOUR,
    MINUTE,
    NIGHT,
    OTHER,
    REVIEW,
    SECOND,
    SOURCE,
    START,
    TENANT,
    InForce,
    Rooms,
    a_hospital,
    a_report,
    hospital,
    stay_of,
)


@pytest.fixture
def rooms(tmp_path: Path) -> Iterator[Rooms]:
    rooms = Rooms(tmp_path)
    rooms.write(*a_hospital(), complete=True)
    rooms.real += MINUTE
    yield rooms
    rooms.close()


def looking(rooms: Rooms) -> Emergencies:
    return Emergencies(InForce(hospital()), rooms.facts, rooms.ledger, lambda: rooms.now)


def relations(rooms: Rooms) -> tuple[tuple[str, int], ...]:
    [unit] = looking(rooms).pressure(REVIEW, PressureQuery(end=rooms.now + 1)).units
    return unit.relations


def later(rooms: Rooms, *facts: Fact) -> None:
    """Facts that arrive ten minutes after the opening."""
    rooms.real += 10 * MINUTE
    rooms.write(*facts)


ALL_NIGHT = Period(START - HOUR, START + 8 * HOUR)
LATE = {
    "REL_ENC": (Fact("s-late", SOURCE, period=ALL_NIGHT, stay=stay_of("P1", "UF-SAU").stay),),
    "REL_GARDE": (Fact("g", SOURCE, period=ALL_NIGHT, assignment=Assignment("dr-nuit", "UF-CARD", "medecin", True)),),
    "REL_APPT": (Fact("rdv", SOURCE, period=ALL_NIGHT, relation=Relation("REL_APPT", "P1", "dr-nuit")),),
    "REL_REQ": (Fact("dem", SOURCE, period=ALL_NIGHT, relation=Relation("REL_REQ", "P1", unit="UF-SAU")),),
    "REL_TEAM": (Fact("eq", SOURCE, period=ALL_NIGHT, relation=Relation("REL_TEAM", "P1", "dr-nuit")),),
}


@pytest.mark.parametrize("kind", LATE)
def test_a_relation_that_a_feed_told_too_late_is_the_one_that_would_have_avoided_it(rooms: Rooms, kind: str) -> None:
    rooms.break_glass(NIGHT, "P1", "URGENCE_VITALE")
    assert relations(rooms) == ()
    later(rooms, *LATE[kind])
    assert relations(rooms) == ((kind, 1),)
    [unit] = looking(rooms).pressure(REVIEW, PressureQuery(end=rooms.now)).units
    assert unit.known == 1


def test_a_relation_that_began_after_the_opening_would_have_avoided_nothing(rooms: Rooms) -> None:
    rooms.break_glass(NIGHT, "P1", "URGENCE_VITALE")
    fact = replace(LATE["REL_TEAM"][0], period=Period(rooms.now + MINUTE, None))
    later(rooms, fact)
    assert relations(rooms) == ()


def test_a_relation_that_was_known_by_then_is_not_what_was_missing(rooms: Rooms) -> None:
    rooms.write(*LATE["REL_APPT"])
    rooms.real += MINUTE
    rooms.break_glass(NIGHT, "P1", "URGENCE_VITALE")
    later(rooms)
    assert relations(rooms) == ()


def test_without_a_fact_the_motive_says_what_was_missing_and_that_is_no_proof(rooms: Rooms) -> None:
    rooms.break_glass(NIGHT, "P1", "AVIS_URGENT")
    later(rooms)
    [unit] = looking(rooms).pressure(REVIEW, PressureQuery(end=rooms.now)).units
    assert (unit.relations, unit.known, unit.motives) == ((("REL_REQ", 1),), 0, (("AVIS_URGENT", 1),))


def test_the_unit_that_better_feeds_would_relieve_most_stands_first() -> None:
    missed = Missing("REL_ENC", known=True)
    opened = [Emergency("A", "m")] * 5 + [Emergency("B", "m", missed)] * 2 + [Emergency("B", "n")]
    first, second = pressure(opened, START, START + 14 * DAY)
    assert (first.unit, first.openings, first.per_week, first.index) == ("B", 3, 1.5, 1.0)
    assert (second.unit, second.openings, second.per_week, second.index) == ("A", 5, 2.5, 0.0)
    assert first.motives == (("m", 2), ("n", 1))


def test_what_was_asked_under_a_grant_is_shown_and_nothing_else(rooms: Rooms) -> None:
    grant = rooms.break_glass(NIGHT, "P1").id
    other = rooms.break_glass(OTHER, "P1").id
    rooms.real += MINUTE
    rooms.check(NIGHT, a_report("P1"), grant)
    rooms.check(NIGHT, a_report("P2"), grant)
    rooms.check(OTHER, a_report("P1"), other)
    found = looking(rooms).accesses(REVIEW, grant, 0)
    assert [(each.action, each.category, each.object, each.effect) for each in found.accesses] == [
        ("read", "cr", "doc-P1", Effect.PERMIT),
        ("read", "cr", "doc-P2", Effect.DENY),
    ]
    assert found.total == 2
    assert len(looking(rooms).accesses(REVIEW, grant, 1).accesses) == 1
    rooms.real += 100 * DAY
    assert looking(rooms).accesses(REVIEW, grant, 0).total == 2, "found by its time, however long ago"


def test_another_controller_s_grants_are_not_there(rooms: Rooms) -> None:
    grant = rooms.break_glass(NIGHT, "P1").id
    stranger = replace(REVIEW, controllers=("330000999",))
    with pytest.raises(NotFound):
        looking(rooms).accesses(stranger, grant, 0)
    rooms.real += MINUTE
    assert looking(rooms).pressure(stranger, PressureQuery()).grants == 0


def test_a_period_is_no_longer_than_a_year_and_ends_after_it_begins(rooms: Rooms) -> None:
    for start, end in ((2 * DAY, DAY), (0, 371 * DAY), (5, 5)):
        with pytest.raises(InvalidRequest):
            looking(rooms).pressure(REVIEW, PressureQuery(start=start, end=end))


def test_a_profile_is_told_what_its_emergency_asks_for_and_who_will_know(rooms: Rooms) -> None:
    told = looking(rooms).describe("medecin", "fr")
    assert told.eligible
    assert "cr" in told.categories
    assert "espace_personnel" not in told.categories
    assert {each.code: each.at_least for each in told.motives}["AUTRE"] == 20
    assert ("patient", "le patient") in [(each.audience, each.text) for each in told.told]
    assert not looking(rooms).describe("maintenance", "fr").eligible
    assert looking(rooms).describe("", "en").names["motives.AUTRE"]


# ---- metrics


def value(metrics: Metrics, name: str, **labels: str) -> float:
    found = metrics.registry.get_sample_value(name, labels)
    return 0.0 if found is None else found


def refusal(rooms: Rooms, patient: str = "P1") -> Checked:
    """A refusal that was given just now."""
    found = rooms.check(NIGHT, a_report(patient), "")
    return rooms.ledger.find(TENANT, found.decision_id).checked


def test_an_emergency_that_follows_a_refusal_within_two_minutes_is_counted_as_such(rooms: Rooms) -> None:
    for waited, soon in ((119 * SECOND, 1), (121 * SECOND, 0)):
        metrics = Metrics()
        rooms.real += MINUTE
        counts = EmergencyCounts(metrics, {"urgences": ["UF-SAU"]}, rooms.now)
        counts.refused(refusal(rooms), rooms.now)
        rooms.real += waited
        rooms.break_glass(NIGHT, "P1")
        rooms.break_glass(OTHER, "P1")
        for _ in range(2):
            counts.look(rooms.facts.tenant_facts(TENANT))
        assert value(metrics, "sidecar_break_glass_after_refusal_total", unit_group="urgences") == soon
        labels = {"motive": "AVIS_URGENT", "unit_group": "urgences"}
        assert value(metrics, "sidecar_break_glass_opened_total", **labels) == 2


def test_refusals_are_remembered_up_to_a_bound_and_the_oldest_is_forgotten(rooms: Rooms) -> None:
    metrics = Metrics()
    counts = EmergencyCounts(metrics, {}, rooms.now, remembered=1)
    for patient in ("P1", "P2"):
        counts.refused(refusal(rooms, patient), rooms.now)
        rooms.break_glass(NIGHT, patient)
        rooms.real += SECOND
    counts.look(rooms.facts.tenant_facts(TENANT))
    assert len(counts._refusals) == 0
    assert value(metrics, "sidecar_break_glass_after_refusal_total", unit_group="other") == 1


def test_what_stands_is_said_for_all_tenants_together(rooms: Rooms) -> None:
    metrics = Metrics()
    counts = EmergencyCounts(metrics, {}, rooms.now)
    old, new = rooms.now - DAY, rooms.now - HOUR
    counts.stand([GrantTotals(1, 2, 1, 5, 2, old), GrantTotals(2, 1, 0, 1, 0, new), GrantTotals()], rooms.now)
    assert value(metrics, "sidecar_break_glass_active") == 3
    assert value(metrics, "sidecar_break_glass_unreviewed") == 3
    assert value(metrics, "sidecar_break_glass_overdue") == 1
    assert value(metrics, "sidecar_break_glass_oldest_unreviewed_age_seconds") == 86_400
    assert value(metrics, "sidecar_notices_pending") == 6
    assert value(metrics, "sidecar_notices_overdue") == 2
    assert rooms.facts.grants.totals(TENANT, (CONTROLLER,), rooms.now) == GrantTotals()
