"""Leaves as an auditor reads them: found by pseudonym, opened with the keys, one JSON object each."""

import json
from collections import Counter, deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Protocol

import msgspec

from sidecar.core import instants, leaf, leaf_bytes
from sidecar.core.bundle import FOREVER, NEVER
from sidecar.core.leaf import BatchLeaf, ChangeLeaf, CheckLeaf, ConsultedLeaf, Head, Leaf, OutcomePart, RefusedLeaf
from sidecar.core.model import Decision
from sidecar.core.reading import RecordsPage, RecordsQuery
from sidecar.core.recall import Found
from sidecar.core.record import Changed, Checked, CheckedBatch, Consulted, Entry, Refused, item_id
from sidecar.errors import LedgerUnavailable, NotFound, RecordClosed
from sidecar.ledger.keys import KeyFolder
from sidecar.ledger.keys import month as key_month

MOST_SHOWN = 1000
MOST_SCANNED = 1_000_000
PAGE_LENGTH = 2 << 20  # a gRPC client takes 4 MiB, and the last record may be long
CLOCK_WRONG = 3600 * instants.SECOND
FIRST_STRETCH, LONGEST_STRETCH = 256, 65_536  # leaves read at once

NOT_SEALED = "not sealed with the content key of its month: altered, or of another ledger"

Shown = dict[str, Any]


class Book(Protocol):
    """What is read here."""

    @property
    def size(self) -> int:
        """Leaves acknowledged."""

    def leaves(self, start: int) -> Iterator[tuple[int, bytes]]:
        """Index and bytes of each leaf from index `start` to the last one acknowledged. Raises LedgerUnavailable."""


def page(book: Book, keys: KeyFolder, origin: str, tenant: str, query: RecordsQuery) -> RecordsPage:
    """The latest `query.limit` leaves of `tenant` that match (1 to 1000), latest last.

    Reads back from the newest, or from `query.before`, at most MOST_SCANNED leaves, and shows no more than fit a
    message; `next_before` says where it stopped. Raises LedgerUnavailable.
    """
    limit = min(max(query.limit, 1), MOST_SHOWN)
    matches = _matcher(keys, tenant, query)
    shown: deque[str] = deque()
    size, length = book.size, 0
    start = index = min(query.before, size) if query.before else size
    for index, data in _newest_first(book, start):
        head = leaf.head(data)
        if head.tenant == tenant and matches(head, data):
            shown.appendleft(_line(_object(index, origin, leaf.decode(data), keys)))
            length += len(shown[0])
        if len(shown) == limit or length >= PAGE_LENGTH or start - index == MOST_SCANNED:
            break
    return RecordsPage(tuple(shown), start - index, index)


def period(book: Book, keys: KeyFolder, origin: str, tenant: str, query: RecordsQuery) -> list[str]:
    """The leaves of `tenant` in [query.from, query.to) that match, in order, whatever `query.limit` says.

    Found by halving, since instants grow with indexes but for a clock that was put right: a leaf written while it was
    wrong by more than CLOCK_WRONG is not among them, and `page` would show it. Raises LedgerUnavailable.
    """
    matches = _matcher(keys, tenant, query)
    latest = FOREVER if query.to is None else query.to + CLOCK_WRONG
    shown: list[str] = []
    for index, data in book.leaves(_first_at(book, NEVER if query.from_ is None else query.from_ - CLOCK_WRONG)):
        head = leaf.head(data)
        if head.at >= latest:
            break
        if head.tenant == tenant and matches(head, data):
            shown.append(_line(_object(index, origin, leaf.decode(data), keys)))
    return shown


def _first_at(book: Book, instant: int) -> int:
    """The index of the first leaf at or after an instant, as far as instants grow with indexes."""
    low, high = 0, book.size
    while low < high:
        middle = (low + high) // 2
        _, data = next(book.leaves(middle))
        if leaf.head(data).at < instant:
            low = middle + 1
        else:
            high = middle
    return low


def find(book: Book, keys: KeyFolder, tenant: str, decision_id: str, index: int | None = None) -> Found:
    """The recorded decision of this id, an item of a batch by `ID.n`; looked for at `index` alone when that is given.

    Raises NotFound when the tenant has none, RecordClosed when its month cannot be opened any more,
    LedgerUnavailable when the ledger cannot be read.
    """
    wanted, position = _id_bytes(decision_id), decision_id.partition(".")[2]
    places = _newest_first(book, book.size) if index is None else islice(book.leaves(index), 1)
    for place, data in places:
        if not wanted or wanted not in data:  # far cheaper than reading each head
            continue
        head = leaf.head(data)
        if head.id == wanted and head.tenant == tenant:
            checked = _decision(_unsealed(data, keys), position)
            return Found(decision_id, place, head.at, checked)
    raise NotFound("decision_id: no decision of this id")


