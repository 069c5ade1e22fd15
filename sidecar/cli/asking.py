"""Commands that ask: check, break-glass, status."""

import sys
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec import Struct

from sidecar.api.shape import message
from sidecar.cli.connect import Connection, connected
from sidecar.cli.output import DONE, REFUSED, plain, show_json, show_table
from sidecar.core import instants
from sidecar.core.model import Authentication, Device, Opening, Request, Subject
from sidecar.errors import InputFault
from sidecar.v1 import access_pb2, admin_pb2, break_glass_pb2
from sidecar.v1.access_pb2_grpc import AccessServiceStub
from sidecar.v1.admin_pb2_grpc import AdminServiceStub
from sidecar.v1.break_glass_pb2_grpc import BreakGlassServiceStub


def read_json(file: str) -> Any:
    """The JSON document of a file, or of standard input for `-`. Raises InputFault."""
    try:
        text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return msgspec.json.decode(text)
    except OSError as fault:
        raise InputFault(f"{file}: cannot be read: {fault.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise InputFault(f"{file}: not JSON: {fault}") from None


def read_value(kind: type[Any], file: str) -> Any:
    """The value of this kind that a JSON file says. Raises InputFault with the path of the fault."""
    try:
        return instants.decode(kind, read_json(file))
    except msgspec.ValidationError as fault:
        raise InputFault(f"{file}: {fault}") from None


@click.command(short_help="Ask one question: may this subject do this?")
@click.argument("file", default="-")
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as JSON.")
@connected
def check(connection: Connection, file: str, as_json: bool) -> int:
    """Ask one question: FILE holds the JSON form of a CheckAccessRequest (docs/cli.md); - is standard input.

    Exit code 0 for a permit, 1 for a refusal, 3 when no answer was given.
    """
    request = message(access_pb2.CheckAccessRequest, read_value(Request, file))
    answer = connection.call(AccessServiceStub(connection.channel).CheckAccess, request)
    show_answer(answer, as_json)
    return DONE if answer.effect == access_pb2.EFFECT_PERMIT else REFUSED


def show_answer(answer: access_pb2.CheckAccessResponse, as_json: bool) -> None:
    """An answer, for a program or for a person."""
    said = plain(answer)
    if as_json:
        show_json(said)
        return
    click.secho(f"{said['effect']}  {said['reason']}", bold=True, fg="green" if said["effect"] == "PERMIT" else "red")
    click.echo(f"  {said.get('message', '')}")
    for word in ("obligations", "advice"):
        for each in said.get(word, []):
            params = ", ".join(f"{name}={value}" for name, value in each.get("params", {}).items())
            click.echo(f"  {word.removesuffix('s')}: {each['id']}" + (f" ({params})" if params else ""))
    if said.get("also"):
        click.echo(f"  also: {', '.join(said['also'])}")
    if said.get("break_glass", {}).get("available"):
        click.echo(f"  break-glass may be opened for {said['break_glass']['scope']}: `dpi-sidecar break-glass open`")
    record = said["record"]
    click.echo(f"  recorded as {said['decision_id']}, leaf {record['index']} of {record['origin']}")


class Acting(Struct, frozen=True, forbid_unknown_fields=True):
    """Who ends or reviews a grant, as the file of --as says: the subject, how they proved who they are, the device."""

    subject: Subject
    authentication: Authentication | None = None
    device: Device | None = None


@click.group("break-glass")
def break_glass() -> None:
    """Open, close, look at and review emergency grants."""


@break_glass.command("open", short_help="Ask for a grant.")
@click.argument("file", default="-")
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as JSON.")
@connected
def open_grant(connection: Connection, file: str, as_json: bool) -> int:
    """Ask for a grant: FILE holds the JSON form of an OpenRequest (docs/cli.md); - is standard input.

    Exit code 0 when the grant is open, 1 for a refusal.
    """
    request = message(break_glass_pb2.OpenRequest, read_value(Opening, file))
    opened = connection.call(BreakGlassServiceStub(connection.channel).Open, request)
    if as_json:
        show_json(plain(opened))
    else:
        show_answer(opened.answer, as_json=False)
        if opened.HasField("grant"):
            show_grant(opened.grant, as_json=False)
    return DONE if opened.HasField("grant") else REFUSED


@break_glass.command("close", short_help="End a grant before its time.")
@click.argument("grant")
@click.option("--subject", default="", help="Subject id of who opened it.")
@click.option("--kind", default="", help="The subject's kind, a word of the pack.")
@click.option("--profile", default="", help="The subject's profile, a word of the pack.")
@click.option("--as", "as_file", help="To end somebody else's: JSON file of who does, as in review.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@connected
def close_grant(
    connection: Connection, grant: str, subject: str, kind: str, profile: str, as_file: str | None, as_json: bool
) -> int:
    """End a grant before its time: one's own with --subject, --kind and --profile, somebody else's with --as.

    Exit code 1 when the policy refuses it.
    """
    if as_file is None and not (subject and kind and profile):
        raise click.UsageError("say who ends it: --subject, --kind and --profile, or --as")
    who = read_value(Acting, as_file) if as_file is not None else Acting(Subject(subject, kind, profile))
    request = message(break_glass_pb2.CloseRequest, who, grant=grant)
    closed = connection.call(BreakGlassServiceStub(connection.channel).Close, request)
    if as_json:
        show_json(plain(closed.grant if closed.HasField("grant") else closed))
        return DONE if closed.HasField("grant") else REFUSED
    if closed.HasField("answer"):
        show_answer(closed.answer, as_json=False)
    if closed.HasField("grant"):
        show_grant(closed.grant, as_json=False)
    return DONE if closed.HasField("grant") else REFUSED


@break_glass.command("get")
@click.argument("grant")
@click.option("--json", "as_json", is_flag=True, help="Print the grant as JSON.")
@connected
def get_grant(connection: Connection, grant: str, as_json: bool) -> int:
    """Show one grant. Exit code 1 when this caller has none of this id."""
    got = connection.call(BreakGlassServiceStub(connection.channel).Get, break_glass_pb2.GetRequest(grant=grant))
    show_grant(got.grant, as_json)
    return DONE


def show_grant(grant: break_glass_pb2.Grant, as_json: bool) -> None:
    """A grant, for a program or for a person."""
    said = plain(grant)
    if as_json:
        show_json(said)
        return
    ends = f"closed at {said['closed_at']}" if "closed_at" in said else f"until {said['until']}"
    click.echo(f"  grant {said['id']}: {said['state']}, {ends}, opens {said['scope']} of {said['patient_id']}")
    click.echo(f"  {said['subject_id']}, {said['motive']}; review due {said.get('review_due', 'never')}")


@click.command(short_help="What the sidecar is doing.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@connected
def status(connection: Connection, as_json: bool) -> int:
    """What the sidecar is doing: policy, facts, ledger, feeds. Exit code 1 when it is not ready."""
    said = plain(connection.call(AdminServiceStub(connection.channel).GetStatus, admin_pb2.GetStatusRequest()))
    if as_json:
        show_json(said)
    else:
        pack = said.get("policy", {})
        click.echo(f"dpi-sidecar {said['version']}, started {said['started_at']}")
        click.echo(f"policy {pack.get('pack', 'none')} {pack.get('digest', '')[:16]}")
        click.echo(
            f"facts at {said['facts_sequence']}, ledger {said['ledger_origin']} of {said['ledger_size']} leaves\n"
        )
        rooms = [(room["name"], "yes" if room["ready"] else "NO", room.get("detail", "")) for room in said["rooms"]]
        show_table(("part", "ready", "detail"), rooms, wrap=("detail",))
        click.echo()
        feeds = [
            (feed["controller_id"], feed["kind"], feed.get("complete_until", "never"), " ".join(feed["sources"]))
            for feed in said.get("feeds", [])
        ]
        show_table(("controller", "kind", "complete until", "sources"), feeds, wrap=("complete until", "sources"))
    return DONE if said["ready"] else REFUSED


VERBS = (check, break_glass, status)
