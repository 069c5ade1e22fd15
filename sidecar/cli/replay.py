"""Takes recorded decisions again: replay."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import grpc
import msgspec
from msgspec import Struct
from rich.console import Console
from rich.progress import Progress

from sidecar.api import recalls
from sidecar.authoring import bundle
from sidecar.authoring.replay import Replay, replay
from sidecar.cli.authoring import located
from sidecar.cli.connect import Connection, connected
from sidecar.cli.output import DONE, REFUSED, printable, show_table
from sidecar.cli.records import between, ids_of, pages
from sidecar.core import instants
from sidecar.core.model import PolicyRef
from sidecar.core.policy import PolicySet
from sidecar.core.recall import Recalled
from sidecar.errors import InputFault
from sidecar.v1 import admin_pb2
from sidecar.v1.admin_pb2_grpc import AdminServiceStub

SAME, OTHERWISE, OTHER_POLICY, CLOSED = "same", "otherwise", "other policy", "closed"


class Taken(Struct, frozen=True):
    """What became of one decision: `same`, `otherwise`, `other policy` or `closed` (its month's keys are gone).

    `by` is the policy that took it again.
    """

    decision_id: str
    outcome: str
    recalled: Recalled | None = None
    again: Replay | None = None
    by: PolicyRef | None = None


@click.command("replay", short_help="Take recorded decisions again, and compare.")
@click.option("--decision-id", default="", help="The decision; of an item of a batch, ID.n.")
@click.option("--from", "start", default="", help="Decisions since this RFC 3339 instant, included.")
@click.option("--to", "end", default="", help="Decisions before this RFC 3339 instant.")
@click.option("--from-index", type=click.IntRange(min=0), help="Decisions whose leaf has this index or a later one.")
@click.option(
    "--pack",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The pack that decided, as it was.",
)
@click.option("--any-policy", is_flag=True, help="Take them again even where another pack decided.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line for each decision.")
@connected
def take_again(
    connection: Connection,
    decision_id: str,
    start: str,
    end: str,
    from_index: int | None,
    pack: Path,
    any_policy: bool,
    as_json: bool,
) -> int:
    """Take recorded decisions again, with the pack that decided and the facts of then, and name what differs.

    One decision, or all of a period or since an index. Exit code 0 when all come out the same, 1 when one does not
    or its month cannot be opened, 4 when another pack decided the one that was named.
    """
    many = bool(start or end or from_index is not None)
    if many == bool(decision_id):
        raise click.UsageError("name one --decision-id, or a stretch: --from, --to, --from-index")
    with located(pack):
        policies = bundle.compile_bundle(bundle.read_folder(pack))
    if not many:
        taken = _take(connection, decision_id, None, policies, any_policy)
        if taken.outcome == OTHER_POLICY and taken.recalled is not None:
            raise InputFault(_other(taken.recalled, policies))
        _show(taken, as_json)
        return DONE if taken.outcome == SAME else REFUSED
    counts: Counter[str] = Counter()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("replay", total=None)
        for named, index in _decisions(connection, start, end, from_index or 0):
            taken = _take(connection, named, index, policies, any_policy)
            counts[taken.outcome] += 1
            progress.update(task, advance=1)
            if as_json or taken.outcome == OTHERWISE:
                _show(taken, as_json)
    if not as_json:
        said = ", ".join(f"{counts[each]} {each}" for each in (SAME, OTHERWISE, OTHER_POLICY, CLOSED) if counts[each])
        click.echo(f"{counts.total()} decisions taken again: {said or 'none in this stretch'}")
    return DONE if counts.total() and counts[SAME] == counts.total() else REFUSED


def _decisions(connection: Connection, start: str, end: str, from_index: int) -> Iterator[tuple[str, int]]:
    """Id and index of each decision of the stretch, the newest first, read a page at a time."""
    query = between(admin_pb2.ShowRecordsRequest(limit=1000), start, end)
    for page in pages(connection, query):
        for record in reversed(page.records):
            leaf = json.loads(record)
            if leaf["index"] < from_index:
                return
            for named in ids_of(leaf):
                yield named, leaf["index"]


def _take(connection: Connection, decision_id: str, index: int | None, policies: PolicySet, any_policy: bool) -> Taken:
    asked = admin_pb2.RecallDecisionRequest(decision_id=decision_id, index=index)
    try:
        said = connection.call(AdminServiceStub(connection.channel).RecallDecision, asked)
    except grpc.RpcError as error:
        if index is None or error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
            raise
        return Taken(decision_id, CLOSED)
    recalled = recalls.recalled(said)
    if recalled.found.checked.policy.digest != policies.ref.digest and not any_policy:
        return Taken(decision_id, OTHER_POLICY, recalled)
    again = replay(recalled, policies)
    return Taken(decision_id, OTHERWISE if again.differences else SAME, recalled, again, policies.ref)


def _other(recalled: Recalled, policies: PolicySet) -> str:
    decided = recalled.found.checked.policy
    return (
        f"another pack decided: {decided.pack} {decided.digest}, and --pack is {policies.ref.pack}"
        f" {policies.ref.digest}; give the pack as it was, or --any-policy"
    )


def _show(taken: Taken, as_json: bool) -> None:
    recalled, again = taken.recalled, taken.again
    if as_json:
        said: dict[str, object] = {"decision_id": taken.decision_id, "outcome": taken.outcome}
        if recalled is not None:
            said["policy"] = msgspec.structs.asdict(recalled.found.checked.policy)
            said["facts_sequence"] = recalled.found.checked.facts_seq
        if again is not None:
            said["store_unread"] = again.unread
            said["taken_again_by"] = taken.by and msgspec.structs.asdict(taken.by)
            said["differences"] = msgspec.to_builtins(again.differences)
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    if recalled is None or again is None or taken.by is None:
        return
    found, checked = recalled.found, recalled.found.checked
    word = "the same" if taken.outcome == SAME else "OTHERWISE"
    click.secho(f"{taken.decision_id}  {word}", bold=True, fg="green" if taken.outcome == SAME else "red")
    ruled = f", rule {printable(checked.decision.rule)}" if checked.decision.rule else ""
    click.echo(f"  {checked.decision.effect} {checked.decision.true_reason}{ruled}")
    click.echo(f"  leaf {found.index} of {recalled.origin}, {instants.text(found.recorded_at)}")
    click.echo(f"  policy {checked.policy.pack} {checked.policy.digest[:16]}, facts at {checked.facts_seq}")
    if taken.by.digest != checked.policy.digest:
        click.echo(f"  taken again by {taken.by.pack} {taken.by.digest[:16]}")
    if again.unread:
        click.echo("  as decided while the facts store could not be read")
    if again.differences:
        rows = [(each.name, each.recorded, each.again) for each in again.differences]
        show_table(("part", "recorded", "taken again"), rows, wrap=("recorded", "taken again"))


VERBS = (take_again,)
