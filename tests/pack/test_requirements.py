"""The requirements page claims what is there, and nothing else."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.pack import requirements
from tests.pack.requirements import NUMBERS, Claim, Claims, Pack
from tests.stories import coverage


@pytest.fixture(scope="module")
def claims() -> Claims:
    return requirements.claims()


@pytest.fixture(scope="module")
def pack() -> Pack:
    return requirements.pack()


@pytest.fixture(scope="module")
def hits() -> Mapping[str, frozenset[str]]:
    """The rules that took part in each story."""
    return {Path(heard.story.file).stem: heard.told.rules for heard in coverage.told()}


def test_every_requirement_is_carried_planned_or_not_ours_by_what_exists(claims, pack, hits) -> None:
    assert list(requirements.faults(claims, pack, hits)) == []


def test_the_page_is_made_from_the_claims(claims) -> None:
    written = requirements.PAGE.read_text(encoding="utf-8")
    assert written == requirements.page(claims), "make docs writes docs/requirements.md anew"


def test_every_part_that_is_to_carry_something_is_asked_for(claims) -> None:
    assert {claim.later for claim in claims.values() if claim.later} == set(requirements.LATER)


def test_every_requirement_is_on_the_page_with_what_its_source_says(claims) -> None:
    lines = requirements.PAGE.read_text(encoding="utf-8").splitlines()
    listed = [line.split(" | ")[0].removeprefix("| ") for line in lines if line.startswith(("| S-", "| L-"))]
    assert listed == NUMBERS
    assert all(len(claim.says) > 8 for claim in claims.values())


@pytest.mark.parametrize(
    ("spoil", "noticed"),
    [
        (lambda claims: {n: c for n, c in claims.items() if n != "S-8"}, "S-8: missing"),
        (lambda claims: {**claims, "S-198": claims["S-8"]}, "S-198: no requirement has this number"),
        (lambda claims: {**claims, "S-8": Claim("x")}, "S-8: says nothing"),
        (lambda claims: {**claims, "S-2": replace(claims["S-2"], later="")}, "S-2: what is missing and which part"),
        (lambda claims: {**claims, "S-2": replace(claims["S-2"], planned="")}, "S-2: what is missing and which part"),
        (lambda claims: {**claims, "S-2": replace(claims["S-2"], later="soon")}, "S-2: what is missing and which part"),
        (lambda claims: {**claims, "S-8": replace(claims["S-8"], not_ours="y")}, "S-8: not ours, and carried"),
        (
            lambda claims: {**claims, "S-8": replace(claims["S-8"], rules=(*claims["S-8"].rules, "A-99"))},
            "S-8: no rule `A-99`",
        ),
        (lambda claims: {**claims, "S-8": replace(claims["S-8"], stories=("no_such",))}, "S-8: no story `no_such`"),
        (
            lambda claims: {**claims, "S-80": replace(claims["S-80"], stories=("retention",), rules=("G-SUB-1",))},
            "S-80: story `retention` exercises none of its rules",
        ),
        (lambda claims: {**claims, "S-8": replace(claims["S-8"], stories=())}, "S-8: no story shows its rules"),
        (
            lambda claims: {**claims, "S-2": replace(claims["S-2"], components=("sidecar/core/nothing.py",))},
            "S-2: no file `sidecar/core/nothing.py`",
        ),
        (lambda claims: {**claims, "S-80": replace(claims["S-80"], rules=("A-01",))}, "S-80: a row of `G-SUB-1` names"),
    ],
)
def test_a_claim_that_does_not_hold_is_noticed(claims, pack, hits, spoil, noticed) -> None:
    found = list(requirements.faults(spoil(claims), pack, hits))
    assert any(fault.startswith(noticed) for fault in found), found


def test_a_row_or_a_parameter_whose_source_nobody_knows_is_noticed(claims, pack, hits) -> None:
    strange = replace(pack, rows=(*pack.rows, ("A-01", ("Z-9",))), parameters=(*pack.parameters, ("x", ("S-999",))))
    assert list(requirements.faults(claims, strange, hits)) == [
        "A-01: unknown source `Z-9`; state it in [sources] of pack.toml",
        "x: unknown source `S-999`; state it in [sources] of pack.toml",
    ]
    stated = replace(strange, stated=pack.stated | {"Z-9", "S-999"})
    assert list(requirements.faults(claims, stated, hits)) == []
