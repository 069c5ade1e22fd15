"""Commands that change and read what the sidecar knows: facts write, read, import."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from sidecar.api.shape import message, stamp
from sidecar.cli.asking import read_value
from sidecar.cli.connect import Connection, connected
from sidecar.cli.output import DONE, plain, show_json, show_table
from sidecar.core import instants
from sidecar.core.model import Fact, Retraction, Watermark
from sidecar.errors import InputFault
from sidecar.facts.feeds import fhir
from sidecar.facts.feeds.reading import Feed
from sidecar.facts.feeds.writes import Report, Write, writes
from sidecar.server import wall_clock
from sidecar.v1 import facts_pb2
from sidecar.v1.facts_pb2_grpc import FactsServiceStub

PAGE = 1000


class Writing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON form of a WriteFactsRequest."""

    request_id: str = ""
    controller_id: str = ""
    facts: tuple[Fact, ...] = ()
    retract: tuple[Retraction, ...] = ()
    watermarks: tuple[Watermark, ...] = ()


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How local codes become words of the pack: `[profiles]` and `[units]` of a mapping file, or of a pack."""

    profiles: dict[str, str] = msgspec.field(default_factory=dict)
    units: dict[str, str] = msgspec.field(default_factory=dict)
    default_profile: str = ""


@click.group()
def facts() -> None:
    """Write, read and import what the sidecar knows."""


@facts.command("write", short_help="Write facts, all or nothing.")
@click.argument("file", default="-")
@connected
def write_facts(connection: Connection, file: str) -> int:
    """Write facts: FILE holds the JSON form of a WriteFactsRequest (docs/cli.md); - is standard input.

    All of it is kept, or nothing. The same `request_id` again changes nothing and answers alike.
    """
    request = message(facts_pb2.WriteFactsRequest, read_value(Writing, file))
    show_json(plain(connection.call(FactsServiceStub(connection.channel).WriteFacts, request)))
    return DONE


@facts.command("read")
@click.option("--patient", default="", help="Facts about this patient id.")
@click.option("--subject", default="", help="Facts about this subject id.")
@click.option("--id", "ids", multiple=True, help="The fact of this id; may be repeated.")
@click.option("--kind", "kinds", multiple=True, help="Facts of this kind, such as stay; may be repeated.")
@click.option("--controller", default="", help="FINESS of the controller; the caller's when it acts for one.")
@click.option("--as-of", default="", help="RFC 3339 instant: as the facts stood then.")
@click.option("--json", "as_json", is_flag=True, help="Every version as JSON, one a line.")
@connected
def read_facts(
    connection: Connection,
    patient: str,
    subject: str,
    ids: tuple[str, ...],
    kinds: tuple[str, ...],
    controller: str,
    as_of: str,
    as_json: bool,
) -> int:
    """Show the facts as they stand, or as they stood."""
    query = facts_pb2.ReadFactsRequest(
        controller_id=controller, patient_id=patient, subject_id=subject, ids=ids, kinds=kinds, page_size=PAGE
    )
    if as_of:
        try:
            query.as_of.CopyFrom(stamp(instants.parse(as_of)))
        except ValueError as fault:
            raise InputFault(f"--as-of: {fault}") from None
    found = [plain(version) for version in pages(connection, query)]
    if as_json:
        for version in found:
            click.echo(msgspec.json.encode(version).decode())
        return DONE
    rows = []
    for version in found:
        fact = version["fact"]
        kind = next(name for name in fact if name not in {"id", "source", "controller_id", "as_of", "period"})
        said = ", ".join(f"{name}={compact(value)}" for name, value in fact[kind].items() if value)
        period = fact.get("period", {})
        since, until = (period.get(end, "")[:19].replace("T", " ") for end in ("from", "to"))
        rows.append((kind, said, since, until, f"{fact['source']} {fact['id']}"))
    show_table(("kind", "says", "from", "to", "told by"), rows, wrap=("says", "from", "to", "told by"))
    return DONE


def compact(value: object) -> str:
    """A value of a fact in one line: a text as it is, the rest as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def pages(connection: Connection, query: facts_pb2.ReadFactsRequest) -> Iterator[facts_pb2.FactVersion]:
    """Every version a query finds, page after page."""
    while True:
        page = connection.call(FactsServiceStub(connection.channel).ReadFacts, query)
        yield from page.facts
        if not page.next_page_token:
            return
        query.page_token = page.next_page_token


