"""The page as HTML that needs nothing else: no script, no font, no picture from anywhere."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sidecar.authoring.show.labels import label
from sidecar.authoring.show.maps import DOT
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
    foot = quoted(f"{label('title', sheet.language)} · {sheet.pack} {sheet.version} · {sheet.digest[:16]}")
    said = {"t": lambda name: label(name, sheet.language), "signs": SIGNS, "dot": DOT, "style": style, "foot": foot}
    return page.render(sheet=sheet, **said)


def quoted(text: str) -> str:
    """The text as a string of CSS, safe inside a `style` element: all but letters, digits and spaces as numbers."""
    # CSS Syntax Module Level 3, 4.3.7: an escape is a backslash, the code point in hexadecimal, and a space.
    return '"' + "".join(each if each.isalnum() or each == " " else f"\\{ord(each):x} " for each in text) + '"'
