"""The engines' median decision against the number of rules, both logarithmic, as an SVG."""

import math
from collections.abc import Sequence
from html import escape

from tests.bench.report import Row

WIDTH, HIGH, LEFT, BELOW, RIGHT = 920, 500, 100, 50, 240
COLOURS = {"sidecar": "#31688e", "Cedar": "#35b779", "PyCasbin": "#b5651d"}
DASHES = {"hospital model": "", "plain RBAC": "6 4"}
FROM, TO = (1.0, 0.0), (5.0, 6.0)  # log10 of rules and of microseconds


def drawn(rows: Sequence[Row]) -> str:
    """One line for each engine and model."""
    lines: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for each in rows:
        if each["work"] in DASHES and "p50_us" in each:
            line = lines.setdefault((str(each["work"]), str(each["engine"])), [])
            line.append((int(str(each["rules"])), float(str(each["p50_us"]))))
    parts = [_grid()]
    for (work, engine), points in lines.items():
        colour = COLOURS[engine]
        where = [_at(rules, taken) for rules, taken in points]
        path = " ".join(f"{x:.0f},{y:.0f}" for x, y in where)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"'
            f' stroke-dasharray="{DASHES[work]}"/>'
        )
        parts += [f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3" fill="{colour}"/>' for x, y in where]
        x, y = where[-1]
        name = escape(f"{engine}, {work}")
        parts.append(f'<text x="{x + 8:.0f}" y="{y + 4:.0f}" fill="{colour}">{name}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HIGH}" font-family="sans-serif"'
        f' font-size="13">\n{chr(10).join(parts)}\n</svg>\n'
    )


def _at(rules: float, taken: float) -> tuple[float, float]:
    across = (math.log10(rules) - FROM[0]) / (TO[0] - FROM[0])
    up = (math.log10(max(taken, 1.0)) - FROM[1]) / (TO[1] - FROM[1])
    return LEFT + across * (WIDTH - LEFT - RIGHT), HIGH - BELOW - up * (HIGH - BELOW - 20)


def _grid() -> str:
    parts = []
    for power in range(7):
        _, y = _at(10, 10**power)
        parts.append(f'<line x1="{LEFT}" y1="{y:.0f}" x2="{WIDTH - RIGHT}" y2="{y:.0f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{10**power:,} µs</text>')
    for power in range(1, 6):
        x, y = _at(10**power, 1)
        parts.append(f'<text x="{x:.0f}" y="{y + 20:.0f}" text-anchor="middle">{10**power:,}</text>')
    x, _ = _at(1_000, 1)
    parts.append(f'<text x="{x:.0f}" y="{HIGH - 8}" text-anchor="middle">rules</text>')
    return "\n".join(parts)
