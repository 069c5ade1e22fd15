"""An emergency from its opening to the verdict, over the real store, ledger and rules."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import pytest
from msgspec.structs import replace

from sidecar.core import leaf as leaves
from sidecar.core.instants import DAY, SECOND
from sidecar.core.model import (
    Alias,
    Answer,
    Authentication,
    Context,
    Directive,
    Fact,
    Grant,
    Opening,
    Request,
    Resource,
    Subject,
    Target,
)
from sidecar.core.model import Effect as E
from sidecar.core.reading import EventsQuery, GrantsQuery
from sidecar.core.reviewing import Closing, Reviewing
from sidecar.errors import InvalidRequest, NotFound
from sidecar.pdp import Call
from tests.break_glass.rooms import (
    DPI,
    HOUR,
    MINUTE,
    REVIEW,
    SOURCE,
    START,
    TTL,
    WORKSTATION,
    Rooms,
    a_subject,
    stay_of,
)

NIGHT = replace(a_subject("dr-nuit"), supervised_by="dr-chef")
READER = replace(NIGHT, id="dr-relecture", kind="personnel", profile="reviewer_bg", units=(), supervised_by="")
REPORT = Resource("cr", "P1", "document", "doc-1", tags=(), visibility=(), masked_for=(), lifecycle="actif")
WHY = "équipe du service non joignable"


class Complete(Rooms):
    """A sidecar whose feeds always tell everything, so that nothing is read in doubt."""

    def write(self, *facts: Fact, **more: object) -> None:
        super().write(*facts, complete=True)

    def break_glass(self, subject: Subject, patient: str, motive: str = "AVIS_URGENT", request_id: str = "") -> Grant:
        _, grant = opened(self, subject, patient, motive=motive, request_id=request_id)
        assert grant is not None
        return grant


@pytest.fixture
def rooms(tmp_path: Path) -> Iterator[Complete]:
    """A sidecar of which P1's feeds have told everything."""
    running = Complete(tmp_path)
    running.write()
    yield running
    running.close()


def opened(
    rooms: Complete, subject: Subject = NIGHT, patient: str = "P1", **more: object
) -> tuple[Answer, Grant | None]:
    said = {
        "motive": "AVIS_URGENT",
        "justification": WHY,
        "authentication": rooms.proven(),
        "device": WORKSTATION,
    } | more
    return rooms.glass.open(DPI, Opening(subject, patient, **said))  # type: ignore[arg-type]


def reads(rooms: Complete, grant: Grant, resource: Resource = REPORT, **more: str) -> Answer:
    return rooms.check(NIGHT, resource, grant.id, **more)


def leaf_kinds(rooms: Complete) -> list[str]:
    return [entry.what for _, entry in rooms.ledger.entries() if hasattr(entry, "what")]


def told(rooms: Complete) -> list[tuple[str, str]]:
    page = rooms.glass.events(DPI, EventsQuery())
    return [(notice.what, notice.audience) for notice in page.notices]


# ---- opening


def test_an_opening_keeps_the_grant_and_who_must_know_of_it_with_one_record(rooms: Complete) -> None:
    answer, grant = opened(rooms)
    assert answer.decision.effect is E.PERMIT
    assert grant is not None
    assert (grant.until, grant.review_due, grant.units) == (START + TTL, START + 72 * HOUR, ("UF-SAU",))
    _, _, notices = rooms.glass.get(DPI, grant.id)
    assert {notice.audience: notice.due for notice in notices} == {
        "patient": START + 30 * DAY, "medecin_traitant": START + 30 * DAY, "reviewer": START + 72 * HOUR, "dpi": None,
    }  # fmt: skip
    assert leaf_kinds(rooms).count("open_grant") == 1


