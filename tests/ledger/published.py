"""Asks published implementations of C2SP notes and proofs (tests/ledger/thirdparty, built by `make setup`)."""

import base64
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

CHECKER = Path(__file__).parent.parent.parent / ".venv/bin/c2sp-check"


def asked(questions: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Their answers: `ok`, and `why` not. Bytes in a question or its lists are sent as base64."""
    assert CHECKER.exists(), "`make setup` builds it"
    lines = "".join(json.dumps(question, default=_base64) + "\n" for question in questions)
    told = subprocess.run([CHECKER], input=lines, capture_output=True, text=True, check=True, timeout=60)
    answers = [json.loads(line) for line in told.stdout.splitlines()]
    assert len(answers) == len(questions)
    return answers


def _base64(value: object) -> str:
    assert isinstance(value, bytes)
    return base64.b64encode(value).decode()


def hashes(told: object) -> tuple[bytes, ...]:
    """Hashes of an answer."""
    assert told is None or isinstance(told, list)
    return tuple(base64.b64decode(each) for each in told or [])
