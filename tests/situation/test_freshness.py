"""How old a fact may be to support a yes, and who vouches that nothing forbids."""

import pytest
from msgspec.structs import asdict, replace

from sidecar.core.bundle import Snapshot, TenantFacts
from sidecar.core.model import Caller, References, Subject, Target
from tests.situation.builders import (
    CALLER,
    CONTROLLER,
    DAY,
    FEED,
    HOUR,
    NOW,
    PACK,
    SECOND,
    TENANT,
    Asked,
    alias,
    asking,
    assignment,
    contract,
    delegation,
    directive,
    record,
    relation,
    situation,
    snapshot,
    stay,
)

UNTRUSTED = Caller("dpi", tenant=TENANT, controllers=(CONTROLLER,))
TICKET = asking(context={"refs": References(ticket="T-1")})
PROVIDER = asking(subject={"kind": "prestataire", "structure": "PR1"})
SECRETARY = asking(subject={"id": "s-card", "profile": "secretaire"})
SENIOR = asking(subject={"supervised_by": "dr-card", "id": "dr-new"})
AGED = [
    ("stay", DAY, lambda at: (stay(as_of=at), assignment()), lambda s: s.subject.in_care_team),
    ("stay", DAY, lambda at: (stay(as_of=at, responsible_id="dr-card"),), lambda s: s.subject.responsible_for_stay),
    ("stay", DAY, lambda at: (stay(NOW, status="planned", as_of=at), assignment()),
     lambda s: s.subject.expecting_transfer),
    ("stay", DAY, lambda at: (stay(NOW - 9 * DAY, NOW - DAY, as_of=at), assignment()),
     lambda s: s.subject.left_unit_less_than(30)),
    ("stay", DAY, lambda at: (stay(NOW - 9 * DAY, NOW - DAY, as_of=at), assignment()),
     lambda s: s.subject.was_in_care_team),
    ("assignment", 7 * DAY, lambda at: (stay(), assignment(as_of=at)), lambda s: s.subject.in_care_team),
    ("assignment", 7 * DAY, lambda at: (assignment(as_of=at),), lambda s: s.subject.in_establishment),
    ("assignment", DAY, lambda at: (stay(), assignment(as_of=at, on_call=True)), lambda s: s.subject.on_call_here),
    ("relation", DAY, lambda at: (relation("REL_TEAM", subject_id="dr-card", as_of=at),),
     lambda s: s.subject.named_in_care),
    ("relation", DAY, lambda at: (relation("REL_APPT", subject_id="dr-card", as_of=at),),
     lambda s: s.subject.has_appointment),
    ("record_state", DAY, lambda at: (record(flags=("litige",), as_of=at),), lambda s: s.patient.in_litigation),
    ("record_state", DAY, lambda at: (record(death_date="2026-03-10", as_of=at), stay(), assignment()),
     lambda s: s.subject.in_team_at_death),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "limit", "facts", "ask"), AGED)
def test_a_fact_supports_a_ground_until_it_reaches_its_age_limit(kind, limit, facts, ask):
    assert ask(situation(*facts(NOW - limit + 1))) is True
    assert ask(situation(*facts(NOW - limit))) is False


@pytest.mark.parametrize(("kind", "limit", "facts", "ask"), AGED)
def test_a_watermark_of_its_own_source_kind_and_controller_keeps_a_fact_fresh(kind, limit, facts, ask):
    def asked(key, mark):
        return ask(situation(*facts(NOW - 99 * DAY), marks={key: mark}))

    assert asked((CONTROLLER, FEED, kind), NOW - limit + 1) is True
    assert asked((CONTROLLER, FEED, kind), NOW - limit) is False
    assert asked((CONTROLLER, "other", kind), NOW) is False
    assert asked(("C2", FEED, kind), NOW) is False
    assert asked((CONTROLLER, FEED, "call"), NOW) is False


@pytest.mark.parametrize(("kind", "limit", "facts", "ask"), AGED)
def test_a_yes_ends_when_the_fact_it_rests_on_gets_too_old(kind, limit, facts, ask):
    told = NOW - limit + HOUR
    asked = situation(*facts(told))
    assert ask(asked) is True
    assert asked.ends <= NOW + HOUR
    assert {known.kind for known in asked.relied} >= {kind}


