"""Commands about the ledger's keys: ledger keygen, rotate, retire (docs/keys.md)."""

import os
from pathlib import Path

import click

from sidecar import config
from sidecar.cli.connect import Connection, connected
from sidecar.cli.output import DONE, REFUSED, show_table
from sidecar.core.checkpoint import SigningKey
from sidecar.errors import CheckpointFault, InputFault
from sidecar.ledger import signing
from sidecar.ledger.room import KEYS
from sidecar.v1 import admin_pb2
from sidecar.v1.admin_pb2_grpc import AdminServiceStub


@click.command(short_help="Make a signing key, and print what verifies it.")
@click.argument("name", required=False)
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--config",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Settings of a sidecar that never ran: its signing key is made now.",
)
def keygen(name: str | None, file: Path | None, path: Path | None) -> int:
    """Make an Ed25519 key of this NAME, keep its private half in FILE, and print its verifier key.

    With --config instead: the first signing key of a sidecar's ledger, so that its verifier key can be handed out
    before it runs. Exit code 1 when there is a key already: none is ever replaced here.
    """
    if (path is None) == (name is None or file is None):
        raise click.UsageError("give NAME and FILE, or --config")
    if path is not None:
        return _first(config.load(path))
    return _pair(str(name), Path(str(file)))


def _first(settings: config.Config) -> int:
    folder = Path(settings.data) / "ledger" / KEYS
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = signing.SigningKeys(folder / signing.FOLDER, settings.ledger.origin, os.urandom)
    made = keys.have()
    if not made:
        click.echo(f"{folder / signing.FOLDER}: there is a key already; `ledger rotate` changes it", err=True)
    click.echo(keys.public()[-1].vkey)
    return DONE if made else REFUSED


def _pair(name: str, file: Path) -> int:
    try:
        key = SigningKey(name, os.urandom(signing.SEED_BYTES))
    except CheckpointFault as fault:
        raise InputFault(str(fault)) from None
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        click.echo(f"{file}: there is a file already; a key is never written over it", err=True)
        return REFUSED
    with os.fdopen(descriptor, "w") as kept:
        kept.write(f"{key.skey}\n")
        kept.flush()
        os.fsync(descriptor)
    click.echo(key.public.vkey)
    return DONE


@click.command(short_help="Have a new key sign the ledger.")
@click.option("--handover", type=click.Path(dir_okay=False, path_type=Path), help="Keep the common checkpoint here.")
@connected
def rotate(connection: Connection, handover: Path | None) -> int:
    """Have a new key sign the ledger's checkpoints from now on.

    The new key is recorded, then a checkpoint over that record is signed by both keys, then the former one is erased.
    Who verifies needs both verifier keys; both are printed, the new one last.
    """
    done = connection.call(AdminServiceStub(connection.channel).RotateSigningKey, admin_pb2.RotateSigningKeyRequest())
    if handover is not None:
        handover.write_text(done.handover, encoding="utf-8")
    click.echo(f"recorded as leaf {done.record.index} of {done.record.origin}", err=True)
    click.echo(done.former_vkey)
    click.echo(done.vkey)
    return DONE


@click.command(short_help="Make what was recorded in a month unreadable.")
@click.argument("month")
@click.option("--confirm", metavar="MONTH", default="", help="The same month again: without it nothing is erased.")
@connected
def retire(connection: Connection, month: str, confirm: str) -> int:
    """Erase the keys of a MONTH, as in 2026-03, once that is recorded: nobody can read then what was recorded in it.

    Its records stay where they are and every proof still verifies. Without --confirm this only tells what would be.
    """
    if confirm not in ("", month):
        raise click.UsageError("--confirm is the same month again")
    asked = admin_pb2.RetireMonthRequest(month=month, confirm=confirm)
    told = connection.call(AdminServiceStub(connection.channel).RetireMonth, asked)
    total = sum(each.count for each in told.records)
    show_table(("kind", "records"), [(each.kind, each.count) for each in told.records])
    where = f", leaves {told.first} to {told.last}" if total else ""
    if told.HasField("record"):
        click.echo(f"{month} is retired: {total} records cannot be read any more{where}")
        click.echo(f"recorded as leaf {told.record.index} of {told.record.origin}; erase the copies of its keys too")
        return DONE
    click.echo(f"{total} records would become unreadable{where}; nothing was erased")
    click.echo(f"to do it: dpi-sidecar ledger retire {month} --confirm {month}")
    return DONE


LEDGER_VERBS = (keygen, rotate, retire)
