"""Obligations and advice: their text in a pack, their value in an answer, and how two of the same id become one."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from sidecar.core.model import Advice, Obligation
from sidecar.core.pack import ObligationRule

TEXT = re.compile(r"([A-Z][A-Z0-9_]*)(?:\(([A-Za-z0-9_.:, -]+)\))?\Z")
DURATION = re.compile(r"([0-9]{1,9})([smhd]?)\Z")
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}

# Arguments that stand for a value of the situation: who delegated, who supervises, when the grant ends; how many
# emergencies the patient was not told of, and since when.
FILLED = frozenset({"delegator", "senior", "until", "untold", "untold_since"})
# The banner says when the grant ends although its rows do not name an argument (3.0.5).
FILLED_UNSAID = "until"


class Template(Struct, frozen=True):
    """An obligation as a pack writes it. `fixed` is its value when nothing of the situation goes into it."""

    id: str
    params: tuple[tuple[str, str], ...]
    filled: tuple[tuple[str, str], ...]  # (parameter, name of the situation's value)
    advice: bool
    fixed: Obligation | None


def template(text: str, rules: Mapping[str, ObligationRule]) -> Template:
    """What `NAME` or `NAME(a,b)` says. Raises ValueError with what is wrong."""
    found = TEXT.match(text)
    if found is None:
        raise ValueError(f"`{text}` is not an obligation; write NAME or NAME(a,b), without quotes")
    name, arguments = found[1], [part.strip() for part in found[2].split(",")] if found[2] else []
    rule = rules.get(name)
    if rule is None:
        raise ValueError(f"unknown obligation `{name}`; pack.toml lists {', '.join(sorted(rules))}")
    if "" in arguments:
        raise ValueError(f"`{text}` has an empty argument; remove a comma")
    if rule.merge == "union" and len(arguments) > len(rule.params) > 0:
        last = len(rule.params) - 1
        arguments = [*arguments[:last], ",".join(arguments[last:])]
    if len(arguments) > len(rule.params):
        raise ValueError(f"`{name}` takes ({', '.join(rule.params)}), not {len(arguments)} arguments")
    given = dict(zip(rule.params, arguments, strict=False))
    if FILLED_UNSAID in rule.params:
        given.setdefault(FILLED_UNSAID, FILLED_UNSAID)
    params = tuple((key, value) for key, value in given.items() if value not in FILLED)
    filled = tuple((key, value) for key, value in given.items() if value in FILLED)
    return Template(name, params, filled, rule.advice, None if filled else Obligation(name, dict(params)))


def value(made: Template, situation: Callable[[str], str]) -> Obligation:
    """A template that is not fixed, in this situation; a parameter the situation has no value for is left out."""
    params = dict(made.params)
    params.update((key, text) for key, name in made.filled if (text := situation(name)))
    return Obligation(made.id, params)


def merged(found: Sequence[Obligation], rules: Mapping[str, ObligationRule]) -> tuple[Obligation, ...]:
    """One obligation per id, the strictest parameters winning (3.0.5), sorted by id.

    Two that cannot be merged (`same`, with different parameters) both stay: each must be done.
    """
    if len(found) < 2:
        return tuple(found)
    by_id: dict[str, list[Obligation]] = {}
    for obligation in found:
        same = by_id.setdefault(obligation.id, [])
        if obligation in same:
            continue
        if same and rules[obligation.id].merge != "same":
            same[0] = Obligation(obligation.id, _strictest(same[0].params, obligation.params, rules[obligation.id]))
        else:
            same.append(obligation)
    return tuple(obligation for name in sorted(by_id) for obligation in sorted(by_id[name], key=_by_params))


def advised(found: Iterable[Obligation]) -> tuple[Advice, ...]:
    """The same as advice."""
    return tuple(Advice(obligation.id, obligation.params) for obligation in found)


def seconds(text: str) -> int | None:
    """The length of a duration such as `90`, `72h` or `30d`, in seconds; None when it is none."""
    found = DURATION.match(text)
    return int(found[1]) * UNITS[found[2]] if found else None


def _by_params(obligation: Obligation) -> list[tuple[str, str]]:
    return sorted(obligation.params.items())


def _strictest(one: Mapping[str, str], other: Mapping[str, str], rule: ObligationRule) -> dict[str, str]:
    """The parameters that satisfy both: a duration the shorter, a list the union; one alone as it is."""
    params = {}
    for name in rule.params:
        both = [given[name] for given in (one, other) if name in given]
        if both:
            params[name] = both[0] if len(both) == 1 or both[0] == both[1] else _stricter(both, rule)
    return params


def _stricter(both: list[str], rule: ObligationRule) -> str:
    lengths = [seconds(text) for text in both]
    if rule.merge == "shortest" and None not in lengths:
        return min(both, key=lambda text: (seconds(text) or 0, text))
    return ",".join(sorted({item for text in both for item in text.split(",")}))
