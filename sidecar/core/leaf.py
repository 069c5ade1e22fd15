"""The layout of a leaf: what stands in it, in which order, in clear or sealed.

A leaf is one msgpack array in fixed field order; docs/ledger.md lists every field. Its first element names its
kind and version (`check.1`), so that a reader knows what follows; fields are only ever added at the end.
No identifier of a person stands in clear: a patient and a subject are keyed pseudonyms, and what a replay needs
beyond them is sealed. What is in clear comes from closed lists: configuration, policy, protocol words, counters.
"""

from typing import Protocol

import msgspec
from msgspec import Struct

from sidecar.core.model import Effect, Offer, Request, Resource

RUN_BYTES = 12
ID_BYTES = RUN_BYTES + 8


class Keys(Protocol):
    """What a leaf needs of the keys of its month."""

    def patient(self, tenant: str, patient_id: str) -> bytes:
        """The pseudonym of a patient in a tenant, 16 bytes; empty for nobody."""

    def subject(self, tenant: str, subject_id: str) -> bytes:
        """The pseudonym of a subject in a tenant, 16 bytes; empty for nobody."""

    def seal(self, id_: bytes, plain: bytes) -> bytes:
        """`plain` encrypted and authenticated; an id seals once."""

    def unseal(self, id_: bytes, sealed: bytes) -> bytes:
        """What `seal` was given. Raises ValueError when the bytes or the key are not those."""


# ---- the arrays


class CallerPart(Struct, frozen=True, array_like=True):
    """What the configuration said of the caller, as the policy saw it."""

    channel: str
    controllers: tuple[str, ...]
    hds: str
    may_assert: tuple[str, ...]
    roles: tuple[str, ...]


class PolicyPart(Struct, frozen=True, array_like=True):
    """The policy that decided."""

    pack: str
    revision: str
    digest: str


class OutcomePart(Struct, frozen=True, array_like=True):
    """A decision without anything that names a person."""

    effect: Effect
    reason: str
    true_reason: str
    rule: str
    also: tuple[str, ...]
    rules: tuple[str, ...]
    obligations: tuple[str, ...]
    advice: tuple[str, ...]
    valid_until: int
    relied: tuple[int, ...]  # sequence numbers of the fact versions
    unknown: tuple[str, ...]
    elapsed_us: int


class Secrets(Struct, frozen=True, array_like=True):
    """The sealed rest of a decision: what its obligations name, the offer, the facts relied on."""

    obligations: tuple[dict[str, str], ...]
    advice: tuple[dict[str, str], ...]
    offer: Offer
    relied: tuple[tuple[str, str], ...]  # source and id, in the order of the sequence numbers


class CheckSecrets(Struct, frozen=True, array_like=True):
    """The sealed part of a check: the canonical request and the rest of the decision.

    `opening_at` is the instant the opening of a grant was judged at; 0 for a plain question.
    """

    request: Request
    rest: Secrets
    opening_at: int = 0
    legal_basis: str = ""


class BatchSecrets(Struct, frozen=True, array_like=True):
    """The sealed part of a batch: the first item's whole request, then each item's own part of it."""

    request: Request
    items: tuple[tuple[str, Resource, Secrets], ...]
    malformed: tuple[str, ...]  # the fields, in the order of the indexes
    legal_basis: str = ""


class ChangeSecrets(Struct, frozen=True, array_like=True):
    """The sealed part of a change. The digest is sealed because identifiers are few enough to be guessed from it."""

    subject_id: str
    patient_id: str
    controller_id: str
    request_id: str
    digest: str
    detail: str


class Head(Struct, frozen=True, array_like=True):
    """What every leaf begins with."""

    kind: str
    at: int
    id: bytes
    tenant: str
    caller: str


class Common(Struct, frozen=True, array_like=True):
    """The same, in front of each kind; the kind itself is the tag."""

    at: int
    id: bytes
    tenant: str
    caller: str


class CheckLeaf(Common, frozen=True, array_like=True, tag="check.1"):
    """One answered question."""

    caller_is: CallerPart
    controller: str
    patient: bytes
    subject: bytes
    policy: PolicyPart
    facts_seq: int
    cache: str
    outcome: OutcomePart
    sealed: bytes


class BatchLeaf(Common, frozen=True, array_like=True, tag="batch.1"):
    """One answered batch."""

    caller_is: CallerPart
    controller: str
    patients: tuple[bytes, ...]
    subject: bytes
    policy: PolicyPart
    facts_seq: int
    cache: str
    outcomes: tuple[OutcomePart, ...]
    malformed: tuple[int, ...]
    sealed: bytes


class RefusedLeaf(Common, frozen=True, array_like=True, tag="refused.1"):
    """One call that never was a question."""

    method: str
    reason: str
    sealed: bytes  # the path of the field


class ChangeLeaf(Common, frozen=True, array_like=True, tag="change.1"):
    """One change of what is known."""

    caller_is: CallerPart
    since: int  # leaves in the ledger when this one was made: it stands at that index or later
    change: str
    what: str
    controller: str
    patient: bytes
    subject: bytes
    facts_seq: int
    counts: tuple[int, int, int]
    grant: str
    sealed: bytes


class ConsultedLeaf(Common, frozen=True, array_like=True, tag="consulted.1"):
    """One reading of the ledger."""

    caller_is: CallerPart
    shown: int
    sealed: bytes  # the filter


Leaf = CheckLeaf | BatchLeaf | RefusedLeaf | ChangeLeaf | ConsultedLeaf

_decode_leaf = msgspec.msgpack.Decoder(Leaf).decode
_decode_head = msgspec.msgpack.Decoder(Head).decode


def leaf_id(run: bytes, number: int) -> bytes:
    """The id of leaf `number` of a run: 12 random bytes of the run, then the number in 8 bytes."""
    return run + number.to_bytes(8, "big")


def head(leaf: bytes) -> Head:
    """What every leaf begins with. Raises ValueError for bytes that are no leaf."""
    return _decode_head(leaf)


def decode(leaf: bytes) -> Leaf:
    """The arrays of a leaf, sealed parts still sealed. Raises ValueError for bytes that are no leaf."""
    decoded: Leaf = _decode_leaf(leaf)
    return decoded
