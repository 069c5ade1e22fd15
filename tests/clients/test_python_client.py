"""The Python client: three outcomes, a deadline always, and nothing permitted without a whole answer."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest
from dpi_sidecar_client import (
    BatchItem,
    CheckAccessBatchRequest,
    CheckAccessRequest,
    Closed,
    CloseRequest,
    Context,
    Opened,
    OpenRequest,
    Outcome,
    Permitted,
    Refused,
    Resource,
    Sidecar,
    Subject,
    Unavailable,
)
from dpi_sidecar_client.texts import sentence

from sidecar.certs import make_demo
from sidecar.v1 import access_pb2, break_glass_pb2
from tests.clients.scripted import Reply, Script, serving, slow

IMPLEMENTS = frozenset({"LOG_FULL", "DISPLAY_BREAK_GLASS_BANNER"})
PERMIT, DENY = access_pb2.EFFECT_PERMIT, access_pb2.EFFECT_DENY
ENFORCED, OBSERVED = access_pb2.ENFORCEMENT_ENFORCED, access_pb2.ENFORCEMENT_OBSERVED
QUESTION = CheckAccessRequest(
    subject=Subject(id="dr-nuit", kind="professionnel", profile="medecin"),
    action="read",
    resource=Resource(patient_id="P1", category="cr"),
    purpose="soins",
)
BATCH = CheckAccessBatchRequest(
    subject=QUESTION.subject,
    purpose="soins",
    patient_id="P1",
    items=[BatchItem(action="read", resource=Resource(category=category)) for category in ("cr", "notes", "soins")],
)
OPENING = OpenRequest(subject=QUESTION.subject, patient_id="P1", motive="URGENCE_VITALE", justification="x" * 20)


def an_answer(effect: int = PERMIT, **named: object) -> access_pb2.CheckAccessResponse:
    """A whole answer; name only what matters."""
    fields: dict[str, object] = {
        "effect": effect,
        "enforcement": ENFORCED,
        "reason": "ALLOW_CARE_TEAM" if effect == PERMIT else "NO_RELATIONSHIP",
        "message": "Vous faites partie de l'équipe de soins.",
        "decision_id": "d-1",
        "consistency_token": "t-1",
        **named,
    }
    return access_pb2.CheckAccessResponse(**fields)  # type: ignore[arg-type]


def with_obligations(*ids: str, effect: int = PERMIT, **named: object) -> access_pb2.CheckAccessResponse:
    """An answer with these obligations."""
    return an_answer(effect, obligations=[access_pb2.Obligation(id=id) for id in ids], **named)


def asked_once(reply: Reply, **named: float) -> Outcome:
    """The outcome of one question answered so."""
    with serving(Script(reply)) as address, Sidecar.nearby(address, IMPLEMENTS, token="secret") as sidecar:
        return sidecar.check(QUESTION, **named)


def proceeds(outcome: Outcome) -> bool:
    """What an application does that follows the documentation."""
    match outcome:
        case Permitted():
            return True
        case Refused() | Unavailable():
            return False


def test_a_permit_is_permitted_with_its_obligations_and_its_record():
    reply = with_obligations(
        "LOG_FULL", record=access_pb2.RecordReference(origin="node-1", index=7), advice=[access_pb2.Advice(id="NEW")]
    )
    outcome = asked_once(reply.SerializeToString())
    assert isinstance(outcome, Permitted)
    assert outcome.answer.reason == "ALLOW_CARE_TEAM"
    assert outcome.answer.record == "node-1/7"
    assert [obligation.id for obligation in outcome.obligations] == ["LOG_FULL"]
    assert [advice.id for advice in outcome.answer.advice] == ["NEW"], "an unknown advice may be ignored"
    assert outcome.answer.binding


def test_a_refusal_is_refused_and_says_which_emergency_door_there_is():
    offer = access_pb2.BreakGlassOffer(available=True, motives=["URGENCE_VITALE"], scope="MED")
    outcome = asked_once(an_answer(DENY, break_glass=offer).SerializeToString())
    assert isinstance(outcome, Refused)
    assert outcome.break_glass.available
    assert outcome.break_glass.motives == ("URGENCE_VITALE",)
    assert outcome.answer.message.startswith("Vous")


def test_a_refusal_with_an_obligation_the_application_does_not_know_stays_that_refusal():
    outcome = asked_once(with_obligations("STEP_UP", effect=DENY, reason="MFA_REQUIRED").SerializeToString())
    assert isinstance(outcome, Refused)
    assert outcome.answer.reason == "MFA_REQUIRED"
    assert [obligation.id for obligation in outcome.obligations] == ["STEP_UP"]


def test_an_obligation_the_application_does_not_implement_turns_a_permit_into_a_refusal():
    outcome = asked_once(with_obligations("LOG_FULL", "PSEUDONYMISE").SerializeToString())
    assert isinstance(outcome, Refused)
    assert outcome.unknown == ("PSEUDONYMISE",)
    assert outcome.answer.reason == "UNKNOWN_OBLIGATION"
    assert outcome.answer.message == sentence("UNKNOWN_OBLIGATION", "fr")


@pytest.mark.parametrize("effect", [PERMIT, DENY])
def test_an_observed_answer_is_told_and_does_not_bind(effect: int):
    observed = asked_once(an_answer(effect, enforcement=OBSERVED).SerializeToString())
    enforced = asked_once(an_answer(effect, enforcement=ENFORCED).SerializeToString())
    assert isinstance(observed, Permitted | Refused)
    assert isinstance(enforced, Permitted | Refused)
    assert not observed.answer.binding
    assert enforced.answer.binding
    assert type(observed) is type(enforced)


@pytest.mark.parametrize("enforcement", [access_pb2.ENFORCEMENT_UNSPECIFIED, 99])
def test_an_enforcement_that_is_not_understood_binds(enforcement: int):
    outcome = asked_once(an_answer(DENY, enforcement=enforcement).SerializeToString())
    assert isinstance(outcome, Refused)
    assert outcome.answer.binding


NOT_ANSWERS: dict[str, tuple[Reply, str]] = {
    "the sidecar is not there": (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE"),
    "it sheds load": (grpc.StatusCode.RESOURCE_EXHAUSTED, "RESOURCE_EXHAUSTED"),
    "the request is malformed": (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT"),
    "the caller is not known": (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"),
    "the caller lacks the role": (grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED"),
    "the method is unknown": (grpc.StatusCode.UNIMPLEMENTED, "UNIMPLEMENTED"),
    "garbage": (b"\xff\xff\xff\xff\xff\xff", "INTERNAL"),
    "half an answer": (an_answer().SerializeToString()[:-3], "INTERNAL"),
    "an empty message": (b"", "UNREADABLE"),
    "a bare permit": (b"\x08\x01", "UNREADABLE"),
    "no effect": (an_answer(access_pb2.EFFECT_UNSPECIFIED).SerializeToString(), "UNKNOWN_EFFECT"),
    "an effect of a later version": (an_answer(99).SerializeToString(), "UNKNOWN_EFFECT"),
}


@pytest.mark.parametrize("name", NOT_ANSWERS)
def test_what_is_not_a_whole_answer_is_unavailable(name: str):
    reply, reason = NOT_ANSWERS[name]
    outcome = asked_once(reply)
    assert isinstance(outcome, Unavailable)
    assert outcome.reason == reason
    assert outcome.message in {sentence("UNAVAILABLE", "fr"), sentence("FAULT", "fr")}


def test_without_reading_answers_whole_some_would_be_permits():
    """The twin: a client that only asks whether the effect is a refusal lets these through."""

    def careless(reply: Reply) -> bool:
        if isinstance(reply, grpc.StatusCode) or callable(reply):
            return False
        try:
            return access_pb2.CheckAccessResponse.FromString(reply).effect != DENY
        except Exception:
            return False

    wrong = [name for name, (reply, _) in NOT_ANSWERS.items() if careless(reply)]
    assert {"an empty message", "a bare permit", "no effect", "an effect of a later version"} <= set(wrong)
    assert not [name for name, (reply, _) in NOT_ANSWERS.items() if proceeds(asked_once(reply))]


def test_a_sidecar_that_does_not_answer_in_time_is_unavailable_and_worth_retrying():
    outcome = asked_once(slow(0.8, an_answer().SerializeToString()), deadline=0.1)
    assert isinstance(outcome, Unavailable)
    assert outcome.reason == "DEADLINE_EXCEEDED"
    assert outcome.worth_retrying


def test_the_same_answer_within_the_deadline_is_a_permit():
    assert isinstance(asked_once(slow(0.2, an_answer().SerializeToString()), deadline=30), Permitted)


def test_no_sidecar_at_all_is_unavailable():
    with Sidecar.nearby("127.0.0.1:1", IMPLEMENTS, token="secret") as sidecar:
        outcome = sidecar.check(QUESTION)
    assert isinstance(outcome, Unavailable)
    assert outcome.worth_retrying


def test_a_connection_that_was_closed_is_unavailable():
    with serving(Script(an_answer().SerializeToString())) as address:
        sidecar = Sidecar.nearby(address, IMPLEMENTS, token="secret")
        assert isinstance(sidecar.check(QUESTION), Permitted)
        sidecar.disconnect()
        assert isinstance(sidecar.check(QUESTION), Unavailable)


@pytest.mark.parametrize(
    "reply", [an_answer().SerializeToString(), an_answer(DENY).SerializeToString(), grpc.StatusCode.UNAVAILABLE]
)
def test_an_outcome_is_neither_true_nor_false(reply: Reply):
    outcome = asked_once(reply)
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(outcome)
    with pytest.raises(TypeError):
        assert not outcome


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_a_call_without_an_end_is_not_made(seconds: float):
    with pytest.raises(ValueError, match="deadline"):
        Sidecar.nearby("127.0.0.1:1", IMPLEMENTS, token="secret", deadline=seconds)
    with Sidecar.nearby("127.0.0.1:1", IMPLEMENTS, token="secret") as sidecar, pytest.raises(ValueError):
        sidecar.check(QUESTION, deadline=seconds)


def test_a_token_never_travels_in_clear_to_another_machine():
    for address in ("sidecar.example:4443", "192.0.2.7:4443", "[2001:db8::1]:4443", "0.0.0.0:4443", "localhost.evil:1"):
        with pytest.raises(ValueError, match="over_tls"):
            Sidecar.nearby(address, IMPLEMENTS, token="secret")


def test_the_caller_token_and_the_language_of_the_user_travel_with_every_question():
    script = Script(an_answer().SerializeToString())
    with serving(script) as address, Sidecar.nearby(address, IMPLEMENTS, token="secret", language="en") as sidecar:
        sidecar.check(QUESTION)
        sidecar.check(CheckAccessRequest(context=Context(language="fr")))
    sent = [access_pb2.CheckAccessRequest.FromString(message) for _, message, _ in script.asked]
    assert [request.context.language for request in sent] == ["en", "fr"]
    assert {metadata["authorization"] for _, _, metadata in script.asked} == {"Bearer secret"}
    assert not QUESTION.HasField("context"), "the question of the application is not changed"


def test_what_the_client_says_by_itself_is_in_the_language_of_the_user():
    with serving(Script(grpc.StatusCode.UNAVAILABLE)) as address:
        for language in ("fr", "en"):
            with Sidecar.nearby(address, IMPLEMENTS, token="secret", language=language) as sidecar:
                outcome = sidecar.check(QUESTION)
            assert isinstance(outcome, Unavailable)
            assert outcome.message == sentence("UNAVAILABLE", language)


# ---- batches


def a_batch_reply(*results: access_pb2.CheckAccessResponse | access_pb2.ItemError) -> bytes:
    wrapped = [
        access_pb2.BatchResult(error=one)
        if isinstance(one, access_pb2.ItemError)
        else access_pb2.BatchResult(answer=one)
        for one in results
    ]
    return access_pb2.CheckAccessBatchResponse(results=wrapped).SerializeToString()


def the_batch(reply: Reply) -> tuple[Outcome, ...]:
    with serving(Script(reply)) as address, Sidecar.nearby(address, IMPLEMENTS, token="secret") as sidecar:
        return sidecar.check_batch(BATCH)


def test_a_batch_gives_one_outcome_for_each_item_in_order():
    error = access_pb2.ItemError(reason="INVALID_REQUEST", field="items[1].resource.category", description="unknown")
    first, second, third = the_batch(a_batch_reply(an_answer(), error, an_answer(DENY)))
    assert isinstance(first, Permitted)
    assert isinstance(second, Unavailable)
    assert second.reason == "INVALID_REQUEST"
    assert "items[1].resource.category" in second.detail
    assert isinstance(third, Refused)


def test_items_a_batch_did_not_reach_are_not_permitted():
    outcomes = the_batch(a_batch_reply(an_answer(), an_answer(DENY)))
    assert [type(outcome) for outcome in outcomes] == [Permitted, Refused, Unavailable]
    assert isinstance(outcomes[2], Unavailable)
    assert outcomes[2].reason == "NOT_EVALUATED"


def test_a_batch_with_more_results_than_items_permits_nothing():
    outcomes = the_batch(a_batch_reply(*[an_answer()] * 4))
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3


def test_a_batch_nobody_answers_is_unavailable_item_by_item():
    assert [type(o) for o in the_batch(grpc.StatusCode.UNAVAILABLE)] == [Unavailable] * 3
    empty = access_pb2.CheckAccessBatchResponse(results=[access_pb2.BatchResult()]).SerializeToString()
    assert [type(o) for o in the_batch(empty)] == [Unavailable] * 3


# ---- break-glass


def an_opening_reply(answer: access_pb2.CheckAccessResponse, grant: str = "g1", token: str = "after-open") -> bytes:
    answer.consistency_token = token
    reply = break_glass_pb2.OpenResponse(answer=answer)
    if grant:
        reply.grant.id, reply.grant.scope = grant, "MED"
        reply.grant.opened_at.FromDatetime(datetime(2026, 3, 1, 21, tzinfo=UTC))
        reply.grant.until.FromDatetime(datetime(2026, 3, 2, 1, tzinfo=UTC))
    return reply.SerializeToString()


def test_an_opened_glass_says_until_when_and_its_checks_carry_its_token():
    closing = break_glass_pb2.CloseResponse(grant=break_glass_pb2.Grant(id="g1"), consistency_token="after-close")
    script = Script(
        an_opening_reply(with_obligations("DISPLAY_BREAK_GLASS_BANNER", reason="ALLOW_BREAK_GLASS")),
        an_answer().SerializeToString(),
        an_answer().SerializeToString(),
        closing.SerializeToString(),
        an_answer(DENY, reason="BREAK_GLASS_EXPIRED").SerializeToString(),
    )
    under_grant = CheckAccessRequest(context=Context(access_mode="bris_de_glace", grant="g1"))
    with serving(script) as address, Sidecar.nearby(address, IMPLEMENTS, token="secret") as sidecar:
        opened = sidecar.open(OPENING)
        assert isinstance(opened, Opened)
        assert opened.grant == "g1"
        assert opened.until == datetime(2026, 3, 2, 1, tzinfo=UTC)
        assert isinstance(sidecar.check(under_grant), Permitted)
        sidecar.check(QUESTION)
        assert isinstance(sidecar.close(CloseRequest(grant="g1", subject=QUESTION.subject)), Closed)
        assert isinstance(sidecar.check(under_grant), Refused)
    checks = [
        access_pb2.CheckAccessRequest.FromString(message)
        for method, message, _ in script.asked
        if method.endswith("/CheckAccess")
    ]
    assert [check.context.consistency_token for check in checks] == ["after-open", "", "after-close"]


def test_a_token_the_application_gives_is_carried_as_it_is():
    script = Script(an_opening_reply(an_answer()), an_answer().SerializeToString())
    with serving(script) as address, Sidecar.nearby(address, IMPLEMENTS, token="secret") as sidecar:
        sidecar.open(OPENING)
        sidecar.check(CheckAccessRequest(context=Context(grant="g1", consistency_token="mine")))
    assert access_pb2.CheckAccessRequest.FromString(script.asked[1][1]).context.consistency_token == "mine"


def test_an_opening_that_is_refused_unknown_or_without_a_grant_opens_nothing():
    replies: list[tuple[Reply, type]] = [
        (an_opening_reply(an_answer(DENY), grant=""), Refused),
        (an_opening_reply(an_answer(DENY)), Refused),
        (an_opening_reply(an_answer(), grant=""), Unavailable),
        (an_opening_reply(an_answer(99)), Unavailable),
        (an_opening_reply(with_obligations("SOMETHING_NEW")), Refused),
        (b"", Unavailable),
        (grpc.StatusCode.UNAVAILABLE, Unavailable),
    ]
    for reply, kind in replies:
        with serving(Script(reply)) as address, Sidecar.nearby(address, IMPLEMENTS, token="secret") as sidecar:
            assert type(sidecar.open(OPENING)) is kind


def test_an_opening_has_an_id_of_its_own_unless_the_application_gives_one_to_ask_again():
    script = Script(grpc.StatusCode.UNAVAILABLE)
    again = OpenRequest(request_id="mine")
    with serving(script) as address, Sidecar.nearby(address, IMPLEMENTS, token="secret") as sidecar:
        for request in (OPENING, OPENING, again, again):
            sidecar.open(request)
    ids = [break_glass_pb2.OpenRequest.FromString(message).request_id for _, message, _ in script.asked]
    assert len(set(ids[:2])) == 2
    assert ids[2:] == ["mine", "mine"]


def test_a_closing_that_is_not_confirmed_is_unavailable():
    for reply in (b"", grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE):
        with serving(Script(reply)) as address, Sidecar.nearby(address, IMPLEMENTS, token="secret") as sidecar:
            assert isinstance(sidecar.close(CloseRequest(grant="g1", subject=QUESTION.subject)), Unavailable)


def test_a_batch_under_a_grant_carries_its_token_too():
    script = Script(an_opening_reply(an_answer()), a_batch_reply(an_answer(), an_answer(), an_answer()))
    batch = CheckAccessBatchRequest()
    batch.CopyFrom(BATCH)
    batch.context.grant = "g1"
    with serving(script) as address, Sidecar.nearby(address, IMPLEMENTS, token="secret") as sidecar:
        sidecar.open(OPENING)
        sidecar.check_batch(batch)
    sent = access_pb2.CheckAccessBatchRequest.FromString(script.asked[1][1])
    assert sent.context.consistency_token == "after-open"


# ---- over the network


def test_over_tls_only_the_authority_s_own_are_answered(tmp_path: Path):
    for name in ("ours", "theirs"):
        make_demo(tmp_path / name, datetime.now(UTC))
    pem = {
        f"{whose}/{what}": (tmp_path / whose / what).read_bytes()
        for whose in ("ours", "theirs")
        for what in ("ca.pem", "server.pem", "server.key", "dpi.pem", "dpi.key")
    }
    credentials = grpc.ssl_server_credentials(
        [(pem["ours/server.key"], pem["ours/server.pem"])], pem["ours/ca.pem"], require_client_auth=True
    )

    def told(address: str, ca: str, caller: str) -> Outcome:
        sidecar = Sidecar.over_tls(
            address,
            IMPLEMENTS,
            ca=pem[f"{ca}/ca.pem"],
            certificate=pem[f"{caller}/dpi.pem"],
            key=pem[f"{caller}/dpi.key"],
            deadline=5,
        )
        with sidecar:
            return sidecar.check(QUESTION)

    with serving(Script(an_answer().SerializeToString()), credentials) as address:
        assert isinstance(told(address, "ours", "ours"), Permitted)
        assert isinstance(told(address, "theirs", "ours"), Unavailable), "a server of another authority is not asked"
        assert isinstance(told(address, "ours", "theirs"), Unavailable), "a caller of another authority is not answered"
        assert asked_in_clear(address) == "UNAVAILABLE"


def asked_in_clear(address: str) -> str:
    with Sidecar.nearby(address, IMPLEMENTS, token="secret") as sidecar:
        outcome = sidecar.check(QUESTION)
    assert isinstance(outcome, Unavailable)
    return outcome.reason


# ---- what a type checker says

CARELESS = """
from dpi_sidecar_client import CheckAccessRequest, Permitted, Refused, Sidecar, Unavailable
def ask(sidecar: Sidecar) -> str:
    outcome = sidecar.check(CheckAccessRequest())
    {use}
    return ""
