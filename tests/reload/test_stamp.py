"""A verdict on disk is believed for exactly what was judged, in the folder where it was, and nowhere else."""

import json
import stat
import sys

import pytest
from msgspec.structs import replace

from sidecar.authoring import stamp as stamps
from sidecar.authoring.stamp import Stamp, Subject, Verdicts

SUBJECT = Subject("a" * 64, "b" * 64, "dpi-sidecar 1, pycasbin 2.8.0, python 3.11")
STAMP = Stamp(SUBJECT, 1_772_000_000_000_000, 60, 1678, 101)

FORGERIES = {
    "another pack under this name": lambda kept: kept["stamp"]["subject"].update(pack="c" * 64),
    "more asks than were made": lambda kept: kept["stamp"].update(asks=9999),
    "another instant": lambda kept: kept["stamp"].update(judged=1),
    "no proof": lambda kept: kept.update(mac=""),
    "a proof of zeros": lambda kept: kept.update(mac="0" * 64),
    "a proof that is no ASCII": lambda kept: kept.update(mac="é" * 64),
    "a field too many": lambda kept: kept.update(more=1),
    "a field too few": lambda kept: kept["stamp"].pop("rows"),
}


@pytest.fixture
def verdicts(tmp_path):
    kept = Verdicts(tmp_path / "verdicts")
    kept.keep(STAMP)
    return kept


def test_a_verdict_that_was_kept_is_believed_by_the_next_start(verdicts, tmp_path):
    assert Verdicts(tmp_path / "verdicts").believed(SUBJECT) == STAMP


@pytest.mark.parametrize("part", ["pack", "stories", "software"])
def test_a_verdict_on_another_pack_other_stories_or_other_software_is_none(verdicts, part):
    assert verdicts.believed(replace(SUBJECT, **{part: "d" * 64})) is None


@pytest.mark.parametrize("name", FORGERIES)
def test_a_verdict_that_was_edited_is_not_believed(verdicts, tmp_path, name):
    path = tmp_path / "verdicts" / SUBJECT.file
    kept = json.loads(path.read_text())
    FORGERIES[name](kept)
    path.write_text(json.dumps(kept))
    assert verdicts.believed(SUBJECT) is None


def test_a_verdict_moved_to_the_name_of_another_pack_is_not_believed(verdicts, tmp_path):
    other = replace(SUBJECT, pack="c" * 64)
    (tmp_path / "verdicts" / SUBJECT.file).rename(tmp_path / "verdicts" / other.file)
    assert verdicts.believed(other) is None


def test_a_verdict_copied_from_another_folder_is_not_believed(verdicts, tmp_path):
    there = Verdicts(tmp_path / "elsewhere")
    there.keep(replace(STAMP, subject=replace(SUBJECT, pack="c" * 64)))
    (tmp_path / "elsewhere" / SUBJECT.file).write_bytes((tmp_path / "verdicts" / SUBJECT.file).read_bytes())
    assert there.believed(SUBJECT) is None


@pytest.mark.parametrize("key", [None, b"", b"short", bytes(32)])
def test_without_the_key_that_made_it_a_verdict_is_none(verdicts, tmp_path, key):
    path = tmp_path / "verdicts" / stamps.KEY_FILE
    path.unlink()
    if key is not None:
        path.write_bytes(key)
    assert verdicts.believed(SUBJECT) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null"])
def test_a_file_that_is_no_verdict_is_none(verdicts, tmp_path, content):
    (tmp_path / "verdicts" / SUBJECT.file).write_bytes(content)
    assert verdicts.believed(SUBJECT) is None


def test_a_forger_is_believed_once_the_proof_is_not_looked_at(verdicts, tmp_path, monkeypatch):
    """The twin: without the HMAC, every forgery that keeps the form is believed."""
    monkeypatch.setattr(stamps.hmac, "compare_digest", lambda *_: True)
    path, believed = tmp_path / "verdicts" / SUBJECT.file, 0
    genuine = path.read_text()
    for forge in FORGERIES.values():
        kept = json.loads(genuine)
        forge(kept)
        path.write_text(json.dumps(kept))
        believed += verdicts.believed(SUBJECT) is not None
    assert believed >= 4


def test_verdicts_and_their_key_are_for_this_user_alone(verdicts, tmp_path):
    folder = tmp_path / "verdicts"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert {path.name for path in folder.iterdir()} == {stamps.KEY_FILE, SUBJECT.file}


def test_only_the_latest_verdicts_are_kept(verdicts, tmp_path):
    for number in range(stamps.KEPT + 5):
        verdicts.keep(replace(STAMP, subject=replace(SUBJECT, pack=f"{number:064}")))
    assert len(list((tmp_path / "verdicts").glob("*.json"))) == stamps.KEPT
    assert verdicts.believed(replace(SUBJECT, pack=f"{stamps.KEPT + 4:064}"))


def test_the_software_a_verdict_is_about_names_its_judge_and_changes_with_the_code(tmp_path, monkeypatch):
    before = stamps.software()
    assert "pycasbin" in before and f"python {sys.version_info[0]}.{sys.version_info[1]}" in before
    for name in stamps.JUDGING:
        (tmp_path / name).mkdir()
        (tmp_path / name / "policy.py").write_text("x = 1\n")
    monkeypatch.setattr(stamps.sidecar, "__file__", str(tmp_path / "__init__.py"))
    stamps.software.cache_clear()
    first = stamps.software()
    (tmp_path / "core" / "policy.py").write_text("x = 2\n")
    stamps.software.cache_clear()
    assert len({before, first, stamps.software()}) == 3
    stamps.software.cache_clear()
