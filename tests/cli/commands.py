"""Runs commands as a user does, and keeps what they said and the code they left with."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from sidecar.cli import main

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-c", "from sidecar.cli import main; main()"]


class Said:
    """Exit code, standard output and standard error of a command."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def __repr__(self) -> str:
        return f"exit code {self.code}\n{self.out}\n{self.err}"

    @property
    def json(self) -> Any:
        """Standard output, read as JSON."""
        return json.loads(self.out)

    @property
    def json_lines(self) -> list[Any]:
        """Standard output, each line read as JSON."""
        return [json.loads(line) for line in self.out.splitlines()]


def run(*arguments: object) -> Said:
    """The command in this interpreter, from its arguments to its exit code: loading it anew each time takes seconds."""
    out, err, argv = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["dpi-sidecar", *map(str, arguments)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as left:
        return Said(int(left.code or 0), out.getvalue(), err.getvalue())
    finally:
        sys.argv = argv


def start(*arguments: object, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """The command as a process of its own."""
    return subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str], sent: str = "") -> Said:
    """What a process said to this input until it ended."""
    out, err = process.communicate(sent, timeout=120)
    return Said(process.returncode, out, err)


def until_said(process: subprocess.Popen[str], word: str) -> list[str]:
    """The lines of standard error up to the one with this word; all there were, if it ended before."""
    lines: list[str] = []
    for line in process.stderr:
        lines.append(line)
        if word in line:
            break
    return lines
