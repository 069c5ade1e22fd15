"""Breaking the glass with the Python client: what the user is shown, one call, and the grant carried from then on."""

from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from dpi_sidecar_client import (
    BatchItem,
    CheckAccessBatchRequest,
    CheckAccessRequest,
    CloseRequest,
    Context,
    Emergency,
    NotEligible,
    Permitted,
    Refused,
    Resource,
    Sidecar,
    Subject,
    Unavailable,
)

from sidecar.v1 import access_pb2, break_glass_pb2
from tests.clients.scripted import Script, serving
from tests.clients.test_python_client import DENY, IMPLEMENTS, QUESTION, an_answer, with_obligations

DESCRIBED = break_glass_pb2.DescribeResponse(
    eligible=True,
    scope="MED",
    categories=["cr", "soins"],
    motives=[break_glass_pb2.Choice(code="AUTRE", text="Autre motif, à décrire", at_least=20)],
    justification_max=500,
    ttl_s=14400,
    reauth_s=300,
    review_s=259200,
    told=[
        break_glass_pb2.Told(audience="patient", text="Le patient", within_s=2592000),
        break_glass_pb2.Told(audience="banner", text="Le bandeau"),
    ],
)
UNDER = CheckAccessRequest(context=Context(access_mode="bris_de_glace"))
UNDER.MergeFrom(QUESTION)


def granted(answer: access_pb2.CheckAccessResponse) -> bytes:
    """The same answer, given under a grant that the check opened."""
    answer.grant.id, answer.grant.scope = "g1", "MED"
    answer.grant.opened_at.FromDatetime(datetime(2026, 3, 1, 21, tzinfo=UTC))
    answer.grant.until.FromDatetime(datetime(2026, 3, 2, 1, tzinfo=UTC))
    answer.grant.review_due.FromDatetime(datetime(2026, 3, 4, 21, tzinfo=UTC))
    return answer.SerializeToString()


def contexts(script: Script) -> list[Any]:
    """The context of every question that was asked."""
    kinds = {"CheckAccess": CheckAccessRequest, "CheckAccessBatch": CheckAccessBatchRequest}
    asked = [(method.rpartition("/")[2], message) for method, message, _ in script.asked]
    return [kinds[name].FromString(message).context for name, message in asked if name in kinds]


def test_the_screen_that_offers_it_has_motives_with_their_sentences_scope_and_who_will_be_told():
    with (
        serving(Script(DESCRIBED.SerializeToString())) as address,
        Sidecar.nearby(address, IMPLEMENTS, token="secret") as sidecar,
    ):
        emergency = sidecar.emergency("medecin")
    assert isinstance(emergency, Emergency)
    assert [(each.code, each.text, each.at_least) for each in emergency.motives] == [
        ("AUTRE", "Autre motif, à décrire", 20)
    ]
    assert (emergency.scope, emergency.categories) == ("MED", ("cr", "soins"))
    assert emergency.lasts == timedelta(hours=4)
    assert [(each.audience, each.within) for each in emergency.told] == [
        ("patient", timedelta(days=30)),
        ("banner", None),
    ]


def test_who_is_not_eligible_is_offered_nothing_and_who_is_not_answered_neither():
    script = Script(break_glass_pb2.DescribeResponse().SerializeToString(), grpc.StatusCode.UNAVAILABLE)
    with serving(script) as address, Sidecar.nearby(address, IMPLEMENTS, token="secret") as sidecar:
        assert sidecar.emergency("maintenance") == NotEligible("maintenance")
        assert isinstance(sidecar.emergency("medecin"), Unavailable)


