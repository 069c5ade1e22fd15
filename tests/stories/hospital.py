"""The hospital pack and its stories, read once."""

from functools import cache
from pathlib import Path

from sidecar.authoring import bundle, story_reading
from sidecar.authoring.bundle import Bundle
from sidecar.authoring.story import Story

PACK = Path(__file__).parents[2] / "policies" / "hospital"


@cache
def pack() -> Bundle:
    return bundle.read_folder(PACK)


@cache
def stories() -> tuple[Story, ...]:
    return tuple(story_reading.read_files([PACK / "tests"], pack().pack))


def story(name: str) -> Story:
    return next(story for story in stories() if Path(story.file).name == f"{name}.yaml")
