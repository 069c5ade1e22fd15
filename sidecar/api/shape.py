"""A message ↔ the value of the same shape, field by field from the model's declaration.

For everything that is not on the hot path. It reads messages that `strict.check` has admitted.
"""

from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from sidecar.v1.access_pb2 import Strings

S = TypeVar("S", bound=msgspec.Struct)
M = TypeVar("M", bound=Message)


def instant(moment: Timestamp) -> int:
    """Microseconds since the epoch; what is finer is cut off."""
    return moment.seconds * 1_000_000 + moment.nanos // 1000


def stamp(at: int) -> Timestamp:
    """The same the other way."""
    seconds, micros = divmod(at, 1_000_000)
    return Timestamp(seconds=seconds, nanos=micros * 1000)


def value(kind: type[S], message: Message) -> S:
    """The value of this kind that a message of the same shape says; what the message leaves out is the default."""
    said = {}
    for name, wire, nested, _ in _fields(kind):
        field = message.DESCRIPTOR.fields_by_name.get(wire)
        if field is None:
            continue
        if field.has_presence:
            if not message.HasField(wire):
                continue
            said[name] = _read(getattr(message, wire), nested)
        elif content := getattr(message, wire):
            said[name] = tuple(_read(each, nested) for each in content) if field.is_repeated else content
    return kind(**said)


def message(kind: type[M], struct: msgspec.Struct, **more: object) -> M:
    """The message of this kind that says the value; `more` are fields the value does not have."""
    said = dict(more)
    for name, wire, _, default in _fields(type(struct)):
        content = getattr(struct, name)
        field = kind.DESCRIPTOR.fields_by_name.get(wire)
        if field is None or content is None or content is default:
            continue
        if field.is_repeated:
            said[wire] = [_written(each, field.message_type) for each in content]
        else:
            said[wire] = _written(content, field.message_type)
    return kind(**said)


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[tuple[str, str, type[msgspec.Struct] | None, object], ...]:
    """(name, name on the wire, the Struct its value is or holds, its default) of every field."""
    hints = get_type_hints(kind)
    return tuple((f.name, f.encode_name, _struct_in(hints[f.name]), f.default) for f in msgspec.structs.fields(kind))


def _struct_in(hint: object) -> type[msgspec.Struct] | None:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint
    if get_origin(hint) in (tuple, Union, UnionType):
        return next(filter(None, map(_struct_in, get_args(hint))), None)
    return None


def _read(content: Any, nested: type[msgspec.Struct] | None) -> object:
    if nested is not None:
        return value(nested, content)
    if isinstance(content, Timestamp):
        return instant(content)
    return tuple(content.values) if isinstance(content, Strings) else content


def _written(content: Any, kind: Any) -> object:
    if isinstance(content, msgspec.Struct):
        return message(kind._concrete_class, content)
    if kind is not None and kind.full_name == Timestamp.DESCRIPTOR.full_name:
        return stamp(content)
    return {"values": content} if kind is not None else content
