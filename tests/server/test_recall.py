"""What a decision was taken from is recalled as it was, for the auditors of its tenant alone, if its month is open."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from sidecar import config
from sidecar.api import recalls
from sidecar.authoring import bundle
from sidecar.authoring.replay import replay
from sidecar.core.instants import DAY, SECOND
from sidecar.core.policy import PolicySet
from sidecar.facts import reads
from sidecar.facts.room import FactsRoom
from sidecar.ledger.room import LedgerRoom
from sidecar.server import Sidecar
from tests.cli.commands import Said, run
from tests.server.client import TOKEN, Client, refusal, violated
from tests.server.process import CONTROLLER, KINDS, PACK, SOURCE, a_caller, settings
from tests.server.world import a_batch, a_check, a_subject, a_write, an_opening, now, told

OTHER = "C2"
OUTSIDERS = ("stranger", "elsewhere")
CALLERS = (
    a_caller("dpi", "dpi", controllers=(CONTROLLER, OTHER)),
    a_caller("feed", "feed"),
    a_caller("auditor", "auditor"),
    a_caller("admin", "administrator"),
    a_caller("elsewhere", "auditor", controllers=(OTHER,)),
    a_caller("stranger", "auditor", tenant="other"),
)


class Kept:
    """A sidecar in this process whose clock the test sets."""

    def __init__(self, folder: Path, *sources: str) -> None:
        """`sources` must all have told everything of every kind."""
        self.folder, self.now = folder, now()
        required = config.FactsSettings(dict.fromkeys(KINDS, sources or (SOURCE,)))
        asked = settings(folder, CALLERS, log=config.LogSettings("error"), data=str(folder / "data"), facts=required)
        self.sidecar = Sidecar(asked, lambda: self.now)
        self.sidecar.start()
        self.address = f"unix:{folder}/n/s.sock"
        self.clients: dict[str, Client] = {}

    def call(self, caller: str, method: str, *message: object, **fields: object) -> object:
        client = self.clients.setdefault(caller, Client.local(self.address, caller))
        return client.call(method, *message, **fields)

    def recalled(self, decision_id: str) -> object:
        return recalls.recalled(self.call("auditor", "RecallDecision", decision_id=decision_id))

    def replayed(self, *asked: object) -> Said:
        """What `dpi-sidecar replay` says as the auditor."""
        token = self.folder / "auditor.token"
        token.write_text(TOKEN + "auditor")
        return run("replay", "--pack", PACK, *asked, "--address", self.address, "--token-file", token)

    def stop(self) -> None:
        for client in self.clients.values():
            client.close()
        self.sidecar.stop()


@pytest.fixture(scope="module")
def policies() -> PolicySet:
    return bundle.compile_bundle(bundle.read_folder(PACK))


@pytest.fixture
def kept(folder: Path) -> Iterator[Kept]:
    """The same, which knows P1."""
    made = Kept(folder)
    try:
        made.call("feed", "WriteFacts", a_write("w1", told(), complete=True))
        yield made
    finally:
        made.stop()


def a_question(patient: str = "P1", controller: str = CONTROLLER, **more: object) -> object:
    question = a_check(patient, **more)
    question.resource.controller_id = controller
    return question


def test_all_that_the_decision_was_taken_from_is_recalled(kept, policies):
    answer = kept.call("dpi", "CheckAccess", a_question())
    said = kept.call("auditor", "RecallDecision", decision_id=answer.decision_id)
    assert said.record == answer.record
    assert said.policy == answer.policy
    assert (said.outcome.reason, said.outcome.effect) == (answer.reason, answer.effect)
    assert (said.caller.id, sorted(said.caller.roles), said.caller.channel) == ("dpi", ["dpi"], "dpi")
    assert sorted(fact.fact.id for fact in said.patient_facts) == ["r-P1", "s-P1"]
    assert [fact.fact.id for fact in said.staff_facts] == ["a-dr-jour"]
    assert {sources.kind for sources in said.required} == {mark.kinds[0] for mark in said.watermarks}
    assert said.facts_sequence == 1
    indexed = kept.call("auditor", "RecallDecision", decision_id=answer.decision_id, index=answer.record.index)
    assert indexed == said


def test_it_is_recalled_as_it_stood_whatever_came_later(kept, policies):
    before = kept.call("dpi", "CheckAccess", a_question()).decision_id
    first = kept.call("auditor", "RecallDecision", decision_id=before)
    later = told(unit="UF-SAU")
    kept.call("feed", "WriteFacts", a_write("w2", later, complete=True))
    after = kept.call("dpi", "CheckAccess", a_question(subject=a_subject(unit="UF-SAU"))).decision_id
    assert kept.call("auditor", "RecallDecision", decision_id=before) == first
    for decision in (before, after):
        assert replay(kept.recalled(decision), policies).differences == ()


def test_each_item_of_a_batch_is_recalled_by_its_own_id(kept, policies):
    batch = a_batch("P1", a_subject(), ("cr", "biologie", "psy"))
    for item in batch.items:
        item.resource.controller_id = CONTROLLER
    answers = kept.call("dpi", "CheckAccessBatch", batch).results
    for n, result in enumerate(answers):
        recalled = kept.recalled(result.answer.decision_id)
        assert recalled.found.checked.request.resource.category == batch.items[n].resource.category
        assert recalled.found.checked.decision.reason == result.answer.reason
        assert replay(recalled, policies).differences == ()


def test_an_opening_asked_again_is_judged_at_the_instant_of_the_first(kept, policies):
    opening = an_opening(request_id="o1")
    opening.controller_id = CONTROLLER
    opening.authentication.time.CopyFrom(a_check().authentication.time)
    first = kept.call("dpi", "Open", opening)
    kept.now += 900 * SECOND  # too long after the authentication for another grant
    again = kept.call("dpi", "Open", opening)
    assert again.grant.id == first.grant.id
    ids = [each.answer.decision_id for each in (first, again)]
    recalled = [kept.recalled(each) for each in ids]
    assert [replay(each, policies).differences for each in recalled] == [(), ()]
    assert recalled[0].judged_at == recalled[1].judged_at == recalled[0].found.recorded_at
    assert recalled[1].found.recorded_at == kept.now


def test_sources_that_had_to_report_then_count_and_not_those_that_must_now(folder, policies, monkeypatch):
    first = Kept(folder)
    first.call("feed", "WriteFacts", a_write("w1", told(), complete=True))
    before = first.call("dpi", "CheckAccess", a_question()).decision_id
    first.stop()
    more = Kept(folder, SOURCE, "mpi")
    try:
        answer = more.call("dpi", "CheckAccess", a_question())
        assert answer.reason == "FACTS_UNAVAILABLE"
        decisions = (before, answer.decision_id)
        assert [replay(more.recalled(each), policies).differences for each in decisions] == [(), ()]
        [noted] = [line for line in more.call("auditor", "ShowRecords").records if "require_sources" in line]
        assert '\\"assignment\\":[\\"adt\\",\\"mpi\\"]' in noted
        # Were it not noted, the settings of now would be taken for those of then.
        monkeypatch.setattr(reads, "required", lambda *_: None)
        assert replay(more.recalled(before), policies).differences
        monkeypatch.undo()
    finally:
        more.stop()
    again = Kept(folder, SOURCE, "mpi")
    try:
        assert sum("require_sources" in line for line in again.call("auditor", "ShowRecords").records) == 1
        assert replay(again.recalled(before), policies).differences == ()
    finally:
        again.stop()


def test_what_keeps_the_tenants_and_the_controllers_apart_is_seen_when_it_is_gone(kept, monkeypatch):
    answer = kept.call("dpi", "CheckAccess", a_question()).decision_id

    def told_to() -> list[str]:
        codes = ((who, refusal(kept.call, who, "RecallDecision", decision_id=answer)) for who in OUTSIDERS)
        return [who for who, code in codes if code is not grpc.StatusCode.NOT_FOUND]

    assert told_to() == []
    find = LedgerRoom.find
    with monkeypatch.context() as off:
        off.setattr(LedgerRoom, "find", lambda self, tenant, *rest: find(self, "default", *rest))
        off.setattr(FactsRoom, "past", lambda self, tenant, *rest: self._store.past("default", *rest))
        off.setattr("sidecar.server.about", lambda checked: (CONTROLLER, ""))
        assert told_to() == list(OUTSIDERS)


def test_nobody_else_is_told_anything(kept):
    answer = kept.call("dpi", "CheckAccess", a_question()).decision_id
    status = grpc.StatusCode
    for caller, code in (
        ("stranger", status.NOT_FOUND),
        ("elsewhere", status.NOT_FOUND),
        ("dpi", status.PERMISSION_DENIED),
        ("feed", status.PERMISSION_DENIED),
        ("admin", status.PERMISSION_DENIED),
    ):
        assert refusal(kept.call, caller, "RecallDecision", decision_id=answer) is code, caller
    assert refusal(kept.call, "auditor", "RecallDecision", decision_id="") is status.INVALID_ARGUMENT
    for unknown in ("00" * 20, "zz", answer + ".0", answer[:-2]):
        assert refusal(kept.call, "auditor", "RecallDecision", decision_id=unknown) is status.NOT_FOUND


def test_a_retired_month_is_recalled_no_more_and_says_so(kept, policies):
    old = kept.call("dpi", "CheckAccess", a_question()).decision_id
    month = kept.call("auditor", "ShowRecords", decision_id=old).records[0].partition('"at":"')[2][:7]
    kept.now += 40 * DAY
    kept.call("feed", "WriteFacts", a_write("w2", complete=True))
    new = kept.call("dpi", "CheckAccess", a_question()).decision_id
    told_only = kept.call("admin", "RetireMonth", month=month)
    assert not told_only.HasField("record")
    assert {each.kind: each.count for each in told_only.records} == {"change": 1, "check": 1, "consulted": 1}
    assert replay(kept.recalled(old), policies).differences == ()
    done = kept.call("admin", "RetireMonth", month=month, confirm=month)
    assert done.HasField("record")
    with pytest.raises(grpc.RpcError) as closed:
        kept.recalled(old)
    assert closed.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert violated(closed.value)[0] == "RECORD_CLOSED"
    assert f"the keys of {month} were retired" in closed.value.details()
    [shown] = kept.call("auditor", "ShowRecords", decision_id=old).records
    named, stretch = kept.replayed("--decision-id", old), kept.replayed("--from-index", 0)
    assert (named.code, stretch.code) == (1, 1)
    assert f"the keys of {month} were retired" in named.err
    assert stretch.out == "2 decisions taken again: 1 same, 1 closed\n"
    assert '"opened":null' in shown
    assert "were retired at" in shown
    assert replay(kept.recalled(new), policies).differences == ()
    assert (
        refusal(kept.call, "admin", "RetireMonth", month=month, confirm="2000-01") is grpc.StatusCode.INVALID_ARGUMENT
    )
    assert refusal(kept.call, "auditor", "RetireMonth", month=month) is grpc.StatusCode.PERMISSION_DENIED
