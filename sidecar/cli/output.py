"""What commands print: tables for people, JSON for programs, a sentence and an exit code for errors."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import click
import grpc
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.table import Table

from sidecar.api.shape import instant
from sidecar.core import instants
from sidecar.errors import CallerRefused, ConfigFault, InputFault, InvalidRequest, SidecarError, Unavailable
from sidecar.v1.access_pb2 import Strings

DONE, REFUSED, UNAVAILABLE, MALFORMED, NOT_ALLOWED = 0, 1, 3, 4, 5

CODES = {
    grpc.StatusCode.INVALID_ARGUMENT: MALFORMED,
    grpc.StatusCode.UNAUTHENTICATED: NOT_ALLOWED,
    grpc.StatusCode.PERMISSION_DENIED: NOT_ALLOWED,
    grpc.StatusCode.NOT_FOUND: REFUSED,
}


def exit_code(error: SidecarError) -> int:
    """The exit code of an error of ours."""
    if isinstance(error, Unavailable):
        return UNAVAILABLE
    if isinstance(error, CallerRefused):
        return NOT_ALLOWED
    return MALFORMED if isinstance(error, InvalidRequest | InputFault | ConfigFault) else REFUSED


def explain(error: grpc.RpcError) -> tuple[int, str]:
    """The exit code and the sentence of a call that was not answered."""
    code, details = error.code(), error.details() or ""
    if code is grpc.StatusCode.UNAVAILABLE and "connect" in details.lower():
        details = f"no sidecar answers there ({details}); is `dpi-sidecar serve` running?"
    return CODES.get(code, UNAVAILABLE), f"{code.name}: {details}"


def plain(message: Message) -> dict[str, Any]:
    """The JSON form of a message: snake_case, short enum names, RFC 3339 instants, a Strings as a list."""
    return {field.name: _plain(field, value) for field, value in message.ListFields()}


def _plain(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return dict(value)
    if field.is_repeated:
        return [_one(field, each) for each in value]
    return _one(field, value)


def _one(field: FieldDescriptor, value: Any) -> Any:
    if isinstance(value, Timestamp):
        return instants.text(instant(value))
    if isinstance(value, Strings):
        return list(value.values)
    if isinstance(value, Message):
        return plain(value)
    if field.enum_type is not None:
        name = field.enum_type.values_by_number[value].name if value in field.enum_type.values_by_number else str(value)
        return name.removeprefix(_prefix(field.enum_type.name))
    return value


def _prefix(enum: str) -> str:
    words = "".join(f"_{letter}" if letter.isupper() else letter for letter in enum)
    return words.strip("_").upper() + "_"


def show_json(value: object) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """A table on standard output."""
    table = Table(*columns, title=title or None, title_justify="left", header_style="bold")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    Console(width=None if Console().is_terminal else 140).print(table)
