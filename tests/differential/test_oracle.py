"""The oracle shares nothing with the product but the values that travel, and reads what it is told to read."""

import ast
import sys
from pathlib import Path

import tests.oracle
from sidecar.core.vocabulary import NOUNS
from tests.oracle.rules import groups_of, read_condition, split, value
from tests.oracle.words import RESTRICTIONS, Words

FOLDER = Path(tests.oracle.__file__).parent
ALLOWED = {"sidecar.core.model", "msgspec.structs", *(f"tests.oracle.{path.stem}" for path in FOLDER.glob("*.py"))}


def imported(path: Path) -> set[str]:
    """The modules a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, path
            found.add(str(node.module))
    return found


def test_the_oracle_imports_the_values_that_travel_and_nothing_else_of_ours():
    for path in FOLDER.glob("*.py"):
        foreign = {name for name in imported(path) if name.split(".")[0] not in sys.stdlib_module_names}
        assert foreign <= ALLOWED, path


def test_the_oracle_knows_every_word_of_the_vocabulary_and_which_of_them_forbid():
    names = {f"{noun}.{word}" for noun, words in NOUNS.items() for word in words}
    missing = {name for name in names if not hasattr(Words, name.replace(".", "_"))}
    assert missing <= {"subject.profile", "resource.category"}  # names that matchers read, no conditions
    forbids = {
        f"{noun}.{name}" for noun, words in NOUNS.items() for name, word in words.items() if word.kind == "restriction"
    }
    assert forbids == RESTRICTIONS


def test_the_oracle_reads_conditions_by_kleenes_logic():
    known = {"a.yes": True, "a.no": False, "a.unknown": None}
    said = {
        "r.a.unknown && r.a.no": False,
        "r.a.no && r.a.unknown": False,
        "r.a.unknown || r.a.yes": True,
        "!r.a.unknown": None,
        "r.a.unknown && r.a.yes": None,
        "r.a.no || r.a.yes && r.a.yes": True,
        "!(r.a.no || r.a.yes) || r.a.no": False,
        "True": True,
    }
    assert {text: value(read_condition(text), lambda word, _: known[word]) for text in said} == said


def test_the_oracle_splits_rows_and_follows_groups():
    assert split("p, a, f(1, 2), b") == ["p", "a", "f(1, 2)", "b"]
    links = [("g", "a", "b"), ("g", "b", "c"), ("g2", "c", "d")]
    assert groups_of(links, "g", "a") == {"a", "b", "c"}
