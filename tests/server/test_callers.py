"""Who calls, and what each may: over TLS, against a real sidecar that knows two hospitals' facts."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509

from sidecar.api.shape import message
from sidecar.certs import CLIENT, SERVER, Identity, authority, issued
from sidecar.config import Listen, Tls
from sidecar.core.model import Assignment, Fact, Resource
from sidecar.v1 import access_pb2, facts_pb2
from tests.server.client import METHODS, Client, refusal, violated
from tests.server.process import CALLERS, CONTROLLER, SOURCE, Running, a_caller, running, settings
from tests.server.world import a_check, a_subject, a_write, an_opening, told

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)
OTHER = "750000002"
DENIED, REFUSED = grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAVAILABLE
ROLES = {
    "CheckAccess": {"dpi"},
    "CheckAccessBatch": {"dpi"},
    "Open": {"dpi"},
    "Close": {"dpi", "reviewer"},
    "Get": {"dpi", "reviewer", "auditor"},
    "List": {"dpi", "reviewer", "auditor"},
    "Review": {"reviewer"},
    "Events": {"dpi", "reviewer"},
    "Acknowledge": {"dpi", "reviewer"},
    "Describe": {"dpi", "reviewer", "administrator", "auditor"},
    "Accesses": {"reviewer", "auditor"},
    "Pressure": {"reviewer", "administrator", "auditor"},
    "WriteFacts": {"feed"},
    "ReadFacts": {"feed", "auditor"},
    "GetStatus": {"administrator", "auditor"},
    "ShowRecords": {"administrator", "auditor"},
    "RecallDecision": {"auditor"},
    "RotateSigningKey": {"administrator"},
    "RetireMonth": {"administrator"},
}
STAFF = (
    a_caller("reviewer", "reviewer"),
    a_caller("administrator", "administrator"),
    a_caller("nobody"),
    a_caller("claims-nothing", "dpi", may_assert=()),
    a_caller("claims-facts", "dpi", may_assert=("identity", "facts")),
    a_caller("elsewhere", "dpi", "feed", tenant="elsewhere"),
    a_caller("elsewhere-auditor", "auditor", tenant="elsewhere"),
    a_caller("two-houses", "dpi", "feed", controllers=(CONTROLLER, OTHER)),
    a_caller("other-house", "dpi", controllers=(OTHER,)),
)


@pytest.fixture(scope="module")
def ca() -> Identity:
    return authority("ca", NOW)


def person(ca: Identity, name: str, **more: Any) -> Identity:
    said: dict[str, Any] = {"usage": CLIENT, "start": NOW - HOUR, "end": NOW + HOUR} | more
    return issued(ca, name, [x509.UniformResourceIdentifier(f"spiffe://test/{name}")], **said)


@pytest.fixture(scope="module")
def sidecar(module_folder: Path, ca: Identity) -> Iterator[Running]:
    """It has been told, by each of two tenants, who treats its own P1: dr-jour in UF-CARD, dr-autre in UF-AUTRE."""
    server = issued(ca, "server", [x509.DNSName("localhost")], SERVER, NOW - HOUR, NOW + HOUR)
    for name, content in (("ca.pem", ca.certificate_pem), ("s.pem", server.certificate_pem), ("s.key", server.key_pem)):
        (module_folder / name).write_bytes(content)
    listen = Listen(f"unix:{module_folder}/n/s.sock", "127.0.0.1:0", "127.0.0.1:0", Tls("s.pem", "s.key", "ca.pem"))
    with running(module_folder, settings(module_folder, (*CALLERS, *STAFF), listen=listen)) as started:
        started.client("feed").call("WriteFacts", a_write("w", told(), complete=True))
        started.client("elsewhere").call("WriteFacts", a_write("w", told("P1", "dr-autre", "UF-AUTRE"), complete=True))
        yield started


@pytest.fixture
def calling(sidecar: Running, ca: Identity) -> Callable[[str], Client]:
    """A caller over TLS, by name."""
    return lambda name: client(sidecar, ca, person(ca, name))


def client(sidecar: Running, ca: Identity, proof: Identity | None) -> Client:
    key, certificate = (proof.key_pem, proof.certificate_pem) if proof else (None, None)
    return sidecar.adopt(Client.tls(sidecar.addresses["grpc"], ca.certificate_pem, key, certificate))


def records(auditor: Client) -> list[dict[str, Any]]:
    return [json.loads(record) for record in auditor.call("ShowRecords", limit=1000).records]


@pytest.mark.parametrize("wrong", ["none", "another authority", "expired", "not yet valid", "for servers"])
def test_a_caller_without_a_good_certificate_gets_no_connection(sidecar: Running, ca: Identity, wrong: str) -> None:
    proofs: dict[str, Callable[[], Identity | None]] = {
        "none": lambda: None,
        "another authority": lambda: person(authority("ca", NOW), "dpi"),
        "expired": lambda: person(ca, "dpi", start=NOW - 3 * HOUR, end=NOW - HOUR),
        "not yet valid": lambda: person(ca, "dpi", start=NOW + HOUR, end=NOW + 2 * HOUR),
        "for servers": lambda: person(ca, "dpi", usage=SERVER),
    }
    caller = client(sidecar, ca, proofs[wrong]())
    for name in METHODS:
        assert refusal(caller.call, name) is REFUSED
    assert client(sidecar, ca, person(ca, "dpi")).call("CheckAccess", a_check()).reason == "ALLOW_CARE_TEAM"


def test_a_good_certificate_of_nobody_we_know_is_denied(calling: Callable[[str], Client]) -> None:
    stranger = calling("stranger")
    assert {refusal(stranger.call, name) for name in METHODS} == {DENIED}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_for_its_roles_alone_and_each_refusal_is_recorded(
    calling: Callable[[str], Client], name: str
) -> None:
    roles = {name: name for name in ("dpi", "feed", "auditor", "administrator", "reviewer")}
    outsiders = {*(caller for caller, role in roles.items() if role not in ROLES[name]), "nobody"}
    auditor = calling("auditor")
    before = len(records(auditor))
    for outsider in sorted(outsiders):
        assert refusal(calling(outsider).call, name) is DENIED, outsider
    told_of = records(auditor)[before:]
    assert {record["caller"]["id"] for record in told_of if record["kind"] == "refused"} == outsiders
    assert {record["reason"] for record in told_of if record["kind"] == "refused"} == {"PERMISSION_DENIED"}
    for caller, role in roles.items():
        assert (refusal(calling(caller).call, name) is DENIED) == (role not in ROLES[name]), caller


def test_another_tenants_patient_is_as_if_no_fact_existed(calling: Callable[[str], Client]) -> None:
    here, there = calling("dpi"), calling("elsewhere")
    assert here.call("CheckAccess", a_check()).reason == "ALLOW_CARE_TEAM"
    unknown = there.call("CheckAccess", a_check("P-nobody-knows"))
    theirs = there.call("CheckAccess", a_check("P1"))
    assert (theirs.effect, theirs.reason, theirs.message) == (unknown.effect, unknown.reason, unknown.message)
    assert theirs.break_glass == unknown.break_glass
    # The certificate decides the tenant: nothing in the message names one.
    assert there.call("CheckAccess", a_check("P1", a_subject("dr-autre", "UF-AUTRE"))).reason == "ALLOW_CARE_TEAM"
    assert here.call("CheckAccess", a_check("P1", a_subject("dr-autre", "UF-AUTRE"))).effect == access_pb2.EFFECT_DENY


def test_another_controllers_record_is_refused_and_recorded(calling: Callable[[str], Client]) -> None:
    resource = Resource("cr", "P1", tags=(), visibility=(), masked_for=(), lifecycle="actif", controller_id=OTHER)
    answer = calling("dpi").call("CheckAccess", a_check(resource=resource))
    assert (answer.effect, answer.reason) == (access_pb2.EFFECT_DENY, "WRONG_CONTROLLER")
    [record] = [each for each in records(calling("auditor")) if each["id"] == answer.decision_id]
    assert record["reason"] == "WRONG_CONTROLLER"
    assert record["opened"]["request"]["resource"]["controller_id"] == OTHER
    opening = an_opening()
    opening.controller_id = OTHER
    assert calling("dpi").call("Open", opening).answer.reason == "WRONG_CONTROLLER"


def test_another_controllers_facts_are_neither_written_nor_seen(calling: Callable[[str], Client]) -> None:
    assert refusal(calling("feed").call, "WriteFacts", a_write("x", told("P7"), controller_id=OTHER)) is DENIED
    both = calling("two-houses")
    both.call("WriteFacts", a_write("y", told("P7", "dr-ailleurs"), complete=True, controller_id=OTHER))
    assert not calling("feed").call("ReadFacts", patient_id="P7").facts
    assert not calling("feed").call("ReadFacts", patient_id="P7", controller_id=OTHER).facts
    other = calling("other-house")
    assert other.call("CheckAccess", a_check("P7", a_subject("dr-ailleurs"))).reason == "ALLOW_CARE_TEAM"
    here = calling("dpi").call("CheckAccess", a_check("P7", a_subject("dr-ailleurs")))
    assert here.effect == access_pb2.EFFECT_DENY
    # Who acts for two must say for which.
    with pytest.raises(grpc.RpcError) as caught:
        both.call("CheckAccess", a_check())
    assert violated(caught.value) == ("INVALID_REQUEST", "resource.controller_id")


def test_who_may_not_assert_identities_gets_only_those_an_assignment_gives(calling: Callable[[str], Client]) -> None:
    trusted, distrusted = calling("dpi"), calling("claims-nothing")
    assert distrusted.call("CheckAccess", a_check()).reason == "ALLOW_CARE_TEAM"
    unheard = a_check("P1", a_subject("dr-inconnu"))
    assert distrusted.call("CheckAccess", unheard).reason == "PROFILE_NOT_HELD"
    assert trusted.call("CheckAccess", unheard).reason != "PROFILE_NOT_HELD"


def test_facts_in_a_question_are_for_those_who_may_assert_them(calling: Callable[[str], Client]) -> None:
    works = Fact("inline", SOURCE, assignment=Assignment("dr-remplacant", "UF-CARD", "medecin"))
    asked = a_check("P1", a_subject("dr-remplacant", "UF-AUTRE"))
    asked.facts.append(message(facts_pb2.Fact, works))
    with_facts = calling("claims-facts").call("CheckAccess", asked)
    without = calling("dpi")
    assert with_facts.reason == "ALLOW_CARE_TEAM"
    code = refusal(without.call, "CheckAccess", asked)
    assert code is not grpc.StatusCode.OK or without.call("CheckAccess", asked).effect == access_pb2.EFFECT_DENY
    # A fact of one question is known to that question alone.
    del asked.facts[:]
    assert calling("claims-facts").call("CheckAccess", asked).effect == access_pb2.EFFECT_DENY


def test_a_field_this_version_does_not_know_is_refused_and_recorded(calling: Callable[[str], Client]) -> None:
    payload = a_check().SerializeToString() + b"\xf8\x3e\x01"
    with pytest.raises(grpc.RpcError) as caught:
        calling("dpi").raw(METHODS["CheckAccess"][0], payload)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert records(calling("auditor"))[-1]["reason"] == "INVALID_REQUEST"
