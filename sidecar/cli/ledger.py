"""Commands for who checks a ledger from outside: ledger verify, prove, verify-proof, consistency, witness.

They take a folder of files and a public key. No sidecar takes part.
"""

import base64
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from sidecar.cli.output import DONE, REFUSED, UNAVAILABLE, printable, show_json
from sidecar.core import checkpoint, instants
from sidecar.core.checkpoint import VerifierKey
from sidecar.core.leaf import BatchLeaf, CheckLeaf, Leaf, OutcomePart
from sidecar.errors import CheckpointFault, InputFault
from sidecar.ledger import prove as proofs
from sidecar.ledger.prove import NotYetSigned, Proof, Verdict
from sidecar.ledger.verify import Report
from sidecar.ledger.verify import verify as verified
from sidecar.ledger.witness import witness as witnessed
from sidecar.ledger.witness import witness_key

MOST_SHOWN = 50  # findings printed one a line; --json has them all
SECOND = 1_000_000

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)


def _keys(_context: click.Context, _parameter: click.Parameter, told: tuple[str, ...]) -> tuple[VerifierKey, ...]:
    """Verifier keys from texts, or from files that have one a line."""
    keys: list[VerifierKey] = []
    for text in told:
        lines = Path(text).read_text(encoding="utf-8").split() if Path(text).is_file() else [text]
        try:
            keys += [checkpoint.verifier_key(line) for line in lines]
        except CheckpointFault as fault:
            raise InputFault(f"--key: {fault}") from None
    return tuple(keys)


