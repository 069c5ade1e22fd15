"""Emergencies over both transports of a real sidecar: one call at the bedside, the review, who is told what."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
import pytest

from sidecar.api.shape import message
from sidecar.core.model import Context, Subject
from sidecar.v1 import access_pb2
from tests.server.client import violated
from tests.server.process import CALLERS, Running, a_caller, running, settings
from tests.server.world import a_check, a_subject, a_write, an_opening, told, under_grant

PERMIT, DENY = access_pb2.EFFECT_PERMIT, access_pb2.EFFECT_DENY
WHY = "équipe du service non joignable"
NIGHT = a_subject("dr-nuit", "UF-SAU")
REVIEWER = Subject("dr-relecture", "personnel", "reviewer_bg", account_type="nominatif", status="actif")
STAFF = (a_caller("reviewer", "reviewer"), a_caller("elsewhere", "dpi", "reviewer", controllers=("750000002",)))


@pytest.fixture(scope="module")
def sidecar() -> Iterator[Running]:
    with (
        TemporaryDirectory(prefix="sc-") as name,
        running(Path(name), settings(Path(name), (*CALLERS, *STAFF))) as started,
    ):
        feed = started.client("feed")
        for patient in ("P1", "P2", "P3", "P4", "P5"):
            feed.call("WriteFacts", a_write(f"w-{patient}", told(patient), complete=True))
        yield started


@pytest.fixture(params=["native", "grpc"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def bedside(
    patient: str, motive: str = "URGENCE_VITALE", why: str = WHY, **more: object
) -> access_pb2.CheckAccessRequest:
    """A check that asks for its grant."""
    context = Context(access_mode="bris_de_glace", motive=motive, justification=why)
    return a_check(patient, NIGHT, purpose="soins_urgence", context=context, **more)


def review(grant: str, subject: Subject = REVIEWER, verdict: str = "justifie", **more: object) -> dict[str, object]:
    """The fields of a verdict."""
    asked = a_check(subject=subject)
    return {"grant": grant, "subject": asked.subject, "authentication": asked.authentication, "device": asked.device,
            "verdict": verdict, **more}  # fmt: skip


def test_one_call_at_the_bedside_opens_the_glass_and_answers_under_it(sidecar: Running, transport: str) -> None:
    dpi, patient = sidecar.client("dpi", transport), "P1" if transport == "native" else "P2"
    assert dpi.call("CheckAccess", a_check(patient, NIGHT)).effect == DENY
    answer = dpi.call("CheckAccess", bedside(patient))
    assert (answer.effect, answer.reason) == (PERMIT, "ALLOW_BREAK_GLASS")
    grant = answer.grant
    assert (grant.scope, grant.until.seconds - grant.opened_at.seconds) == ("MED", 4 * 3600)
    # the next object of the same emergency is under the same grant, named or asked for again
    assert dpi.call("CheckAccess", bedside(patient)).grant.id == grant.id
    named = dpi.call("CheckAccess", under_grant(grant.id, patient))
    assert (named.effect, named.HasField("grant")) == (PERMIT, False)


def test_a_check_whose_grant_is_refused_says_why_and_opens_nothing(sidecar: Running, transport: str) -> None:
    dpi = sidecar.client("dpi", transport)
    refused = dpi.call("CheckAccess", bedside("P3", why="aaaaaaaaaaaaaaaaaaaa"))
    assert (refused.effect, refused.reason, refused.HasField("grant")) == (DENY, "JUSTIFICATION_REQUIRED", False)
    assert not dpi.call("List", patient_id="P3").grants
    # but what is permitted without one still is: a wrong word at the bedside costs nobody their own patient
    own = bedside("P3", why="aaaaaaaaaaaaaaaaaaaa")
    own.subject.CopyFrom(message(access_pb2.Subject, a_subject()))
    assert dpi.call("CheckAccess", own).reason == "ALLOW_CARE_TEAM"
    unwell = bedside("P3")
    unwell.ClearField("purpose")
    with pytest.raises(grpc.RpcError) as error:
        dpi.call("CheckAccess", unwell)
    assert violated(error.value)[1] == "purpose"
    assert not dpi.call("List", patient_id="P3").grants


def test_plain_checks_go_on_beside_one_that_opens_the_glass(sidecar: Running, transport: str) -> None:
    dpi = sidecar.client("dpi", transport)
    asked = [bedside("P4") if number % 3 == 1 else a_check("P4") for number in range(30)]
    with ThreadPoolExecutor(len(asked)) as people:
        said = list(people.map(lambda each: dpi.call("CheckAccess", each), asked))
    under, own = said[1::3], said[0::3] + said[2::3]
    assert {each.reason for each in under} == {"ALLOW_BREAK_GLASS"} and all(each.grant.id for each in under)
    assert {each.reason for each in own} == {"ALLOW_CARE_TEAM"} and not any(each.HasField("grant") for each in own)


def test_a_grant_goes_from_opening_to_verdict_and_each_is_told_what_is_theirs(sidecar: Running, transport: str) -> None:
    dpi, reviewer = sidecar.client("dpi", transport), sidecar.client("reviewer", transport)
    grant = dpi.call("Open", an_opening("P5")).grant
    assert (grant.state, grant.review_state, grant.justification) == ("open", "none", "")
    shown = reviewer.call("Get", grant=grant.id).grant
    assert (shown.justification, list(shown.units)) == (WHY, ["UF-SAU"])
    with pytest.raises(grpc.RpcError) as early:
        reviewer.call("Review", **review(grant.id))
    assert violated(early.value)[1] == "grant"
    with pytest.raises(grpc.RpcError) as elsewhere:
        sidecar.client("elsewhere", transport).call("Get", grant=grant.id)
    assert elsewhere.value.code() is grpc.StatusCode.NOT_FOUND
    reviewing = review(grant.id)
    del reviewing["verdict"]
    ended = reviewer.call("Close", **reviewing)
    assert (ended.answer.effect, ended.grant.state, ended.grant.ended_by) == (PERMIT, "revoked", REVIEWER.id)
    assert dpi.call("CheckAccess", under_grant(grant.id, "P5")).reason == "BREAK_GLASS_EXPIRED"
    # nobody says of themselves that they review: the person's profile and the system's role both count
    assert reviewer.call("Review", **review(grant.id, NIGHT)).answer.effect == DENY
    own = Subject("dr-nuit", "personnel", "reviewer_bg", account_type="nominatif", status="actif")
    assert reviewer.call("Review", **review(grant.id, own)).answer.reason == "SELF_REVIEW"
    with pytest.raises(grpc.RpcError) as role:
        dpi.call("Review", **review(grant.id))
    assert role.value.code() is grpc.StatusCode.PERMISSION_DENIED
    done = reviewer.call(
        "Review", **review(grant.id, verdict="non_conclusif", comment="Équipe injoignable cette nuit-là")
    )
    assert (done.answer.effect, done.grant.state, done.grant.ended) == (PERMIT, "reviewed", "revoked")
    assert done.grant.review_state == "done"
    assert done.grant.review.verdict == "non_conclusif"
    assert dpi.call("Get", grant=grant.id).grant.HasField("review") is False
    notices = reviewer.call("Get", grant=grant.id).notices
    assert [(each.what, each.audience) for each in notices][-2:] == [("revoke_grant", "dpi"), ("review_grant", "dpi")]


def test_notices_are_read_from_a_cursor_and_stay_pending_until_acknowledged(sidecar: Running, transport: str) -> None:
    dpi = sidecar.client("dpi", transport)
    start = dpi.call("Events", limit=1000).cursor
    grant = dpi.call("Open", an_opening("P1", "dr-garde", f"n-{transport}")).grant
    page = dpi.call("Events", cursor=start)
    assert [each.audience for each in page.notices] == ["patient", "medecin_traitant", "reviewer", "dpi"]
    assert {each.grant for each in page.notices} == {grant.id} and not page.more
    known = dpi.call("Acknowledge", notices=[page.notices[0].id])
    assert known.notices[0].HasField("acknowledged_at")
    assert not dpi.call("Events", cursor=page.cursor).notices
    with pytest.raises(grpc.RpcError) as elsewhere:
        sidecar.client("elsewhere", transport).call("Acknowledge", notices=[page.notices[0].id])
    assert elsewhere.value.code() is grpc.StatusCode.NOT_FOUND
    assert b"dr-garde" not in page.SerializeToString() and b"P1" not in page.SerializeToString()


def test_a_caller_that_does_not_review_lists_no_grants_but_those_of_somebody(sidecar: Running) -> None:
    with pytest.raises(grpc.RpcError) as all_:
        sidecar.client("dpi").call("List")
    assert violated(all_.value)[1] == "subject_id"
    listed = sidecar.client("reviewer").call("List", states=["open", "revoked", "reviewed"])
    assert listed.grants and all(each.justification for each in listed.grants)
    assert listed.totals.open >= 1
    assert all(not each.justification for each in sidecar.client("dpi").call("List", subject_id="dr-nuit").grants)
