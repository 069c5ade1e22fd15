"""A leaf keeps an entry whole, and shows nobody's name."""

import os
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.core import leaf, leaf_bytes
from sidecar.core.leaf import leaf_id
from sidecar.core.model import Advice, Authentication, Context, Obligation, Relied, Request, Subject
from sidecar.core.record import CheckedBatch, item_id
from sidecar.ledger.keys import MonthKeys
from tests.ledger.builders import (
    CALLER,
    NOW,
    a_batch,
    a_change,
    a_check,
    a_consultation,
    a_decision,
    a_refusal,
    entries,
    texts,
)

RUN = bytes(range(12))
KEYS = MonthKeys("2026-03", b"p" * 32, b"c" * 32, RUN)
GOLDEN = Path(__file__).parent.parent / "golden" / "leaves.txt"
BEFORE_LEGAL_BASES = GOLDEN.with_name("leaves_before_legal_bases.txt")
ONE_OF_EACH = {
    "check": a_check(decision=a_decision(obligations=(Obligation("COSIGN_BY", {"senior": "dr-chef"}),))),
    "batch": a_batch(),
    "refused": a_refusal(),
    "change": a_change(),
    "consulted": a_consultation(),
}


class Unsealed:
    """Keys with the protection off: pseudonyms are the names and nothing is sealed."""

    def patient(self, tenant, patient_id):
        return patient_id.encode()

    subject = patient

    def seal(self, id_, plain):
        return plain

    def unseal(self, id_, sealed):
        return sealed


@settings(max_examples=300, deadline=None)
@given(entries, st.integers(0, 1 << 63), st.integers(0, 1 << 60))
def test_what_a_leaf_keeps_is_read_back_whole(entry, number, since):
    data = leaf_bytes.encode(entry, leaf_id(RUN, number), NOW, KEYS, since)
    decoded = leaf.decode(data)
    assert leaf_bytes.open_leaf(decoded, KEYS) == entry
    assert (leaf.head(data).at, leaf.head(data).id) == (NOW, leaf_id(RUN, number))
    if isinstance(decoded, leaf.ChangeLeaf):
        assert decoded.since == since


@settings(deadline=None)
@given(entries)
def test_the_same_entry_under_the_same_id_has_the_same_bytes(entry):
    id_ = leaf_id(RUN, 1)
    assert leaf_bytes.encode(entry, id_, NOW, KEYS) == leaf_bytes.encode(entry, id_, NOW, KEYS)


def test_the_bytes_of_each_kind_are_those_written_down():
    """Leaves of old journals must be read for years: a change of these bytes is a new version of the kind."""
    told = {
        kind: leaf_bytes.encode(entry, leaf_id(RUN, n), NOW, KEYS, 41).hex()
        for n, (kind, entry) in enumerate(ONE_OF_EACH.items())
    }
    lines = "".join(f"{kind} {data}\n" for kind, data in told.items())
    if os.environ.get("GOLDEN") == "rewrite":
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(lines)
    assert lines == GOLDEN.read_text()


def test_a_leaf_written_before_legal_bases_were_kept_is_read_as_it_was():
    def without(entry):
        return msgspec.structs.replace(entry, legal_basis="")

    before = {**ONE_OF_EACH, "check": without(ONE_OF_EACH["check"])}
    before["batch"] = CheckedBatch(tuple(map(without, ONE_OF_EACH["batch"].items)), ONE_OF_EACH["batch"].malformed)
    kept = dict(line.split() for line in BEFORE_LEGAL_BASES.read_text().splitlines())
    read = {kind: leaf_bytes.open_leaf(leaf.decode(bytes.fromhex(data)), KEYS) for kind, data in kept.items()}
    assert read == before


