"""What leaves of checks say alike is encoded once, and no leaf says what is another's."""

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from sidecar.core import leaf, leaf_bytes, leaf_parts
from sidecar.core.leaf import leaf_id
from sidecar.core.model import (
    Advice,
    Authentication,
    Context,
    Device,
    Effect,
    Fact,
    Obligation,
    Offer,
    Period,
    PolicyRef,
    Relied,
    Resource,
    Subject,
)
from sidecar.ledger.keys import REMEMBERED, MonthKeys, Pseudonyms
from tests.ledger.builders import CALLER, NOW, POLICY, a_check, a_decision, checks

RUN = bytes(range(12))
KEYS = MonthKeys("2026-03", b"p" * 32, b"c" * 32, RUN)
ID = leaf_id(RUN, 1)
GIVEN = a_check(decision=a_decision(obligations=(Obligation("LOG_FULL"),)))


def asking(**fields):
    return replace(GIVEN, request=replace(GIVEN.request, **fields))


def deciding(**fields):
    return replace(GIVEN, decision=replace(GIVEN.decision, **fields))


def called(**fields):
    return replace(GIVEN, caller=replace(CALLER, **fields))


DIFFERENT = {
    "subject": asking(subject=Subject("dr-jour", "professional", "p-one")),
    "action": asking(action="write"),
    "resource": asking(resource=Resource("cr", "P2", controller_id="750000001")),
    "controller asked for": asking(resource=replace(GIVEN.request.resource, controller_id="750000002")),
    "purpose": asking(purpose="facturation"),
    "authentication": asking(authentication=Authentication(mfa=False)),
    "no authentication": asking(authentication=None),
    "device": asking(device=Device("mobile")),
    "no device": asking(device=None),
    "context": asking(context=Context(request_id="r-1")),
    "facts": asking(facts=(Fact("f-1", "adt", period=Period(NOW)),)),
    "effect": deciding(effect=Effect.DENY),
    "reason": deciding(reason="S"),
    "true reason": deciding(true_reason="S"),
    "rule": deciding(rule="A-2"),
    "also": deciding(also=("A-2",)),
    "rules": deciding(rules=("A-1", "A-2")),
    "obligations": deciding(obligations=(Obligation("COSIGN_BY", {"senior": "dr-chef"}),)),
    "advice": deciding(advice=(Advice("TELL", {"to": "dr-chef"}),)),
    "offer": deciding(offer=Offer(True, ("M",), "MED")),
    "valid until": deciding(valid_until=NOW),
    "relied": deciding(relied=(Relied("adt", "s-1", 4),)),
    "unknown": deciding(unknown=("w",)),
    "caller": called(id="dpi-2"),
    "roles": called(roles=frozenset({"dpi"})),
    "tenant": called(tenant="other"),
    "policy": replace(GIVEN, policy=PolicyRef("hospital", "folder", "6e" * 32)),
    "facts known": replace(GIVEN, facts_seq=13),
    "duration": replace(GIVEN, elapsed_us=34),
    "opening": replace(GIVEN, opening_at=NOW),
    "legal basis": replace(GIVEN, legal_basis="contrat"),
}


def written(entry):
    return leaf_bytes.encode(entry, ID, NOW, KEYS)


