"""An import of FHIR files through the running sidecar: its mapping, its progress, its report."""

import tomllib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from sidecar.api.shape import message
from sidecar.cli.connect import Connection
from sidecar.cli.output import DONE, MALFORMED, at_a_terminal, printable, show_table, show_text
from sidecar.cli.shipped import policies_folder
from sidecar.core import instants
from sidecar.errors import InputFault
from sidecar.facts.feeds import fhir
from sidecar.facts.feeds.reading import Feed, Reading
from sidecar.facts.feeds.writes import Report, Write, writes
from sidecar.v1 import facts_pb2
from sidecar.v1.facts_pb2_grpc import FactsServiceStub

PAGE = 1000
Table = dict[str, str]
Counts = dict[str, int]


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How codes become words of the pack: the tables of a mapping file, or of `[import.fhir]` in a pack."""

    profiles: Table = msgspec.field(default_factory=dict)
    units: Table = msgspec.field(default_factory=dict)
    categories: Table = msgspec.field(default_factory=dict)
    tags: Table = msgspec.field(default_factory=dict)
    flags: Table = msgspec.field(default_factory=dict)
    parts: Table = msgspec.field(default_factory=dict)
    default_profile: str = ""


TABLES = tuple(name for name in Mapping.__struct_fields__ if name != "default_profile")


def mapping_of(own: Path | None, pack: Path | None = None, default_profile: str = "") -> Mapping:
    """What `own` says, before what the pack does (the hospital pack that ships, when none is named).

    `default_profile` goes before that of either. Raises InputFault for a file that cannot be read, and for a word that
    the pack does not have.
    """
    path = (pack or policies_folder() / "hospital") / "pack.toml"
    theirs, ours = read_mapping(path), Mapping() if own is None else read_mapping(own)
    tables = {name: getattr(theirs, name) | getattr(ours, name) for name in TABLES}
    usual = default_profile or ours.default_profile
    found = Mapping(**tables, default_profile=usual or theirs.default_profile)
    vocabulary = _toml(path).get("vocabulary", {})
    if usual and usual not in vocabulary.get("profiles", ()):
        where = "--default-profile" if default_profile else f"{own}: default_profile"
        raise InputFault(f"{where}: the pack has no `{usual}`")
    for table, words in (("profiles", "profiles"), ("categories", "categories"), ("flags", "flags")):
        for code, word in getattr(ours, table).items():
            if word not in vocabulary.get(words, ()):
                raise InputFault(f"{own}: [{table}] `{code}`: the pack has no `{word}`")
    return found


def read_mapping(path: Path) -> Mapping:
    """A mapping file, or the [import.fhir] tables of a pack.toml. Raises InputFault."""
    raw = _toml(path)
    said = raw.get("import", {}).get("fhir", {}) if {"import", "pack"} & raw.keys() else raw
    strange = [name for name in said if name not in Mapping.__struct_fields__]
    if strange:
        raise InputFault(f"{path}: [{strange[0]}] is no table of a mapping; expected {', '.join(TABLES)}")
    try:
        return msgspec.convert(said, Mapping)
    except msgspec.ValidationError as fault:
        raise InputFault(f"{path}: {fault}") from None


def _toml(path: Path) -> dict[str, dict[str, dict[str, object]]]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise InputFault(f"{path}: {fault}") from None
    except OSError as fault:
        raise InputFault(f"{path}: {fault.strerror or fault}") from None


def read_zone(name: str) -> ZoneInfo:
    """A time zone. Raises InputFault."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise InputFault(f"--zone: `{name}` is no time zone; expected a name such as Europe/Paris") from None


def files_in(paths: tuple[Path, ...]) -> list[Path]:
    """The files themselves, and those of the folders, in order of their names. Raises InputFault for no file at all."""
    found: list[Path] = []
    for path in paths:
        found += sorted(each for each in path.iterdir() if each.is_file()) if path.is_dir() else [path]
    if not found:
        raise InputFault(f"{paths[0]}: no file in this folder; those of folders below are not looked at")
    return found


def import_files(
    connection: Connection | None,
    files: list[Path],
    feed: Feed,
    *,
    complete: bool,
    quiet: bool = False,
    documents: Path | None = None,
) -> tuple[Report, Counts]:
    """Write what these files say through the running sidecar; without a connection, only say what would be written.

    `documents`: where to write what the files say of documents, one a line. Raises grpc.RpcError, InputFault.
    """
    report, counts = Report(), {"changed": 0, "unchanged": 0, "retracted": 0}
    known = () if connection is None else told_before(connection, feed)
    with _watched(files, quiet) as consumed, _kept(documents) as keep:
        said = writes(keep(fhir.read(files, feed, consumed)), feed, report, complete=complete, known=known)
        if connection is None:
            deque(said, maxlen=0)
            return report, counts
        for written in _sent(connection, said):
            for name in counts:
                counts[name] += getattr(written, name)
    return report, counts


def told_before(connection: Connection, feed: Feed) -> list[tuple[str, str]]:
    """(kind, id) of every fact this source has told; a directive that consents is of the kind `consent`."""
    query = facts_pb2.ReadFactsRequest(controller_id=feed.controller_id, page_size=PAGE)
    return [_named(version.fact) for version in pages(connection, query) if version.fact.source == feed.source]


