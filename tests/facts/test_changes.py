"""What a change of facts does, and what it never does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.core.bundle import NEVER
from sidecar.core.model import Contract, Delegation, Period, Retraction, Watermark
from sidecar.core.reading import FactsQuery
from sidecar.errors import FactsTooOld, InvalidRequest, NotFound
from sidecar.facts.room import FactsRoom
from tests.facts.naive import (
    MINUTE,
    NOON,
    a_change,
    a_grant,
    a_leaf,
    a_room,
    a_stay,
    a_ticket,
    an_alias,
    an_assignment,
    grant_change,
    keep,
)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[FactsRoom]:
    room = a_room(tmp_path)
    yield room
    room.close()


def stays(room: FactsRoom, patient: str = "P1", controller: str = "C1") -> list[str]:
    bundle = room.snapshot("t1", controller, patient).patient
    assert bundle is not None
    return [f"{known.fact.id}:{known.fact.stay.unit}" for known in bundle.stays if known.fact.stay]


def test_a_fact_said_again_with_another_content_is_a_new_version(room: FactsRoom) -> None:
    assert keep(room, a_change(1, a_stay("s1", "P1", "UF-CARD"))).changed == 1
    assert keep(room, a_change(2, a_stay("s1", "P1", "UF-SAU"))).changed == 1
    assert stays(room) == ["s1:UF-SAU"]
    first = room.token("t1", 1)
    (then,) = room.read_facts("t1", ["C1"], FactsQuery(as_of_token=first)).facts
    assert (then.fact.stay.unit, then.recorded_seq, then.superseded_seq) == ("UF-CARD", 1, 2)  # type: ignore[union-attr]


def test_the_same_fact_again_is_no_version_and_makes_it_fresher(room: FactsRoom) -> None:
    keep(room, a_change(1, a_stay("s1", "P1")))
    before = room.snapshot("t1", "C1", "P1").patient
    stored = keep(room, a_change(2, a_stay("s1", "P1")))
    after = room.snapshot("t1", "C1", "P1").patient
    assert (stored.changed, stored.unchanged) == (0, 1)
    assert before is not None and after is not None
    assert (before.stays[0].seq, before.stays[0].as_of) == (1, NOON + MINUTE)
    assert (after.stays[0].seq, after.stays[0].as_of) == (1, NOON + 2 * MINUTE)
    (then,) = room.read_facts("t1", ["C1"], FactsQuery(as_of_token=room.token("t1", 1))).facts
    assert then.fact.as_of == NOON + MINUTE


def test_a_refreshed_assignment_is_fresher_for_the_whole_tenant(room: FactsRoom) -> None:
    keep(room, a_change(1, an_assignment("a1", "dr-jour")))
    keep(room, a_change(2, an_assignment("a1", "dr-jour")))
    assert [known.as_of for known in room.tenant_facts("t1").assignments["dr-jour"]] == [NOON + 2 * MINUTE]


def test_an_older_statement_of_the_same_fact_does_not_make_it_staler(room: FactsRoom) -> None:
    keep(room, a_change(1, a_stay("s1", "P1")))
    keep(room, a_change(2, a_stay("s1", "P1", as_of=NOON)))
    bundle = room.snapshot("t1", "C1", "P1").patient
    assert bundle is not None and bundle.stays[0].as_of == NOON + MINUTE


def test_a_statement_from_the_future_counts_as_made_now(room: FactsRoom) -> None:
    keep(room, a_change(1, a_stay("s1", "P1", as_of=NOON * 2)))
    bundle = room.snapshot("t1", "C1", "P1").patient
    assert bundle is not None and bundle.stays[0].as_of == NOON + MINUTE


def test_completeness_in_the_future_ends_now(room: FactsRoom) -> None:
    keep(room, a_change(1, watermarks=(Watermark("dpi", ("directive",), NOON * 2),)))
    assert room.tenant_facts("t1").complete_until("C1", "directive") == NOON + MINUTE


def test_a_kind_is_complete_only_when_every_required_source_says_so(room: FactsRoom) -> None:
    keep(room, a_change(1, watermarks=(Watermark("dpi", ("alias",), NOON),)))
    assert room.tenant_facts("t1").complete_until("C1", "alias") == NEVER
    keep(room, a_change(2, watermarks=(Watermark("idv", ("alias",), NOON - MINUTE),)))
    assert room.tenant_facts("t1").complete_until("C1", "alias") == NOON - MINUTE
    assert room.tenant_facts("t1").complete_until("C2", "alias") == NEVER


def test_of_two_watermarks_in_one_request_the_lower_holds(room: FactsRoom) -> None:
    marks = (Watermark("dpi", ("directive",), NOON - MINUTE), Watermark("dpi", ("directive",), NOON))
    keep(room, a_change(1, watermarks=marks))
    assert room.tenant_facts("t1").complete_until("C1", "directive") == NOON - MINUTE


def test_a_source_may_take_its_completeness_back(room: FactsRoom) -> None:
    keep(room, a_change(1, watermarks=(Watermark("dpi", ("directive",), NOON),)))
    keep(room, a_change(2, watermarks=(Watermark("dpi", ("directive",), NOON - MINUTE),)))
    assert room.tenant_facts("t1").complete_until("C1", "directive") == NOON - MINUTE
    page = room.read_facts("t1", ["C1"], FactsQuery(as_of_token=room.token("t1", 1)))
    assert page.watermarks == (Watermark("dpi", ("directive",), NOON, "C1"),)


def test_a_retracted_fact_stands_no_more_and_can_be_said_again(room: FactsRoom) -> None:
    keep(room, a_change(1, a_stay("s1", "P1")))
    stored = keep(room, a_change(2, retract=(Retraction("adt", "s1"), Retraction("adt", "never-said"))))
    assert (stored.retracted, stays(room)) == (1, [])
    assert keep(room, a_change(3, a_stay("s1", "P1"))).changed == 1
    assert stays(room) == ["s1:UF-CARD"]


def test_a_retraction_ends_the_fact_of_its_own_source_and_controller(room: FactsRoom) -> None:
    keep(room, a_change(1, a_stay("s1", "P1")))
    assert keep(room, a_change(2, retract=(Retraction("dpi", "s1"),))).retracted == 0
    assert keep(room, a_change(3, retract=(Retraction("adt", "s1"),), controller="C2")).retracted == 0
    assert stays(room) == ["s1:UF-CARD"]


def test_a_fact_that_moves_to_another_patient_leaves_the_first(room: FactsRoom) -> None:
    keep(room, a_change(1, a_stay("s1", "P1")))
    assert (stays(room, "P1"), stays(room, "P2")) == (["s1:UF-CARD"], [])
    keep(room, a_change(2, a_stay("s1", "P2")))
    assert (stays(room, "P1"), stays(room, "P2")) == ([], ["s1:UF-CARD"])


def test_facts_of_either_name_are_found_from_both(room: FactsRoom) -> None:
    keep(room, a_change(1, a_stay("s1", "P1"), a_stay("s2", "P2")))
    assert (stays(room, "P1"), stays(room, "P2")) == (["s1:UF-CARD"], ["s2:UF-CARD"])
    keep(room, a_change(2, an_alias("m1", "P1", "P2")))
    assert sorted(stays(room, "P1")) == sorted(stays(room, "P2")) == ["s1:UF-CARD", "s2:UF-CARD"]
    keep(room, a_change(3, a_stay("s3", "P2")))
    assert sorted(stays(room, "P1")) == ["s1:UF-CARD", "s2:UF-CARD", "s3:UF-CARD"]
    keep(room, a_change(4, retract=(Retraction("idv", "m1"),)))
    assert (stays(room, "P1"), sorted(stays(room, "P2"))) == (["s1:UF-CARD"], ["s2:UF-CARD", "s3:UF-CARD"])


def test_a_patient_who_works_here_keeps_the_subject_id_apart_from_the_names(room: FactsRoom) -> None:
    keep(room, a_change(1, an_alias("p1", "P1", "dr-jour", "same_person"), a_stay("s1", "dr-jour")))
    bundle = room.snapshot("t1", "C1", "P1").patient
    assert bundle is not None
    assert ([known.fact.id for known in bundle.persons], bundle.aliases, bundle.stays) == (["p1"], (), ())


def test_a_patient_counts_for_one_controller_and_staff_for_the_tenant(room: FactsRoom) -> None:
    keep(room, a_change(1, a_stay("s1", "P1"), an_assignment("a1", "dr-jour"), controller="C2"))
    assert (stays(room, "P1", "C1"), stays(room, "P1", "C2")) == ([], ["s1:UF-CARD"])
    assert room.snapshot("t1", "C1", "P1").tenant.assignments["dr-jour"][0].fact.controller_id == "C2"


def test_staff_and_references_are_found_by_their_key(room: FactsRoom) -> None:
    delegation = an_assignment("d1", "x")
    facts = (
        type(delegation)("d1", "dpi", delegation=Delegation("dr-jour", "secr-1")),
        type(delegation)("c1", "achats", contract=Contract("EDITEUR", approved=True)),
        a_ticket("k1", "T-7"),
    )
    keep(room, a_change(1, *facts))
    held = room.tenant_facts("t1")
    assert [list(table) for table in (held.delegations, held.contracts, held.refs)] == [
        ["secr-1"],
        ["EDITEUR"],
        ["T-7"],
    ]
    keep(room, a_change(2, a_ticket("k1", "T-8")))
    assert list(room.tenant_facts("t1").refs) == ["T-8"]


def test_open_bounds_compare_as_integers(room: FactsRoom) -> None:
    keep(room, a_change(1, a_stay("s1", "P1", period=Period(NOON)), a_stay("s2", "P1", period=Period(None, NOON))))
    bundle = room.snapshot("t1", "C1", "P1").patient
    assert bundle is not None
    first, second = bundle.stays
    assert first.start == NOON < first.end and second.start < NOON == second.end


# ---- requests


def test_the_same_request_twice_is_one_change(room: FactsRoom) -> None:
    first = keep(room, a_change(1, a_stay("s1", "P1")))
    again = keep(room, a_change(2, a_stay("s1", "P1"), request_id="r1"))
    assert again.repeated and not again.leaf
    assert (again.change_id, again.seq, again.changed) == (first.change_id, first.seq, 1)
    assert room.tenant_facts("t1").seq == 1
    assert room.previous("t1", "dpi", "r1") == again


def test_one_request_id_for_two_contents_is_refused(room: FactsRoom) -> None:
    keep(room, a_change(1, a_stay("s1", "P1")))
    with pytest.raises(InvalidRequest) as fault:
        keep(room, a_change(2, a_stay("s1", "P2"), request_id="r1", digest="other"))
    assert fault.value.field == "request_id"
    assert stays(room) == ["s1:UF-CARD"]


def test_a_request_id_belongs_to_its_caller_and_tenant(room: FactsRoom) -> None:
    keep(room, a_change(1, a_stay("s1", "P1"), request_id="r"))
    assert not keep(room, a_change(2, a_stay("s2", "P1"), request_id="r", caller="adt", digest="e")).repeated
    assert not keep(room, a_change(3, a_stay("s3", "P1"), request_id="r", tenant="t2", digest="f")).repeated
    assert room.previous("t3", "dpi", "r") is None


def test_requests_without_an_id_are_never_the_same(room: FactsRoom) -> None:
    assert [keep(room, a_change(n, a_stay("s1", "P1"), request_id="")).seq for n in (1, 2, 3)] == [1, 2, 3]


def test_a_key_named_twice_is_refused_and_nothing_is_kept(room: FactsRoom) -> None:
    with pytest.raises(InvalidRequest) as twice:
        keep(room, a_change(1, a_stay("s0", "P1"), a_stay("s1", "P1"), a_stay("s1", "P2")))
    with pytest.raises(InvalidRequest) as both:
        keep(room, a_change(1, a_stay("s1", "P1"), retract=(Retraction("adt", "s1"),)))
    assert (twice.value.field, both.value.field) == ("facts[2].id", "retract[0].id")
    assert (stays(room), room.tenant_facts("t1").seq) == ([], 0)


def test_the_instant_of_a_record_never_goes_back_with_the_clock(room: FactsRoom) -> None:
    keep(room, a_change(1, a_stay("s1", "P1"), now=NOON))
    keep(room, a_change(2, a_stay("s2", "P1"), now=NOON - MINUTE))
    assert [fact.recorded_at for fact in room.read_facts("t1", ["C1"], FactsQuery()).facts] == [NOON, NOON]


# ---- the leaf


def test_the_leaf_names_the_sequence_and_the_counts(room: FactsRoom) -> None:
    keep(room, a_change(1, a_stay("s1", "P1"), a_stay("s2", "P1")))
    named: list[object] = []

    def leaf(seq: int, counts: tuple[int, int, int]) -> bytes:
        named.append((seq, counts))
        return b"leaf"

    keep(room, a_change(2, a_stay("s1", "P1"), a_stay("s3", "P1"), retract=(Retraction("adt", "s2"),)), leaf)
    assert named == [(2, (1, 1, 1))]


def test_a_leaf_that_cannot_be_made_leaves_nothing_behind(room: FactsRoom) -> None:
    def leaf(_seq: int, _counts: tuple[int, int, int]) -> bytes:
        raise KeyError("no key of the month")

    with pytest.raises(KeyError):
        keep(room, a_change(1, a_stay("s1", "P1"), an_assignment("a1", "dr-jour")), leaf)
    assert room.pending() == []
    assert keep(room, a_change(2, a_stay("s2", "P1"))).seq == 1
    assert (stays(room), dict(room.tenant_facts("t1").assignments)) == (["s2:UF-CARD"], {})


def test_a_change_is_seen_by_nobody_before_its_leaf_is_acknowledged(room: FactsRoom) -> None:
    keep(room, a_change(1, a_stay("s1", "P1")))
    facts = (a_stay("s1", "P1", "UF-SAU"), an_assignment("a1", "dr-jour"))
    stored = room.write(a_change(2, *facts), a_leaf)
    assert room.pending() == [("t1-2", stored.leaf)]
    assert (stays(room), stays(room, "P9"), dict(room.tenant_facts("t1").assignments)) == (["s1:UF-CARD"], [], {})
    assert [(v.fact.id, v.superseded_seq) for v in room.read_facts("t1", ["C1"], FactsQuery()).facts] == [("s1", 0)]
    with pytest.raises(FactsTooOld):
        room.snapshot("t1", "C1", "P1", at_least=2)
    room.acknowledge("t1-2", 7)
    assert (room.pending(), stays(room), list(room.tenant_facts("t1").assignments)) == ([], ["s1:UF-SAU"], ["dr-jour"])


def test_a_change_waits_for_every_earlier_one_of_its_tenant(room: FactsRoom) -> None:
    room.write(a_change(1, a_stay("s1", "P1")), a_leaf)
    room.write(a_change(2, a_stay("s2", "P1")), a_leaf)
    room.acknowledge("t1-2", 1)
    assert (room.pending(), stays(room)) == ([("t1-1", a_leaf(1, (1, 0, 0)))], [])
    keep(room, a_change(1, a_stay("s9", "P1"), tenant="t2"))  # settles t1-1 first
    assert (room.pending(), stays(room)) == ([], ["s1:UF-CARD", "s2:UF-CARD"])


def test_a_repeated_request_that_waits_gives_the_leaf_again(room: FactsRoom) -> None:
    first = room.write(a_change(1, a_stay("s1", "P1")), a_leaf)
    again = room.write(a_change(2, a_stay("s1", "P1"), request_id="r1"), a_leaf)
    assert again.repeated and again.leaf == first.leaf and again.change_id == first.change_id


def test_what_a_stop_left_without_its_leaf_is_pending_at_start(tmp_path: Path) -> None:
    room = a_room(tmp_path)
    keep(room, a_change(1, a_stay("s1", "P1")))
    room.write(a_change(2, a_stay("s2", "P1")), a_leaf)
    room.write(a_change(3, a_stay("s3", "P1")), a_leaf)
    room.close()
    room = a_room(tmp_path)
    assert [change_id for change_id, _ in room.pending()] == ["t1-2", "t1-3"]
    assert stays(room) == ["s1:UF-CARD"]
    room.acknowledge("t1-2", 1)
    assert stays(room) == ["s1:UF-CARD", "s2:UF-CARD"]
    keep(room, a_change(4, a_stay("s4", "P1")))
    assert stays(room) == ["s1:UF-CARD", "s2:UF-CARD", "s3:UF-CARD", "s4:UF-CARD"]
    room.close()


def test_an_acknowledged_leaf_leaves_no_copy_in_the_store(tmp_path: Path) -> None:
    room = a_room(tmp_path)
    keep(room, a_change(1, a_stay("s1", "P1")), lambda _seq, _counts: b"sealed-words-of-the-leaf")
    room.close()
    assert b"sealed-words" not in (tmp_path / "facts.db").read_bytes()


# ---- grants


def test_a_grant_is_open_until_it_is_closed(room: FactsRoom) -> None:
    keep(room, grant_change(1, a_grant()))
    held = room.tenant_facts("t1")
    assert [grant.id for grant in held.open_grants[("dr-nuit", "P1")]] == ["g1"]
    closed = a_grant(closed_at=NOON + 2 * MINUTE)
    keep(room, grant_change(2, closed, "close_grant"))
    held = room.tenant_facts("t1")
    assert (dict(held.open_grants), held.grants["g1"], room.grant("t1", "g1")) == ({}, closed, closed)


def test_two_grants_of_one_patient_stand_beside_each_other(room: FactsRoom) -> None:
    keep(room, grant_change(1, a_grant("g1")))
    keep(room, grant_change(2, a_grant("g2", motive="AUTRE")))
    keep(room, grant_change(3, a_grant("g1", closed_at=NOON + MINUTE), "close_grant"))
    assert [grant.id for grant in room.tenant_facts("t1").open_grants[("dr-nuit", "P1")]] == ["g2"]


def test_an_old_grant_leaves_memory_and_not_the_store(room: FactsRoom) -> None:
    keep(room, grant_change(1, a_grant("g1")))
    much_later = NOON + 60 * 24 * 60 * MINUTE
    keep(room, grant_change(2, a_grant("g2", opened_at=much_later, until=much_later + MINUTE), now=much_later))
    assert list(room.tenant_facts("t1").grants) == ["g2"]
    assert room.grant("t1", "g1") == a_grant("g1")


def test_a_grant_comes_back_after_a_restart(tmp_path: Path) -> None:
    room = a_room(tmp_path)
    keep(room, grant_change(1, a_grant("g1")))
    keep(room, grant_change(2, a_grant("g2", closed_at=NOON + MINUTE)))
    before = room.tenant_facts("t1")
    room.close()
    room = a_room(tmp_path)
    assert room.tenant_facts("t1") == before
    room.close()


def test_a_grant_of_another_tenant_is_not_there(room: FactsRoom) -> None:
    keep(room, grant_change(1, a_grant("g1")))
    for tenant, name in (("t2", "g1"), ("t1", "g9")):
        with pytest.raises(NotFound):
            room.grant(tenant, name)


def test_the_request_that_opened_a_grant_names_it(room: FactsRoom) -> None:
    keep(room, grant_change(1, a_grant("g1")))
    previous = room.previous("t1", "dpi", "r1")
    assert previous is not None and previous.grant_id == "g1"
