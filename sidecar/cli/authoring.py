"""Commands that work on policy files, without a server: test, policy check."""

from pathlib import Path

import click

from sidecar.authoring import bundle, core_asker, story_reading
from sidecar.cli.output import DONE, REFUSED, show_table


@click.command()
@click.argument("pack", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("stories", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def test(pack: Path, stories: tuple[Path, ...]) -> int:
    """Ask a PACK its stories (its tests/ folder, or the files named). Exit code 1 when one is not as told."""
    loaded = bundle.read_folder(pack)
    paths = stories or tuple(sorted((pack / "tests").glob("*.yaml")))
    report = core_asker.run_pack(loaded, story_reading.read_files(paths, loaded.pack))
    for failure in report.failures:
        click.echo(str(failure), err=True)
    click.echo(f"{report.stories} stories, {report.asks} asks, {len(report.failures)} not as told")
    return REFUSED if report.failures else DONE


@click.group()
def policy() -> None:
    """Check policy packs."""


@policy.command("check")
@click.argument("pack", type=click.Path(exists=True, file_okay=False, path_type=Path))
def check(pack: Path) -> int:
    """Read a PACK strictly and compile it: every fault with file and line, or what it holds."""
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


VERBS = (test, policy)
