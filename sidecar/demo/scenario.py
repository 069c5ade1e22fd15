"""Sets up a sidecar on the fictitious hospital, asks it the questions of steps.json, and shows what they left."""

import fcntl
import hashlib
import json
import secrets
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sidecar import config
from sidecar.api.shape import message
from sidecar.cli.asking import show_answer
from sidecar.cli.connect import Connection, open_channel
from sidecar.cli.facts import Writing
from sidecar.cli.importing import import_files, mapping_of, read_zone
from sidecar.cli.output import plain, show_table
from sidecar.cli.records import COLUMNS, WRAP, row
from sidecar.cli.shipped import policies_folder
from sidecar.core import instants
from sidecar.core.model import Opening, Request
from sidecar.errors import ConfigFault
from sidecar.facts.feeds.reading import Feed
from sidecar.server import Sidecar, wall_clock
from sidecar.v1 import access_pb2, admin_pb2, break_glass_pb2, facts_pb2
from sidecar.v1.access_pb2_grpc import AccessServiceStub
from sidecar.v1.admin_pb2_grpc import AdminServiceStub
from sidecar.v1.break_glass_pb2_grpc import BreakGlassServiceStub
from sidecar.v1.facts_pb2_grpc import FactsServiceStub

HERE = Path(__file__).parent
CALLERS = {
    "dpi": ["dpi", "feed"],
    "feed": ["feed"],
    "auditor": ["auditor", "administrator"],
    "reviewer": ["reviewer"],
}
ACCOUNT = {"account_type": "nominatif", "status": "actif"}
SOCKET_PATH_MAX = 100  # sun_path holds 108 bytes
MARK = ".demo"
VERDICTS = "verdicts"


def run_demo(folder: Path, keep: bool) -> Sidecar:
    """A started sidecar that has been asked everything. Raises ConfigFault when an answer is not the expected one."""
    settings = _prepare(folder)
    if not (folder / VERDICTS).exists():
        click.echo("The pack's stories are told to it and to PyCasbin, row by row: some seconds, once.\n")
    sidecar = Sidecar(config.load(settings))
    sidecar.start()
    try:
        _ask(sidecar, folder, keep)
    except BaseException:
        sidecar.stop()
        raise
    return sidecar


def _prepare(folder: Path) -> Path:
    """Empty the folder, make tokens and settings, and return the settings file."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise ConfigFault(f"{folder} holds something else than a demo; choose another --folder")
    if _in_use(folder / "data" / "facts.lock"):
        raise ConfigFault(f"a demo is running in {folder}: stop it, or choose another --folder")
    for entry in folder.iterdir() if folder.exists() else ():
        if entry.is_dir() and entry.name != VERDICTS:  # what both judges said of the pack once is still so
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.name != VERDICTS:
            entry.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()
    callers = []
    for name, roles in CALLERS.items():
        token = secrets.token_urlsafe(32)
        path = folder / f"{name}.token"
        path.touch(mode=0o600)
        path.write_text(token)
        digest = hashlib.sha256(token.encode()).hexdigest()
        callers.append(
            f'[[callers]]\nname = "{name}"\ntoken_sha256 = "{digest}"\nroles = {json.dumps(roles)}\n'
            'controllers = ["330000001"]\nhds = "certified"\nmay_assert = ["identity"]\n'
        )
    socket = folder.resolve() / "socket" / "sidecar.sock"
    native = f"unix:{socket}" if len(str(socket)) < SOCKET_PATH_MAX else "127.0.0.1:50551"
    settings = folder / "settings.toml"
    settings.write_text(
        f"""# Settings of the demo (docs/settings.md).
data = "data"

[policy]
pack = {json.dumps(str(policies_folder() / "hospital"))}
verdicts = "{VERDICTS}"

[facts.required]
assignment = ["fhir"]
stay = ["fhir"]
relation = ["fhir"]
record_state = ["fhir"]
directive = ["dpi"]
alias = ["dpi"]

[listen]
native = {json.dumps(native)}
admin = "127.0.0.1:0"

[log]
level = "warning"

