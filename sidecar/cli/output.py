"""What commands print: tables for people, JSON for programs, a sentence and an exit code for errors."""

import json
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import click
import grpc
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sidecar.api.shape import instant
from sidecar.core import instants
from sidecar.errors import CallerRefused, ConfigFault, InputFault, InvalidRequest, SidecarError, Unavailable
from sidecar.v1.access_pb2 import Strings

DONE, REFUSED, UNAVAILABLE, MALFORMED, NOT_ALLOWED = 0, 1, 3, 4, 5

ONE_LINE = 10_000  # columns
UNREACHED = ("failed to connect", "Socket closed", "resolving")

CODES = {
    grpc.StatusCode.INVALID_ARGUMENT: MALFORMED,
    grpc.StatusCode.UNAUTHENTICATED: NOT_ALLOWED,
    grpc.StatusCode.PERMISSION_DENIED: NOT_ALLOWED,
    grpc.StatusCode.NOT_FOUND: REFUSED,
    grpc.StatusCode.FAILED_PRECONDITION: REFUSED,
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
    if code is grpc.StatusCode.UNAVAILABLE and any(sign in details for sign in UNREACHED):
        why = details.rpartition("last error: ")[2].rstrip(")")
        details = f"no sidecar answers there: {why}; is it running, at this --address?"
    return CODES.get(code, UNAVAILABLE), f"{code.name}: {details}"


def plain(message: Message) -> dict[str, Any]:
    """The JSON form of a message: snake_case, short enum names, RFC 3339 instants, a Strings as a list.

    A number or a boolean is always there, so that 0 and false can be read; an empty text or list is not.
    """
    fields: Sequence[Any] = message.DESCRIPTOR.fields
    return {field.name: _plain(field, getattr(message, field.name)) for field in fields if _said(message, field)}


def _said(message: Message, field: FieldDescriptor) -> bool:
    if field.has_presence:
        return message.HasField(field.name)
    value = getattr(message, field.name)
    return bool(value) or (isinstance(value, bool | int | float) and field.enum_type is None)


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


def show_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "", wrap: Sequence[str] = ()
) -> None:
    """A table on standard output, as wide as the terminal: there the columns `wrap` give way.

    In a pipe or a file each row is one line.
    """
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=column not in wrap, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(str(cell))) for cell in row))
    console = Console()
    if not console.is_terminal:
        console.width = ONE_LINE
    with console.capture() as said:
        console.print(table)
    if title:
        click.secho(title, bold=True)
    for line in said.get().splitlines():
        click.echo(line.rstrip())


def show_text(text: str, head: str = "", indent: int = 0) -> None:
    """A paragraph on standard output: a terminal breaks its lines between words, under the end of `head`.

    In a pipe or a file it is one line.
    """
    console = Console()
    first = " " * indent + head
    whole = first + printable(text)
    if console.is_terminal:
        under = " " * len(first)
        whole = textwrap.fill(
            whole, max(console.width, len(first) + 20), subsequent_indent=under, break_on_hyphens=False
        )
    click.echo(whole)


def at_a_terminal() -> bool:
    """Whether a person reads standard output as it comes."""
    return Console().is_terminal


def printable(text: str) -> str:
    """The text without what could steer a terminal: ids come from outside. A no-break space stays."""
    return "".join(letter if letter.isprintable() or letter == "\u00a0" else "\ufffd" for letter in text)