def test_the_same_request_is_one_grant_and_its_identifier_is_no_other_request(rooms: Complete) -> None:
    _, first = opened(rooms, request_id="r1")
    rooms.real += MINUTE
    _, again = rooms.glass.open(
        DPI, Opening(NIGHT, "P1", "AVIS_URGENT", WHY, replace(rooms.proven(), time=START), WORKSTATION, request_id="r1")
    )
    assert again == first
    assert leaf_kinds(rooms).count("open_grant") == 1
    with pytest.raises(InvalidRequest, match="request_id"):
        opened(rooms, patient="P2", request_id="r1")


def test_many_openings_in_a_day_are_never_refused_but_ask_for_a_login_each_and_alert(rooms: Complete) -> None:
    for number in range(5):
        rooms.real += MINUTE
        answer, grant = opened(rooms, patient=f"P{number}")
        assert grant is not None and grant.alerts == () and grant.review_due == rooms.now + 72 * HOUR
    login = rooms.proven()
    rooms.real += MINUTE
    answer, none = opened(rooms, patient="P6", authentication=login)
    assert (answer.decision.reason, none) == ("REAUTH_REQUIRED", None)
    answer, sixth = opened(rooms, patient="P6")
    assert sixth is not None and sixth.alerts == ("volume",) and sixth.review_due == rooms.now + 24 * HOUR
    assert ("volume", "reviewer") in told(rooms)
    rooms.real += MINUTE
    assert opened(rooms, replace(NIGHT, id="dr-autre"), "P6")[1].alerts == ()  # type: ignore[union-attr]
    rooms.real = START + DAY + 6 * MINUTE
    rooms.write()
    assert opened(rooms, patient="P7")[1].alerts == ()  # type: ignore[union-attr]


def test_who_the_patient_shut_out_gets_the_same_answer_a_grant_that_opens_nothing_and_a_reviewer(
    rooms: Complete,
) -> None:
    plain, _ = opened(rooms, patient="P2")
    rooms.write(Fact("b1", SOURCE, directive=Directive("block", "P1", target=Target(subject_id=NIGHT.id))))
    rooms.real += MINUTE
    answer, grant = opened(rooms)
    assert grant is not None
    same = ("effect", "reason", "also", "rule", "advice", "offer")
    assert [getattr(answer.decision, name) for name in same] == [getattr(plain.decision, name) for name in same]
    assert {each.id for each in answer.decision.obligations} == {each.id for each in plain.decision.obligations}
    shut = reads(rooms, grant).decision
    assert (shut.effect, shut.reason, shut.true_reason) == (E.DENY, "NOT_AVAILABLE", "BLOCKED_BY_PATIENT")
    assert grant.alerts == ("blocked",)
    assert ("blocked", "reviewer") in told(rooms)


def test_an_emergency_opened_with_one_factor_alerts_security_at_once_and_is_read_with_one(tmp_path: Path) -> None:
    class Degraded(Complete):
        settings = MappingProxyType({"bg_single_factor": True})

    rooms = Degraded(tmp_path)
    rooms.write()
    one = replace(rooms.proven(), mfa=False)
    answer, none = opened(rooms, authentication=one)
    assert (answer.decision.reason, none) == ("MFA_REQUIRED", None)
    context = Context(access_mode="bris_de_glace", motive="PLAN_BLANC", justification=WHY)
    request = Request(NIGHT, "read", REPORT, "soins_urgence", one, WORKSTATION, context)
    _, grant = rooms.glass.open_for(DPI, request)
    assert grant is not None and grant.alerts == ("single_factor",)
    assert ("single_factor", "securite") in told(rooms)
    _, _, notices = rooms.glass.get(DPI, grant.id)
    assert [notice.due for notice in notices if notice.audience == "securite"] == [rooms.now + HOUR]
    read = replace(request, context=Context(access_mode="bris_de_glace", grant=grant.id))
    [permitted] = rooms.pdp.check([Call(read, DPI)])
    assert isinstance(permitted, Answer) and permitted.decision.effect is E.PERMIT
    rooms.real += MINUTE
    assert opened(rooms, patient="P2", motive="PLAN_BLANC")[1].alerts == ()  # type: ignore[union-attr]
    rooms.close()