@pytest.mark.parametrize(
    ("request_", "facts", "ask"),
    [
        (TICKET, lambda at: relation("REL_TICKET", ref="T-1", as_of=at), lambda s: s.context.ticket_open),
        (PROVIDER, lambda at: contract(as_of=at), lambda s: s.subject.under_contract),
        (SECRETARY, lambda at: delegation(patient_id="P1", as_of=at),
         lambda s: s.subject.delegation_covers(s.resource)),
    ],
)  # fmt: skip
def test_tickets_contracts_and_delegations_age_too(request_, facts, ask):
    limit = DAY if "refs" in repr(request_) and request_.context.refs.ticket else 7 * DAY
    assert ask(situation(facts(NOW - limit + 1), request=request_)) is True
    assert ask(situation(facts(NOW - limit), request=request_)) is False


def test_a_prohibition_holds_however_old_its_fact_is():
    ancient = NOW - 3650 * DAY
    facts = (
        directive("mask", as_of=ancient),
        directive("block", as_of=ancient),
        directive("opposition", as_of=ancient),
        record(flags=("detenu",), lifecycle="gele", death_date="2020-01-01", as_of=ancient),
        alias("same_person", "dr-card", as_of=ancient),
    )
    asked = situation(*facts, marks={})
    assert asked.resource.masked_for_subject is True
    assert asked.patient.blocked_subject is True
    assert asked.patient.opposed_to_subject is True
    assert asked.patient.protected_record is True
    assert asked.patient.flagged("detenu") is True
    assert asked.patient.deceased is True
    assert asked.resource.frozen is True
    assert asked.subject.reads_own_record is True
    assert asked.unknown == []


SILENT = asking(resource={"lifecycle": None, "masked_for": None})
RESTRICTIONS = [
    ("directive", lambda s: s.resource.masked_for_subject),
    ("directive", lambda s: s.patient.blocked_subject),
    ("directive", lambda s: s.patient.opposed_to_subject),
    ("record_state", lambda s: s.resource.expired),
    ("record_state", lambda s: s.resource.archived),
    ("record_state", lambda s: s.resource.frozen),
    ("record_state", lambda s: s.resource.invalidated),
    ("record_state", lambda s: s.patient.deceased),
    ("record_state", lambda s: s.patient.deceased_since_more_than(30)),
    ("record_state", lambda s: s.patient.flagged("detenu")),
    ("record_state", lambda s: s.patient.protected_record),
    ("alias", lambda s: s.subject.reads_own_record),
]


@pytest.mark.parametrize(("kind", "ask"), RESTRICTIONS)
def test_absence_is_known_while_the_feed_vouches_for_it_and_no_longer(kind, ask):
    key = (CONTROLLER, "dpi", kind)
    asked = situation(request=SILENT, marks={key: NOW - DAY + 1})
    assert ask(asked) is False
    assert asked.ends == NOW + 1
    assert ask(situation(request=SILENT, marks={key: NOW - DAY})) is None
    assert ask(situation(request=SILENT, marks={})) is None
    assert ask(situation(request=SILENT, marks={("C2", "dpi", kind): NOW})) is None
    assert ask(situation(request=SILENT, marks={(CONTROLLER, "other", kind): NOW})) is None


@pytest.mark.parametrize(("kind", "ask"), RESTRICTIONS)
def test_a_question_about_no_patient_has_nothing_to_miss(kind, ask):
    nobody = asking(SILENT, resource={"patient_id": ""})
    for readable in (True, False):
        assert ask(situation(request=nobody, marks={}, readable=readable)) is False


@pytest.mark.parametrize(("kind", "ask"), RESTRICTIONS)
@pytest.mark.parametrize("said", [SILENT, asking()], ids=["nothing said", "absence said"])
def test_a_store_that_cannot_be_read_vouches_for_nothing(kind, ask, said):
    assert ask(situation(request=said, readable=False)) is None


def test_what_the_request_says_is_known_without_any_feed():
    asked = situation(marks={})
    assert asked.resource.masked_for_subject is False
    assert asked.resource.frozen is False
    assert asked.resource.sensitive is False
    assert asked.unknown == []
    assert situation(request=asking(resource={"masked_for": ("tous",)}), marks={}).resource.masked_for_subject is True
    assert situation(request=asking(resource={"lifecycle": "gele"}), marks={}).resource.frozen is True


def test_tags_that_are_not_stated_are_unknown_and_no_feed_says_them():
    asked = situation(request=asking(resource={"tags": None}))
    assert asked.resource.sensitive is None
    assert asked.resource.tagged("psy") is None
    assert asked.resource.only_tagged("psy") is False


