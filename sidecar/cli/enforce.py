"""`policy enforce`: any Casbin model and its rows, asked as the Casbin command line asks them."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import click
import msgspec

from sidecar.cli.output import DONE, REFUSED
from sidecar.core.casbin_enforcer import CasbinPolicy, Enforced
from sidecar.core.casbin_enforcer_load import load
from sidecar.errors import EvaluationFault, InputFault, InvalidRequest

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
ARRAY = msgspec.json.Decoder(list[Any])
OBJECT = msgspec.json.Decoder(dict[str, Any])


@click.command("enforce", short_help="Ask any Casbin model and policy.")
@click.option("-m", "--model", required=True, type=FILE, help="The model (CONF).")
@click.option("-p", "--policy", required=True, type=FILE, help="The rows of the policy (CSV).")
@click.option("--requests", type=click.File("rb"), help="Requests, one JSON array per line; - is standard input.")
@click.argument("values", nargs=-1, metavar="[VALUE]...")
def enforce(model: Path, policy: Path, requests: IO[bytes] | None, values: tuple[str, ...]) -> int:
    """Ask a Casbin MODEL and POLICY: one request of VALUEs, or those of a file.

    Each answer is a line, {"allow": …, "explain": […]}, where explain is the row that decided. A VALUE is a text, or a
    JSON object when it begins with {. Exit code 0 when the request is allowed, or all requests of a file are
    answered; 1 when it is not allowed, or the model or policy is at fault; 4 when a request cannot be evaluated.
    """
    if bool(values) is (requests is not None):
        raise click.UsageError("give the VALUEs of one request, or --requests with a file, not both")
    asked = load(_text(model), _text(policy), str(model), str(policy))
    if requests is None:
        answer = answered(asked, [_value(value) for value in values], "request")
        click.echo(_line(answer))
        return DONE if answer.allow else REFUSED
    for place, request in _requests(requests):
        click.echo(_line(answered(asked, request, place)))
    return DONE


def answered(policy: CasbinPolicy, request: Sequence[object], place: str) -> Enforced:
    """The answer to a request. Raises InputFault with the place of one that cannot be evaluated."""
    try:
        return policy.enforce(request)
    except (InvalidRequest, EvaluationFault) as fault:
        raise InputFault(f"{place}: {fault}") from None


def _requests(lines: IO[bytes]) -> Iterator[tuple[str, list[object]]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            place = f"{getattr(lines, 'name', '-')}:{number}"
            try:
                yield place, ARRAY.decode(line)
            except msgspec.DecodeError as fault:
                raise InputFault(
                    f'{place}: a request is a JSON array, as in ["alice", "data1", "read"]: {fault}'
                ) from None


def _value(text: str) -> object:
    if not text.startswith("{"):
        return text
    try:
        return OBJECT.decode(text)
    except msgspec.DecodeError as fault:
        raise InputFault(f"`{text}` begins as a JSON object and is none: {fault}") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as fault:
        raise InputFault(f"{path}: is not UTF-8 from byte {fault.start} on") from None


def _line(answer: Enforced) -> str:
    return json.dumps(
        {"allow": answer.allow, "explain": list(answer.explain)}, ensure_ascii=False, separators=(",", ":")
    )
