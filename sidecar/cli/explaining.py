"""`policy explain`: why an answer is what it is, from a story, from a request, or from a recorded decision."""

from pathlib import Path
from typing import Any

import click
import msgspec

from sidecar.api import recalls
from sidecar.authoring import bundle, story_reading
from sidecar.authoring.bundle import Bundle
from sidecar.authoring.explain import asking
from sidecar.authoring.explain.asking import Ready
from sidecar.authoring.explain.explanation import explain
from sidecar.authoring.explain.texts import LANGUAGES
from sidecar.authoring.replay import Difference
from sidecar.cli.asking import read_json
from sidecar.cli.authoring import located
from sidecar.cli.connect import Reach, reaching
from sidecar.cli.explain_page import show_differences, show_explanation
from sidecar.cli.output import DONE, REFUSED, printable, show_json
from sidecar.core import instants
from sidecar.core.model import Request
from sidecar.errors import InputFault
from sidecar.server import wall_clock
from sidecar.v1 import admin_pb2
from sidecar.v1.admin_pb2_grpc import AdminServiceStub


@click.command("explain", short_help="Why an answer is what it is, and what is missing.")
@click.argument("pack", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--story", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A story file; with --ask.")
@click.option("--ask", type=click.IntRange(min=0), help="Which step of the story, from 0.")
@click.option("--item", type=click.IntRange(min=0), help="Which question of a batch, from 0.")
@click.option("--request", help="A question as `check` takes it: JSON, a file of it, or - for standard input.")
@click.option("--facts", default="", help="With --request: file of the facts that are known, as in a story.")
@click.option("--caller", default="", help="With --request: who asks, as in a story: JSON or a file of it.")
@click.option("--at", default="", help="With --request: RFC 3339 instant of the question; now when left out.")
@click.option("--decision-id", default="", help="A recorded decision, from the running sidecar; of a batch, ID.n.")
@click.option("--any-policy", is_flag=True, help="With --decision-id: explain it even where another pack decided.")
@click.option("--language", type=click.Choice(LANGUAGES), help="Of the sentences; the pack's own when left out.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON (docs/explain.md).")
@reaching
def explain_answer(
    reach: Reach,
    pack: Path,
    story: Path | None,
    ask: int | None,
    item: int | None,
    request: str | None,
    facts: str,
    caller: str,
    at: str,
    decision_id: str,
    any_policy: bool,
    language: str | None,
    as_json: bool,
) -> int:
    """Explain an answer of a PACK: rule by rule, word by word, the facts behind, and what one change would do.

    The question is a step of a story, a request with the facts told beside it, or a recorded decision. It is an
    operator's tool: it shows what is true where the caller is shown less. Exit code 0 when it is explained, 1 when the
    record, or the policy set, says otherwise than the explanation.
    """
    if [bool(decision_id), story is not None, request is not None].count(True) != 1 or (story is None) is not (
        ask is None
    ):
        raise click.UsageError("give --story and --ask, or --request, or --decision-id")
    if request is None and (facts or caller or at):
        raise click.UsageError("--facts, --caller and --at go with --request; a story and a record say their own")
    with located(pack):
        loaded = bundle.read_folder(pack)
        bundle.compile_bundle(loaded)
    differences: tuple[Difference, ...] = ()
    if story is not None and ask is not None:
        ready = asking.of_story(loaded, story_reading.read_file(story, loaded.pack), ask, item)
    elif request is not None:
        ready = _requested(loaded, request, facts, caller, at)
    else:
        ready, differences = _recorded(reach, loaded, decision_id, any_policy)
    spoken = language or loaded.pack.pack.language
    found = explain(ready.policies, ready.rules, ready.asked, spoken)
    if as_json:
        recorded = {"decision_id": decision_id, "differences": msgspec.to_builtins(differences)} if decision_id else {}
        encoded = instants.encode(found)
        show_json({**encoded, **recorded} if isinstance(encoded, dict) else encoded)
    else:
        if decision_id:
            click.echo(printable(decision_id))
        show_differences(differences, spoken)
        show_explanation(found, spoken)
    return DONE if found.agrees and not differences else REFUSED


def _requested(loaded: Bundle, request: str, facts: str, caller: str, at: str) -> Ready:
    raw = _json(request)
    try:
        asked = instants.decode(Request, raw)
        now = instants.parse(at) if at else wall_clock()
    except msgspec.ValidationError as fault:
        raise InputFault(f"--request: {fault}") from None
    except ValueError as fault:
        raise InputFault(f"--at: {fault}") from None
    try:
        known = Path(facts).read_text(encoding="utf-8") if facts else ""
    except (OSError, UnicodeDecodeError) as fault:
        raise InputFault(f"{facts}: cannot be read: {fault}") from None
    told = _json(caller) if caller else {}
    if not isinstance(told, dict):
        raise InputFault('--caller: expected a JSON object, such as {"may_assert": []}')
    who = asking.caller_of(told, loaded.pack.pack.name)
    return asking.of_request(loaded, asked, who, known, facts, now)


def _recorded(reach: Reach, loaded: Bundle, decision_id: str, any_policy: bool) -> tuple[Ready, tuple[Difference, ...]]:
    with reach() as connection:
        message = admin_pb2.RecallDecisionRequest(decision_id=decision_id)
        said = connection.call(AdminServiceStub(connection.channel).RecallDecision, message)
    recalled = recalls.recalled(said)
    decided = recalled.found.checked.policy
    if decided.digest != loaded.digest and not any_policy:
        raise InputFault(
            f"another pack decided: {decided.pack} {decided.digest}, and this is {loaded.pack.pack.name}"
            f" {loaded.digest}; give the pack as it was, or --any-policy"
        )
    return asking.of_record(loaded, recalled)


def _json(said: str) -> Any:
    """The JSON of an option: the text itself where it opens with a brace, else that of the file."""
    if not said.lstrip().startswith("{"):
        return read_json(said)
    try:
        return msgspec.json.decode(said)
    except msgspec.DecodeError as fault:
        raise InputFault(f"not JSON: {fault}") from None
