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

WAKE_SECONDS = 0.25


@click.command(short_help="Answer questions until told to stop.")
@click.option(
    "--config",
    "path",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Settings, TOML (docs/settings.md).",
)
def serve(path: Path) -> int:
    """Answer questions until told to stop (SIGTERM, SIGINT): then drain, flush and leave with 0.

    SIGHUP has the policy's folder read again at once.
    """
    stop = told_to_stop()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is a policy to reload
    sidecar = Sidecar(config.load(path))
    signal.signal(signal.SIGHUP, lambda *_: sidecar.reload_policy())
    sidecar.start()
    wait(stop)
    sidecar.stop()
    return DONE


def told_to_stop() -> Event:
    """An event set at the first SIGTERM or SIGINT, from now on: one that comes while starting is not lost."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def wait(stop: Event) -> None:
    """Return once told to stop.

    The kernel may give a signal to any thread, and Python runs its handler when this one next runs: so it does run,
    now and then, instead of sleeping until it is woken.
    """
    while not stop.wait(WAKE_SECONDS):
        pass


@click.command(short_help="See it at work on fictitious facts.")
@click.option("--keep", is_flag=True, help="Leave the sidecar running; Ctrl-C stops it.")
@click.option(
    "--folder",
    default="var/demo",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where its data, tokens and settings go; an earlier demo's are removed.",
)
def demo(keep: bool, folder: Path) -> int:
    """Start a sidecar on fictitious facts, ask it a few questions, and show the records they left."""
    stop = told_to_stop() if keep else None
    sidecar = run_demo(folder, keep)
    if stop is not None:
        click.echo("\nThe sidecar goes on answering; Ctrl-C stops it.")
        wait(stop)
    sidecar.stop()
    return DONE


@click.group("certs")
def certificates() -> None:
    """Make certificates for trying."""


@certificates.command("demo", short_help="Make throw-away certificates.")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def demo_certificates(folder: Path) -> int:
    """Make a throw-away authority, a server certificate and three callers' (dpi, feed, auditor) in FOLDER."""
    certs.make_demo(folder, datetime.now(UTC))
    click.echo(f"made in {folder}: ca, server, dpi, feed, auditor; valid for this machine, for trying only")
    return DONE


VERBS = (serve, demo, certificates)
