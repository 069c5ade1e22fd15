"""Commands that read the ledger: ledger show."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Any

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
LARGEST_PAGE = 1000


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
@click.option("--month", default="", help="Leaves of this UTC month, as in 2026-03.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(min=1), help="The latest this many.")
@click.option("--before", default=0, type=click.IntRange(min=0), help="Leaves before this index: an earlier page.")
@click.option("--all", "whole", is_flag=True, help="Every leaf that matches, page after page, the newest page first.")
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
    month: str,
    limit: int,
    before: int,
    whole: bool,
    as_json: bool,
) -> int:
    """Show the latest leaves that match.

    The sidecar opens them with its keys, and records the reading. Exit code 1 when none matches.
    """
    if month and (start or end):
        raise click.UsageError("--month is a period of its own: leave --from and --to out")
    if month:
        start, end = bounds(month)
    query = between(
        admin_pb2.ShowRecordsRequest(
            decision_id=decision_id,
            patient_id=patient,
            subject_id=subject,
            effect=effect or "",
            reason=reason,
            limit=LARGEST_PAGE if whole else limit,
            before=before,
        ),
        start,
        end,
    )
    shown = scanned = 0
    for page in pages(connection, query) if whole else islice(pages(connection, query), 1):
        shown, scanned = shown + len(page.records), scanned + page.scanned
        if as_json:
            for record in page.records:
                click.echo(record)
        elif page.records:
            show_table(COLUMNS, map(row, page.records), wrap=WRAP)
        following = page.next_before
    if not as_json:
        click.echo(f"{shown} shown, {scanned} leaves read" + (f"; earlier: --before {following}" if following else ""))
    return DONE if shown else REFUSED


def pages(connection: Connection, query: admin_pb2.ShowRecordsRequest) -> Iterator[admin_pb2.ShowRecordsResponse]:
    """The leaves that match, the newest page first, each page in order, until nothing is earlier."""
    while True:
        page = connection.call(AdminServiceStub(connection.channel).ShowRecords, query)
        yield page
        if not page.next_before:
            return
        query.before = page.next_before


def between(query: admin_pb2.ShowRecordsRequest, start: str, end: str) -> admin_pb2.ShowRecordsRequest:
    """The query narrowed to a period; an empty instant is an open end. Raises InputFault."""
    for name, text in (("from", start), ("to", end)):
        if text:
            try:
                getattr(query, name).CopyFrom(stamp(instants.parse(text)))
            except ValueError as fault:
                raise InputFault(f"--{name}: {fault}") from None
    return query


def bounds(month: str) -> tuple[str, str]:
    """First instant of a UTC month written as 2026-03, and of the month after it. Raises InputFault."""
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise InputFault(f"--month: not a month as in 2026-03: {month}") from None
    following = (first + timedelta(days=31)).replace(day=1)
    return f"{first}T00:00:00Z", f"{following}T00:00:00Z"


def ids_of(leaf: dict[str, Any]) -> list[str]:
    """The ids of the decisions a shown leaf holds."""
    if leaf["kind"] == "check":
        return [leaf["id"]]
    return [item["id"] for item in leaf.get("items", [])]


def row(record: str) -> list[object]:
    """One leaf as a line of a table; a leaf whose key is gone shows pseudonyms.

    Who: the subject, or the caller where nobody is behind it. Outcome: effect and true reason, or the leaf's kind.
    """
    leaf = json.loads(record)
    opened = leaf.get("opened") or {}
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
