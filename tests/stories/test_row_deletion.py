"""No row of the pack is there for nothing: without it some story is told otherwise, or the pack does not load."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from sidecar.authoring.bundle import Bundle, compile_bundle
from sidecar.authoring.core_asker import CoreAsker, run_pack, with_settings
from sidecar.authoring.stories import tell
from sidecar.authoring.story import Batch, Story
from sidecar.authoring.story_facts import StoryFacts
from sidecar.core import pack_check
from sidecar.core.model import Request
from sidecar.errors import PolicyFault
from tests.stories import hospital


@pytest.fixture(autouse=True)
def the_loader_does_not_look_for_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name without its root is refused at load; here the stories must notice what it would let through."""
    monkeypatch.setattr(pack_check, "root_faults", lambda pack, members: ())


def test_deleting_any_row_of_any_table_makes_a_story_fail_or_the_pack_refuse_to_load():
    hits = run_pack(hospital.pack(), hospital.stories()).hits
    survivors = [
        f"{file}:{number}: {line}" for file, number, line in rows(hospital.pack()) if survives(file, number, line, hits)
    ]
    assert survivors == []


def test_the_pack_with_nothing_deleted_tells_every_story():
    file, number, _ = next(rows(hospital.pack()))
    untouched = without(hospital.pack(), file, number, "# a comment in place of nothing")
    assert compile_bundle(untouched) is not None
    assert run_pack(hospital.pack(), hospital.stories()).failures == ()


def survives(file: str, number: int, line: str, hits: dict[str, frozenset[str]]) -> bool:
    """Whether the pack without this row still loads and tells every story as it is written."""
    weakened = without(hospital.pack(), file, number)
    compiled = {}
    for story in likely_first(line, hits):
        key = tuple(sorted(story.settings.items()))
        if key not in compiled:
            try:
                compiled[key] = compile_bundle(replace(weakened, pack=with_settings(weakened.pack, story.settings)))
            except PolicyFault:
                return False
        if tell(story, CoreAsker(compiled[key], StoryFacts(story))).failures:
            return False
    return True


def rows(bundle: Bundle) -> Iterator[tuple[str, int, str]]:
    """Every row of every table: file, line number, text."""
    for file in sorted(bundle.files):
        if file.endswith(".csv"):
            for number, line in enumerate(bundle.files[file].splitlines(), 1):
                if line.strip() and not line.startswith("#"):
                    yield file, number, line


def without(bundle: Bundle, file: str, number: int, instead: str = "") -> Bundle:
    lines = bundle.files[file].splitlines()
    lines[number - 1] = instead
    return replace(bundle, files={**bundle.files, file: "\n".join(lines) + "\n"})


def likely_first(line: str, hits: dict[str, frozenset[str]]) -> list[Story]:
    """The stories, first those the row's rule took part in or that use the word of a role row; short ones first."""
    word = line.split(",")[1].strip()

    def unlikely(story: Story) -> tuple[bool, int]:
        return (word not in hits[story.file] and word not in words(story), len(story.steps))

    return sorted(hospital.stories(), key=unlikely)


def words(story: Story) -> set[str]:
    """Profiles, categories, actions and purposes the story asks with."""
    used: set[str] = set()
    for step in story.steps:
        what = step.what
        if isinstance(what, Request):
            used |= {what.subject.profile, what.resource.category, what.action, what.purpose}
        elif isinstance(what, Batch):
            used |= {what.subject.profile, what.purpose}
    return used
