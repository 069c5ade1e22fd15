"""docs/ledger.md says what the code does."""

import re
from pathlib import Path

import msgspec
import pytest

from sidecar.core.leaf import BatchLeaf, ChangeLeaf, CheckLeaf, Common, ConsultedLeaf, Head, RefusedLeaf

PAGE = (Path(__file__).parent.parent.parent / "docs" / "ledger.md").read_text()
LEDGER = Path(__file__).parent.parent.parent / "sidecar" / "ledger"


def _fields_told(after):
    table = PAGE[PAGE.index(after) :].split("\n\n")[1]
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def _names(kind):
    return [field.name for field in msgspec.structs.fields(kind)]


def test_the_page_tells_what_every_leaf_begins_with():
    assert _fields_told("Every leaf begins with these:") == _names(Head)


@pytest.mark.parametrize("kind", [CheckLeaf, BatchLeaf, RefusedLeaf, ChangeLeaf, ConsultedLeaf])
def test_the_page_tells_every_field_of_each_kind_in_order(kind):
    tag = kind.__struct_config__.tag
    assert _fields_told(f"\n`{tag}`, ") == _names(kind)[len(_names(Common)) :]


def test_the_page_tells_every_cause_for_which_nothing_is_recorded():
    table = PAGE[PAGE.index("## When it cannot record") :].split("## ")[1]
    told = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    code = "".join(path.read_text() for path in LEDGER.glob("*.py"))
    assert told == set(re.findall(r'Trouble\(\s*"(\w+)"', code)) | set(re.findall(r'_failed\("(\w+)"\)', code))