@facts.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--source", default="fhir", show_default=True, help="Name of the feed these files come from.")
@click.option("--controller", default="", help="FINESS of the controller; the caller's when it acts for one.")
@click.option(
    "--complete/--partial",
    default=None,
    required=True,
    help="All the source knows (what it no longer tells is taken back, what it tells is vouched for), or a part of it.",
)
@click.option(
    "--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML: [profiles], [units]."
)
@click.option(
    "--default-profile", default="", help="Profile of staff whose role is not mapped; without it they are skipped."
)
@click.option("--zone", default="Europe/Paris", show_default=True, help="Time zone of dates without a time.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@connected
def import_facts(
    connection: Connection,
    files: tuple[Path, ...],
    source: str,
    controller: str,
    complete: bool,
    mapping: Path | None,
    default_profile: str,
    zone: str,
    as_json: bool,
) -> int:
    """Import FHIR R4: bundles or NDJSON, plain or gzip.

    Says what was taken, what was skipped and why. Run twice, it changes nothing.
    """
    mapped = read_mapping(mapping) if mapping else Mapping()
    feed = Feed(
        wall_clock(),
        read_zone(zone),
        source,
        controller,
        mapped.profiles,
        default_profile or mapped.default_profile,
        mapped.units,
    )
    report, counts = import_files(connection, files_in(files), feed, complete=complete)
    if as_json:
        show_json(report_json(report, counts))
    else:
        show_report(report, counts)
    return DONE


Counts = dict[str, int]


def import_files(
    connection: Connection, files: list[Path], feed: Feed, *, complete: bool, quiet: bool = False
) -> tuple[Report, Counts]:
    """Write what these files say through the running sidecar. Raises grpc.RpcError, InputFault."""
    report, counts = Report(), {"changed": 0, "unchanged": 0, "retracted": 0}
    query = facts_pb2.ReadFactsRequest(controller_id=feed.controller_id, page_size=PAGE)
    known = [named(version.fact) for version in pages(connection, query) if version.fact.source == feed.source]
    columns = (TextColumn("import"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet) as progress:
        task = progress.add_task("import", total=fhir.work(files))
        readings = fhir.read(files, feed, lambda size: progress.advance(task, size))
        for write in writes(readings, feed, report, complete=complete, known=known):
            written = _send(connection, write)
            for name in counts:
                counts[name] += getattr(written, name)
    return report, counts


def named(fact: facts_pb2.Fact) -> tuple[str, str]:
    """Kind and id of a fact."""
    return fact.WhichOneof("body") or "", fact.id


def _send(connection: Connection, write: Write) -> facts_pb2.WriteFactsResponse:
    request = message(facts_pb2.WriteFactsRequest, write)
    response: facts_pb2.WriteFactsResponse = connection.call(FactsServiceStub(connection.channel).WriteFacts, request)
    return response


def files_in(paths: tuple[Path, ...]) -> list[Path]:
    """The files themselves, and those of the folders, in order of their names."""
    found: list[Path] = []
    for path in paths:
        found += sorted(each for each in path.iterdir() if each.is_file()) if path.is_dir() else [path]
    return found


def read_mapping(path: Path) -> Mapping:
    """A mapping file, or the [import.fhir] tables of a pack.toml. Raises InputFault."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        return msgspec.convert(raw.get("import", {}).get("fhir", raw), Mapping)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as fault:
        raise InputFault(f"{path}: {fault}") from None


def read_zone(name: str) -> ZoneInfo:
    """A time zone. Raises InputFault."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise InputFault(f"--zone: `{name}` is no time zone; expected a name such as Europe/Paris") from None


def report_json(report: Report, counts: Counts) -> dict[str, object]:
    """What an import did, for a program."""
    return {
        "resources": dict(report.resources),
        "facts": dict(report.facts),
        "versions": counts,
        "skipped": [
            {"type": kind, "reason": reason, "count": count, "examples": report.examples[kind, reason]}
            for (kind, reason), count in sorted(report.skipped.items())
        ],
        "complete": list(report.vouched),
        "incomplete": sorted(report.incomplete),
    }


def show_report(report: Report, counts: Counts) -> None:
    """What an import did, for a person."""
    show_table(("resource", "read"), sorted(report.resources.items()), "Read")
    show_table(("fact", "taken"), sorted(report.facts.items()), "\nTaken")
    if report.skipped:
        rows = [
            (kind or "(unknown)", reason, count, report.examples[kind, reason][0])
            for (kind, reason), count in sorted(report.skipped.items())
        ]
        show_table(("resource", "why", "count", "first"), rows, "\nSkipped", wrap=("why", "first"))
    click.echo(f"\n{counts['changed']} new versions, {counts['unchanged']} unchanged, {counts['retracted']} taken back")
    click.echo(f"vouched complete: {', '.join(report.vouched) or 'nothing'}")


VERBS = (facts,)
