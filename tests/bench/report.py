"""Rows of figures: printed, written as JSON and drawn as an SVG."""

import json
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

Row = dict[str, object]
BAR, LEFT, WIDTH = 22, 330, 900


def row(
    work: str, rps: float, at: Sequence[float] | None, cpu_us: float, ratio_limit: float | None = None, rss: int = 0
) -> Row:
    """One row; what does not apply is left out. `at` holds p50, p99 and p99.9 in microseconds."""
    found: Row = {"work": work, "rps": round(rps), "cpu_us": round(cpu_us, 1)}
    if at is not None:
        found |= {"p50_us": round(at[0]), "p99_us": round(at[1]), "p999_us": round(at[2])}
    if ratio_limit is not None:
        found["ratio_limit"] = round(ratio_limit, 3)
    if rss:
        found["rss_mb"] = round(rss / 1e6)
    return found


def show(name: str, rows: Sequence[Row], folder: Path, drawn: Callable[[Sequence[Row]], str] | None = None) -> None:
    """Print the rows, and write NAME.json, NAME.md and NAME.svg, which `drawn` draws where bars of `rps` won't do."""
    columns = list(dict.fromkeys(key for each in rows for key in each))
    widths = [max(len(key), *(len(str(each.get(key, ""))) for each in rows)) for key in columns]
    print("  ".join(key.ljust(width) for key, width in zip(columns, widths, strict=True)))
    for each in rows:
        print("  ".join(str(each.get(key, "")).ljust(width) for key, width in zip(columns, widths, strict=True)))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps({"rows": rows}, indent=2) + "\n")
    (folder / f"{name}.md").write_text(_table(columns, rows))
    bars = [each for each in rows if "rps" in each]
    (folder / f"{name}.svg").write_text(_drawn(bars) if drawn is None else drawn(rows))
    print(f"\nwritten: {folder / name}.json, {folder / name}.md, {folder / name}.svg")


def _table(columns: Sequence[str], rows: Sequence[Row]) -> str:
    """The rows as a page of documentation has them."""
    lines = [columns, ["---"] * len(columns), *([_figure(each.get(key, "")) for key in columns] for each in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _figure(value: object) -> str:
    return f"{value:,}".replace(",", " ") if isinstance(value, int | float) else str(value)


def _drawn(rows: Sequence[Row]) -> str:
    most = max((float(str(each["rps"])) for each in rows), default=1.0)
    lines = []
    for n, each in enumerate(rows):
        rate, top = float(str(each["rps"])), n * (BAR + 6) + 8
        wide = rate / most * (WIDTH - LEFT - 90)
        lines.append(f'<text x="{LEFT - 8}" y="{top + 15}" text-anchor="end">{escape(str(each["work"]))}</text>')
        lines.append(f'<rect x="{LEFT}" y="{top}" width="{wide:.0f}" height="{BAR}" fill="#31688e"/>')
        lines.append(f'<text x="{LEFT + wide + 6:.0f}" y="{top + 15}">{rate:,.0f}/s</text>')
    high = len(rows) * (BAR + 6) + 16
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{high}" font-family="sans-serif" '
        f'font-size="13">\n{chr(10).join(lines)}\n</svg>\n'
    )
