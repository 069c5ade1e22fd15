"""Every story of the hospital pack, told to the core."""

from pathlib import Path

import pytest

from sidecar.core.model import Request
from tests.stories import coverage, hospital


@pytest.mark.parametrize("name", [Path(story.file).stem for story in hospital.stories()])
def test_the_core_tells_the_story_as_it_is_written(name):
    heard = next(heard for heard in coverage.told() if Path(heard.story.file).stem == name)
    assert [str(failure) for failure in heard.told.failures] == []
    assert heard.told.asks > 0


def test_every_ask_of_every_story_says_what_the_answer_must_be():
    for story in hospital.stories():
        for step in story.steps:
            expected = step.expect
            if isinstance(step.what, Request):
                assert expected is not None, f"{story.file}:{step.line}"
                assert expected.effect or expected.error, f"{story.file}:{step.line}"


def test_every_rule_that_refuses_or_permits_is_flipped_by_one_minimal_change():
    flipped = {reason for story in hospital.stories() for reason in _flipped_reasons(story)}
    columns = [line.split(",") for line in _rows("p, ")]
    reasons = {row[-3].strip() for row in columns}
    assert reasons - flipped == set()


def _flipped_reasons(story):
    for step in story.steps:
        if step.flip_of is not None:
            for expected in (step.expect, story.steps[step.flip_of].expect):
                yield expected.reason
                yield expected.true_reason


def _rows(section):
    for name, text in hospital.pack().files.items():
        if name.startswith("rules/"):
            yield from (line for line in text.splitlines() if line.startswith(section))
