"""The typed list of words and the functions that answer them say the same, and a word answers True, False or None."""

import re
from pathlib import Path

import pytest

from sidecar.core.vocabulary import NOUNS, REFERENCES
from sidecar.core.words import WORDS
from tests.situation.builders import situation

ARGUMENTS = {"int": 30, "str": "psy", "strs": "psy", "purpose": "soins"}
LISTED = {"flags": "detenu", "settings": "adm_mfa", "references": "ticket", "tags": "psy", "profiles": "medecin"}


def words():
    return [(noun, name, word) for noun, listed in NOUNS.items() for name, word in listed.items()]


def answer(asked, noun, name, word, **given):
    held = getattr(getattr(asked, noun), name)
    if word.args is None:
        return held
    values = ARGUMENTS | given | {"resource": asked.resource}
    return held(*(LISTED.get(word.names) if kind in ("str", "strs") else values[kind] for kind in word.args))


@pytest.mark.parametrize(("noun", "name", "word"), words(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_word_answers_true_false_or_unknown(noun, name, word):
    for asked in (situation(), situation(readable=False), situation(lenient=True, readable=False)):
        said = answer(asked, noun, name, word)
        assert said in (True, False, None)


@pytest.mark.parametrize(("noun", "name", "word"), words(), ids=lambda value: value if isinstance(value, str) else "")
def test_an_unknown_word_is_noted_once_and_only_a_restriction_is_read_as_absent(noun, name, word):
    asked, lenient = situation(readable=False, marks={}), situation(readable=False, marks={}, lenient=True)
    said = answer(asked, noun, name, word)
    assert answer(asked, noun, name, word) == said
    assert asked.unknown == ([f"{noun}.{name}"] if said is None else [])
    if said is None:
        assert answer(lenient, noun, name, word) is (False if word.kind == "restriction" else None)
        assert lenient.unknown == [f"{noun}.{name}"]


def test_each_word_of_the_list_has_its_function_and_no_other_has_one():
    assert {noun: set(words) for noun, words in WORDS.items()} == {noun: set(words) for noun, words in NOUNS.items()}


def test_every_reference_is_a_field_of_the_request():
    for name in REFERENCES:
        assert getattr(situation().request.context.refs, name) == ""


def test_no_word_is_left_without_a_test():
    told = "".join(
        path.read_text() for path in Path(__file__).parent.glob("test_*.py") if path.name != Path(__file__).name
    )
    missing = [f"{noun}.{name}" for noun, name, _ in words() if not re.search(rf"\b{name}\b", told)]
    assert missing == []
