"""Every story of the hospital pack, told by the command line."""

import subprocess
import sys
from pathlib import Path

from tests.stories import hospital

NOT_SO = """\
story: A stranger reads everything, which is not so.
pack: hospital
now: 2026-03-10T10:00:00+01:00
ask:
  - request:
      {subject: {id: dr, profile: medecin}, action: read, resource: {patient_id: P1, category: cr}, purpose: soins}
    expect: {effect: PERMIT}
"""


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-c", "from sidecar.cli import main; main()", "test", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)


def test_the_command_tells_every_story_of_the_pack():
    done = command(hospital.PACK)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{len(hospital.stories())} stories" in done.stdout
    assert "0 not as told" in done.stdout


def test_the_command_says_which_story_is_not_as_told_and_where(tmp_path: Path):
    story = tmp_path / "stranger.yaml"
    story.write_text(NOT_SO)
    done = command(hospital.PACK, story)
    assert done.returncode == 1
    assert f"{story}:5: ask 0: expected effect PERMIT, got DENY (reason NO_RELATIONSHIP" in done.stderr
    assert "1 not as told" in done.stdout


def test_the_command_says_where_a_story_cannot_be_read(tmp_path: Path):
    story = tmp_path / "torn.yaml"
    story.write_text(NOT_SO.replace("effect", "efect"))
    done = command(hospital.PACK, story)
    assert done.returncode != 0
    assert f"{story}:7: Object contains unknown field `efect`" in done.stderr
    assert "Traceback" not in done.stderr