def with_keys(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option that names whom to trust."""
    return click.option(
        "--key",
        "keys",
        multiple=True,
        required=True,
        callback=_keys,
        metavar="VKEY|FILE",
        help="The log's verifier key, or a file with one a line. May be repeated.",
    )(command)


max_age = click.option(
    "--max-age", type=click.IntRange(min=1), metavar="SECONDS", help="The log's checkpoint may be this old, no more."
)
as_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@click.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@with_keys
@click.option("--jobs", type=click.IntRange(min=1), default=os.cpu_count(), help="Processes; default one a core.")
@max_age
@as_json_option
def verify(folder: Path, keys: tuple[VerifierKey, ...], jobs: int, max_age: int | None, as_json: bool) -> int:
    """Check a ledger's files against its signed checkpoint.

    Names what is modified, missing, reordered, duplicated, truncated, unsigned or unexpected: the file and the
    records. DIR is a ledger's folder or a copy of its `tree/`. Exit code 1 when anything is wrong.
    """
    with click.progressbar(length=1, label="records", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:

        def progress(done: int, size: int) -> None:
            bar.length = max(size, 1)
            bar.update(done - bar.pos)

        report = verified(folder, keys, jobs=jobs, progress=progress)
    old = _too_old(report.signed_at, max_age)
    if as_json:
        show_json({**_plain(report), "too_old": old})
    else:
        _show(report, old)
    return REFUSED if report.findings or old else DONE


@click.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--decision-id", required=True, help="The decision; `ID.n` for an item of a batch.")
@click.option("--out", type=NEW_FILE, help="Write the proof here; default standard output.")
@click.option("--tlog-proof", "as_text", is_flag=True, help="As a c2sp.org/tlog-proof text instead of JSON.")
def prove(folder: Path, decision_id: str, out: Path | None, as_text: bool) -> int:
    """Prove that a decision is in the ledger.

    The proof holds the record, still sealed, and all that `verify-proof` needs beside the public key. Exit code 1
    when no record has this id, 3 when no checkpoint speaks of it yet.
    """
    proof = proofs.inclusion(folder, decision_id)
    if proof is None:
        click.echo(f"no record of `{decision_id}`", err=True)
        return REFUSED
    if isinstance(proof, NotYetSigned):
        click.echo(f"recorded as {proof.index}, not yet signed: ask again after the next checkpoint", err=True)
        return UNAVAILABLE
    _write(proofs.text(proof) if as_text else _json(proof), out)
    return DONE


@click.command("verify-proof")
@click.argument("file", metavar="FILE", type=FILE)
@with_keys
@as_json_option
def verify_proof(file: Path, keys: tuple[VerifierKey, ...], as_json: bool) -> int:
    """Check a proof that `prove` or `consistency` wrote.

    Needs no ledger and no network. Shows what the record says in clear. Exit code 1 when the proof does not hold.
    """
    proof = proofs.read(file.read_bytes())
    verdict = proofs.checked(proof, keys)
    if as_json:
        show_json({"holds": verdict.holds, "sentence": verdict.sentence, **_signed(verdict), **_clear(verdict.leaf)})
    else:
        _say(verdict)
        for name, value in _clear(verdict.leaf).items():
            click.echo(f"  {name}: {printable(str(value))}")
    return DONE if verdict.holds else REFUSED


@click.command()
@click.argument("old", metavar="OLD_CHECKPOINT", type=FILE)
@click.argument("folder", metavar="DIR", type=FOLDER)
@with_keys
@click.option("--out", type=NEW_FILE, help="Write the proof here, for `verify-proof`.")
def consistency(old: Path, folder: Path, keys: tuple[VerifierKey, ...], out: Path | None) -> int:
    """Check that a ledger only grew since an earlier checkpoint.

    Exit code 1 when it was rolled back, forked or rewritten.
    """
    verdict, proof = proofs.consistency(folder, old.read_bytes(), keys)
    _say(verdict)
    if proof is not None and out is not None:
        _write(_json(proof), out)
    return DONE if verdict.holds else REFUSED


@click.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--keep", required=True, type=NEW_FILE, help="File that keeps the last checkpoint, out of the log's reach."
)
@with_keys
@click.option("--sign", type=FILE, help="File with the witness's own signing key: adds a cosignature to what is kept.")
@max_age
def witness(folder: Path, keep: Path, keys: tuple[VerifierKey, ...], sign: Path | None, max_age: int | None) -> int:
    """Remember the last checkpoint, refuse going back.

    Run it again and again. Exit code 1 when the ledger was rolled back, forked or rewritten since the last time:
    what is kept then stays.
    """
    if keep.resolve().is_relative_to(folder.resolve()):
        raise InputFault("--keep: a witness keeps its checkpoint outside the ledger's folder")
    now = int(time.time())
    told = witnessed(folder, keep, keys, witness_key(sign) if sign else None, now)
    if not told.agreed:
        click.echo(f"refused: {told.sentence}", err=True)
        return REFUSED
    click.echo(told.sentence)
    old = _too_old(checkpoint.signed_at(told.note, keys), max_age)
    if old:
        click.echo(f"refused: {old}", err=True)
    return REFUSED if old else DONE


# ---- saying it


def _show(report: Report, old: str) -> None:
    told = report.checkpoint
    for finding in report.findings[:MOST_SHOWN]:
        click.echo(f"{finding.what}: {printable(finding.file)}: {printable(finding.sentence)}")
    if len(report.findings) > MOST_SHOWN:
        click.echo(f"and {len(report.findings) - MOST_SHOWN} findings more: --json has them all")
    for notice in report.notices:
        click.echo(f"note: {notice}")
    if told is not None:
        when = f", at {_instant(report.signed_at)}" if report.signed_at is not None else ""
        click.echo(f"{printable(told.origin)}: {told.size} records signed{when}; {report.unsigned} not yet signed")
    if old:
        click.echo(f"too old: {old}")
    click.echo("not as signed" if report.findings else "as signed")


def _say(verdict: Verdict) -> None:
    when = f" (signed at {_instant(verdict.signed_at)})" if verdict.signed_at is not None else ""
    click.echo(
        f"{printable(verdict.sentence)}{when}" if verdict.holds else f"does not hold: {printable(verdict.sentence)}"
    )


def _plain(report: Report) -> dict[str, object]:
    told = report.checkpoint
    return {
        "findings": [msgspec.structs.asdict(finding) for finding in report.findings],
        "notices": list(report.notices),
        "origin": told.origin if told else None,
        "size": told.size if told else None,
        "root": base64.b64encode(told.root).decode() if told else None,
        "signed_at": _instant(report.signed_at),
        "unsigned": report.unsigned,
    }


def _signed(verdict: Verdict) -> dict[str, object]:
    told = verdict.checkpoint
    return {
        "origin": told.origin if told else None,
        "size": told.size if told else None,
        "signed_at": _instant(verdict.signed_at),
    }


def _clear(leaf: Leaf | None) -> dict[str, object]:
    """What a record says without any key."""
    if leaf is None:
        return {}
    kind = leaf.__struct_config__.tag
    said: dict[str, object] = {"kind": kind, "at": instants.text(leaf.at), "tenant": leaf.tenant, "caller": leaf.caller}
    if isinstance(leaf, CheckLeaf):
        return {**said, **_outcome(leaf.outcome), "policy": leaf.policy.digest}
    if isinstance(leaf, BatchLeaf):
        items = [f"{each['effect']} {each['reason']}" for each in map(_outcome, leaf.outcomes)]
        return {**said, "items": items, "policy": leaf.policy.digest}
    return said


def _outcome(outcome: OutcomePart) -> dict[str, str]:
    return {"effect": outcome.effect.name, "reason": outcome.true_reason, "rule": outcome.rule}


def _too_old(signed_at: int | None, max_age: int | None) -> str:
    """A sentence when the checkpoint was not given in the last `max_age` seconds; else nothing."""
    if max_age is None:
        return ""
    if signed_at is None:
        return "the checkpoint does not say when it was given"
    age = int(time.time()) - signed_at
    return f"the last checkpoint was given {age} s ago" if age > max_age else ""


def _instant(seconds: int | None) -> str | None:
    return None if seconds is None else instants.text(seconds * SECOND)


def _json(proof: Proof) -> str:
    return msgspec.json.encode(proof).decode() + "\n"


def _write(data: str, out: Path | None) -> None:
    if out is None:
        click.echo(data, nl=False)
    else:
        out.write_text(data, encoding="utf-8")


VERBS = (verify, prove, verify_proof, consistency, witness)
