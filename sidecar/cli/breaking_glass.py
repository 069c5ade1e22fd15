"""Commands that look at emergencies: break-glass list, break-glass show; text a physician reads."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from sidecar.api.shape import stamp
from sidecar.cli.breaking_glass_texts import LANGUAGES, Speech
from sidecar.cli.connect import Connection, connected
from sidecar.cli.importing import read_zone
from sidecar.cli.output import DONE, REFUSED, at_a_terminal, plain, show_json, show_table, show_text
from sidecar.core import instants
from sidecar.errors import InputFault, NotFound
from sidecar.v1 import access_pb2, break_glass_pb2
from sidecar.v1.break_glass_pb2_grpc import BreakGlassServiceStub

EXPIRING = 1800  # seconds before its end when an open grant is said to expire
STATES = ("open", "closed", "expired", "revoked", "reviewed", "pending", "overdue")
SHOWN_ACCESSES = 50
F = TypeVar("F", bound=Callable[..., Any])


def speaking(command: F) -> F:
    """Give a command the options of its text; it gets `language` and `zone`."""
    language = click.option(
        "--language", type=click.Choice(LANGUAGES), default="fr", show_default=True, help="Of the text."
    )
    zone = click.option("--zone", default="Europe/Paris", show_default=True, help="Time zone of the instants shown.")
    return language(zone(command))


def speech(connection: Connection, language: str, zone: str) -> Speech:
    """The language, with the names of the pack in force, and the zone. Raises InputFault."""
    now = datetime.now(read_zone(zone))
    stub = BreakGlassServiceStub(connection.channel)
    said = connection.call(stub.Describe, break_glass_pb2.DescribeRequest(language=language))
    return Speech(language, said.texts, now)


@click.command("list", short_help="Show emergencies: open, expiring, to review, late.")
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only these; may be repeated.")
@click.option("--subject", default="", help="Only those of this subject id.")
@click.option("--patient", default="", help="Only those of this patient id.")
@click.option("--controller", default="", help="Only those of this controller.")
@click.option("--from", "start", default="", help="Opened from this RFC 3339 instant on.")
@click.option("--to", "end", default="", help="Opened before this RFC 3339 instant.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1000), help="This many at most.")
@click.option("--page", default="", help="Go on from here, as the page before said.")
@speaking
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@connected
def list_grants(
    connection: Connection,
    states: tuple[str, ...],
    subject: str,
    patient: str,
    controller: str,
    start: str,
    end: str,
    limit: int,
    page: str,
    language: str,
    zone: str,
    as_json: bool,
) -> int:
    """Show emergencies, those whose review is due first before the others, and how many wait for what.

    Exit code 1 when none matches.
    """
    asked = break_glass_pb2.ListRequest(
        controller_id=controller,
        states=states,
        subject_id=subject,
        patient_id=patient,
        opened_from=instant_of("from", start),
        opened_to=instant_of("to", end),
        page_size=limit,
        page_token=page,
    )
    found = connection.call(BreakGlassServiceStub(connection.channel).List, asked)
    if as_json:
        show_json(plain(found))
    else:
        show_list(found, speech(connection, language, zone))
    return DONE if found.grants else REFUSED


def show_list(found: break_glass_pb2.ListResponse, say: Speech) -> None:
    """Emergencies, under what waits in all: for a person some lines each, in a pipe a table of one line each."""
    totals = found.totals
    waits = say(
        "standing",
        open=totals.open,
        pending=totals.pending,
        overdue=totals.overdue,
        notices=totals.notices_pending,
        late=totals.notices_overdue,
    )
    show_text(waits)
    if not found.grants:
        show_text(say("nothing"))
    elif at_a_terminal():
        for grant in found.grants:
            _show_entry(grant, say)
    else:
        _show_rows(found, say)
    if found.next_page_token:
        click.echo(say("more", page=found.next_page_token))


def _show_entry(grant: break_glass_pb2.Grant, say: Speech) -> None:
    click.echo()
    click.secho(standing(grant, say), bold=True, fg="red" if grant.review_state == "overdue" else None)
    who = f"{grant.subject_id} ({say.name('profiles', grant.profile)})"
    units = " ".join(grant.units)
    show_text(say("whom" if units else "whom_bare", who=who, units=units, patient=grant.patient_id), indent=2)
    show_text(say("labelled", label=say("a_motive"), value=say.name("motives", grant.motive)), indent=2)
    show_text(say("opened_at", at=moment(grant.opened_at, say)) + f" · {grant.id}", indent=2)


def _show_rows(found: break_glass_pb2.ListResponse, say: Speech) -> None:
    columns = [say(each) for each in ("stands", "opened", "who", "unit", "patient", "motive", "grant")]
    rows = [
        (
            standing(grant, say),
            say.moment(grant.opened_at.ToDatetime(UTC)),
            f"{grant.subject_id} ({say.name('profiles', grant.profile)})",
            " ".join(grant.units),
            grant.patient_id,
            say.name("motives", grant.motive),
            grant.id,
        )
        for grant in found.grants
    ]
    click.echo()
    show_table(columns, rows)


def standing(grant: break_glass_pb2.Grant, say: Speech) -> str:
    """Where a grant stands, and how long it may."""
    if grant.HasField("review"):
        return say(grant.review.verdict)
    due = grant.review_due.ToDatetime(UTC)
    if grant.review_state == "overdue":
        return say("late", left=say.lasts((say.now - due).total_seconds()))
    if grant.state == "open":
        left = (grant.until.ToDatetime(UTC) - say.now).total_seconds()
        return say("expiring" if left < EXPIRING else "open", left=say.lasts(max(left, 0)))
    return say("to_review", due=say.moment(due), left=say.lasts((due - say.now).total_seconds()))


@click.command("show", short_help="Show one emergency: why, what was asked under it, who must know.")
@click.argument("grant")
@speaking
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@connected
def show_one(connection: Connection, grant: str, language: str, zone: str, as_json: bool) -> int:
    """Show one emergency: why, what was asked under it (nothing of what the objects say), a relation that became known
    since, who must know. The reading is recorded. Exit code 1 when this caller has none of this id.
    """
    say = speech(connection, language, zone)
    found, accesses = looked_at(connection, grant, say)
    if as_json:
        show_json({**plain(found), "accesses": plain(accesses)})
    else:
        show_whole(found, accesses, say)
    return DONE


def looked_at(
    connection: Connection, grant: str, say: Speech
) -> tuple[break_glass_pb2.GetResponse, break_glass_pb2.AccessesResponse]:
    """A grant with its notices, and what was asked under it. Raises NotFound, and grpc.RpcError."""
    stub = BreakGlassServiceStub(connection.channel)
    with of_grant(grant, say):
        found = connection.call(stub.Get, break_glass_pb2.GetRequest(grant=grant))
        asked = break_glass_pb2.AccessesRequest(grant=grant, limit=SHOWN_ACCESSES)
        return found, connection.call(stub.Accesses, asked)


@contextmanager
def of_grant(grant: str, say: Speech) -> Iterator[None]:
    """Says which grant is unknown, where the answer only says that something is. Raises NotFound."""
    try:
        yield
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        raise NotFound(say("no_grant", id=grant)) from None


def show_whole(found: break_glass_pb2.GetResponse, accesses: break_glass_pb2.AccessesResponse, say: Speech) -> None:
    """One emergency, for the person who judges it."""
    grant = found.grant
    click.secho(say("title", id=grant.id), bold=True)
    lines = list(_lines(grant, say))
    width = max(len(label) for label, _ in lines)
    for label, text in lines:
        show_text(text, f"{label:<{width}}  ", indent=2)
    click.echo()
    _show_accesses(accesses, say)
    if accesses.relation:
        show_text(say("relation_since", relation=say.name("relations", accesses.relation)))
    if grant.also:
        show_text(say("also", grounds=" ; ".join(say.ground(each) for each in grant.also)))
    if found.notices:
        click.echo()
        columns = [say(each) for each in ("audience", "what", "by", "delivered", "acknowledged")]
        rows = [_notice(notice, say) for notice in found.notices]
        show_table(columns, rows, title=say("notices"), wrap=(columns[0],))


def _lines(grant: break_glass_pb2.Grant, say: Speech) -> Iterator[tuple[str, str]]:
    who = f"{grant.subject_id}, {say.name('profiles', grant.profile)}"
    yield say("professional"), ", ".join((who, *grant.units))
    yield say("a_patient"), grant.patient_id
    yield say("a_motive"), say.name("motives", grant.motive)
    if grant.justification:
        yield say("justification"), say("said", text=grant.justification)
    opened, until = grant.opened_at.ToDatetime(UTC), grant.until.ToDatetime(UTC)
    lasts = say.lasts((until - opened).total_seconds())
    yield say("opening"), say("during", at=say.moment(opened), lasts=lasts, scope=say.name("categories", grant.scope))
    yield say("ending"), _ending(grant, until, say)
    if grant.second_confirmation:
        yield "", say("confirmed_twice")
    if grant.HasField("review"):
        review = grant.review
        said = say("verdict_of", verdict=say(review.verdict), by=review.reviewer_id, at=moment(review.at, say))
        yield say("reviewing"), said
        if review.comment:
            yield say("comment"), say("said", text=review.comment)
    else:
        yield say("reviewing"), standing(grant, say)
    for alert in grant.alerts:
        yield say("look_first"), say(alert)


def _ending(grant: break_glass_pb2.Grant, until: datetime, say: Speech) -> str:
    if grant.ended == "open" or grant.state == "open":
        return say("still", at=say.moment(until))
    at = moment(grant.closed_at, say) if grant.HasField("closed_at") else say.moment(until)
    return say(grant.ended or grant.state, at=at, by=grant.ended_by)


def _show_accesses(found: break_glass_pb2.AccessesResponse, say: Speech) -> None:
    if not found.accesses:
        click.echo(say("no_access"))
        return
    refused = sum(each.effect != access_pb2.EFFECT_PERMIT for each in found.accesses)
    show_text(say("accesses", total=found.total, refused=refused))
    if found.total > len(found.accesses):
        click.echo(say("latest", shown=len(found.accesses)))
    columns = [say(each) for each in ("at", "did", "about", "object", "answer")]
    rows = [
        (
            moment(each.at, say),
            say.name("actions", each.action),
            say.name("categories", each.category),
            each.object,
            say("yes")
            if each.effect == access_pb2.EFFECT_PERMIT
            else say("no", reason=say.name("reasons", each.reason)),
        )
        for each in found.accesses
    ]
    if not at_a_terminal():
        show_table(columns, rows)
        return
    for when, did, about, named, answer in rows:
        asked = " · ".join(each for each in (did, about, named) if each)
        show_text(say("labelled", label=asked, value=answer), f"{when}  ")


def _notice(notice: break_glass_pb2.Notice, say: Speech) -> tuple[str, ...]:
    due = notice.due.ToDatetime(UTC) if notice.HasField("due") else None
    if notice.HasField("acknowledged_at"):
        known = moment(notice.acknowledged_at, say)
    elif due is None:
        known = say("for_display")
    else:
        known = say("overdue" if due <= say.now else "not_yet")
    return (
        say.name("audiences", notice.audience),
        say(notice.what),
        "" if due is None else say.moment(due),
        _delivered(notice, say),
        known,
    )


def instant_of(option: str, text: str) -> Timestamp | None:
    """The instant an option names, None for an empty one. Raises InputFault."""
    if not text:
        return None
    try:
        return stamp(instants.parse(text))
    except ValueError as fault:
        raise InputFault(f"--{option}: {fault}") from None


def _delivered(notice: break_glass_pb2.Notice, say: Speech) -> str:
    """When a delivery was taken; empty for what was never sent, because it is read from the feed of events."""
    if notice.HasField("delivered_at"):
        return moment(notice.delivered_at, say)
    return say("tried", attempts=notice.attempts) if notice.attempts else ""


def moment(instant: Timestamp, say: Speech) -> str:
    """An instant of the wire, in the zone it is shown in."""
    return say.moment(instant.ToDatetime(UTC))


VERBS = (list_grants, show_one)
