"""The page as HTML that needs nothing else: no script, no font, no picture from anywhere."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sidecar.authoring.show.labels import label
from sidecar.authoring.show.reach import SIGNS
from sidecar.authoring.show.sheet import Sheet

FOLDER = Path(__file__).parent


def html(sheet: Sheet) -> str:
    """The whole page."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (FOLDER / "page.css").read_text(encoding="utf-8")
    page = environment.get_template("page.html.jinja")
    return page.render(sheet=sheet, t=lambda name: label(name, sheet.language), signs=SIGNS, style=style)
