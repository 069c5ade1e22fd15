"""Every question the stories of the hospital pack put to its rules, with what is known when it is put."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from sidecar.authoring import stories
from sidecar.authoring.core_asker import CoreAsker, with_settings
from sidecar.authoring.explain import asking
from sidecar.authoring.explain.explanation import explain
from sidecar.authoring.explain.rows import Rulebook
from sidecar.authoring.explain.values import Explanation
from sidecar.authoring.explain.walk import Asked
from sidecar.authoring.story import Story
from sidecar.authoring.story_facts import StoryFacts
from sidecar.core.policy import PolicySet
from tests.stories import hospital


class Put(NamedTuple):
    """A question of a story. `index` is its step; `item` its place among the questions of that step."""

    story: Story
    index: int
    item: int
    asked: Asked
    policies: PolicySet
    rules: Rulebook

    @property
    def where(self) -> str:
        return f"{Path(self.story.file).name}, ask {self.index}, item {self.item}"

    def explained(self, language: str = "en") -> Explanation:
        return explain(self.policies, self.rules, self.asked, language)


@cache
def pack(settings: tuple[tuple[str, object], ...] = ()) -> tuple[PolicySet, Rulebook]:
    """The hospital pack under these settings, read once."""
    loaded = hospital.pack()
    return asking.ready(replace(loaded, pack=with_settings(loaded.pack, dict(settings))))


@cache
def every() -> tuple[Put, ...]:
    return tuple(put for story in hospital.stories() for put in of(story))


def various() -> tuple[Put, ...]:
    """Those of the stories that are not the matrix, cell by cell."""
    return tuple(put for put in every() if not Path(put.story.file).name.startswith("matrix_"))


def of(story: Story) -> Iterator[Put]:
    """The questions of one story, each step told once."""
    policies, rules = pack(tuple(sorted(story.settings.items())))
    listening = asking.Listening(policies, rules)
    asker = CoreAsker(listening, StoryFacts(story))
    for index in range(len(story.steps)):
        before = len(listening.asked)
        stories.tell(replace(story, steps=story.steps[index : index + 1]), asker)
        for item, asked in enumerate(listening.asked[before:]):
            yield Put(story, index, item, asked, policies, rules)


def put(name: str, index: int, item: int = 0) -> Put:
    """One question of a story, by the name of its file."""
    return next(each for each in of(hospital.story(name)) if (each.index, each.item) == (index, item))


@cache
def explained() -> tuple[tuple[Put, Explanation], ...]:
    """Every question with its explanation in English."""
    return tuple((each, each.explained()) for each in every())
