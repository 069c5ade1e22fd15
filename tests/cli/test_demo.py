"""What somebody who has just cloned the product sees."""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from tests.cli.commands import ROOT, finish, run, start

SHOWN = (  # the words in their order
    "UF-CARD, where P1 is hospitalised",
    "PERMIT  ALLOW_CARE_TEAM",
    "dr-nuit, on duty in UF-SAU",
    "DENY  NO_RELATIONSHIP",
    "break-glass may be opened for MED",
    "dr-nuit breaks the glass",
    "PERMIT  ALLOW_BREAK_GLASS",
    "DISPLAY_BREAK_GLASS_BANNER",
    "What P1 masked stays shut under the grant",
    "DENY  NOT_AVAILABLE",
    "ide-cardio, of the care team, asks for the masked report too",
    "DENY  NOT_AVAILABLE",
    "Its author reads it",
    "PERMIT  ALLOW_AUTHOR",
    "A secretary of UF-CARD, without a delegation, asks for clinical text",
    "DENY  PROFILE_CATEGORY",
    "The records these left",
    "PERMIT ALLOW_CARE_TEAM",
    "DENY NO_RELATIONSHIP",
    "PERMIT ALLOW_BREAK_GLASS",
    "DENY MASKED",
    "PERMIT ALLOW_AUTHOR",
    "DENY PROFILE_CATEGORY",
    "Try your own",
    "check ",
)


def told_in_order(text: str) -> list[str]:
    """The words of SHOWN that are missing, or out of place."""
    missing, at = [], 0
    for words in SHOWN:
        found = text.find(words, at)
        if found < 0:
            missing.append(words)
        else:
            at = found + len(words)
    return missing


def test_the_demo_tells_its_story_to_the_end_and_again(short_folder):
    for _ in range(2):
        said = finish(start("demo", "--folder", short_folder / "demo"))
        assert (said.code, said.err) == (0, "")
        assert told_in_order(said.out) == []


def test_a_demo_left_running_answers_the_commands_it_prints_and_stops_on_control_c(short_folder):
    folder = short_folder / "var/demo"
    process = start("demo", "--keep", "--folder", folder)
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if "The sidecar goes on answering" in line:
            break
    commands = [shlex.split(line)[1:] for line in lines if re.match(r"  \S+ (check|ledger|break-glass) ", line)]
    answered = [run(*command) for command in commands]
    beside = run("demo", "--folder", folder)
    from_python = asked_as_the_readme_says(short_folder)
    process.send_signal(signal.SIGINT)
    assert finish(process).code == 0
    assert [said.code for said in answered] == [0, 0, 0], "".join(lines)
    assert answered[0].out.startswith("PERMIT  ALLOW_CARE_TEAM")
    assert "open_break_glass MED" in answered[1].out
    assert "Urgence vitale" in answered[2].out
    assert from_python.stdout == "ALLOW_CARE_TEAM\n", from_python.stderr
    assert (beside.code, beside.out) == (4, "")
    assert "a demo is running in" in beside.err


def asked_as_the_readme_says(folder: Path) -> subprocess.CompletedProcess[str]:
    """The README's Python, run beside this folder's var/demo."""
    [program] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    path = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'clients/python'}"}
    return subprocess.run([sys.executable, "-c", program], cwd=folder, env=path, capture_output=True, text=True)


def test_the_demo_empties_no_folder_but_its_own(tmp_path):
    kept = tmp_path / "thesis.txt"
    kept.touch()
    said = run("demo", "--folder", tmp_path)
    assert said.code == 4
    assert "choose another --folder" in said.err
    assert kept.exists()


def test_where_the_folder_is_too_long_for_a_socket_the_demo_answers_on_loopback(tmp_path: Path):
    folder = tmp_path / ("a" * 90)
    said = run("demo", "--folder", folder)
    assert said.code == 0, said
    assert "answers on 127.0.0.1:" in said.out