def test_one_call_breaks_the_glass_and_answers_and_later_checks_carry_the_grant():
    script = Script(
        granted(with_obligations("DISPLAY_BREAK_GLASS_BANNER", reason="ALLOW_BREAK_GLASS", consistency_token="t-9")),
        an_answer().SerializeToString(),
    )
    with serving(script) as address, Sidecar.nearby(address, IMPLEMENTS, token="secret") as sidecar:
        outcome = sidecar.break_glass(QUESTION, "AVIS_URGENT", "équipe du service non joignable")
        assert isinstance(outcome, Permitted)
        assert outcome.grant is not None
        assert (outcome.grant.id, outcome.grant.until.hour) == ("g1", 1)
        sidecar.check(UNDER)
        batch = CheckAccessBatchRequest(
            subject=QUESTION.subject,
            patient_id="P1",
            context=Context(access_mode="centre_15"),
            items=[BatchItem(action="read", resource=Resource(category="cr"))],
        )
        sidecar.check_batch(batch)
        for other in (
            CheckAccessRequest(subject=QUESTION.subject, resource=Resource(patient_id="P2"), context=UNDER.context),
            CheckAccessRequest(subject=Subject(id="dr-jour"), resource=QUESTION.resource, context=UNDER.context),
            QUESTION,
        ):
            sidecar.check(other)
    first, under, in_a_batch, *others = contexts(script)
    assert (first.access_mode, first.motive, first.grant) == ("bris_de_glace", "AVIS_URGENT", "")
    assert first.justification == "équipe du service non joignable"
    assert first.request_id
    assert (under.grant, under.consistency_token, under.motive) == ("g1", "t-9", "")
    assert (in_a_batch.grant, in_a_batch.consistency_token) == ("g1", "t-9")
    assert [context.grant for context in others] == ["", "", ""], "another patient, another person, an ordinary access"


def test_an_access_that_stays_refused_says_that_the_glass_is_broken_all_the_same():
    with (
        serving(Script(granted(an_answer(DENY, reason="NOT_AVAILABLE")))) as address,
        Sidecar.nearby(address, IMPLEMENTS, token="secret") as sidecar,
    ):
        outcome = sidecar.break_glass(QUESTION, "AVIS_URGENT", "équipe du service non joignable")
    assert isinstance(outcome, Refused)
    assert outcome.grant is not None


def test_an_obligation_the_application_does_not_know_refuses_in_an_emergency_too():
    with (
        serving(Script(granted(with_obligations("DISPLAY_BREAK_GLASS_BANNER", "NEW")))) as address,
        Sidecar.nearby(address, IMPLEMENTS, token="secret") as sidecar,
    ):
        outcome = sidecar.break_glass(QUESTION, "AVIS_URGENT", "équipe du service non joignable")
    assert isinstance(outcome, Refused)
    assert (outcome.answer.reason, outcome.unknown) == ("UNKNOWN_OBLIGATION", ("NEW",))
    assert outcome.grant is not None


def test_a_closed_grant_is_carried_no_more():
    closing = break_glass_pb2.CloseResponse(grant=break_glass_pb2.Grant(id="g1"), consistency_token="t-2")
    script = Script(granted(an_answer()), closing.SerializeToString(), an_answer(DENY).SerializeToString())
    with serving(script) as address, Sidecar.nearby(address, IMPLEMENTS, token="secret") as sidecar:
        sidecar.break_glass(QUESTION, "AVIS_URGENT", "équipe du service non joignable")
        sidecar.close(CloseRequest(grant="g1", subject=QUESTION.subject))
        sidecar.check(UNDER)
    assert contexts(script)[-1].grant == ""


def test_asked_again_after_no_answer_it_is_the_same_request():
    script = Script(grpc.StatusCode.UNAVAILABLE, granted(an_answer()))
    request = CheckAccessRequest(context=Context(request_id="bedside-1"))
    request.MergeFrom(QUESTION)
    with serving(script) as address, Sidecar.nearby(address, IMPLEMENTS, token="secret") as sidecar:
        lost = sidecar.break_glass(request, "AVIS_URGENT", "équipe du service non joignable")
        assert isinstance(lost, Unavailable)
        assert lost.worth_retrying
        sidecar.break_glass(request, "AVIS_URGENT", "équipe du service non joignable")
    assert [context.request_id for context in contexts(script)] == ["bedside-1", "bedside-1"]