"""
USES = {
    "match outcome:\n        case Permitted(): return outcome.obligations[0].id\n"
    "        case Refused(): return outcome.answer.message\n        case Unavailable(): return outcome.message": "",
    "return outcome.obligations[0].id": 'has no attribute "obligations"',
    "return outcome.answer.message": 'has no attribute "answer"',
    "if isinstance(outcome, Permitted): return outcome.break_glass.scope": 'has no attribute "break_glass"',
}


def test_using_one_outcome_for_another_does_not_type(tmp_path: Path):
    for number, use in enumerate(USES):
        (tmp_path / f"use{number}.py").write_text(CARELESS.format(use=use), encoding="utf-8")
    paths = [str(path) for path in sorted(tmp_path.glob("use*.py"))]
    root = Path(__file__).parents[2]
    settings = tmp_path / "mypy.ini"
    settings.write_text(
        f"[mypy]\nmypy_path = {root / 'clients/python'}:{root}\nexplicit_package_bases = True\n"
        "[mypy-sidecar.v1.*]\nignore_errors = True\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", f"--config-file={settings}", f"--cache-dir={tmp_path}"]
    said = subprocess.run([*command, *paths], capture_output=True, text=True, check=False, cwd=tmp_path).stdout
    for number, expected in enumerate(USES.values()):
        lines = [line for line in said.splitlines() if f"use{number}.py" in line]
        assert any(expected in line for line in lines) if expected else not lines, said
