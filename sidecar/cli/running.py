"""Commands that run: serve, demo, certs."""

import signal
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import click

from sidecar import certs, config
from sidecar.cli.output import DONE
from sidecar.demo.scenario import run_demo
from sidecar.server import Sidecar


@click.command()
@click.option(
    "--config",
    "path",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Settings, TOML.",
)
def serve(path: Path) -> int:
    """Answer questions until told to stop (SIGTERM, SIGINT): then drain, flush and leave with 0."""
    sidecar = Sidecar(config.load(path))
    sidecar.start()
    wait_for_stop()
    sidecar.stop()
    return DONE


def wait_for_stop() -> None:
    """Return at the first SIGTERM or SIGINT."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()


@click.command()
@click.option("--keep", is_flag=True, help="Leave the sidecar running.")
@click.option("--folder", default="var/demo", show_default=True, type=click.Path(path_type=Path), help="Emptied first.")
def demo(keep: bool, folder: Path) -> int:
    """Start a sidecar on fictitious facts, ask it a few questions, and show the records they left."""
    sidecar = run_demo(folder)
    if keep:
        click.echo("\nThe sidecar goes on answering; Ctrl-C stops it.")
        wait_for_stop()
    sidecar.stop()
    return DONE


@click.group("certs")
def certificates() -> None:
    """Make certificates for trying."""


@certificates.command("demo")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def demo_certificates(folder: Path) -> int:
    """Make a throw-away authority, a server certificate and three callers' (dpi, feed, auditor) in FOLDER."""
    certs.make_demo(folder, datetime.now(UTC))
    click.echo(f"made in {folder}: ca, server, dpi, feed, auditor; valid for this machine, for trying only")
    return DONE


VERBS = (serve, demo, certificates)