def written_plainly(entry):
    """The same by the layout of core/leaf.py, every part anew."""
    request, caller, decision, tenant = entry.request, entry.caller, entry.decision, entry.caller.tenant
    rest = leaf.Secrets(
        tuple(each.params for each in decision.obligations),
        tuple(each.params for each in decision.advice),
        decision.offer,
        tuple((each.source, each.id) for each in decision.relied),
    )
    outcome = leaf.OutcomePart(
        decision.effect, decision.reason, decision.true_reason, decision.rule, decision.also, decision.rules,
        tuple(each.id for each in decision.obligations), tuple(each.id for each in decision.advice),
        decision.valid_until, tuple(each.seq for each in decision.relied), decision.unknown, entry.elapsed_us,
    )  # fmt: skip
    secrets = leaf.CheckSecrets(request, rest, entry.opening_at, entry.legal_basis)
    made = leaf.CheckLeaf(
        NOW,
        ID,
        tenant,
        caller.id,
        leaf_parts.caller_part(caller),
        leaf_parts.controller(caller, request.resource.controller_id),
        KEYS.patient(tenant, request.resource.patient_id),
        KEYS.subject(tenant, request.subject.id),
        leaf_parts.policy_part(entry.policy),
        entry.facts_seq,
        "none",
        outcome,
        KEYS.seal(ID, leaf_bytes._encode(secrets)),
    )
    return leaf_bytes._encode(made)


@settings(deadline=None)
@given(checks, checks)
def test_a_leaf_of_kept_parts_has_the_bytes_of_one_written_anew(one, other):
    mixed = replace(one, request=replace(one.request, subject=other.request.subject), policy=other.policy)
    for entry in (one, other, mixed, one):
        assert written(entry) == written_plainly(entry)


@pytest.mark.parametrize("what", DIFFERENT)
def test_checks_that_differ_in_one_thing_have_leaves_that_say_each_its_own(what):
    other = DIFFERENT[what]
    assert written(GIVEN) != written(other)
    for entry in (GIVEN, other, GIVEN):
        assert leaf_bytes.open_leaf(leaf.decode(written(entry)), KEYS) == entry
        assert written(entry) == written_plainly(entry)


def test_every_field_of_a_check_and_what_is_in_it_is_tried():
    def differing(kind, part):
        return {
            name
            for name in kind.__struct_fields__
            for each in DIFFERENT.values()
            if getattr(part(each), name) != getattr(part(GIVEN), name)
        }

    for part in (lambda e: e, lambda e: e.request, lambda e: e.decision):
        kind = type(part(GIVEN))
        assert differing(kind, part) == set(kind.__struct_fields__)


MADE = {
    "subject": lambda n: asking(subject=Subject(f"dr-{n}", "professional", "p-one")),
    "authentication": lambda n: asking(authentication=Authentication(idle_s=n)),
    "device": lambda n: asking(device=Device(str(n))),
    "obligations": lambda n: deciding(obligations=(Obligation(str(n)),)),
    "advice": lambda n: deciding(advice=(Advice(str(n)),)),
    "offer": lambda n: deciding(offer=Offer(scope=str(n))),
    "caller": lambda n: called(id=f"dpi-{n}"),
    "policy": lambda n: replace(GIVEN, policy=replace(POLICY, revision=str(n))),
}


@pytest.mark.parametrize("what", MADE)
def test_what_is_gone_lends_its_place_to_nobody(what):
    """Objects that are let go give their identity to the next: a kept part must not be taken for the next one's."""
    for n in range(100):
        entry = MADE[what](n)
        assert leaf_bytes.open_leaf(leaf.decode(written(entry)), KEYS) == entry
        del entry


def test_so_many_parts_are_kept_and_no_more():
    for n in range(leaf_parts.MOST_KEPT + 100):
        for make in MADE.values():
            written(make(n))
    kept = leaf_parts.SUBJECTS, leaf_parts.AROUND, leaf_parts.DECISIONS, leaf_parts.CALLERS, leaf_parts.POLICIES
    assert max(map(len, kept)) <= leaf_parts.MOST_KEPT


def test_pseudonyms_are_kept_for_so_many_people_and_each_is_its_own():
    known = Pseudonyms(b"p" * 32, b"patient")
    told = {(tenant, f"P{n}"): known[tenant, f"P{n}"] for tenant in ("chu", "ch") for n in range(REMEMBERED)}
    assert len(set(told.values())) == len(told)
    assert len(known) <= REMEMBERED
    assert all(known[who] == pseudonym for who, pseudonym in told.items())
