"""Instants as integers, and the one place where text becomes an instant.

An instant is a number of microseconds since 1970-01-01T00:00:00Z, so a decision compares integers.
At the edges (JSON, stories, tables) it is RFC 3339 text with an offset.
"""

import re
from collections.abc import Callable, Hashable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin

import msgspec

INSTANT = msgspec.Meta(extra_json_schema={"format": "date-time"})
Instant = Annotated[int, INSTANT]

SECOND = 1_000_000
DAY = 86_400 * SECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# RFC 3339 5.6; Python alone also takes week dates, dates without a time and offsets without minutes.
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)

T = TypeVar("T")


def of(moment: datetime) -> int:
    """The instant of an aware `moment`. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("an instant needs an offset, as in 2026-03-01T22:00:00+01:00")
    return (moment - _EPOCH) // _MICROSECOND


def parse(text: str) -> int:
    """The instant that RFC 3339 `text` names. Raises ValueError."""
    if not _RFC_3339.fullmatch(text):
        raise ValueError(f"not an RFC 3339 instant with an offset, as in 2026-03-01T22:00:00+01:00: `{text}`")
    try:
        return of(datetime.fromisoformat(text.upper()))
    except ValueError:
        raise ValueError(f"no such instant: `{text}`") from None


def text(instant: int) -> str:
    """RFC 3339 text in UTC, with microseconds only where there are some."""
    moment = _EPOCH + timedelta(microseconds=instant)
    return moment.isoformat().replace("+00:00", "Z")


def decode(kind: type[T], raw: object, path: str = "$") -> T:
    """The value of type `kind` that `raw` says: JSON or YAML already read into dicts, lists and scalars.

    Every field annotated `Instant` is RFC 3339 text in `raw`; a number is refused, for it does not say its
    unit. All else is `msgspec.convert`, strict. `path` is where `raw` stands in its document.

    Raises msgspec.ValidationError whose text ends with the path of the fault: ``at `$.ask[0].request.subject.id` ``.
    """
    read = _reader(cast(Hashable, kind), _instant)
    numbers = raw if read is None else read(raw, path)
    try:
        return msgspec.convert(numbers, kind)
    except msgspec.ValidationError as fault:
        said, found, where = str(fault).rpartition(" - at `$")
        if not found:
            said, where = str(fault), "`"
        raise msgspec.ValidationError(f"{said} - at `{path}{where}") from None


def encode(value: msgspec.Struct) -> object:
    """What `decode` reads `value` from: dicts, lists and scalars, every instant as RFC 3339 text."""
    write = _reader(cast(Hashable, type(value)), _text)
    plain = msgspec.to_builtins(value)
    return plain if write is None else write(plain, "$")


Reader = Callable[[object, str], object]


@cache
def _reader(kind: Any, turn: Reader) -> Reader | None:
    """What applies `turn` to the instants inside a raw `kind`; None where there are none to turn."""
    if get_origin(kind) is Annotated:
        return turn if INSTANT in kind.__metadata__ else _reader(get_args(kind)[0], turn)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _fields_reader({name: read for name, read in _fields(kind, turn) if read is not None})
    if get_origin(kind) in (Union, UnionType):
        # msgspec takes one container at most beside None unless it is tagged, so one arm can hold instants.
        readers = [read for arm in get_args(kind) if arm is not NoneType and (read := _reader(arm, turn)) is not None]
        return readers[0] if readers else None
    if get_origin(kind) in (tuple, list, set, frozenset):
        return _items_reader(_reader(get_args(kind)[0], turn))
    if get_origin(kind) is dict:
        return _values_reader(_reader(get_args(kind)[1], turn))
    return None


def _fields(struct: type[msgspec.Struct], turn: Reader) -> Iterator[tuple[str, Reader | None]]:
    for field in msgspec.structs.fields(struct):
        yield field.encode_name, _reader(field.type, turn)


def _instant(raw: object, path: str) -> object:
    if raw is None:
        return None
    if not isinstance(raw, str):
        raise msgspec.ValidationError(f"Expected RFC 3339 text, got `{type(raw).__name__}` - at `{path}`")
    try:
        return parse(raw)
    except ValueError as fault:
        raise msgspec.ValidationError(f"{fault} - at `{path}`") from None


def _text(raw: object, _path: str) -> object:
    return text(raw) if isinstance(raw, int) else raw


def _fields_reader(readers: dict[str, Reader]) -> Reader | None:
    def read(raw: object, path: str) -> object:
        if not isinstance(raw, dict):
            return raw
        return {
            name: readers[name](value, f"{path}.{name}") if name in readers else value for name, value in raw.items()
        }

    return read if readers else None


def _items_reader(item: Reader | None) -> Reader | None:
    def read(raw: object, path: str) -> object:
        if item is None or not isinstance(raw, (list, tuple)):
            return raw
        return [item(value, f"{path}[{index}]") for index, value in enumerate(raw)]

    return None if item is None else read


def _values_reader(value: Reader | None) -> Reader | None:
    def read(raw: object, path: str) -> object:
        if value is None or not isinstance(raw, dict):
            return raw
        return {name: value(held, f"{path}.{name}") for name, held in raw.items()}

    return None if value is None else read
