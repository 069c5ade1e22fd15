"""A change of what is known, as the corridor hands it to the facts room, and what became of it."""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from sidecar.core.model import Fact, Grant, Retraction, Watermark
from sidecar.core.notices import Notice

Counts = tuple[int, int, int]  # changed, unchanged, retracted

# Makes the bytes of a change's leaf, which names its sequence and counts, inside the change's own transaction.
LeafMaker = Callable[[int, Counts], bytes]


class FactsChange(Struct, frozen=True):
    """Facts to upsert, to retract and to mark complete: all or nothing.

    The corridor has checked the words against the pack and the controllers against the caller. A fact or
    watermark without a controller is the change's; retractions are always the change's.
    """

    change_id: str
    tenant: str
    caller_id: str
    request_id: str  # the same one twice, from one caller, is one change; empty: never the same
    digest: str  # SHA-256 of the canonical bytes of the request, hexadecimal
    controller_id: str
    now: int
    facts: tuple[Fact, ...] = ()
    retract: tuple[Retraction, ...] = ()
    watermarks: tuple[Watermark, ...] = ()


# `shorten_grant`: the clock moved back, and the grant ends when it would have.
GrantEvent = Literal["open_grant", "close_grant", "expire_grant", "revoke_grant", "review_grant", "shorten_grant"]


class GrantChange(Struct, frozen=True):
    """A grant as it stands from now on, and who must know of it."""

    change_id: str
    tenant: str
    caller_id: str
    request_id: str
    digest: str
    what: GrantEvent
    grant: Grant
    now: int
    notices: tuple[Notice, ...] = ()


class NoticesChange(Struct, frozen=True):
    """Somebody confirmed that these notices are known."""

    change_id: str
    tenant: str
    caller_id: str
    request_id: str
    digest: str
    notices: tuple[str, ...]  # ids
    now: int
    grants: tuple[Grant, ...] = ()  # the grants they tell of, with who knows from now on


class RequirementChange(Struct, frozen=True):
    """Other sources must report each kind of fact from now on; `sources` are by kind."""

    change_id: str
    tenant: str
    caller_id: str
    digest: str
    sources: dict[str, tuple[str, ...]]
    now: int
    request_id: str = ""


class Stored(Struct, frozen=True):
    """What became of a change: its sequence in the tenant and what it counted.

    `repeated` says that this request had been kept before; `leaf` is what is still to be appended, empty when
    the leaf of this change is in the ledger already.
    """

    change_id: str
    seq: int
    changed: int
    unchanged: int
    retracted: int
    digest: str
    leaf: bytes = b""
    grant_id: str = ""
    repeated: bool = False