def recorded_in(book: Book, name: str) -> tuple[dict[str, int], int, int]:
    """How many leaves of each kind a month has, and the first and last index they stand at; 0 and 0 for none.

    Raises LedgerUnavailable.
    """
    kinds: Counter[str] = Counter()
    places: list[int] = []
    for index, data in book.leaves(0):
        head = leaf.head(data)
        if key_month(head.at) == name:
            kinds[head.kind.partition(".")[0]] += 1
            places = [*places[:1], index]
    return dict(sorted(kinds.items())), *((places[0], places[-1]) if places else (0, 0))


def _unsealed(data: bytes, keys: KeyFolder) -> Entry:
    """The entry of a leaf. Raises RecordClosed."""
    try:
        found = leaf.decode(data)
    except ValueError:
        raise RecordClosed(NOT_SEALED) from None
    return _opened(found, keys)


def _decision(entry: Entry, position: str) -> Checked:
    """The decision of a leaf, or of its item at this position. Raises NotFound."""
    if isinstance(entry, Checked) and not position:
        return entry
    # A position is written in one way, as the ids of answers are.
    if isinstance(entry, CheckedBatch) and position in map(str, range(len(entry.items))):
        return entry.items[int(position)]
    raise NotFound("decision_id: no decision of this id")


def _line(shown: Shown) -> str:
    """JSON on one line, for any reader of lines.

    What JSON lets stand in a text and a terminal or a reader would obey, or not show, is escaped: controls, line and
    paragraph separators, changes of writing direction, invisible characters.
    """
    text = msgspec.json.encode(shown).decode()
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)


def _newest_first(book: Book, end: int) -> Iterator[tuple[int, bytes]]:
    """The leaves before index `end`, the newest first, read in ever longer stretches."""
    stretch = FIRST_STRETCH
    while end:
        start = max(end - stretch, 0)
        yield from reversed(list(islice(book.leaves(start), end - start)))
        end, stretch = start, min(2 * stretch, LONGEST_STRETCH)


def _matcher(keys: KeyFolder, tenant: str, query: RecordsQuery) -> Callable[[Head, bytes], bool]:
    """Whether a leaf is asked for. Pseudonyms are looked for in the bytes: 16 of them do not stand there by chance."""
    wanted = _id_bytes(query.decision_id)
    earliest = NEVER if query.from_ is None else query.from_
    latest = FOREVER if query.to is None else query.to
    pseudonyms: dict[str, tuple[bytes, ...] | None] = {}

    def of_month(at: int) -> tuple[bytes, ...] | None:
        month = key_month(at)
        if month not in pseudonyms:
            found = keys.reading(at)
            pseudonyms[month] = (
                None
                if found is None
                else (found.patient(tenant, query.patient_id), found.subject(tenant, query.subject_id))
            )
        return pseudonyms[month]

    def matches(head: Head, data: bytes) -> bool:
        if query.decision_id and head.id != wanted:
            return False
        if not earliest <= head.at < latest:
            return False
        if query.patient_id or query.subject_id:
            looked_for = of_month(head.at)
            if looked_for is None or not all(pseudonym in data for pseudonym in looked_for):
                return False
        return not (query.effect or query.reason) or _outcome_matches(leaf.decode(data), query)

    return matches


def _id_bytes(decision_id: str) -> bytes:
    """The id of the leaf a decision stands in: an item of a batch stands in the batch's."""
    try:
        return bytes.fromhex(decision_id.partition(".")[0])
    except ValueError:
        return b""


def _outcome_matches(found: Leaf, query: RecordsQuery) -> bool:
    if isinstance(found, CheckLeaf | BatchLeaf):
        outcomes = (found.outcome,) if isinstance(found, CheckLeaf) else found.outcomes
        return any(
            query.effect in ("", outcome.effect) and query.reason in ("", outcome.reason, outcome.true_reason)
            for outcome in outcomes
        )
    return isinstance(found, RefusedLeaf) and not query.effect and query.reason == found.reason


# ---- a leaf as a JSON object (docs/ledger.md)


