"""`policy check` and `test`: the commands of those who write packs, without a server."""

import shutil
from pathlib import Path

import pytest

from tests.cli.commands import run
from tests.cli.world import PACK


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """The hospital pack, to be damaged."""
    return Path(shutil.copytree(PACK, tmp_path / "pack"))


def damage(path: Path, old: str, new: str) -> int:
    """Replace what stands first in a file; the number of its line."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


def test_a_good_pack_is_named_with_its_version_and_digest():
    said = run("policy", "check", PACK)
    assert (said.code, said.err) == (0, "")
    head, line = said.out.splitlines()
    assert head.split() == ["pack", "version", "digest", "profiles", "files"]
    assert line.split()[0] == "hospital"


def test_every_fault_is_named_by_file_and_line(pack):
    line = damage(pack / "rules/gates.csv", "r.authentication.mfa", "r.authentication.mfaa")
    for verb in (("policy", "check"), ("test",)):
        said = run(*verb, pack)
        assert (said.code, said.out) == (1, "")
        assert said.err.startswith(f"{pack}/rules/gates.csv:{line}: unknown word `r.authentication.mfaa`")


def test_a_parameter_of_the_wrong_type_is_named_by_file_and_line(pack):
    line = damage(pack / "pack.toml", 'name = "hospital"', "name = 5")
    said = run("policy", "check", pack)
    assert (said.code, said.err) == (1, f"{pack}/pack.toml:{line}: Expected `str`, got `int` (at pack.name)\n")


def test_a_file_that_is_missing_is_named(pack):
    (pack / "model.conf").unlink()
    said = run("policy", "check", pack)
    assert (said.code, said.err) == (1, f"{pack}/model.conf:1: this file is missing; add it\n")


def test_a_folder_that_is_not_there_is_a_wrong_command_line(tmp_path):
    assert run("policy", "check", tmp_path / "none").code == 2
    assert run("test", tmp_path / "none").code == 2


def test_a_pack_without_stories_is_not_told_that_all_is_well(pack):
    shutil.rmtree(pack / "tests")
    said = run("test", pack)
    assert (said.code, said.out) == (4, "")
    assert "holds no story (*.yaml)" in said.err
