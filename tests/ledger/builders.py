"""Entries for ledger tests, by hand and at random, and a plain reading of a journal's files."""

import struct
import zlib
from pathlib import Path

from hypothesis import strategies as st
from msgspec.structs import replace

from sidecar.core.model import (
    Advice,
    Authentication,
    Caller,
    Context,
    Decision,
    Device,
    Effect,
    Obligation,
    Offer,
    PolicyRef,
    References,
    Relied,
    Request,
    Resource,
    Subject,
)
from sidecar.core.record import Changed, Checked, CheckedBatch, Consulted, Refused

NOW = 1_772_398_800_000_000  # 2026-03-01T21:00:00Z
DAY = 86_400_000_000
POLICY = PolicyRef("hospital", "folder", "5e" * 32)
CALLER = Caller("dpi-1", "dpi", frozenset({"dpi", "feed"}), "chu", ("750000001",), "certified", frozenset({"identity"}))


def a_request(subject="dr-nuit", patient="P1", action="read", **resource):
    return Request(
        Subject(subject, "professional", "p-one", units=("UF-SAU",)),
        action,
        Resource("cr", patient, id="doc-1", controller_id="750000001", **resource),
        "soins",
        Authentication(mfa=True, time=NOW, idle_s=0, remote="none"),
        Device("workstation", True, False),
    )


def a_decision(effect=Effect.PERMIT, reason="IN_CARE", **fields):
    return Decision(effect, reason, fields.pop("true_reason", reason), "A-1", rules=("A-1",), **fields)


def a_check(subject="dr-nuit", patient="P1", caller=CALLER, decision=None, **fields):
    request = a_request(subject, patient, **fields)
    return Checked(request, caller, decision or a_decision(), POLICY, 12, 33, legal_basis="obligation_legale")


def a_batch(count=3, **fields):
    return CheckedBatch(tuple(a_check(action=f"read{n}", **fields) for n in range(count)), ((count, "items.action"),))


def a_change(change_id="c1", patient="P1", caller=CALLER, **fields):
    return Changed(change_id, caller, "write_facts", "r1", "750000001", "d1" * 32, 7, (1, 0, 0), "", patient, **fields)


def a_refusal(field="resource.category"):
    return Refused("dpi-1", "chu", "/sidecar.v1.AccessService/CheckAccess", field, "INVALID_REQUEST")


def a_consultation(filter_="patient_id: P1"):
    return Consulted(CALLER, filter_, 3)


def leaves_on_disk(folder: Path) -> dict[int, bytes]:
    """Index → leaf in the segment files, read by what docs/ledger.md says and nothing of the product's code."""
    leaves: dict[int, bytes] = {}
    for path in sorted(folder.glob("*.log")):
        data = path.read_bytes()
        index = int.from_bytes(data[8:16], "big")
        leaves = {before: leaf for before, leaf in leaves.items() if before < index}
        at = 32
        while at + 8 <= len(data):
            length, check = struct.unpack_from(">II", data, at)
            leaf = data[at + 8 : at + 8 + length]
            if not length or len(leaf) < length or zlib.crc32(leaf) != check:
                break
            leaves[index] = leaf
            at, index = at + 8 + length, index + 1
    return leaves


def frames_on_disk(folder: Path) -> list[bytes]:
    """The same leaves in order."""
    return [leaf for _, leaf in sorted(leaves_on_disk(folder).items())]


# ---- at random

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
words = st.lists(texts, max_size=3).map(tuple)
numbers = st.integers(-(1 << 62), 1 << 62)
instants = st.integers(0, 1 << 60)
params = st.dictionaries(texts, texts, max_size=2)
subjects = st.builds(
    Subject, texts, texts, texts, units=words, status=texts, valid_from=st.none() | instants, on_behalf_of=texts
)
resources = st.builds(
    Resource, texts, texts, texts, texts, tags=st.none() | words, masked_for=st.none() | words, controller_id=texts
)
contexts = st.builds(
    Context, texts, grant=texts, justification=texts, refs=st.builds(References, ticket=texts, research=texts)
)
requests = st.builds(
    Request,
    subjects,
    texts,
    resources,
    texts,
    st.none() | st.builds(Authentication, texts, words, st.none() | st.booleans(), st.none() | instants),
    st.none() | st.builds(Device, texts, st.none() | st.booleans()),
    contexts,
)
callers = st.builds(Caller, texts, texts, st.frozensets(texts, max_size=3), texts, words, texts, st.frozensets(texts))
decisions = st.builds(
    Decision,
    st.sampled_from(Effect),
    texts,
    texts,
    texts,
    words,
    words,
    st.lists(st.builds(Obligation, texts, params), max_size=2).map(tuple),
    st.lists(st.builds(Advice, texts, params), max_size=2).map(tuple),
    st.builds(Offer, st.booleans(), words, texts),
    numbers,
    st.lists(st.builds(Relied, texts, texts, instants), max_size=3).map(tuple),
    words,
)
policies = st.builds(PolicyRef, texts, texts, texts)
checks = st.builds(Checked, requests, callers, decisions, policies, instants, instants, legal_basis=texts)


@st.composite
def batches(draw):
    first = draw(checks)
    common = first.request
    items = [first]
    for _ in range(draw(st.integers(0, 3))):
        request = Request(
            common.subject, draw(texts), draw(resources), common.purpose,
            common.authentication, common.device, common.context, common.facts,
        )  # fmt: skip
        items.append(replace(first, request=request, decision=draw(decisions), elapsed_us=draw(instants)))
    malformed = draw(st.lists(st.tuples(st.integers(0, 500), texts), max_size=2))
    return CheckedBatch(tuple(items), tuple(malformed))


entries = st.one_of(
    checks,
    batches(),
    st.builds(Refused, texts, texts, texts, texts, texts),
    st.builds(
        Changed, texts, callers, texts, texts, texts, texts, instants,
        st.tuples(instants, instants, instants), texts, texts, texts, texts,
    ),
    st.builds(Consulted, callers, texts, instants),
)  # fmt: skip
