"""The hospital pack with few of its stories, whole or damaged."""

import functools
import shutil
from collections.abc import Mapping
from pathlib import Path

from sidecar.authoring import bundle, story_reading
from sidecar.authoring.bundle import Bundle
from sidecar.authoring.judging import Verdict, judge_pack
from sidecar.authoring.story import Story
from sidecar.core.policy import PolicySet

PACK = Path(__file__).parents[2] / "policies" / "hospital"
# A story of each kind of question: gates, masks, grounds, openings, grants, delegation, batches, what is unknown.
TOLD = (
    "authentication", "masks", "care_team", "break_glass_night", "break_glass_open", "break_glass_scope", "delegation",
    "batches", "will_not_reported", "matrix_secretaire_medicale", "unknown_words", "protected_record",
)  # fmt: skip


def a_pack(folder: Path, *stories: str) -> Path:
    """A copy of the hospital pack with these stories alone."""
    shutil.copytree(PACK, folder, ignore=shutil.ignore_patterns("tests"))
    (folder / "tests").mkdir()
    for name in stories:
        shutil.copy(PACK / "tests" / f"{name}.yaml", folder / "tests")
    return folder


@functools.cache
def shipped() -> Bundle:
    """The pack as it ships."""
    return bundle.read_folder(PACK)


@functools.cache
def stories() -> tuple[Story, ...]:
    """The stories of TOLD."""
    return tuple(story_reading.read_files([PACK / "tests" / f"{name}.yaml" for name in TOLD], shipped().pack))


def damaged(edits: Mapping[str, tuple[str, str]]) -> Bundle:
    """The pack with the first place of a text, in some of its files, replaced."""
    files = dict(shipped().files)
    for name, (old, new) in edits.items():
        assert old in files[name], f"{name} has no {old}"
        files[name] = files[name].replace(old, new, 1)
    return Bundle(bundle.decode_pack(files["pack.toml"]), files, bundle.digest(files))


def judged(read: Bundle, policies: PolicySet | None = None) -> Verdict:
    """What both judges say of these texts, `policies` standing for what production made of them."""
    return judge_pack(read, stories(), lambda done: None, policies)