def test_a_lenient_reading_takes_unknown_restrictions_for_absent_and_lists_them():
    asked = situation(request=SILENT, marks={}, lenient=True)
    assert [ask(asked) for _, ask in RESTRICTIONS] == [False] * len(RESTRICTIONS)
    assert len(asked.unknown) == len(RESTRICTIONS)


def test_a_lenient_reading_never_loosens_what_is_known():
    asked = situation(directive("mask"), record(flags=("detenu",), lifecycle="gele"), marks={}, lenient=True)
    assert asked.resource.masked_for_subject is True
    assert asked.patient.protected_record is True
    assert asked.resource.frozen is True


class CompleteWhateverHappens(TenantFacts, frozen=True):
    """Staff facts with the watermark check removed: every feed is said to have told everything."""

    def complete_until(self, controller_id: str, kind: str) -> int:
        return NOW


def test_without_the_watermark_check_a_feed_that_never_loaded_reads_as_nobody_forbade_anything():
    """Safety twin: each count is of yes-es that the check prevents, for masks that exist but were never loaded."""
    people = [Subject(f"dr-{n}", "professionnel", "medecin", profession="10", structure="S1") for n in range(20)]
    wrong = {True: 0, False: 0}
    for person in people:
        request = asking(SILENT, subject={"id": person.id})
        truth = situation(directive("mask", target=Target(subject_id=person.id)), request=request)
        assert truth.resource.masked_for_subject is True
        unloaded = snapshot((), marks={})
        careless = Snapshot(CompleteWhateverHappens(**asdict(unloaded.tenant)), unloaded.patient)
        for checked, seen in ((True, unloaded), (False, careless)):
            asked = Asked(replace(request), CALLER, CONTROLLER, seen, NOW, PACK)
            wrong[checked] += asked.resource.masked_for_subject is False
    assert wrong == {True: 0, False: len(people)}


def test_a_fact_of_the_future_makes_the_answer_end_when_it_begins():
    soon = NOW + 10 * SECOND
    for facts, ask in (
        ((directive("mask", soon),), lambda s: s.resource.masked_for_subject),
        ((record(soon, flags=("detenu",)),), lambda s: s.patient.protected_record),
        ((stay(soon), assignment()), lambda s: s.subject.in_care_team),
        ((stay(), assignment(soon)), lambda s: s.subject.in_care_team),
        ((relation("REL_TEAM", soon, subject_id="dr-card"),), lambda s: s.subject.named_in_care),
    ):
        asked = situation(*facts)
        assert ask(asked) is False
        assert asked.ends == soon


ENDS = [
    ((stay(end=NOW + HOUR), assignment()), lambda s: s.subject.left_unit_less_than(30), False, NOW + HOUR),
    ((stay(), assignment(end=NOW + HOUR)), lambda s: s.subject.left_unit_less_than(30), False, NOW + HOUR),
    ((stay(NOW - 9 * DAY, NOW - 7 * DAY + HOUR), assignment()), lambda s: s.subject.left_unit_less_than(7), True,
     NOW + HOUR),
    ((stay(end=NOW + HOUR), assignment()), lambda s: s.subject.was_in_care_team, False, NOW + HOUR),
    ((stay(end=NOW + HOUR), assignment()), lambda s: s.resource.created_before_leaving, False, NOW + HOUR),
    ((relation("REL_TEAM", end=NOW + HOUR, subject_id="dr-card"),), lambda s: s.subject.was_in_care_team, False,
     NOW + HOUR),
    ((stay(NOW + HOUR), assignment(), record(death_date="2026-03-10")), lambda s: s.subject.in_team_at_death, False,
     NOW + HOUR),
    ((record(death_date="2026-02-08"),), lambda s: s.patient.deceased_since_more_than(30), False, NOW + 12 * HOUR),
    ((), lambda s: s.authentication.younger_than(2 * 3600), True, NOW + HOUR),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "ask", "said", "ends"), ENDS)
def test_an_answer_asked_alone_ends_when_it_would_change(facts, ask, said, ends):
    asked = situation(*facts)
    assert ask(asked) is said
    assert asked.ends <= ends
    later = min(asked.ends - 1, ends)
    assert ask(situation(*facts, now=later, told=NOW)) is said


def test_a_watermark_that_arrives_or_goes_is_heard_at_once():
    silent = snapshot((), marks={}).tenant
    key = (CONTROLLER, "dpi", "directive")
    assert silent.complete_until(CONTROLLER, "directive") < 0
    told = replace(silent, watermarks={key: NOW})
    assert told.complete_until(CONTROLLER, "directive") == NOW
    assert replace(told, watermarks={}).complete_until(CONTROLLER, "directive") < 0
