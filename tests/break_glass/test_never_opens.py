"""What an open grant never opens: each asked under one that does open the patient's report."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from sidecar.core.instants import DAY
from sidecar.core.model import Alias, Directive, Effect, Fact, Opening, RecordState, Resource, Subject, Target
from tests.break_glass.rooms import (
    DPI,
    HOUR,
    NIGHT,
    SOURCE,
    START,
    WORKSTATION,
    Rooms,
    a_hospital,
    a_report,
    a_subject,
    mask_of,
)

WHY = "équipe du service non joignable"


@pytest.fixture
def rooms(tmp_path: Path) -> Iterator[Rooms]:
    running = Rooms(tmp_path)
    running.write(*a_hospital(), complete=True)
    yield running
    running.close()


def refused(rooms: Rooms, grant: str, resource: Resource, action: str = "read", subject: Subject = NIGHT) -> str:
    """The reason of a refusal under a grant that does open the report."""
    assert rooms.check(NIGHT, a_report("P1"), grant).decision.effect is Effect.PERMIT
    decision = rooms.check(subject, resource, grant, action).decision
    assert decision.effect is Effect.DENY
    return decision.reason


@pytest.mark.parametrize(
    ("resource", "action", "reason"),
    [
        (a_report("P2"), "read", "BREAK_GLASS_SCOPE"),
        (a_report("P1", "espace_personnel"), "read", "PROFILE_CATEGORY"),
        (a_report("P1", "secrets_patient"), "read", "PROFILE_CATEGORY"),
        (a_report("P1", tags=("notes_personnelles",)), "read", "BREAK_GLASS_SCOPE"),
        (a_report("P1", tags=("genetique",)), "read", "BREAK_GLASS_SCOPE"),
        (a_report("P1", tags=("psy",)), "read", "BREAK_GLASS_SCOPE"),
        (a_report("P1", masked_for=("tous",)), "read", "NOT_AVAILABLE"),
        (a_report("P1"), "print", "NO_RELATIONSHIP"),
        (a_report("P1"), "export", "PROFILE_CATEGORY"),
        (a_report("P1"), "delete", "DELETE_FORBIDDEN"),
        (a_report("P1"), "update", "NO_RELATIONSHIP"),
        (a_report("P1"), "sign", "NO_RELATIONSHIP"),
        (a_report("P1", lifecycle="expire"), "read", "RECORD_EXPIRED"),
        (a_report("P1", lifecycle="gele"), "create", "RECORD_FROZEN"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.patient_id} {value.category}{value.tags or ''}",
)
def test_a_grant_does_not_open(rooms: Rooms, resource: Resource, action: str, reason: str) -> None:
    assert refused(rooms, rooms.break_glass(NIGHT, "P1").id, resource, action) == reason


def test_a_grant_opens_nothing_to_somebody_else_nor_to_the_same_person_under_another_profile(rooms: Rooms) -> None:
    grant = rooms.break_glass(NIGHT, "P1").id
    for subject in (a_subject("dr-autre"), replace(NIGHT, profile="infirmier")):
        assert refused(rooms, grant, a_report("P1"), subject=subject) == "NO_RELATIONSHIP"


def test_a_mask_or_a_block_told_while_a_grant_is_open_shuts_what_it_covers(rooms: Rooms) -> None:
    grant = rooms.break_glass(NIGHT, "P1").id
    assert rooms.check(NIGHT, a_report("P1"), grant).decision.effect is Effect.PERMIT
    rooms.write(mask_of("P1"))
    assert rooms.check(NIGHT, a_report("P1"), grant).decision.reason == "NOT_AVAILABLE"
    rooms.write(ends=("m-P1",))
    rooms.write(Fact("b-P1", SOURCE, directive=Directive("block", "P1", target=Target(subject_id=NIGHT.id))))
    assert rooms.check(NIGHT, a_report("P1"), grant).decision.reason == "NOT_AVAILABLE"


def test_a_record_that_reaches_the_end_of_its_retention_is_shut_under_a_grant_too(rooms: Rooms) -> None:
    grant = rooms.break_glass(NIGHT, "P1").id
    long_ago = RecordState("P1", "1930-01-01", last_care=START - 30 * 366 * DAY)
    assert rooms.check(NIGHT, a_report("P1"), grant).decision.effect is Effect.PERMIT
    rooms.write(Fact("r-P1", SOURCE, record_state=long_ago))
    assert rooms.check(NIGHT, a_report("P1"), grant).decision.reason == "RECORD_EXPIRED"


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        (replace(NIGHT, status="suspendu"), "SUBJECT_INACTIVE"),
        (replace(NIGHT, profile="etudiant"), "BREAK_GLASS_NOT_ELIGIBLE"),
        (replace(NIGHT, kind="personnel", profile="facturation"), "BREAK_GLASS_NOT_ELIGIBLE"),
        (replace(NIGHT, kind="personnel", profile="recherche"), "BREAK_GLASS_NOT_ELIGIBLE"),
        (replace(NIGHT, kind="personnel", profile="admin_si"), "BREAK_GLASS_NOT_ELIGIBLE"),
        (replace(NIGHT, account_type="generique"), "SHARED_ACCOUNT"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.profile} {value.status}",
)
def test_who_may_not_break_the_glass_gets_no_grant(rooms: Rooms, subject: Subject, reason: str) -> None:
    answer, grant = rooms.glass.open(DPI, Opening(subject, "P1", "URGENCE_VITALE", WHY, rooms.proven(), WORKSTATION))
    assert (answer.decision.reason, grant) == (reason, None)


def test_nobody_breaks_the_glass_of_their_own_record(rooms: Rooms) -> None:
    rooms.write(Fact("me", SOURCE, alias=Alias("P1", NIGHT.id, "same_person")))
    answer, grant = rooms.glass.open(DPI, Opening(NIGHT, "P1", "URGENCE_VITALE", WHY, rooms.proven(), WORKSTATION))
    assert (answer.decision.reason, grant) == ("OWN_RECORD", None)


def test_what_was_opened_is_shut_to_the_microsecond(rooms: Rooms) -> None:
    grant = rooms.break_glass(NIGHT, "P1")
    rooms.real = grant.until - 1
    assert rooms.check(NIGHT, a_report("P1"), grant.id).decision.effect is Effect.PERMIT
    rooms.real = grant.until
    assert rooms.check(NIGHT, a_report("P1"), grant.id).decision.reason == "BREAK_GLASS_EXPIRED"
    assert grant.until == START + 4 * HOUR
