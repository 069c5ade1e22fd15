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

COLUMNS = ("index", "at", "kind", "caller", "subject", "patient", "action", "category", "effect", "reason")


@click.group()
def ledger() -> None:
    """Read what was recorded."""


@ledger.command()
@click.option("--decision-id", default="")
@click.option("--patient", default="")
@click.option("--subject", default="")
@click.option("--from", "start", default="", help="RFC 3339 instant, included.")
@click.option("--to", "end", default="", help="RFC 3339 instant, excluded.")
@click.option("--effect", default="", type=click.Choice(["", "PERMIT", "DENY"]))
@click.option("--reason", default="")
@click.option("--limit", default=100, show_default=True, help="The latest this many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a leaf.")
@connected
def show(
    connection: Connection,
    decision_id: str,
    patient: str,
    subject: str,
    start: str,
    end: str,
    effect: str,
    reason: str,
    limit: int,
    as_json: bool,
) -> int:
    """Show the latest leaves that match, opened with the sidecar's keys. The reading is itself recorded."""
    query = admin_pb2.ShowRecordsRequest(
        decision_id=decision_id, patient_id=patient, subject_id=subject, effect=effect, reason=reason, limit=limit
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
        rows = [json.loads(record) for record in shown.records]
        show_table(COLUMNS, [[row.get(column, "") for column in COLUMNS] for row in rows])
        click.echo(f"{len(rows)} shown, {shown.scanned} leaves read")
    return DONE if shown.records else REFUSED


VERBS = (ledger,)
