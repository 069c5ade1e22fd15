"""Verbs and printing.

Exit codes: 0 done, permitted or all well · 1 refused, or a policy or story at fault · 2 the command line is wrong ·
3 unavailable: no answer was given · 4 the input is malformed · 5 this caller may not (docs/cli.md).
"""

import os
import sys
from typing import NoReturn

import click
import grpc

from sidecar import __version__
from sidecar.cli import (
    asking,
    authoring,
    breaking_glass,
    enforce,
    explaining,
    facts,
    keys,
    ledger,
    policy,
    records,
    replay,
    reviewing,
    running,
    showing,
)
from sidecar.cli.output import REFUSED, UNAVAILABLE, exit_code, explain
from sidecar.errors import PolicyFault, SidecarError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="dpi-sidecar")
def cli() -> None:
    """Authorization beside a hospital record system: who may open this record, and why."""


for verb in (
    *running.VERBS,
    *asking.VERBS,
    *authoring.VERBS,
    *facts.VERBS,
    *records.VERBS,
    *replay.VERBS,
):
    cli.add_command(verb)
for verb in (*breaking_glass.VERBS, *reviewing.VERBS):
    asking.break_glass.add_command(verb)
for verb in (*ledger.VERBS, *keys.LEDGER_VERBS):
    records.ledger.add_command(verb)
authoring.policy.add_command(explaining.explain_answer)
authoring.policy.add_command(enforce.enforce)
for verb in (*policy.VERBS, *showing.VERBS):
    authoring.policy.add_command(verb)


def main() -> NoReturn:
    """Run a command and leave with its exit code; an error is a sentence, never a traceback."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # gRPC's own lines would stand beside the sentence
    try:
        sys.exit(cli.main(standalone_mode=False) or 0)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except PolicyFault as error:
        for fault in error.faults:
            click.echo(str(fault), err=True)
        sys.exit(REFUSED)
    except SidecarError as error:
        click.echo(f"dpi-sidecar: {error}", err=True)
        sys.exit(exit_code(error))
    except grpc.RpcError as error:
        code, text = explain(error)
        click.echo(f"dpi-sidecar: {text}", err=True)
        sys.exit(code)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"dpi-sidecar: {where}{error.strerror or error}", err=True)
        sys.exit(UNAVAILABLE)