def test_a_check_that_asks_for_its_grant_gets_the_one_that_is_open_for_the_same_motive(rooms: Complete) -> None:
    context = Context(access_mode="bris_de_glace", motive="AVIS_URGENT", justification=WHY)
    request = Request(NIGHT, "read", REPORT, "soins_urgence", rooms.proven(), WORKSTATION, context)
    none, first = rooms.glass.open_for(DPI, request)
    rooms.real += MINUTE
    assert none is not None and first is not None
    assert rooms.glass.open_for(DPI, request) == (None, first)
    _, other = rooms.glass.open_for(DPI, replace(request, context=replace(request.context, motive="URGENCE_VITALE")))
    assert other is not None and other.id != first.id


# ---- ending


def test_a_grant_ends_when_its_time_is_past_and_that_is_kept(rooms: Complete) -> None:
    _, grant = opened(rooms)
    assert grant is not None
    rooms.real = START + TTL - 1
    rooms.write()
    assert reads(rooms, grant).decision.effect is E.PERMIT
    rooms.real = START + TTL
    assert reads(rooms, grant).decision.reason == "BREAK_GLASS_EXPIRED"
    rooms.settle()
    rooms.settle()
    assert rooms.glass.found(DPI, grant.id).ended == "expired"
    assert leaf_kinds(rooms).count("expire_grant") == 1
    assert told(rooms)[-1] == ("expire_grant", "dpi")


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("back", [5 * MINUTE, 30 * DAY], ids=["minutes", "days"])
def test_a_clock_that_moved_back_extends_no_grant(rooms: Complete, back: int, restarted: bool) -> None:
    _, grant = opened(rooms)
    assert grant is not None
    rooms.real += HOUR
    rooms.write()
    assert reads(rooms, grant).decision.effect is E.PERMIT
    rooms.offset = -back
    if restarted:
        rooms.close()
        rooms.open()
    rooms.real = START + TTL + SECOND
    assert reads(rooms, grant).decision.effect is E.DENY
    rooms.offset = -2 * back
    assert reads(rooms, grant).decision.effect is E.DENY
    # and while it is wrong, an emergency is opened all the same
    rooms.write()
    assert reads(rooms, rooms.break_glass(NIGHT, "P1")).decision.effect is E.PERMIT


def test_a_clock_that_moved_back_leaves_a_grant_the_time_it_had_left(rooms: Complete) -> None:
    rooms.offset = -MINUTE
    rooms.write()
    grant = rooms.break_glass(NIGHT, "P1")
    rooms.real += HOUR
    rooms.write()
    rooms.offset -= 10 * MINUTE
    assert reads(rooms, grant).decision.effect is E.PERMIT
    rooms.real = START + TTL - SECOND
    rooms.write()
    assert reads(rooms, grant).decision.effect is E.PERMIT
    rooms.real = START + TTL
    assert reads(rooms, grant).decision.effect is E.DENY
    assert leaf_kinds(rooms).count("shorten_grant") == 1


def test_a_grant_that_was_closed_stays_so_when_the_clock_goes_back(rooms: Complete) -> None:
    _, grant = opened(rooms)
    assert grant is not None
    rooms.real += HOUR
    rooms.glass.close(DPI, Closing(grant.id, NIGHT))
    rooms.offset = -30 * MINUTE
    rooms.write()
    assert reads(rooms, grant).decision.reason == "BREAK_GLASS_EXPIRED"
    assert rooms.glass.close(DPI, Closing(grant.id, NIGHT)).grant.ended == "closed"  # type: ignore[union-attr]
    assert leaf_kinds(rooms).count("close_grant") == 1


