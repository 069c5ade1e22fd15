"""Commands that judge emergencies: break-glass review, break-glass pressure; text a physician reads."""

from collections.abc import Sequence

import click

from sidecar.api.shape import message
from sidecar.cli.asking import Acting, read_value
from sidecar.cli.breaking_glass import instant_of, looked_at, moment, of_grant, show_whole, speaking, speech
from sidecar.cli.breaking_glass_texts import Speech
from sidecar.cli.connect import Connection, connected
from sidecar.cli.output import DONE, REFUSED, at_a_terminal, plain, show_json, show_table, show_text
from sidecar.v1 import access_pb2, break_glass_pb2
from sidecar.v1.break_glass_pb2_grpc import BreakGlassServiceStub

VERDICTS = {"j": "justifie", "i": "injustifie", "n": "non_conclusif"}


@click.command("review", short_help="Review emergencies, from the queue to the verdict.")
@click.argument("grant", required=False)
@click.option("--as", "as_file", required=True, help="JSON file of who reviews: subject, authentication, device.")
@click.option("--verdict", type=click.Choice(tuple(VERDICTS.values())), help="The verdict; asked for when left out.")
@click.option("--comment", default="", help="Why, 500 characters at most; needed unless the verdict is justifie.")
@speaking
@connected
def review(
    connection: Connection,
    grant: str | None,
    as_file: str,
    verdict: str | None,
    comment: str,
    language: str,
    zone: str,
) -> int:
    """Review GRANT, or, without one, every emergency that waits for its review, the most urgent first.

    Each is shown whole before the verdict is asked for. Exit code 1 when a verdict was refused.
    """
    if verdict and not grant:
        raise click.UsageError("--verdict is about one emergency: name it")
    if verdict and verdict != "justifie" and not comment.strip():
        raise click.UsageError(f"--comment: needed for the verdict {verdict}")
    reviewer = read_value(Acting, as_file)
    say = speech(connection, language, zone)
    if grant and verdict:
        return give(connection, reviewer, grant, verdict, comment, say)
    waiting = [grant] if grant else queue(connection)
    if not grant:
        click.secho(say("queue", count=len(waiting)) if waiting else say("queue_empty"), bold=True)
    code = DONE
    for each in waiting:
        click.echo()
        found, accesses = looked_at(connection, each, say)
        show_whole(found, accesses, say)
        click.echo()
        if found.grant.state == "open":
            show_text(say("open_still"))
            code = REFUSED
            continue
        asked = choose("ask_verdict", (*VERDICTS, "p", "q"), say)
        if asked == "q":
            break
        if asked in VERDICTS:
            said = ask_comment(VERDICTS[asked], say)
            if choose("confirm", (say("sure"), "n"), say) == say("sure"):
                code = max(code, give(connection, reviewer, each, VERDICTS[asked], said, say))
    return code


def choose(question: str, keys: Sequence[str], say: Speech) -> str:
    """One of these letters, asked for until it is one."""
    while True:
        said: str = click.prompt(say(question), default="", show_default=False).strip().lower()
        if said in keys:
            return said
        click.echo(say("one_of", keys=", ".join(keys)))


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


def give(connection: Connection, reviewer: Acting, grant: str, verdict: str, comment: str, say: Speech) -> int:
    """Give a verdict; 1 when the policy refuses it."""
    request = message(
        break_glass_pb2.ReviewRequest,
        reviewer,
        grant=grant,
        verdict=verdict,
        comment=comment,
        language=say.language,
    )
    with of_grant(grant, say):
        answered = connection.call(BreakGlassServiceStub(connection.channel).Review, request)
    if answered.answer.effect != access_pb2.EFFECT_PERMIT:
        show_text(say("refused", message=answered.answer.message, reason=answered.answer.reason))
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
def pressure(
    connection: Connection, controller: str, start: str, end: str, language: str, zone: str, as_json: bool
) -> int:
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
        show_pressure(found, speech(connection, language, zone))
    return DONE


def show_pressure(found: break_glass_pb2.PressureResponse, say: Speech) -> None:
    """The units, and what to mend: for a person some lines each, in a pipe a table of one line each."""
    span = {"start": moment(getattr(found, "from"), say), "end": moment(found.to, say)}
    show_text(say("period", grants=found.grants, **span))
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
    if at_a_terminal():
        for name, *rest in rows:
            click.secho(str(name), bold=True)
            for label, value in zip(columns[1:], rest, strict=True):
                show_text(say("labelled", label=label, value=str(value) or "–"), indent=2)
    else:
        show_table(columns, rows)
    click.echo()
    for unit in found.units:
        if unit.relations:
            missing = ", ".join(f"{say.name('relations', each.code)} {each.count}" for each in unit.relations)
            count = sum(each.count for each in unit.relations)
            named = unit.unit or say("no_unit")
            show_text(say("advice", unit=named, relations=missing, count=count, openings=unit.openings))
    known = sum(unit.known for unit in found.units)
    every = sum(each.count for unit in found.units for each in unit.relations)
    if every:
        show_text(say("how_known", known=known, said=every - known))


VERBS = (review, pressure)
