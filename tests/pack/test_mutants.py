"""The stories notice what somebody could have written instead of a row or a number of the hospital pack.

Every deleted row, and of the other faults a share drawn once for all (SOAK=1: each of them), has to be noticed;
`python -m tests.pack.mutants` prints the whole table. What no story notices is in survivors/*.toml, with the reason.
"""

import os
import tomllib
from functools import cache
from pathlib import Path

from tests.pack.mutants import Campaign, campaign, table
from tests.pack.mutations import DELETED

SURVIVORS = Path(__file__).parent / "survivors"
SHARE = 1.0 if os.environ.get("SOAK") else 0.08
KILLED = 0.95


@cache
def tried() -> Campaign:
    return campaign(SHARE)


def explained() -> dict[str, str]:
    """The survivors that are explained: name → why no story can or need notice them."""
    files = [tomllib.loads(file.read_text()) for file in sorted(SURVIVORS.glob("*.toml"))]
    return {name: group["why"] for file in files for group in file["survivors"] for name in group["mutants"]}


def test_no_row_of_any_table_is_there_for_nothing():
    idle = {each.name for each in tried().outcomes if each.operator == DELETED and not each.killer}
    assert sorted(idle - explained().keys()) == []


def test_the_stories_kill_nearly_all_mutants_and_every_survivor_is_explained(capsys):
    lived = {each.name for each in tried().outcomes if not each.killer}
    with capsys.disabled():
        print(f"\n{len(tried().outcomes)} of {len(tried().names)} mutants\n{table(tried().outcomes)}")
    assert sorted(lived - explained().keys()) == []
    assert len(lived) <= (1 - KILLED) * len(tried().outcomes)


def test_no_explanation_is_stale():
    names, killed = set(tried().names), {each.name for each in tried().outcomes if each.killer}
    assert sorted(explained().keys() - names) == []
    assert sorted(explained().keys() & killed) == []
    assert all(len(why) > 20 for why in explained().values())
