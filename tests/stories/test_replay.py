"""A decision taken again comes out the same, or every part that differs is named."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from msgspec.structs import replace

from sidecar.authoring import bundle
from sidecar.authoring.replay import SHOWN, again, replay
from sidecar.authoring.stories import run
from sidecar.core.bundle import Snapshot
from sidecar.core.model import Advice, Effect, Obligation, Offer, Relied
from sidecar.core.recall import Found, Recalled
from sidecar.facts import past
from tests.stories import hospital
from tests.stories.server_asker import ServerAsker, StoryServer

OTHERWISE = {
    "effect": Effect.DENY,
    "reason": "NO_RELATIONSHIP",
    "true_reason": "MASKED",
    "rule": "A-99",
    "also": ("ALLOW_ON_CALL",),
    "rules": ("A-99",),
    "obligations": (Obligation("COSIGN_BY", {"senior": "dr-chef"}),),
    "advice": (Advice("FACTS_STALE"),),
    "break_glass": Offer(True),
    "valid_until": 0,
    "relied": (Relied("adt", "s1", 99),),
    "unknown": ("resource.masked",),
}


@pytest.fixture(scope="module")
def policies():
    return bundle.compile_bundle(hospital.pack())


def recalled_from(story):
    """Every decision of a story told to a server, recalled."""
    with TemporaryDirectory(prefix="sc-") as name:
        server = StoryServer(hospital.story(story), hospital.PACK, Path(name), "native")
        try:
            asker = ServerAsker(server)
            assert run(server.story, asker) == []
            return [asker.recalled(*decided) for decided in asker.decided]
        finally:
            server.stop()


@pytest.fixture(scope="module")
def delegated():
    """Decisions in which people act for others, recalled."""
    return recalled_from("delegation")


@pytest.fixture(scope="module")
def permit(delegated):
    """A permit that rests on facts, recalled."""
    return next(each for each in delegated if each.found.checked.decision.relied)


def recorded_as(recalled, **parts):
    checked = recalled.found.checked
    decision = replace(checked.decision, **parts)
    return replace(recalled, found=replace(recalled.found, checked=replace(checked, decision=decision)))


def test_every_part_of_a_decision_is_compared():
    assert list(OTHERWISE) == list(SHOWN)


@pytest.mark.parametrize("part", OTHERWISE)
def test_a_record_that_was_altered_in_one_part_is_named_by_that_part(permit, policies, part):
    altered = recorded_as(permit, **{"offer" if part == "break_glass" else part: OTHERWISE[part]})
    [difference] = replay(altered, policies).differences
    assert difference.name == part
    assert difference.recorded != difference.again


def test_a_record_of_another_legal_basis_is_named_by_it_and_one_made_before_bases_were_kept_is_not(permit, policies):
    def recorded_on(basis):
        found = permit.found
        checked = replace(found.checked, legal_basis=basis)
        return replay(replace(permit, found=replace(found, checked=checked)), policies).differences

    assert permit.found.checked.legal_basis == "obligation_legale"
    [difference] = recorded_on("contrat")
    assert (difference.name, difference.recorded, difference.again) == ("legal_basis", "contrat", "obligation_legale")
    assert recorded_on("") == ()


def test_an_end_that_no_calendar_has_is_no_end(permit, policies):
    [difference] = replay(recorded_as(permit, valid_until=1 << 62), policies).differences
    assert (difference.name, difference.recorded) == ("valid_until", "no end")


def test_a_decision_taken_while_the_store_could_not_be_read_comes_out_the_same_and_that_is_said(permit, policies):
    blind = again(permit, policies, Snapshot(permit.snapshot.tenant, None))
    assert blind.true_reason == "FACTS_UNAVAILABLE"
    recorded = blind.__struct_fields__
    altered = recorded_as(permit, **{name: getattr(blind, name) for name in recorded})
    result = replay(altered, policies)
    assert (result.differences, result.unread) == ((), True)
    assert not replay(permit, policies).unread


def test_a_permit_is_never_excused_by_a_store_that_could_not_be_read(permit, policies):
    altered = recorded_as(permit, also=("FACTS_UNAVAILABLE",))
    assert [difference.name for difference in replay(altered, policies).differences] == ["also"]


def otherwise(recalled, policies):
    """How many of these come out otherwise."""
    return sum(bool(replay(each, policies).differences) for each in recalled)


def test_whoever_the_facts_name_is_recalled_too(delegated, policies, monkeypatch):
    assert otherwise(delegated, policies) == 0
    staff = past._staff
    # As if only the names in the question counted: who delegated is named by a fact alone.
    monkeypatch.setattr(past, "_staff", lambda store, tenant, names, at: first_found(staff, store, tenant, names, at))
    assert otherwise(recalled_from("delegation"), policies) > 0


def first_found(staff, store, tenant, names, at):
    found = staff(store, tenant, set(names), at)
    return {table: {key: held for key, held in kept.items() if key in names} for table, kept in found.items()}


def test_an_opening_judged_as_a_question_would_come_out_otherwise(policies):
    def as_questions(recalled: Recalled) -> Recalled:
        found: Found = recalled.found
        return replace(recalled, found=replace(found, checked=replace(found.checked, opening_at=0)))

    recalled = recalled_from("break_glass_open")
    assert otherwise(recalled, policies) == 0
    assert otherwise(map(as_questions, recalled), policies) > 0
