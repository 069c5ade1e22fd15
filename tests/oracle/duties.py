"""Obligations and advice: what a text of a pack says here, and how two of one name become one (3.0.5)."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.oracle.days import written
from tests.oracle.words import Words

Said = tuple[str, tuple[tuple[str, str], ...]]  # an obligation or advice: its id, its parameters
Rules = Mapping[str, Mapping[str, Any]]  # the table [obligations] of a pack
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def obligation(rules: Rules, text: str, reading: Words | None = None, until: int | None = None) -> Said:
    """What `NAME(a, b)` says here; some arguments stand for values of the situation."""
    name, _, inside = text.rstrip(")").partition("(")
    rule = rules[name]
    given = [part.strip() for part in inside.split(",")] if inside else []
    wanted = list(rule.get("params", ()))
    if rule.get("merge") == "union" and wanted and len(given) > len(wanted):
        given[len(wanted) - 1 :] = [",".join(given[len(wanted) - 1 :])]
    params = dict(zip(wanted, given, strict=False))
    if "until" in wanted:
        params.setdefault("until", "until")
    untold = reading.untold_openings() if reading is not None else []
    values: dict[str, Callable[[], str]] = {
        "delegator": lambda: reading.acts_for()[0] if reading is not None else "",
        "senior": lambda: reading.me.supervised_by if reading is not None else "",
        "until": lambda: end_of(reading, until),
        "untold": lambda: str(len(untold)) if untold else "",
        "untold_since": lambda: written(min(untold)) if untold else "",
    }
    filled = {key: values[said]() if said in values else said for key, said in params.items()}
    return name, tuple(sorted((key, said) for key, said in filled.items() if said))


def end_of(reading: Words | None, until: int | None) -> str:
    """When the grant ends: one opened now, or the open one."""
    grant = reading.open_grant() if reading is not None else None
    end = until if until is not None else grant.until if grant is not None else None
    return "" if end is None else written(end)


def merged(rules: Rules, said: Sequence[Said]) -> tuple[tuple[Said, ...], tuple[Said, ...]]:
    """Obligations and advice, one of each id with the strictest parameters, in alphabetical order."""
    found: list[Said] = []
    for name in sorted({name for name, _ in said}):
        rule = rules[name]
        every = sorted({params for other, params in said if other == name})
        if rule.get("merge", "same") == "same":
            found += [(name, params) for params in every]
            continue
        keys = sorted({key for params in every for key, _ in params})
        values = {key: sorted({text for params in every for k, text in params if k == key}) for key in keys}
        found.append((name, tuple((key, strictest(texts, rule["merge"])) for key, texts in values.items())))
    advice = [each for each in found if rules[each[0]].get("advice", False)]
    return tuple(each for each in found if each not in advice), tuple(advice)


def strictest(texts: list[str], merge: str) -> str:
    """Of several values of one parameter: the shortest time, or the union of the lists."""
    lengths = [seconds(text) for text in texts]
    if len(texts) == 1:
        return texts[0]
    if merge == "shortest" and None not in lengths:
        return min(texts, key=lambda text: (seconds(text) or 0, text))
    return ",".join(sorted({item for text in texts for item in text.split(",")}))


def seconds(text: str) -> int | None:
    """The length of `90`, `72h`, `30d` in seconds; None when it is no length."""
    found = re.fullmatch(r"([0-9]+)([smhd]?)", text)
    return int(found[1]) * UNITS[found[2]] if found else None
