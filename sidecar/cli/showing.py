"""`policy show`: a pack as a page its readers can argue with."""

from collections.abc import Callable, Mapping
from pathlib import Path

import click

from sidecar.authoring import bundle
from sidecar.authoring.show.gather import sheet
from sidecar.authoring.show.labels import LANGUAGES
from sidecar.authoring.show.markdown import markdown
from sidecar.authoring.show.sheet import Sheet
from sidecar.authoring.show.spreadsheet import spreadsheet
from sidecar.cli.authoring import located
from sidecar.cli.output import DONE


def _html(made: Sheet) -> str:
    from sidecar.authoring.show.html import html  # Jinja2 is for this alone: no other verb waits for it

    return html(made)


FORMS: Mapping[str, Callable[[Sheet], str]] = {"html": _html, "md": markdown, "csv": spreadsheet}


@click.command("show", short_help="A pack as a page: who sees what, why, and why not.")
@click.argument("pack", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--html", "form", flag_value="html", help="One HTML file, for a screen and for paper (A3 or A4).")
@click.option("--md", "form", flag_value="md", help="Markdown.")
@click.option("--csv", "form", flag_value="csv", help="A table for a spreadsheet: one line per cell, rule, parameter.")
@click.option("--language", type=click.Choice(LANGUAGES), help="Of the page; the pack's own when left out.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File; standard output without.")
def show(pack: Path, form: str | None, language: str | None, output: Path | None) -> int:
    """Show a PACK to its readers: the matrix, gates, grounds, obligations, emergency access, parameters, sources.

    For a data protection officer, a physician, an auditor: everything in words, with the text the machine reads beside.
    The same pack gives the same page, to the byte.
    """
    if form is None:
        raise click.UsageError("give one of --html, --md, --csv")
    with located(pack):
        loaded = bundle.read_folder(pack)
        bundle.compile_bundle(loaded)
    made = FORMS[form](sheet(loaded, language or loaded.pack.pack.language))
    if output is None:
        click.echo(made, nl=False)
    else:
        output.write_text(made, encoding="utf-8", newline="")
    return DONE


VERBS = (show,)
