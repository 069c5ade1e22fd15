"""What holds on both transports: the same table, the same statuses, the same limits."""

import threading
import time
from collections.abc import Callable

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2

from sidecar.errors import FactsUnavailable, LedgerUnavailable
from sidecar.v1 import access_pb2, admin_pb2, break_glass_pb2, facts_pb2
from tests.api.corridor import (
    ACKNOWLEDGE,
    BATCH,
    CHECK,
    CLOSE,
    EVENTS,
    GET,
    HEALTH,
    LIST,
    NOW,
    OPEN,
    READ,
    RECORDS,
    REVIEW,
    STATUS,
    TOKENS,
    WRITE,
    Served,
    a_check,
)

Start = Callable[..., Served]
PLAIN = a_check().SerializeToString()


def fails(call: Callable[[], object]) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value


def details(error: grpc.RpcError) -> tuple[str, list[tuple[str, str]]]:
    """The stable reason, and the fields at fault."""
    found = dict(error.trailing_metadata())["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(found)
    assert status.code == error.code().value[0]
    reason, fields = "", []
    for each in status.details:
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if each.Unpack(info):
            reason = info.reason
        elif each.Unpack(bad):
            fields += [(v.field, v.description) for v in bad.field_violations]
    return reason, fields


def test_a_question_is_answered_with_its_reason_and_its_record(start: Start) -> None:
    answer = start().client().check("P1")
    assert answer.effect == access_pb2.EFFECT_PERMIT
    assert answer.enforcement == access_pb2.ENFORCEMENT_ENFORCED
    assert (answer.reason, answer.record.origin, answer.record.index) == ("CARE_TEAM", "origin", 7)
    assert answer.policy.digest == "ab" * 32
    assert answer.valid_until.seconds == NOW // 1_000_000 + 60
    assert answer.HasField("break_glass")


def test_the_true_reason_never_leaves_the_ledger(start: Start) -> None:
    payload = start().client().call(CHECK, a_check("P2").SerializeToString())
    assert b"NO_RELATIONSHIP" in payload
    assert b"TRUE_" not in payload


def test_what_arrives_together_is_decided_together_and_each_gets_its_own_answer(start: Start) -> None:
    running = start()
    client, corridor = running.client(), running.corridor
    corridor.gate.clear()
    first = client.future(CHECK, PLAIN)
    assert corridor.entered.acquire(timeout=10)
    context = access_pb2.Context
    rest = [
        client.future(CHECK, a_check("P1", context=context(request_id=f"r{n}")).SerializeToString()) for n in range(20)
    ]
    rest[0].add_done_callback(lambda _: None)
    time.sleep(0.3)  # they are on their way: how many wait is what is looked at, not how long
    corridor.gate.set()
    first.result()
    answers = [access_pb2.CheckAccessResponse.FromString(each.result()) for each in rest]
    assert [answer.decision_id for answer in answers] == [f"id-r{n}" for n in range(20)]
    assert sum(corridor.bursts) == 21
    assert len(corridor.bursts) < 21


@pytest.mark.parametrize(
    ("method", "kind", "name", "admitted"),
    [
        (CHECK, access_pb2.CheckAccessRequest, "dpi", {"dpi"}),
        (BATCH, access_pb2.CheckAccessBatchRequest, "dpi", {"dpi"}),
        (OPEN, break_glass_pb2.OpenRequest, "dpi", {"dpi"}),
        (CLOSE, break_glass_pb2.CloseRequest, "dpi", {"dpi", "reviewer"}),
        (GET, break_glass_pb2.GetRequest, "dpi", {"dpi", "reviewer", "auditor"}),
        (LIST, break_glass_pb2.ListRequest, "dpi", {"dpi", "reviewer", "auditor"}),
        (REVIEW, break_glass_pb2.ReviewRequest, "reviewer", {"reviewer"}),
        (EVENTS, break_glass_pb2.EventsRequest, "dpi", {"dpi", "reviewer"}),
        (ACKNOWLEDGE, break_glass_pb2.AcknowledgeRequest, "dpi", {"dpi", "reviewer"}),
        (WRITE, facts_pb2.WriteFactsRequest, "feed", {"feed"}),
        (READ, facts_pb2.ReadFactsRequest, "feed", {"feed", "auditor"}),
        (STATUS, admin_pb2.GetStatusRequest, "auditor", {"auditor"}),
        (RECORDS, admin_pb2.ShowRecordsRequest, "auditor", {"auditor"}),
    ],
)
def test_a_method_admits_its_roles_alone_and_a_wrong_role_is_recorded(
    start: Start, method: str, kind: type, name: str, admitted: set[str]
) -> None:
    running = start()
    for caller in TOKENS:
        before = len(running.corridor.refused)
        client = running.client(caller)
        if caller in admitted:
            # An empty message is refused for what it lacks, if for anything; the role was right.
            try:
                client.call(method, b"")
            except grpc.RpcError as error:
                assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        else:
            error = fails(lambda client=client: client.call(method, b""))
            assert error.code() is grpc.StatusCode.PERMISSION_DENIED
            refused = running.corridor.refused[before:]
            assert [(r.caller_id, r.method, r.reason) for r in refused] == [(caller, method, "PERMISSION_DENIED")]


@pytest.mark.parametrize("token", [None, "another", "token-of-dpi ", "Token-of-dpi", ""])
def test_an_unknown_token_is_unauthenticated_and_nothing_is_recorded(start: Start, token: str | None) -> None:
    running = start()
    client = running.client(None)
    client.metadata = () if token is None else (("authorization", f"Bearer {token}"),)
    error = fails(lambda: client.call(CHECK, PLAIN))
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert not running.corridor.refused
    assert not running.corridor.bursts


def test_an_unknown_method_is_unimplemented(start: Start) -> None:
    client = start().client()
    for method in ("/sidecar.v1.AccessService/Nothing", "/nobody.Service/Nothing", "/grpc.health.v1.Health/Watch"):
        assert fails(lambda m=method: client.call(m, b"")).code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_malformed_message_is_refused_by_field_and_recorded(start: Start) -> None:
    running = start()
    message = a_check()
    message.resource.category = ""
    error = fails(lambda: running.client().call(CHECK, message.SerializeToString()))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert details(error) == ("INVALID_REQUEST", [("resource.category", "required")])
    assert [(r.method, r.field, r.reason) for r in running.corridor.refused] == [
        (CHECK, "resource.category", "INVALID_REQUEST")
    ]


def test_a_malformed_call_does_not_disturb_those_that_arrived_with_it(start: Start) -> None:
    running = start()
    client, corridor = running.client(), running.corridor
    corridor.gate.clear()
    calls = [client.future(CHECK, PLAIN if n % 2 else b"\xff\xff") for n in range(20)]
    corridor.gate.set()
    codes = [call.code() for call in calls]
    assert codes == [grpc.StatusCode.OK if n % 2 else grpc.StatusCode.INVALID_ARGUMENT for n in range(20)]
    assert len(corridor.refused) == 10


@pytest.mark.parametrize("failure", [LedgerUnavailable("No space left on /data"), FactsUnavailable("/data/facts.db")])
def test_when_no_record_can_be_kept_there_is_no_answer_and_no_word_about_this_machine(
    start: Start, failure: Exception
) -> None:
    running = start()
    running.corridor.failure = failure
    for payload in (PLAIN, b"\xff"):
        error = fails(lambda payload=payload: running.client().call(CHECK, payload))
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert details(error)[0] == failure.reason  # type: ignore[attr-defined]
        assert "/data" not in str(error.details())


def test_a_failure_of_ours_is_internal_and_says_nothing(start: Start) -> None:
    running = start()
    running.corridor.failure = RuntimeError("patient P1 of dr-nuit")
    error = fails(lambda: running.client().call(CHECK, PLAIN))
    assert error.code() is grpc.StatusCode.INTERNAL
    assert "P1" not in str(error.details()) + str(error.trailing_metadata())
    running.corridor.failure = None
    assert running.client().check().reason == "CARE_TEAM"


def test_what_is_not_found_says_nothing_of_what_there_is(start: Start) -> None:
    error = fails(lambda: start().client().call(GET, break_glass_pb2.GetRequest(grant="g9").SerializeToString()))
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert "P9" not in str(error.details())


def test_a_message_longer_than_its_method_admits_is_refused_and_a_long_import_is_not(start: Start) -> None:
    running = start()
    long = a_check()
    long.facts.add(id="x" * 70_000)
    error = fails(lambda: running.client().call(CHECK, long.SerializeToString()))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert details(error)[0] == "MESSAGE_TOO_LARGE"
    assert not running.corridor.bursts
    write = facts_pb2.WriteFactsRequest(request_id="r")
    for n in range(2000):
        write.facts.add(id=f"{n:0200}", source="adt").stay.CopyFrom(
            facts_pb2.Stay(patient_id="P1", unit="UF-CARD", status="active")
        )
    assert write.ByteSize() > 400_000
    answer = running.client("feed").call(WRITE, write.SerializeToString(), timeout=60)
    assert facts_pb2.WriteFactsResponse.FromString(answer).changed == 2000
    too_long = b"\0" * (5 << 20)
    error = fails(lambda: running.client("feed").call(WRITE, too_long))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_call_there_is_no_room_for_is_shed_with_its_reason(start: Start) -> None:
    running = start(in_flight=4)
    client, corridor = running.client(), running.corridor
    corridor.gate.clear()
    first = client.future(CHECK, PLAIN)
    assert corridor.entered.acquire(timeout=10)
    calls = [client.future(CHECK, PLAIN) for _ in range(40)]
    time.sleep(0.3)
    corridor.gate.set()
    first.result()
    shed = [each.exception() for each in calls if each.code() is not grpc.StatusCode.OK]
    assert len(shed) >= 30
    assert {(each.code(), details(each)[0]) for each in shed} == {(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")}
    assert running.refusals == ["OVERLOADED"] * len(shed)
    assert client.check().reason == "CARE_TEAM"


def test_metadata_over_the_limit_is_refused(start: Start) -> None:
    running = start(metadata_bytes=4096)
    assert running.client().check(metadata=(("x-note", "y" * 2000),)).reason == "CARE_TEAM"
    error = fails(lambda: running.client().check(metadata=(("x-note", "y" * 20_000),)))
    assert error.code() in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN)
    assert len(running.corridor.requests) == 1


def test_a_call_whose_deadline_passed_while_it_waited_is_not_evaluated(start: Start) -> None:
    running = start()
    client, corridor = running.client(), running.corridor
    corridor.gate.clear()
    first = client.future(CHECK, PLAIN)
    assert corridor.entered.acquire(timeout=10)
    late = [client.future(CHECK, a_check("P2").SerializeToString(), timeout=0.3) for _ in range(10)]
    assert {each.code() for each in late} == {grpc.StatusCode.DEADLINE_EXCEEDED}
    time.sleep(0.2)  # the news reaches the server
    corridor.gate.set()
    first.result()
    assert client.check().reason == "CARE_TEAM"
    assert [request.resource.patient_id for request in corridor.requests] == ["P1", "P1"]


def test_a_call_cancelled_while_it_waited_is_not_evaluated(start: Start) -> None:
    running = start()
    client, corridor = running.client(), running.corridor
    corridor.gate.clear()
    first = client.future(CHECK, PLAIN)
    assert corridor.entered.acquire(timeout=10)
    gone = [client.future(CHECK, a_check("P2").SerializeToString(), timeout=None) for _ in range(10)]
    time.sleep(0.2)
    for each in gone:
        each.cancel()
    time.sleep(0.2)
    corridor.gate.set()
    first.result()
    assert client.check().reason == "CARE_TEAM"
    assert [request.resource.patient_id for request in corridor.requests] == ["P1", "P1"]


def test_an_import_holds_up_neither_checks_nor_grants(start: Start) -> None:
    running = start()
    running.corridor.slow_gate.clear()
    write = facts_pb2.WriteFactsRequest(request_id="r").SerializeToString()
    imports = [running.client("feed").future(WRITE, write) for _ in range(3)]
    assert running.corridor.entered.acquire(timeout=10)
    assert running.client().check().reason == "CARE_TEAM"
    assert not any(each.done() for each in imports)
    running.corridor.slow_gate.set()
    for each in imports:
        each.result()


def test_a_grant_waiting_behind_imports_goes_first(start: Start) -> None:
    running = start()
    running.corridor.slow_gate.clear()
    write = facts_pb2.WriteFactsRequest(request_id="r").SerializeToString()
    imports = [running.client("feed").future(WRITE, write) for _ in range(5)]
    assert running.corridor.entered.acquire(timeout=10)
    get = running.client().future(GET, break_glass_pb2.GetRequest(grant="g1").SerializeToString())
    time.sleep(0.2)
    running.corridor.slow_gate.set()
    for each in (*imports, get):
        each.result()
    assert "get" in running.corridor.order[:2]


def test_stopping_answers_what_waits(start: Start) -> None:
    running = start()
    client, corridor = running.client(), running.corridor
    corridor.gate.clear()
    waiting = [client.future(CHECK, PLAIN) for _ in range(5)]
    assert corridor.entered.acquire(timeout=10)
    time.sleep(2)  # what was sent has arrived, on a busy machine too
    stopping = threading.Thread(target=running.server.stop, args=(10,))
    stopping.start()
    time.sleep(0.2)
    corridor.gate.set()
    assert all(access_pb2.CheckAccessResponse.FromString(each.result()).reason for each in waiting)
    stopping.join(10)
    assert not stopping.is_alive()
    running.server.stop(0)


def test_stopping_refuses_what_comes_while_the_rest_is_answered(start: Start) -> None:
    running = start()
    client, corridor = running.client(), running.corridor
    client.check()
    corridor.slow_gate.clear()
    write = running.client("feed").future(WRITE, facts_pb2.WriteFactsRequest(request_id="r").SerializeToString())
    assert corridor.entered.acquire(timeout=10)
    assert corridor.entered.acquire(timeout=10)
    stopping = threading.Thread(target=running.server.stop, args=(10,))
    stopping.start()
    time.sleep(0.3)
    assert fails(lambda: client.check()).code() is grpc.StatusCode.UNAVAILABLE
    corridor.slow_gate.set()
    assert write.code() is grpc.StatusCode.OK
    stopping.join(10)
    assert not stopping.is_alive()


def test_stopping_does_not_wait_longer_than_its_grace(start: Start) -> None:
    running = start()
    running.corridor.gate.clear()
    stuck = running.client().future(CHECK, PLAIN)
    assert running.corridor.entered.acquire(timeout=10)
    stopping = threading.Thread(target=running.server.stop, args=(0.2,))
    stopping.start()
    assert stuck.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
    running.corridor.gate.set()
    stopping.join(10)
    assert not stopping.is_alive()


def test_health_tells_liveness_and_readiness_whatever_the_role(start: Start) -> None:
    running = start()
    client = running.client("auditor")

    def state(service: str) -> int:
        asked = health_pb2.HealthCheckRequest(service=service).SerializeToString()
        return health_pb2.HealthCheckResponse.FromString(client.call(HEALTH, asked)).status

    serving, not_serving = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
    assert [state(each) for each in ("", "readiness", "liveness")] == [serving] * 3
    running.corridor.ready = False
    assert [state(each) for each in ("", "readiness", "liveness")] == [not_serving, not_serving, serving]
    assert fails(lambda: state("nothing")).code() is grpc.StatusCode.NOT_FOUND
    assert fails(lambda: client.call(HEALTH, b"\xff")).code() is grpc.StatusCode.INVALID_ARGUMENT
