"""`ledger show`: what was recorded, found by what one knows of it."""

import pytest

from tests.cli.world import question


@pytest.fixture(scope="module")
def decision(world):
    """The id of one refusal of dr-nuit."""
    said = world.run("check", world.file(question("dr-nuit", "UF-SAU")), "--json")
    return said.json["decision_id"]


def show(world, *options):
    return world.run("ledger", "show", *options, caller="auditor")


def test_a_leaf_is_a_line_that_says_who_asked_what_and_what_came_of_it(world, decision):
    head, line, last = show(world, "--decision-id", decision).out.splitlines()
    assert head.split() == ["leaf", "at", "who", "patient", "what", "outcome"]
    assert line.split()[3:] == ["dr-nuit", "P1", "read", "cr", "doc-1", "DENY", "NO_RELATIONSHIP"]
    assert last.startswith("1 shown, ")


def test_each_filter_keeps_what_it_names(world, decision):
    for options in (
        ("--patient", "P1"),
        ("--subject", "dr-nuit"),
        ("--effect", "DENY"),
        ("--reason", "NO_RELATIONSHIP"),
        ("--from", "2020-01-01T00:00:00Z"),
    ):
        assert decision in [leaf["id"] for leaf in show(world, *options, "--json").json_lines], options
    for options in (
        ("--patient", "P404"),
        ("--subject", "dr-404"),
        ("--effect", "PERMIT"),
        ("--reason", "MASKED"),
        ("--to", "2020-01-01T00:00:00Z"),
    ):
        assert decision not in [leaf["id"] for leaf in show(world, *options, "--json").json_lines], options


def test_the_latest_are_shown_when_there_are_more(world, decision):
    latest = show(world, "--limit", "2", "--json").json_lines
    assert len(latest) == 2
    assert latest[0]["index"] < latest[1]["index"]


def test_where_nothing_matches_the_exit_code_is_one(world):
    said = show(world, "--patient", "P404")
    assert said.code == 1
    assert "0 shown, " in said.out


def test_the_reading_is_recorded(world, decision):
    show(world, "--decision-id", decision)
    assert show(world, "--limit", "1", "--json").json_lines[0]["kind"] == "consulted"


def test_an_instant_and_a_limit_that_mean_nothing_are_refused(world):
    assert show(world, "--from", "yesterday").err.startswith("dpi-sidecar: --from: ")
    assert show(world, "--limit", "0").code == 2
    assert show(world, "--effect", "MAYBE").code == 2


def test_only_auditors_and_administrators_read_the_records(world):
    said = world.run("ledger", "show")
    assert (said.code, said.out) == (5, "")
