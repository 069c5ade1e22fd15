"""Commands that work on policy files, without a server: test, policy check."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from sidecar.authoring import bundle, core_asker, story_reading
from sidecar.cli.output import DONE, REFUSED, show_table
from sidecar.errors import Fault, InputFault, PolicyFault


@click.command(short_help="Ask a pack its stories, without a server.")
@click.argument("pack", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("stories", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def test(pack: Path, stories: tuple[Path, ...]) -> int:
    """Ask a PACK its stories (its tests/ folder, or the files named). Exit code 1 when one is not as told."""
    with located(pack):
        loaded = bundle.read_folder(pack)
        bundle.compile_bundle(loaded)
    paths = stories or tuple(sorted((pack / "tests").glob("*.yaml")))
    if not paths:
        raise InputFault(f"{pack / 'tests'}: holds no story (*.yaml); write one, or name story files")
    report = core_asker.run_pack(loaded, story_reading.read_files(paths, loaded.pack))
    for failure in report.failures:
        click.echo(str(failure), err=True)
    click.echo(f"stories: {report.stories}, asks: {report.asks}, not as told: {len(report.failures)}")
    return REFUSED if report.failures else DONE


@click.group()
def policy() -> None:
    """Check policy packs."""


@policy.command("check", short_help="Read a pack strictly and compile it.")
@click.argument("pack", type=click.Path(exists=True, file_okay=False, path_type=Path))
def check(pack: Path) -> int:
    """Read a PACK strictly and compile it: every fault with file and line, or what it holds."""
    with located(pack):
        loaded = bundle.read_folder(pack)
        policies = bundle.compile_bundle(loaded)
    about = loaded.pack.pack
    show_table(
        ("pack", "version", "digest", "profiles", "files"),
        [
            (
                about.name,
                about.version,
                policies.ref.digest[:16],
                len(loaded.pack.vocabulary.profiles),
                len(loaded.files),
            )
        ],
    )
    return DONE


@contextmanager
def located(pack: Path) -> Iterator[None]:
    """Name the faults inside by the file's path, which an editor can open, not by its name in the pack."""
    try:
        yield
    except PolicyFault as error:
        raise PolicyFault([Fault(str(pack / each.file), each.line, each.text) for each in error.faults]) from None


VERBS = (test, policy)