def _object(index: int, origin: str, found: Leaf, keys: KeyFolder) -> Shown:
    shown: Shown = {
        "origin": origin,
        "index": index,
        "id": found.id.hex(),
        "at": instants.text(found.at),
        "tenant": found.tenant,
        "caller": {"id": found.caller},
    }
    if not isinstance(found, RefusedLeaf):
        shown["caller"] |= msgspec.structs.asdict(found.caller_is)
    shown |= _CLEAR[type(found)](found)
    try:
        entry = _opened(found, keys)
    except RecordClosed as why:
        return shown | {"opened": None, "closed": str(why)}
    return shown | {"opened": _OPENED[type(entry)](entry)}


def _opened(found: Leaf, keys: KeyFolder) -> Entry:
    """The whole entry. Raises RecordClosed when the keys of its month are gone or not those it was sealed with."""
    try:
        month_keys = keys.reading(found.at)
    except LedgerUnavailable as fault:
        raise RecordClosed(str(fault)) from None
    if month_keys is None:
        raise RecordClosed(keys.gone(found.at))
    try:
        return leaf_bytes.open_leaf(found, month_keys)
    except ValueError:
        raise RecordClosed(NOT_SEALED) from None


def _clear_check(found: CheckLeaf) -> Shown:
    return {
        "kind": "check",
        "controller": found.controller,
        "patient": found.patient.hex(),
        "subject": found.subject.hex(),
        "policy": msgspec.structs.asdict(found.policy),
        "facts_seq": found.facts_seq,
        "cache": found.cache,
        **_clear_outcome(found.outcome),
    }


def _clear_batch(found: BatchLeaf) -> Shown:
    id_ = found.id.hex()
    return {
        "kind": "batch",
        "controller": found.controller,
        "patients": [patient.hex() for patient in found.patients],
        "subject": found.subject.hex(),
        "policy": msgspec.structs.asdict(found.policy),
        "facts_seq": found.facts_seq,
        "cache": found.cache,
        "items": [{"id": item_id(id_, n), **_clear_outcome(outcome)} for n, outcome in enumerate(found.outcomes)],
        "malformed": found.malformed,
    }


def _clear_outcome(outcome: OutcomePart) -> Shown:
    return msgspec.structs.asdict(outcome) | {"valid_until": _instant(outcome.valid_until)}


def _clear_refused(found: RefusedLeaf) -> Shown:
    return {"kind": "refused", "method": found.method, "reason": found.reason}


def _clear_change(found: ChangeLeaf) -> Shown:
    return {
        "kind": "change",
        "change": found.change,
        "what": found.what,
        "controller": found.controller,
        "patient": found.patient.hex(),
        "subject": found.subject.hex(),
        "facts_seq": found.facts_seq,
        "counts": dict(zip(("changed", "unchanged", "retracted"), found.counts, strict=True)),
        "grant": found.grant,
    }


def _clear_consulted(found: ConsultedLeaf) -> Shown:
    return {"kind": "consulted", "shown": found.shown}


_CLEAR: dict[type, Callable[[Any], Shown]] = {
    CheckLeaf: _clear_check,
    BatchLeaf: _clear_batch,
    RefusedLeaf: _clear_refused,
    ChangeLeaf: _clear_change,
    ConsultedLeaf: _clear_consulted,
}


def _opened_check(entry: Checked) -> Shown:
    shown = {"request": instants.encode(entry.request), "legal_basis": entry.legal_basis}
    return shown | _opened_decision(entry.decision)


def _opened_batch(entry: CheckedBatch) -> Shown:
    return {"items": [_opened_check(item) for item in entry.items], "malformed": entry.malformed}


def _opened_decision(decision: Decision) -> Shown:
    return {
        "obligations": msgspec.to_builtins(decision.obligations),
        "advice": msgspec.to_builtins(decision.advice),
        "break_glass": msgspec.to_builtins(decision.offer),
        "relied": msgspec.to_builtins(decision.relied),
    }


def _opened_change(entry: Changed) -> Shown:
    return {
        "subject_id": entry.subject_id,
        "patient_id": entry.patient_id,
        "controller_id": entry.controller_id,
        "request_id": entry.request_id,
        "digest": entry.digest,
        "detail": entry.detail,
    }


def _opened_refused(entry: Refused) -> Shown:
    return {"field": entry.field}


def _opened_consulted(entry: Consulted) -> Shown:
    return {"filter": entry.filter}


_OPENED: dict[type, Callable[[Any], Shown]] = {
    Checked: _opened_check,
    CheckedBatch: _opened_batch,
    Refused: _opened_refused,
    Changed: _opened_change,
    Consulted: _opened_consulted,
}


def _instant(at: int) -> str | None:
    """RFC 3339 text; None for an instant that no calendar has, such as no end at all."""
    try:
        return instants.text(at)
    except OverflowError:
        return None