def test_a_batch_whose_items_rest_on_two_bases_is_not_recorded_as_one():
    one, other = a_check(), msgspec.structs.replace(a_check(), legal_basis="contrat")
    with pytest.raises(ValueError, match="action and resource only"):
        leaf_bytes.encode(CheckedBatch((one, other)), leaf_id(RUN, 1), NOW, KEYS)


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_a_leaf_begins_with_its_kind_and_version_the_instant_and_the_id(kind):
    data = leaf_bytes.encode(ONE_OF_EACH[kind], leaf_id(RUN, 5), NOW, KEYS)
    assert msgspec.msgpack.decode(data)[:5] == [f"{kind}.1", NOW, leaf_id(RUN, 5), "chu", "dpi-1"]


# Every text of a request and a decision that can name a person or quote what somebody typed.
NAMES = {
    "subject": "zq-dr-nuit-7713",
    "patient": "zq-ipp-000451",
    "document": "zq-doc-99",
    "delegator": "zq-dr-jour-12",
    "justification": "zq-arret-cardiaque",
    "fact": "zq-stay-812",
    "controller": "zq-unknown-controller",
    "ticket": "zq-ticket-5",
    "request": "zq-request-id-1",
    "digest": "zq" * 32,
    "field": "zq-typed-by-somebody",
    "filter": "zq-ipp-looked-for",
    "basis": "zq-basis-typed",
}


def _entries_naming_everybody():
    request = Request(
        Subject(NAMES["subject"], "professional", "p-one", on_behalf_of=NAMES["delegator"]),
        "read",
        msgspec.structs.replace(
            a_check().request.resource,
            patient_id=NAMES["patient"],
            id=NAMES["document"],
            controller_id=NAMES["controller"],
        ),
        "soins",
        Authentication(acr="zq-acr"),
        context=Context(justification=NAMES["justification"], request_id=NAMES["request"]),
    )
    decision = a_decision(
        obligations=(Obligation("COSIGN_BY", {"delegator": NAMES["delegator"]}),),
        advice=(Advice("TELL", {"to": NAMES["subject"]}),),
        relied=(Relied("adt", NAMES["fact"], 4),),
    )
    check = msgspec.structs.replace(a_check(decision=decision), request=request, legal_basis=NAMES["basis"])
    change = a_change(patient=NAMES["patient"], detail=NAMES["justification"])
    change = msgspec.structs.replace(
        change,
        request_id=NAMES["request"],
        controller_id=NAMES["controller"],
        digest=NAMES["digest"],
        subject_id=NAMES["subject"],
    )
    return [
        check,
        CheckedBatch((check, check), ((2, NAMES["field"]),)),
        a_refusal(NAMES["field"]),
        change,
        a_consultation(NAMES["filter"]),
    ]


def _names_shown(keys) -> int:
    shown = 0
    for n, entry in enumerate(_entries_naming_everybody()):
        data = leaf_bytes.encode(entry, leaf_id(RUN, n), NOW, keys)
        shown += sum(name.encode() in data for name in NAMES.values()) + data.count(b"zq-")
    return shown


def test_no_name_stands_in_clear_in_any_kind_of_leaf():
    assert _names_shown(KEYS) == 0


def test_without_keys_the_same_leaves_would_show_names():
    assert _names_shown(Unsealed()) > len(NAMES)


def test_a_patient_has_one_pseudonym_a_month_and_shares_it_with_nobody():
    other_month = MonthKeys("2026-04", b"q" * 32, b"c" * 32, RUN)
    assert KEYS.patient("chu", "P1") == MonthKeys("2026-03", b"p" * 32, b"x" * 32, b"r" * 12).patient("chu", "P1")
    told = [
        KEYS.patient("chu", "P1"),
        KEYS.patient("chu", "P2"),
        KEYS.patient("other", "P1"),
        KEYS.patient("ch", "uP1"),
        KEYS.subject("chu", "P1"),
        other_month.patient("chu", "P1"),
    ]
    assert len(set(told)) == len(told)
    assert all(len(pseudonym) == 16 for pseudonym in told)
    assert KEYS.patient("chu", "") == b""


@settings(deadline=None)
@given(texts, texts, texts, texts)
def test_two_pairs_of_tenant_and_patient_never_share_a_pseudonym(tenant, patient, other_tenant, other):
    same = (tenant, patient) == (other_tenant, other)
    if patient and other:
        assert (KEYS.patient(tenant, patient) == KEYS.patient(other_tenant, other)) is same