{chr(10).join(callers)}"""
    )
    return settings


def _in_use(lock: Path) -> bool:
    """Whether a sidecar holds this data folder: removing it would take its facts away from under it."""
    if not lock.exists():
        return False
    with lock.open() as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _ask(sidecar: Sidecar, folder: Path, keep: bool) -> None:
    connections = {name: _connect(sidecar, folder, name) for name in CALLERS}
    click.echo(f"A sidecar answers on {sidecar.addresses[0]}; metrics on http://{sidecar.admin.address}/metrics\n")
    feed = Feed(wall_clock(), read_zone("Europe/Paris"), profiles=mapping_of(None).profiles)
    report, counts = import_files(connections["feed"], [HERE / "hospital.json"], feed, complete=True, quiet=True)
    taken = ", ".join(f"{count} {kind}" for kind, count in sorted(report.facts.items()))
    click.echo(f"Imported {HERE / 'hospital.json'}: {taken}; {counts['changed']} new versions\n")
    granted = ""
    for step in json.loads((HERE / "steps.json").read_text()):
        click.secho(f"· {step['say']}", bold=True)
        granted = _step(connections["dpi"], step, granted) or granted
    _show(connections["auditor"])
    _invite(sidecar, folder, keep)
    for connection in connections.values():
        connection.channel.close()


def _connect(sidecar: Sidecar, folder: Path, name: str) -> Connection:
    channel, metadata = open_channel(sidecar.addresses[0], str(folder / f"{name}.token"), None, None, None)
    return Connection(channel, metadata, 10.0)


def _step(connection: Connection, step: dict[str, Any], granted: str) -> str:
    """Do one step; the id of the grant it opened, or empty."""
    [(does, body)] = [(name, step[name]) for name in DOES if name in step]
    answer, grant = DOES[does](connection, _timed(body, granted))
    if answer is not None:
        show_answer(answer, as_json=False)
        said = plain(answer)
        if [said["effect"], said["reason"]] != step["expect"]:
            raise ConfigFault(f"the demo expected {' '.join(step['expect'])}")
    click.echo()
    return grant


def _timed(body: dict[str, Any], granted: str) -> dict[str, Any]:
    """The step with this instant, this grant, and what every question of a named member of staff carries."""
    now = instants.text(wall_clock())
    for mark in body.get("watermarks", []):
        mark["complete_until"] = now
    if "subject" in body:
        body["subject"] |= ACCOUNT
        body["authentication"] = {"mfa": True, "time": now, "idle_s": 0, "remote": "none"}
        body["device"] = {"class": "workstation", "managed": True, "compromised": False}
        speaks = body.setdefault("context", {}) if "resource" in body else body
        speaks["language"] = "en"
    if "grant" in body.get("context", {}):
        body["context"]["grant"] = granted
    return body


Did = tuple[access_pb2.CheckAccessResponse | None, str]


def _write(connection: Connection, body: dict[str, Any]) -> Did:
    request = message(facts_pb2.WriteFactsRequest, instants.decode(Writing, body))
    connection.call(FactsServiceStub(connection.channel).WriteFacts, request)
    return None, ""


def _check(connection: Connection, body: dict[str, Any]) -> Did:
    request = message(access_pb2.CheckAccessRequest, instants.decode(Request, body))
    return connection.call(AccessServiceStub(connection.channel).CheckAccess, request), ""


def _open(connection: Connection, body: dict[str, Any]) -> Did:
    request = message(break_glass_pb2.OpenRequest, instants.decode(Opening, body))
    opened = connection.call(BreakGlassServiceStub(connection.channel).Open, request)
    return opened.answer, opened.grant.id


DOES: dict[str, Callable[[Connection, dict[str, Any]], Did]] = {"write": _write, "check": _check, "open": _open}


def _show(auditor: Connection) -> None:
    shown = auditor.call(AdminServiceStub(auditor.channel).ShowRecords, admin_pb2.ShowRecordsRequest(limit=20))
    show_table(COLUMNS, map(row, shown.records), "The records these left", WRAP)


def _invite(sidecar: Sidecar, folder: Path, keep: bool) -> None:
    """The commands to try a question of one's own and to see its record, and a file to start from."""
    question = next(step["check"] for step in json.loads((HERE / "steps.json").read_text()) if "check" in step)
    path = folder / "question.json"
    path.write_text(json.dumps(_timed(question, ""), ensure_ascii=False, indent=2) + "\n")
    where = "in another terminal" if keep else "while `make serve` runs in another terminal"
    click.echo(f"\nTry your own: edit {path}, and {where}:\n")
    verbs = (["check", str(path)], "dpi"), (["ledger", "show"], "auditor"), (["break-glass", "list"], "reviewer")
    for verb, caller in verbs:
        reach = ["--address", sidecar.addresses[0], "--token-file", str(folder / f"{caller}.token")]
        click.echo(f"  {shlex.join([sys.argv[0], *verb, *reach])}")
