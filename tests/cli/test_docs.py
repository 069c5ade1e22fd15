"""docs/cli.md describes every verb, option, exit code and variable of the command line, and no other."""

import re
from collections.abc import Iterator

import click

from sidecar.cli import cli, output
from tests.cli.commands import ROOT, run

PAGE = (ROOT / "docs/cli.md").read_text()


def verbs(group: click.Group = cli, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from verbs(command, f"{prefix}{name} ")
        else:
            yield prefix + name, command


def table(head: str) -> set[str]:
    """The first column of the table that begins with this head."""
    [rows] = re.findall(rf"^\| {head} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    return set(re.findall(r"^\| `([^`]+)`", rows, re.MULTILINE))


def test_every_verb_is_described_and_no_other():
    assert table("verb") == {name for name, _ in verbs()}


def test_every_option_is_described_and_no_other():
    parameters = [parameter for _, command in verbs() for parameter in command.params]
    options = {name for each in parameters for name in each.opts + each.secondary_opts}
    described = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", PAGE)) - {"--help", "--version"}
    assert described == {name for name in options if name.startswith("--")}


def test_every_variable_is_described_and_no_other():
    variables = {option.envvar for _, command in verbs() for option in command.params if option.envvar}
    assert set(re.findall(r"DPI_SIDECAR_[A-Z_]+", PAGE)) == variables


def test_every_exit_code_is_described_and_no_other():
    codes = {output.DONE, output.REFUSED, 2, output.UNAVAILABLE, output.MALFORMED, output.NOT_ALLOWED}
    assert table("code") == {str(code) for code in codes}


def test_every_verb_and_option_says_what_it_is():
    for name, command in verbs():
        assert command.help, name
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{name} {option.name}"


def test_the_list_of_verbs_is_not_cut_off_at_eighty_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for group in ((), ("facts",), ("ledger",), ("policy",), ("break-glass",), ("certs",)):
        said = run(*group, "--help")
        assert said.code == 0
        listed = said.out.partition("Commands:")[2].splitlines()
        assert not [line for line in listed if line.endswith("...")], said