def test_somebody_elses_grant_is_ended_by_who_reviews_alone(rooms: Complete) -> None:
    _, grant = opened(rooms)
    assert grant is not None
    with pytest.raises(NotFound):
        rooms.glass.close(DPI, Closing(grant.id, READER, rooms.proven(), WORKSTATION))
    refused = rooms.glass.close(REVIEW, Closing(grant.id, replace(NIGHT, id="dr-x"), rooms.proven(), WORKSTATION))
    assert refused.grant is None
    assert refused.answer is not None and refused.answer.decision.effect is E.DENY
    assert reads(rooms, grant).decision.effect is E.PERMIT
    ended = rooms.glass.close(REVIEW, Closing(grant.id, READER, rooms.proven(), WORKSTATION)).grant
    assert ended is not None and (ended.ended, ended.ended_by) == ("revoked", READER.id)
    assert reads(rooms, grant).decision.reason == "BREAK_GLASS_EXPIRED"
    with pytest.raises(NotFound):
        rooms.glass.close(replace(REVIEW, controllers=("other",)), Closing(grant.id, READER))


# ---- without the store


@pytest.fixture
def away(rooms: Complete) -> Iterator[tuple[Path, Path]]:
    """The store cannot be written: its file is not where it was."""
    paths = rooms.folder / "facts.db", rooms.folder / "facts.away"
    paths[0].rename(paths[1])
    yield paths
    if paths[1].exists():
        paths[1].rename(paths[0])


