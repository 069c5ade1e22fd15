"""A pack is read from a folder strictly, and a pack at fault never replaces the one in force."""

import os
import shutil
from pathlib import Path

import pytest

from sidecar.authoring import bundle
from sidecar.errors import PolicyFault
from tests.policy.lighthouse import PACK

HOSPITAL = Path(__file__).parents[2] / "policies" / "hospital"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PACK, tmp_path / "pack"))


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    return Path(shutil.copytree(HOSPITAL, tmp_path / "hospital"))


def faults(folder: Path) -> list[str]:
    with pytest.raises(PolicyFault) as fault:
        bundle.read_folder(folder)
    return [str(each) for each in fault.value.faults]


def test_a_folder_gives_its_texts_and_one_digest_of_them(folder):
    read = bundle.read_folder(folder)
    assert read.revision == "folder" and len(read.digest) == 64
    assert set(read.files) == {
        "pack.toml",
        "model.conf",
        "roles.csv",
        *(f"rules/{name}.csv" for name in ("gates", "grounds", "matrix", "duties")),
        "texts/fr.toml",
        "texts/en.toml",
    }
    assert bundle.read_folder(folder).digest == read.digest


@pytest.mark.parametrize("name", ["pack.toml", "rules/gates.csv", "texts/en.toml"])
def test_any_change_of_any_file_changes_the_digest(folder, name):
    before = bundle.read_folder(folder).digest
    with (folder / name).open("a") as file:
        file.write("# more\n")
    assert bundle.read_folder(folder).digest != before


def test_text_moved_from_one_file_to_another_changes_the_digest():
    assert bundle.digest({"a": "xy", "b": "z"}) != bundle.digest({"a": "x", "b": "yz"})
    assert bundle.digest({"a": "x"}) != bundle.digest({"ax": ""})


def test_stories_and_notes_beside_the_rules_change_nothing(folder):
    before = bundle.read_folder(folder)
    (folder / "tests").mkdir()
    (folder / "tests" / "a.yaml").write_text("x")
    (folder / "README.md").write_text("x")
    assert bundle.read_folder(folder) == before


@pytest.mark.parametrize("name", ["pack.toml", "model.conf", "roles.csv", "texts/fr.toml", "texts/en.toml"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    assert faults(folder) == [f"{name}:1: this file is missing; add it"]


@pytest.mark.parametrize(
    "name", ["rules/gates.CSV", "rules/gates.txt", "rules/.gates.csv.swp", "gates.csv", "texts/de.toml"]
)
def test_a_file_nothing_would_read_is_refused_for_it_may_hold_a_prohibition(folder, name):
    (folder / name).write_text("p, x")
    assert len(faults(folder)) == 1
    assert faults(folder)[0].startswith(f"{name}:1: nothing reads this")


def test_a_symbolic_link_is_not_followed(folder, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("p, x")
    (folder / "rules" / "more.csv").symlink_to(secret)
    assert faults(folder) == ["rules/more.csv:1: a pack holds no symbolic links; copy the file"]


def test_a_pipe_does_not_hang_the_reader(folder):
    os.mkfifo(folder / "rules" / "pipe.csv")
    assert faults(folder) == ["rules/pipe.csv:1: not a regular file; a pack holds files only"]


def test_a_file_too_long_or_not_text_is_refused(folder):
    (folder / "rules" / "long.csv").write_bytes(b"#" * (bundle.FILE_BYTES + 1))
    (folder / "rules" / "odd.csv").write_bytes(b"# \xff")
    assert faults(folder) == [
        f"rules/long.csv:1: over {bundle.FILE_BYTES} bytes; split it",
        "rules/odd.csv:1: not UTF-8 at byte 2; save it as UTF-8",
    ]


def test_a_folder_that_is_not_there_is_said(tmp_path):
    assert "there is no folder" in faults(tmp_path / "nowhere")[0]


def test_parameters_that_are_no_toml_are_named_by_line(folder):
    text = (folder / "pack.toml").read_text().split("\n")
    (folder / "pack.toml").write_text("\n".join([*text[:3], "name == 1", *text[3:]]))
    assert faults(folder)[0].startswith("pack.toml:4: not TOML:")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("ttl = 14400", "ttl = '4h'", "Expected `int`, got `str` (at break_glass.ttl)"),
        ("ttl = 14400", "ttl = 14400\nttl2 = 1", "Object contains unknown field `ttl2` (at break_glass)"),
        ('unknown = "open"', 'unknown = "ajar"', "Invalid enum value 'ajar' (at break_glass.unknown)"),
    ],
)
def test_a_parameter_of_the_wrong_type_or_unknown_is_named_by_line(folder, old, new, said):
    text = (folder / "pack.toml").read_text()
    (folder / "pack.toml").write_text(text.replace(old, new))
    (fault,) = faults(folder)
    file, line, rest = fault.split(":", 2)
    assert file == "pack.toml" and said in rest
    found = (folder / "pack.toml").read_text().split("\n")[int(line) - 1]
    assert found.startswith((old.split(" ")[0], "[break_glass]"))


def test_a_sentence_that_is_no_text_is_a_fault(folder):
    read = bundle.read_folder(folder)
    files = {**read.files, "texts/fr.toml": "[reasons]\nAWAY = 3\n"}
    with pytest.raises(PolicyFault) as fault:
        bundle.compile_bundle(bundle.Bundle(read.pack, files, "x"))
    assert "Expected `str`, got `int`" in str(fault.value)
