"""Commands that judge emergencies: break-glass review, break-glass pressure; text a physician reads."""

import click
from msgspec import Struct

from sidecar.api.shape import message
from sidecar.cli.asking import read_value
from sidecar.cli.breaking_glass import instant_of, looked_at, moment, show_whole, speaking, speech
from sidecar.cli.breaking_glass_texts import Speech
from sidecar.cli.connect import Connection, connected
from sidecar.cli.output import DONE, REFUSED, plain, show_json, show_table
from sidecar.core.model import Authentication, Device, Subject
from sidecar.v1 import access_pb2, break_glass_pb2
from sidecar.v1.break_glass_pb2_grpc import BreakGlassServiceStub

VERDICTS = {"j": "justifie", "i": "injustifie", "n": "non_conclusif"}


class Reviewer(Struct, frozen=True, forbid_unknown_fields=True):
    """Who reviews, as the file of --as says: the subject, how they proved who they are, what they work on."""

    subject: Subject
    authentication: Authentication | None = None
    device: Device | None = None


@click.command("review", short_help="Review emergencies, from the queue to the verdict.")
@click.argument("grant", required=False)
@click.option("--as", "as_file", required=True, help="JSON file of who reviews: subject, authentication, device.")
@click.option("--verdict", type=click.Choice(tuple(VERDICTS.values())), help="The verdict; asked for when left out.")
@click.option("--comment", default="", help="Why, 500 characters at most; needed unless the verdict is justifie.")
@speaking
@connected
def review(
    connection: Connection, grant: str | None, as_file: str, verdict: str | None, comment: str, language: str
) -> int:
    """Review GRANT, or, without one, every emergency that waits for its review, the most urgent first.

    Each is shown whole before the verdict is asked for. Exit code 1 when a verdict was refused.
    """
    if verdict and not grant:
        raise click.UsageError("--verdict is about one emergency: name it")
    reviewer = read_value(Reviewer, as_file)
    say = speech(connection, language)
    if grant and verdict:
        return give(connection, reviewer, grant, verdict, comment, say)
    waiting = [grant] if grant else queue(connection)
    if not grant:
        click.secho(say("queue", count=len(waiting)) if waiting else say("queue_empty"), bold=True)
    code = DONE
    for each in waiting:
        click.echo()
        show_whole(*looked_at(connection, each), say)
        click.echo()
        asked = click.prompt(say("ask_verdict"), type=click.Choice([*VERDICTS, "p", "q"]), show_choices=False)
        if asked == "q":
            break
        if asked in VERDICTS:
            said = ask_comment(VERDICTS[asked], say)
            sure = click.prompt(say("confirm"), type=click.Choice([say("sure"), "n"]), show_choices=False)
            if sure == say("sure"):
                code = max(code, give(connection, reviewer, each, VERDICTS[asked], said, say))
    return code


def queue(connection: Connection) -> list[str]:
    """The grants that wait for their review, the most urgent first."""
    found: list[str] = []
    asked = break_glass_pb2.ListRequest(states=["pending"], page_size=1000)
    while True:
        page = connection.call(BreakGlassServiceStub(connection.channel).List, asked)
        found += [grant.id for grant in page.grants]
        if not page.next_page_token:
            return found
        asked.page_token = page.next_page_token


def ask_comment(verdict: str, say: Speech) -> str:
    """The comment on a verdict, asked for until there is one where it needs one."""
    while True:
        said: str = click.prompt(say("ask_comment"), default="", show_default=False).strip()
        if said or verdict == "justifie":
            return said
        click.echo(say("comment_needed"))


def give(connection: Connection, reviewer: Reviewer, grant: str, verdict: str, comment: str, say: Speech) -> int:
    """Give a verdict; 1 when the policy refuses it."""
    request = message(
        break_glass_pb2.ReviewRequest,
        reviewer,
        grant=grant,
        verdict=verdict,
        comment=comment,
        language=say.language,
    )
    answered = connection.call(BreakGlassServiceStub(connection.channel).Review, request)
    if answered.answer.effect != access_pb2.EFFECT_PERMIT:
        click.secho(say("refused", message=answered.answer.message, reason=answered.answer.reason), fg="red")
        return REFUSED
    click.secho(say("done", verdict=say(verdict).capitalize()), fg="green")
    return DONE


@click.command("pressure", short_help="Say where the glass is broken, and which feed to mend.")
@click.option("--controller", default="", help="Only those of this controller.")
@click.option("--from", "start", default="", help="Opened from this RFC 3339 instant on; 28 days ago when left out.")
@click.option("--to", "end", default="", help="Opened before this RFC 3339 instant; now when left out.")
@speaking
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@connected
def pressure(connection: Connection, controller: str, start: str, end: str, language: str, as_json: bool) -> int:
    """Count emergencies by unit and motive, with the relation that would have avoided each.

    The units that better feeds would relieve most come first.
    """
    asked = break_glass_pb2.PressureRequest(controller_id=controller, to=instant_of("to", end))
    began = instant_of("from", start)
    if began is not None:
        getattr(asked, "from").CopyFrom(began)
    found = connection.call(BreakGlassServiceStub(connection.channel).Pressure, asked)
    if as_json:
        show_json(plain(found))
    else:
        show_pressure(found, speech(connection, language))
    return DONE


def show_pressure(found: break_glass_pb2.PressureResponse, say: Speech) -> None:
    """The units as a table, and what to mend."""
    span = {"start": moment(getattr(found, "from"), say), "end": moment(found.to, say)}
    click.secho(say("period", grants=found.grants, **span), bold=True)
    if not found.units:
        return
    columns = [say(each) for each in ("unit", "openings", "per_week", "index", "motives", "missing")]
    rows = [
        (
            unit.unit or say("no_unit"),
            unit.openings,
            say.number(unit.per_week),
            say.number(unit.index),
            ", ".join(f"{say.name('motives', each.code)} {each.count}" for each in unit.motives),
            ", ".join(f"{each.code} {each.count}" for each in unit.relations),
        )
        for unit in found.units
    ]
    click.echo()
    show_table(columns, rows, wrap=(columns[4], columns[5]))
    click.echo()
    for unit in found.units:
        for each in unit.relations[:1]:
            relation = say.name("relations", each.code)
            named = unit.unit or say("no_unit")
            click.echo(say("advice", unit=named, relation=relation, count=each.count, openings=unit.openings))
    known = sum(unit.known for unit in found.units)
    every = sum(each.count for unit in found.units for each in unit.relations)
    if every:
        click.echo(say("how_known", known=known, said=every - known))


VERBS = (review, pressure)