def pages(connection: Connection, query: facts_pb2.ReadFactsRequest) -> Iterator[facts_pb2.FactVersion]:
    """Every version a query finds, page after page."""
    while True:
        page = connection.call(FactsServiceStub(connection.channel).ReadFacts, query)
        yield from page.facts
        if not page.next_page_token:
            return
        query.page_token = page.next_page_token


def _named(fact: facts_pb2.Fact) -> tuple[str, str]:
    kind = fact.WhichOneof("body") or ""
    return ("consent" if kind == "directive" and fact.directive.kind == "consent" else kind), fact.id


def _sent(connection: Connection, said: Iterable[Write]) -> Iterator[facts_pb2.WriteFactsResponse]:
    """The answer to each write. The next is read while one is under way; none is sent before the last is answered."""
    method, under_way = FactsServiceStub(connection.channel).WriteFacts, None
    for write in said:
        request = message(facts_pb2.WriteFactsRequest, write)
        if under_way is not None:
            yield under_way.result()
        under_way = connection.begin(method, request)
    if under_way is not None:
        yield under_way.result()


@contextmanager
def _watched(files: list[Path], quiet: bool) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error, and what it is told the bytes read with."""
    columns = (TextColumn("import"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet) as progress:
        task = progress.add_task("import", total=fhir.work(files))
        yield lambda size: progress.advance(task, size)


Kept = Callable[[Iterable[Reading]], Iterable[Reading]]


@contextmanager
def _kept(documents: Path | None) -> Iterator[Kept]:
    """Lets readings through, and writes the documents among them; the file is there once it is whole."""
    if documents is None:
        yield lambda readings: readings
        return
    part = documents.with_name(documents.name + ".part")
    try:
        with part.open("wb") as lines:

            def keep(readings: Iterable[Reading]) -> Iterator[Reading]:
                for reading in readings:
                    if reading.document is not None:
                        lines.write(msgspec.json.encode(instants.encode(reading.document)) + b"\n")
                    yield reading

            yield keep
    except OSError as fault:
        raise InputFault(f"{documents}: {fault.strerror or fault}") from None
    part.replace(documents)


def report_json(report: Report, counts: Counts) -> dict[str, object]:
    """What an import did, for a program."""
    return {
        "resources": dict(report.resources),
        "facts": dict(report.facts),
        "documents": dict(report.documents),
        "encounters": {
            sort: {"read": of.read, "stays": of.stays, "responsible": of.responsible, "why": dict(of.why)}
            for sort, of in sorted(report.encounters.items())
        },
        "versions": counts,
        "skipped": [
            {"type": kind, "reason": reason, "count": count, "examples": report.examples[kind, reason]}
            for (kind, reason), count in sorted(report.skipped.items())
        ],
        "complete": list(report.vouched),
        "incomplete": sorted(report.incomplete),
    }


def show_report(report: Report, counts: Counts, *, dry: bool = False) -> None:
    """What an import did, or would do, for a person."""
    show_table(("resource", "read"), [(kind or "(unknown)", n) for kind, n in sorted(report.resources.items())], "Read")
    if report.facts:
        show_table(("fact", "taken"), sorted(report.facts.items()), "\nTaken")
    else:
        click.secho("\nTaken: nothing", bold=True)
    if report.documents:
        show_table(("document", "described"), sorted(report.documents.items()), "\nDocuments (no facts)")
    if report.encounters:
        rows = [
            (sort or "(none)", of.read, of.stays, of.responsible, _why(of.why))
            for sort, of in sorted(report.encounters.items())
        ]
        columns = ("class", "read", "stays with a unit", "and a responsible", "why not the rest")
        show_table(columns, rows, "\nEncounters", wrap=("why not the rest",))
        alone = sum(of.stays - of.responsible for of in report.encounters.values())
        if alone:
            show_text(f"{alone} stays name no responsible physician; [parts] of the mapping says who is (docs/fhir.md)")
    if report.skipped:
        skipped = [
            (kind or "(unknown)", reason, count, report.examples[kind, reason][0])
            for (kind, reason), count in sorted(report.skipped.items())
        ]
        if at_a_terminal():  # a path is long, and copied: it is not broken into a column
            click.secho("\nSkipped", bold=True)
            for kind, reason, count, first in skipped:
                show_text(f"{count} {kind}: {reason}; the first:")
                click.echo(f"    {printable(first)}")
        else:
            show_table(("resource", "why", "count", "first"), skipped, "\nSkipped")
    if dry:
        click.echo("\nnothing was written")
    else:
        changed, unchanged, retracted = counts["changed"], counts["unchanged"], counts["retracted"]
        click.echo(f"\n{changed} new versions, {unchanged} unchanged, {retracted} taken back")
    click.echo(f"vouched complete: {', '.join(report.vouched) or 'nothing'}")


def say_unread(report: Report) -> int:
    """The exit code of an import; a sentence on standard error when something could not be read."""
    unread = [
        (count, report.examples[kind, why][0])
        for (kind, why), count in report.skipped.items()
        if why == fhir.UNREADABLE
    ]
    if not unread:
        return DONE
    total, (_, first) = sum(count for count, _ in unread), unread[0]
    click.echo(
        f"dpi-sidecar: {total} of the input cannot be read, the first {first}; mend it and import again", err=True
    )
    return MALFORMED


def _why(reasons: Counts) -> str:
    return "; ".join(f"{reason}: {count}" for reason, count in sorted(reasons.items()))