def test_without_the_store_a_grant_is_in_the_ledger_opens_and_ends_and_reaches_the_store_when_it_is_back(
    rooms: Complete, away: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.facts.room.TRY_AGAIN_SECONDS", 0.0)
    grant = rooms.break_glass(NIGHT, "P1", request_id="r1")
    assert reads(rooms, grant).decision.effect is E.PERMIT
    assert rooms.break_glass(NIGHT, "P1", request_id="r1") == grant
    other = rooms.break_glass(NIGHT, "P2")
    rooms.glass.close(DPI, Closing(other.id, NIGHT))
    assert rooms.check(NIGHT, replace(REPORT, patient_id="P2"), other.id).decision.effect is E.DENY
    away[1].rename(away[0])
    rooms.settle()
    assert not list((rooms.folder / "held").glob("*.json"))
    assert leaf_kinds(rooms).count("open_grant") == 2
    assert ("open_grant", "patient") in told(rooms)
    assert rooms.glass.found(DPI, other.id).ended == "closed"
    assert reads(rooms, grant).decision.effect is E.PERMIT
    rooms.close()
    rooms.open()
    assert rooms.glass.found(DPI, grant.id) == grant
    assert leaf_kinds(rooms).count("open_grant") == 2


def test_a_grant_opened_without_the_store_outlives_a_kill(rooms: Complete, away: tuple[Path, Path]) -> None:
    grant = rooms.break_glass(NIGHT, "P1")
    rooms.close()
    away[1].rename(away[0])
    rooms.open()
    assert rooms.glass.found(DPI, grant.id) == grant
    assert reads(rooms, grant).decision.effect is E.PERMIT
    assert told(rooms).count(("open_grant", "patient")) == 1
    assert leaf_kinds(rooms).count("open_grant") == 1
    with sqlite3.connect(rooms.folder / "facts.db") as store:
        assert store.execute("SELECT count(*) FROM changes WHERE leaf_index IS NULL").fetchone() == (0,)


# ---- the verdict


def reviewing(rooms: Complete, grant: Grant, subject: Subject = READER, **more: object) -> Reviewing:
    said = {"verdict": "justifie", "authentication": rooms.proven(), "device": WORKSTATION} | more
    return Reviewing(grant.id, subject, **said)  # type: ignore[arg-type]


def test_a_verdict_holds_the_relation_that_was_discovered_since_and_changes_nothing_that_was(rooms: Complete) -> None:
    _, grant = opened(rooms)
    assert grant is not None
    assert rooms.glass.also(grant) == ()
    rooms.glass.close(DPI, Closing(grant.id, NIGHT))
    rooms.real += HOUR
    since = stay_of("P1", "UF-SAU")
    rooms.write(since)
    _, also, _ = rooms.glass.get(REVIEW, grant.id)
    assert "ALLOW_CARE_TEAM" in also
    answer, reviewed = rooms.glass.review(REVIEW, reviewing(rooms, grant, comment="équipe non saisie"))
    assert answer.decision.effect is E.PERMIT
    assert reviewed is not None and reviewed.review is not None
    assert "ALLOW_CARE_TEAM" in reviewed.review.also
    assert (reviewed.ended, reviewed.opened_at, reviewed.motive) == ("closed", grant.opened_at, grant.motive)
    assert leaf_kinds(rooms).count("review_grant") == 1


def test_the_same_verdict_twice_is_one_and_another_is_out_of_turn(rooms: Complete) -> None:
    _, grant = opened(rooms)
    assert grant is not None
    with pytest.raises(InvalidRequest, match="open still"):
        rooms.glass.review(REVIEW, reviewing(rooms, grant))
    rooms.glass.close(DPI, Closing(grant.id, NIGHT))
    asked = reviewing(rooms, grant, request_id="v1")
    _, first = rooms.glass.review(REVIEW, asked)
    _, again = rooms.glass.review(REVIEW, asked)
    assert first == again
    with pytest.raises(InvalidRequest, match="reviewed already"):
        rooms.glass.review(REVIEW, reviewing(rooms, grant))
    assert leaf_kinds(rooms).count("review_grant") == 1


def test_lists_show_what_waits_first_and_what_is_late(rooms: Complete) -> None:
    grants = [rooms.break_glass(replace(NIGHT, id=f"dr-{number}"), f"P{number}") for number in range(3)]
    rooms.glass.close(DPI, Closing(grants[1].id, replace(NIGHT, id="dr-1")))

    def ids(*states: str) -> list[str]:
        return sorted(each.id for each in rooms.glass.page(REVIEW, GrantsQuery(states=states)).grants)

    assert ids("open") == sorted((grants[0].id, grants[2].id))
    assert ids("pending") == [grants[1].id]
    rooms.glass.review(REVIEW, reviewing(rooms, grants[1]))
    assert ids("pending") == [] and ids("reviewed") == [grants[1].id] and ids("closed") == [grants[1].id]
    rooms.real = START + 72 * HOUR - 1
    assert ids("pending", "overdue") == sorted((grants[0].id, grants[2].id)) and ids("overdue") == []
    rooms.real = START + 72 * HOUR
    assert ids("overdue") == sorted((grants[0].id, grants[2].id))
    totals = rooms.glass.page(REVIEW, GrantsQuery()).totals
    assert (totals.open, totals.pending, totals.overdue, totals.oldest_unreviewed) == (0, 2, 2, START)
    pages, token = [], ""
    while True:
        page = rooms.glass.page(REVIEW, GrantsQuery(page_size=2, page_token=token))
        pages += [each.id for each in page.grants]
        token = page.next_page_token
        if not token:
            break
    assert sorted(pages) == sorted(each.id for each in grants) and pages[-1] == grants[1].id
    with pytest.raises(InvalidRequest, match="page_token"):
        rooms.glass.page(REVIEW, GrantsQuery(page_token="zz"))
    with pytest.raises(InvalidRequest, match="subject_id"):
        rooms.glass.page(DPI, GrantsQuery())
    assert len(rooms.glass.page(DPI, GrantsQuery(subject_id="dr-0")).grants) == 1


# ---- who must know


def test_notices_come_in_the_order_they_were_committed_from_where_the_cursor_stands(rooms: Complete) -> None:
    _, first = opened(rooms)
    page = rooms.glass.events(DPI, EventsQuery(limit=2))
    assert page.more and [notice.audience for notice in page.notices] == ["patient", "medecin_traitant"]
    rest = rooms.glass.events(DPI, EventsQuery(page.cursor))
    assert not rest.more and [notice.audience for notice in rest.notices] == ["reviewer", "dpi"]
    assert rooms.glass.events(DPI, EventsQuery(rest.cursor)).notices == ()
    assert first is not None
    rooms.glass.close(DPI, Closing(first.id, NIGHT))
    rooms.close()
    rooms.open()
    assert [notice.what for notice in rooms.glass.events(DPI, EventsQuery(rest.cursor)).notices] == ["close_grant"]
    assert rooms.glass.events(replace(DPI, controllers=("other",)), EventsQuery()).notices == ()
    with pytest.raises(InvalidRequest, match="cursor"):
        rooms.glass.events(replace(DPI, tenant="other"), EventsQuery(rest.cursor))


def test_a_notice_is_pending_until_somebody_says_that_it_is_known_and_that_is_recorded(rooms: Complete) -> None:
    _, grant = opened(rooms)
    assert grant is not None
    [patient] = rooms.glass.events(DPI, EventsQuery(audiences=("patient",))).notices
    rooms.real = START + 30 * DAY
    assert rooms.glass.page(REVIEW, GrantsQuery()).totals.notices_overdue == 3
    known, _ = rooms.glass.acknowledge(DPI, (patient.id,), "a1")
    again, _ = rooms.glass.acknowledge(DPI, (patient.id,), "a1")
    assert known == again
    assert known[0].acknowledged_at == rooms.now
    totals = rooms.glass.page(REVIEW, GrantsQuery()).totals
    assert (totals.notices_pending, totals.notices_overdue) == (2, 2)
    assert leaf_kinds(rooms).count("acknowledge_notices") == 1
    for caller, ids in ((replace(DPI, controllers=("other",)), (patient.id,)), (DPI, ("nobody",))):
        with pytest.raises(NotFound):
            rooms.glass.acknowledge(caller, ids, "a2")


def test_a_sealed_record_holds_the_justification_and_no_other_does(rooms: Complete) -> None:
    opened(rooms)
    for _, leaf in rooms.ledger._book.leaves(0):
        assert WHY.encode() not in leaf
        assert leaves.head(leaf).tenant == "default"


def test_a_login_of_five_minutes_is_too_old_to_open_one(rooms: Complete) -> None:
    old = Authentication(mfa=True, time=rooms.now - 300 * SECOND, idle_s=0, remote="none")
    assert opened(rooms, authentication=old)[0].decision.reason == "REAUTH_REQUIRED"
    assert opened(rooms, authentication=replace(old, time=rooms.now - 300 * SECOND + 1))[1] is not None


def test_the_patients_own_opening_says_so_until_somebody_confirms_that_they_know(rooms: Complete) -> None:
    opened(rooms)
    rooms.write(Fact("soi", SOURCE, alias=Alias("P1", "pat-1", "same_person")))
    patient = Subject("pat-1", "patient", "patient", account_type="nominatif", status="actif")

    def told_now() -> list[str]:
        request = Request(patient, "read", REPORT, "droits_patient", rooms.proven(), WORKSTATION)
        [answer] = rooms.pdp.check([Call(request, DPI)])
        assert isinstance(answer, Answer) and answer.decision.effect is E.PERMIT
        return [advice.id for advice in answer.decision.advice]

    assert told_now() == ["ALERT_HOLDER_NEXT_OPENING"]
    for audience, still in (("reviewer", ["ALERT_HOLDER_NEXT_OPENING"]), ("patient", [])):
        [notice] = rooms.glass.events(DPI, EventsQuery(audiences=(audience,))).notices
        rooms.glass.acknowledge(DPI, (notice.id,), "")
        assert told_now() == still
    rooms.close()
    rooms.open()
    assert told_now() == []
