"""Commands about a policy coming into force: policy build, policy status."""

import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from sidecar.authoring import build as building
from sidecar.authoring import bundle
from sidecar.authoring.stamp import Verdicts
from sidecar.cli.authoring import located
from sidecar.cli.connect import Connection, connected
from sidecar.cli.output import DONE, REFUSED, show_table
from sidecar.v1.admin_pb2 import GetStatusRequest
from sidecar.v1.admin_pb2_grpc import AdminServiceStub

COLUMNS = ("pack", "version", "digest", "stories", "asks", "rows", "seconds")


@click.command("build", short_help="Ask both judges about a pack, as a sidecar does.")
@click.argument("pack", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--verdicts",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the verdict in this folder: a sidecar's policy.verdicts, which then need not ask again.",
)
def build(pack: Path, verdicts: Path | None) -> int:
    """Build a PACK as a sidecar does before it puts it in force: compile it, and tell its stories to it and to stock
    PyCasbin, row by row. Exit code 1 when they disagree or a story goes otherwise than it expects.
    """
    began = time.monotonic()
    columns = (TextColumn("judging"), BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeRemainingColumn())
    console = Console(stderr=True)
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with located(pack), progress:
        task = progress.add_task("judging", total=None)
        candidate = building.read_candidate(pack)
        stamp = building.judge(
            candidate,
            bundle.compile_bundle(candidate.bundle),
            None if verdicts is None else Verdicts(verdicts),
            time.time_ns() // 1000,
            lambda done, total: progress.update(task, completed=done, total=total),
        )
    about, seconds = candidate.bundle.pack.pack, time.monotonic() - began
    digest = candidate.bundle.digest[:16]
    row = (about.name, about.version, digest, stamp.stories_told, stamp.asks, stamp.rows, f"{seconds:.1f}")
    show_table(COLUMNS, [row])
    if not stamp.asks:
        click.echo("the pack has no stories: PyCasbin read its rows, and was asked nothing", err=True)
    return DONE


@click.command("status", short_help="Say which policy is in force, and what is wrong with its successor.")
@connected
def status(connection: Connection) -> int:
    """Say which policy a running sidecar has in force, and each fault of the pack in its folder. Exit code 1 when
    there is one: that pack is not in force.
    """
    said = connection.call(AdminServiceStub(connection.channel).GetStatus, GetStatusRequest())
    if said.HasField("policy"):
        ref = said.policy
        show_table(("pack", "revision", "digest"), [(ref.pack, ref.revision, ref.digest)])
    else:
        click.echo("no policy is in force: every check is UNAVAILABLE", err=True)
    faults = [room.detail for room in said.rooms if room.name == "policy" and room.detail]
    for fault in faults:
        click.echo(f"the pack in the folder is at fault: {fault}", err=True)
    return DONE if said.HasField("policy") and not faults else REFUSED


VERBS = (build, status)
