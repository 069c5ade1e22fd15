"""Every story of the hospital pack, told to the core."""

from pathlib import Path

import pytest

from sidecar.authoring.core_asker import run_pack
from sidecar.core.model import Request
from tests.stories import hospital


@pytest.mark.parametrize("name", [Path(story.file).stem for story in hospital.stories()])
def test_the_core_tells_the_story_as_it_is_written(name):
    report = run_pack(hospital.pack(), [hospital.story(name)])
    assert [str(failure) for failure in report.failures] == []
    assert report.asks > 0


def test_every_ask_of_every_story_says_what_the_answer_must_be():
    for story in hospital.stories():
        for step in story.steps:
            expected = step.expect
            if isinstance(step.what, Request):
                assert expected is not None, f"{story.file}:{step.line}"
                assert expected.effect or expected.error, f"{story.file}:{step.line}"


def test_every_rule_the_pack_has_takes_part_in_some_story():
    written = {
        line.split(",")[1].strip()
        for name, text in hospital.pack().files.items()
        if name.startswith("rules/")
        for line in text.splitlines()
        if line.startswith("p")
    }
    hits = run_pack(hospital.pack(), hospital.stories()).hits
    assert written - set().union(*hits.values()) == set()


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
