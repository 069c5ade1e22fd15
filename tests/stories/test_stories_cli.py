"""Every story of the hospital pack, told by `dpi-sidecar test`."""

import os
import shutil
from pathlib import Path

from tests.cli.commands import run
from tests.stories import hospital

CARE_TEAM = "p, A-01, clinique, tout, usage, prise_en_charge, r.subject.in_care_team"


def test_the_command_line_tells_every_story_as_it_is_written():
    said = run("test", hospital.PACK)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"stories: {len(hospital.stories())}, asks: ")
    assert said.out.endswith("not as told: 0\n")


def test_one_story_may_be_told_alone():
    said = run("test", hospital.PACK, hospital.PACK / "tests/care_team.yaml")
    assert said.code == 0
    assert said.out.startswith("stories: 1, ")


def test_a_pack_that_lost_a_row_is_told_by_file_line_and_ask(tmp_path):
    pack = Path(shutil.copytree(hospital.PACK, tmp_path / "pack"))
    rules = pack / "rules/grounds.csv"
    rows = rules.read_text().splitlines(keepends=True)
    kept = [row for row in rows if not row.startswith(CARE_TEAM)]
    assert len(kept) == len(rows) - 1
    rules.write_text("".join(kept))
    said = run("test", pack, pack / "tests/care_team.yaml")
    assert said.code == 1
    first, *_ = said.err.splitlines()
    file, line, rest = first.split(":", 2)
    assert file == os.fspath(pack / "tests/care_team.yaml")
    assert rest.startswith(" ask ")
    step = Path(file).read_text().splitlines()[int(line) - 1]
    assert step.lstrip().startswith("-"), step
    assert not said.out.endswith("not as told: 0\n")
