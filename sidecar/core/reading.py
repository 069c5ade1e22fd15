"""What is asked beside decisions, and what is shown: facts, records, status.

The tenant is never part of a question: it is the caller's.
"""

from msgspec import Struct

from sidecar.core.instants import Instant
from sidecar.core.model import Fact, Grant, PolicyRef, Watermark
from sidecar.core.notices import Notice
from sidecar.core.record import Recorded


class FactsQuery(Struct, frozen=True, omit_defaults=True):
    """Which facts, and as they stood when; nothing filled means every fact as it stands.

    At most one of `as_of_token` and `as_of` is filled. A `page_size` of 0 leaves the size to the room.
    """

    controller_id: str = ""
    patient_id: str = ""
    subject_id: str = ""
    ids: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    as_of_token: str = ""
    as_of: Instant | None = None
    page_size: int = 0
    page_token: str = ""


class FactVersion(Struct, frozen=True):
    """One version of a fact; `superseded_seq` is 0 while it stands."""

    fact: Fact
    recorded_seq: int
    superseded_seq: int
    recorded_at: Instant


class FactsPage(Struct, frozen=True):
    """Some of the facts asked for; an empty `next_page_token` says there are no more."""

    facts: tuple[FactVersion, ...]
    next_page_token: str
    consistency_token: str
    watermarks: tuple[Watermark, ...]


class Written(Struct, frozen=True):
    """What a write changed: numbers of facts, and the token to read at least as fresh."""

    consistency_token: str
    changed: int
    unchanged: int
    retracted: int


class RecordsQuery(Struct, frozen=True, omit_defaults=True, rename={"from_": "from"}):
    """Which leaves of the ledger; the latest `limit` that match, in [from, to), and before index `before` if given."""

    decision_id: str = ""
    patient_id: str = ""
    subject_id: str = ""
    from_: Instant | None = None
    to: Instant | None = None
    effect: str = ""
    reason: str = ""
    limit: int = 100
    before: int = 0


class RecordsPage(Struct, frozen=True):
    """Leaves as JSON objects, latest last, and how many leaves were read to find them.

    `next_before` is the `before` of a query that goes on where this one stopped; 0 when there is nothing earlier.
    """

    records: tuple[str, ...]
    scanned: int
    next_before: int = 0


class Rotation(Struct, frozen=True):
    """A signing key followed by another: their verifier keys, the checkpoint that both signed, and its record."""

    former_vkey: str
    vkey: str
    handover: str
    record: Recorded


class Retirement(Struct, frozen=True):
    """A month of the ledger made unreadable, or what doing so would close while `record` is None.

    `kinds` counts its records by kind; `first` and `last` are the indexes between which they stand, 0 and 0 for none.
    """

    month: str
    kinds: dict[str, int]
    first: int
    last: int
    record: Recorded | None


class RoomStatus(Struct, frozen=True):
    """The state of one part; `detail` says what is wrong and the next step."""

    name: str
    ready: bool
    detail: str = ""


class FeedStatus(Struct, frozen=True):
    """How complete a kind of fact is: None when a source that must report it never did."""

    controller_id: str
    kind: str
    complete_until: Instant | None
    sources: tuple[str, ...]


class Status(Struct, frozen=True):
    """What the sidecar is doing. `policy` is None while none is loaded."""

    version: str
    ready: bool
    rooms: tuple[RoomStatus, ...]
    policy: PolicyRef | None
    facts_sequence: int
    ledger_size: int
    ledger_origin: str
    feeds: tuple[FeedStatus, ...]
    started_at: Instant


class GrantsQuery(Struct, frozen=True, omit_defaults=True):
    """Which grants; nothing filled means every grant of the caller's controllers.

    `states` are those of `break_glass.State` (`closed`, `expired`, `revoked` and `open` speak of how it ended, whatever
    was said of it since) and `pending` and `overdue`, which speak of the review. Opened in [opened_from, opened_to).
    """

    controller_id: str = ""
    states: tuple[str, ...] = ()
    subject_id: str = ""
    patient_id: str = ""
    opened_from: Instant | None = None
    opened_to: Instant | None = None
    page_size: int = 0
    page_token: str = ""


class GrantTotals(Struct, frozen=True):
    """What stands now: grants open, grants whose review waits or is late, notices nobody has confirmed yet.

    `oldest_unreviewed` is when the oldest grant that is over and not reviewed was opened.
    """

    open: int = 0
    pending: int = 0
    overdue: int = 0
    notices_pending: int = 0
    notices_overdue: int = 0
    oldest_unreviewed: Instant | None = None


class GrantsPage(Struct, frozen=True):
    """Some of the grants asked for; an empty `next_page_token` says there are no more."""

    grants: tuple[Grant, ...]
    next_page_token: str
    totals: GrantTotals


class EventsQuery(Struct, frozen=True, omit_defaults=True):
    """Which notices: those committed after the cursor, for these audiences; none named is all."""

    cursor: str = ""
    audiences: tuple[str, ...] = ()
    limit: int = 0


class EventsPage(Struct, frozen=True):
    """Notices in the order they were committed, where to go on from, and whether there is more by now."""

    notices: tuple[Notice, ...]
    cursor: str
    more: bool
