"""Commands that read the ledger: ledger show."""

import json

import click

from sidecar.api.shape import stamp
from sidecar.cli.connect import Connection, connected
from sidecar.cli.output import DONE, REFUSED, show_table
from sidecar.core import instants
from sidecar.errors import InputFault
from sidecar.v1 import admin_pb2
from sidecar.v1.admin_pb2_grpc import AdminServiceStub

COLUMNS = ("leaf", "at", "who", "patient", "what", "outcome")
WRAP = ("at", "what", "outcome")


@click.group()
def ledger() -> None:
    """Read what was recorded."""


@ledger.command()
@click.option("--decision-id", default="", help="The leaf of this decision.")
@click.option("--patient", default="", help="Leaves about this patient id.")
@click.option("--subject", default="", help="Leaves of this subject id.")
@click.option("--from", "start", default="", help="RFC 3339 instant, included.")
@click.option("--to", "end", default="", help="RFC 3339 instant, excluded.")
@click.option("--effect", type=click.Choice(["PERMIT", "DENY"]), help="Answers of this effect.")
@click.option("--reason", default="", help="Answers whose true reason is this code.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(min=1), help="The latest this many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, whole.")
@connected
def show(
    connection: Connection,
    decision_id: str,
    patient: str,
    subject: str,
    start: str,
    end: str,
    effect: str | None,
    reason: str,
    limit: int,
    as_json: bool,
) -> int:
    """Show the latest leaves that match.

    The sidecar opens them with its keys, and records the reading. Exit code 1 when none matches.
    """
    query = admin_pb2.ShowRecordsRequest(
        decision_id=decision_id, patient_id=patient, subject_id=subject, effect=effect or "", reason=reason, limit=limit
    )
    for name, text in (("from", start), ("to", end)):
        if text:
            try:
                getattr(query, name).CopyFrom(stamp(instants.parse(text)))
            except ValueError as fault:
                raise InputFault(f"--{name}: {fault}") from None
    shown = connection.call(AdminServiceStub(connection.channel).ShowRecords, query)
    if as_json:
        for record in shown.records:
            click.echo(record)
    else:
        show_table(COLUMNS, map(row, shown.records), wrap=WRAP)
        click.echo(f"{len(shown.records)} shown, {shown.scanned} leaves read")
    return DONE if shown.records else REFUSED


def row(record: str) -> list[object]:
    """One leaf as a line of a table; a leaf whose key is gone shows pseudonyms.

    Who: the subject, or the caller where nobody is behind it. Outcome: effect and true reason, or the leaf's kind.
    """
    leaf = json.loads(record)
    opened = leaf.get("opened", {})
    request = opened.get("request", opened)
    subject = request.get("subject", {}).get("id") or opened.get("subject_id") or leaf.get("subject", "")
    resource = request.get("resource", {})
    patient = resource.get("patient_id") or opened.get("patient_id") or leaf.get("patient", "")
    what = (request.get("action") or leaf.get("what"), resource.get("category"), resource.get("id"))
    caller = leaf["caller"]
    return [
        leaf["index"],
        leaf["at"][:19].replace("T", " "),
        subject or (caller["id"] if isinstance(caller, dict) else caller),
        patient,
        " ".join(filter(None, what)),
        " ".join(filter(None, (leaf.get("effect"), leaf.get("true_reason")))) or leaf["kind"],
    ]


VERBS = (ledger,)