def test_a_sealed_part_opens_under_its_own_id_run_and_month_alone():
    check = leaf.decode(leaf_bytes.encode(a_check(), leaf_id(RUN, 1), NOW, KEYS))
    elsewhere = [
        msgspec.structs.replace(check, id=leaf_id(RUN, 2)),
        msgspec.structs.replace(check, id=leaf_id(b"another run!", 1)),
        msgspec.structs.replace(check, sealed=check.sealed[:-1]),
        msgspec.structs.replace(check, sealed=bytes([check.sealed[0] ^ 1]) + check.sealed[1:]),
    ]
    for moved in elsewhere:
        with pytest.raises(ValueError, match="not sealed with the content key of 2026-03"):
            leaf_bytes.open_leaf(moved, KEYS)
    with pytest.raises(ValueError, match="not sealed"):
        leaf_bytes.open_leaf(check, MonthKeys("2026-03", b"p" * 32, b"d" * 32, RUN))


def test_the_same_text_sealed_twice_never_looks_the_same():
    sealed = [leaf.decode(leaf_bytes.encode(a_check(), leaf_id(RUN, n), NOW, KEYS)).sealed for n in range(50)]
    other_run = MonthKeys("2026-03", b"p" * 32, b"c" * 32, b"another run!")
    sealed += [
        leaf.decode(leaf_bytes.encode(a_check(), leaf_id(b"another run!", n), NOW, other_run)).sealed for n in range(50)
    ]
    assert len({part[:16] for part in sealed}) == 100


def test_an_id_of_another_run_seals_nothing():
    with pytest.raises(ValueError, match="another run"):
        KEYS.seal(leaf_id(b"another run!", 1), b"text")


def test_items_of_a_batch_that_differ_in_more_than_action_and_resource_are_not_recorded_as_one():
    one, other = a_check(), a_check(subject="dr-jour")
    with pytest.raises(ValueError, match="action and resource only"):
        leaf_bytes.encode(CheckedBatch((one, other)), leaf_id(RUN, 1), NOW, KEYS)
    with pytest.raises(ValueError, match="without an answered item"):
        leaf_bytes.encode(CheckedBatch((), ((0, "items.action"),)), leaf_id(RUN, 1), NOW, KEYS)


def test_a_batch_costs_its_common_part_once():
    def size(count):
        return len(leaf_bytes.encode(a_batch(count), leaf_id(RUN, 1), NOW, KEYS))

    sizes = [size(count) for count in (1, 10, 20)]
    assert all(larger - smaller < 10 * 300 for smaller, larger in pairwise(sizes))
    assert size(1) > 500


def test_an_item_of_a_batch_is_named_by_its_place():
    assert item_id("ab", 3) == "ab.3"


def test_the_controller_stands_in_clear_only_when_it_is_the_callers():
    def controller(asked, caller=CALLER):
        request = a_check().request
        resource = msgspec.structs.replace(request.resource, controller_id=asked)
        check = msgspec.structs.replace(
            a_check(), caller=caller, request=msgspec.structs.replace(request, resource=resource)
        )
        return leaf.decode(leaf_bytes.encode(check, leaf_id(RUN, 1), NOW, KEYS)).controller

    two = msgspec.structs.replace(CALLER, controllers=("750000001", "750000002"))
    assert controller("750000001") == "750000001"
    assert controller("") == "750000001"
    assert controller("P1") == ""
    assert controller("", two) == ""
    assert controller("750000002", two) == "750000002"


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=200) | entries.map(lambda entry: leaf_bytes.encode(entry, leaf_id(RUN, 1), NOW, KEYS)), st.data()
)
def test_bytes_that_are_no_leaf_are_refused_and_break_nothing(data, drawn):
    cut = drawn.draw(st.integers(0, len(data)))
    mangled = data[:cut] + drawn.draw(st.binary(max_size=4)) + data[cut + 1 :]
    for read in (leaf.head, leaf.decode):
        try:
            read(mangled)
        except ValueError:
            continue
