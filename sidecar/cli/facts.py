"""Commands that change and read what the sidecar knows: facts write, read, import."""

from pathlib import Path

import click
import msgspec

from sidecar.api.shape import message, stamp
from sidecar.cli.asking import read_value
from sidecar.cli.connect import Connection, Reach, connected, reaching
from sidecar.cli.importing import (
    PAGE,
    files_in,
    import_files,
    mapping_of,
    pages,
    read_zone,
    report_json,
    say_unread,
    show_report,
)
from sidecar.cli.output import DONE, plain, show_json, show_table
from sidecar.core import instants
from sidecar.core.model import Fact, Retraction, Watermark
from sidecar.errors import InputFault
from sidecar.facts.feeds.reading import Feed
from sidecar.server import wall_clock
from sidecar.v1 import facts_pb2
from sidecar.v1.facts_pb2_grpc import FactsServiceStub


class Writing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON form of a WriteFactsRequest."""

    request_id: str = ""
    controller_id: str = ""
    facts: tuple[Fact, ...] = ()
    retract: tuple[Retraction, ...] = ()
    watermarks: tuple[Watermark, ...] = ()


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
@click.option("--subject", default="", help="Facts that name this subject id, as who delegates or signed too.")
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


@facts.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--source", default="fhir", show_default=True, help="Name of the feed these files come from.")
@click.option("--controller", default="", help="FINESS of the controller; the caller's when it acts for one.")
@click.option(
    "--complete/--partial",
    default=None,
    help="All the source knows (what it no longer tells is taken back, what it tells is vouched for), or a part of it."
    " One of the two is required.",
)
@click.option(
    "--mapping",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="TOML: your own codes (docs/fhir.md), before those of the pack.",
)
@click.option(
    "--pack",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Pack whose [import.fhir] maps the usual codes; the hospital pack that ships with the product by default.",
)
@click.option(
    "--default-profile", default="", help="Profile of staff whose role is not mapped; without it they are skipped."
)
@click.option("--zone", default="Europe/Paris", show_default=True, help="Time zone of dates without a time.")
@click.option(
    "--documents",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write here what the files say of documents, one a line, for the record system to ask with.",
)
@click.option("--dry-run", is_flag=True, help="Read and report, write nothing; no sidecar is needed.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@reaching
def import_facts(
    reach: Reach,
    files: tuple[Path, ...],
    source: str,
    controller: str,
    complete: bool | None,
    mapping: Path | None,
    pack: Path | None,
    default_profile: str,
    zone: str,
    documents: Path | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Import FHIR R4: bundles or NDJSON, plain or gzip.

    Says what was taken, what was skipped and why. Run twice, it changes nothing; broken off, run it again.
    Exit code 4 when something cannot be read; the rest is imported all the same.
    """
    if complete is None:  # click takes a flag's `required` for given
        raise click.UsageError("are these files all the source knows, or a part of it? --complete or --partial")
    mapped = mapping_of(mapping, pack, default_profile)
    feed = Feed(
        wall_clock(),
        read_zone(zone),
        source,
        controller,
        mapped.profiles,
        mapped.default_profile,
        mapped.units,
        mapped.categories,
        mapped.tags,
        mapped.flags,
        mapped.parts,
    )
    found = files_in(files)
    if dry_run:
        report, counts = import_files(None, found, feed, complete=complete, documents=documents)
    else:
        with reach() as connection:
            report, counts = import_files(connection, found, feed, complete=complete, documents=documents)
    if as_json:
        show_json(report_json(report, counts))
    else:
        show_report(report, counts, dry=dry_run)
    return say_unread(report)


VERBS = (facts,)
