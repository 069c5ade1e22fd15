"""A Casbin model and its policy, read strictly: what Casbin would drop, or read otherwise, is a fault of its line.

Any request and policy definition is taken, with the effects allow-override and allow-and-deny. The pack's own
model is fixed and read by `casbin_text`; this module reads everybody else's.
"""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from sidecar.errors import Fault

ALLOW_OVERRIDE = "some(where (p.eft == allow))"
ALLOW_AND_DENY = "some(where (p.eft == allow)) && !some(where (p.eft == deny))"
SECTIONS = {
    "request_definition": "r",
    "policy_definition": "p",
    "role_definition": "g",
    "policy_effect": "e",
    "matchers": "m",
}
NEEDED = {letter: section for section, letter in SECTIONS.items() if letter != "g"}
FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
ROLE = re.compile(r"_ *, *_(?P<domain> *, *_)?\Z")
ROLE_KEY = re.compile(r"g[0-9]*\Z")
EFFECTS = ("allow", "deny")
COMMENT = ("#", ";")
# Texts, and the comment that starts outside of them.
TRAILING = re.compile(r"""((?:[^#"']|"[^"]*"|'[^']*')*)#""")


class Definition(Struct, frozen=True):
    """A line of a model: what it defines and where it stands."""

    value: str
    line: int


class Model(Struct, frozen=True):
    """A model: the fields of a request and of a row, the roles with their number of names, the matcher."""

    request: tuple[str, ...]
    policy: tuple[str, ...]
    roles: Mapping[str, int]
    denies: bool  # allow-and-deny; else allow-override
    matcher: Definition


class Link(Struct, frozen=True):
    """A row of a role: `member` has what `role` has, in `domain` (empty where the role has none)."""

    member: str
    role: str
    domain: str
    line: int


class Policy(Struct, frozen=True):
    """The rows of p, the line of each, and the links of every role."""

    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    links: Mapping[str, tuple[Link, ...]]


def read_model(text: str, file: str) -> tuple[Model | None, list[Fault]]:
    """The model, or None, with every fault found in it."""
    found: list[Fault] = []
    definitions: dict[str, dict[str, Definition]] = {letter: {} for letter in SECTIONS.values()}
    section = ""
    for line, content in _joined(text):
        if content.startswith("[") and content.endswith("]"):
            section = content[1:-1]
            if section not in SECTIONS:
                found.append(Fault(file, line, f"unknown section `[{section}]`; the sections are {_list(SECTIONS)}"))
            continue
        fault = _control_fault(content)
        key, equals, value = (part.strip() for part in content.partition("="))
        letter = SECTIONS.get(section, "")
        if not fault and not equals:
            fault = f"`{content[:40]}` defines nothing; write `name = value`"
        elif not fault and letter:
            value, fault = _definition(letter, key, value, definitions[letter])
        if fault:
            found.append(Fault(file, line, fault))
        elif letter:
            definitions[letter][key] = Definition(value, line)
    if not found:
        found += [
            Fault(file, 1, f"`{letter}` is missing; add `{letter} = …` under `[{section}]`")
            for letter, section in NEEDED.items()
            if letter not in definitions[letter]
        ]
    return (None, found) if found else (_model(definitions), found)


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """The lines that say something, a line ended by a backslash joined with the next, with the first's number."""
    kept, start = "", 0
    for line, raw in enumerate(text.split("\n"), 1):
        content = raw.strip(" \t\r")
        if kept and content.startswith("["):
            yield start, kept.strip()
            kept = ""
        if content and not content.startswith(COMMENT):
            start = start if kept else line
            if content.endswith("\\"):
                kept += content[:-1].strip() + " "
                continue
            kept += content
        if kept:
            yield start, kept.strip()
            kept = ""
    if kept:
        yield start, kept.strip()


def _definition(letter: str, key: str, value: str, known: Mapping[str, Definition]) -> tuple[str, str]:
    """The value of a definition, and what is wrong with it, if anything."""
    if key in known:
        return value, f"`{key}` is defined twice, first in line {known[key].line}; Casbin keeps the last: keep one"
    if letter == "g":
        return value, _role_fault(key, value, known)
    if key != letter:
        if re.fullmatch(f"{letter}[0-9]+", key):
            return value, f"`{key}` would never be asked: questions go by r, p, e and m; put it in a model of its own"
        return value, f"`{key}` is not a definition of this section; it holds `{letter}`"
    if letter in ("e", "m"):
        trailing = TRAILING.match(value)
        value = trailing[1].strip() if trailing else value
        return value, _effect_fault(value) if letter == "e" else ("" if value else "an empty matcher; write one")
    return value, _fields_fault(letter, value)


def _role_fault(key: str, value: str, known: Mapping[str, Definition]) -> str:
    expected = f"g{len(known) + 1}" if known else "g"
    if not ROLE_KEY.match(key):
        return f"`{key}` is not a role; roles are g, g2, g3 …"
    if key != expected:
        return f"`{key}` where `{expected}` is next: Casbin stops reading roles at the first number that is missing"
    if "(" in value:
        return "conditional roles need a function of yours at every check; write the condition into the matcher"
    if not ROLE.match(value):
        return f"`{value}` is not a role; write `_, _`, or `_, _, _` for roles within a domain"
    return ""


def _fields_fault(letter: str, value: str) -> str:
    fields = [field.strip() for field in value.split(",")]
    for field in fields:
        if not FIELD.match(field):
            return f"`{field}` is not a field: letters, digits and _; a comment needs a line of its own"
        if fields.count(field) > 1:
            return f"`{field}` stands twice; Casbin keeps the last value alone: name each field once"
    if letter == "p" and "priority" in fields:
        return "rows are sorted by a field `priority`, and the order of rows decides nothing here; name it otherwise"
    return ""


def _effect_fault(value: str) -> str:
    if value in (ALLOW_OVERRIDE, ALLOW_AND_DENY):
        return ""
    spaced = re.sub(r"\s+", "", value)
    for effect in (ALLOW_OVERRIDE, ALLOW_AND_DENY):
        if spaced == effect.replace(" ", ""):
            return f"PyCasbin compares effects letter by letter; write `{effect}`"
    if "priority" in value.lower():
        return f"a priority effect makes the order of rows decide; write `{ALLOW_AND_DENY}`"
    if value.startswith("!"):
        return f"an effect that allows by default permits whoever no row names; write `{ALLOW_AND_DENY}`"
    return f"this effect is not accepted; write `{ALLOW_OVERRIDE}` or `{ALLOW_AND_DENY}`"


def _model(definitions: Mapping[str, Mapping[str, Definition]]) -> Model:
    def fields(letter: str) -> tuple[str, ...]:
        return tuple(field.strip() for field in definitions[letter][letter].value.split(","))

    roles = {key: 2 + value.value.count(",") - 1 for key, value in definitions["g"].items()}
    denies = definitions["e"]["e"].value == ALLOW_AND_DENY
    return Model(fields("r"), fields("p"), roles, denies, definitions["m"]["m"])


def read_policy(text: str, file: str, model: Model) -> tuple[Policy, list[Fault]]:
    """The rows of a policy file, and every fault found in them."""
    rows: list[tuple[str, ...]] = []
    lines: list[int] = []
    links: dict[str, list[Link]] = {role: [] for role in model.roles}
    found: list[Fault] = []
    effect = model.policy.index("eft") if "eft" in model.policy else None
    sizes = {"p": len(model.policy)} | dict(model.roles)
    for line, raw in enumerate(text.split("\n"), 1):
        content = raw.rstrip("\r ")
        if not content or content[0] == "#":
            continue
        fields = content.split(",") if content.isprintable() and not ODD.search(content) else None
        if fields is None:
            fields = split(content)
            fault = _line_fault(content, fields)
            if fault or fields is None:
                found.append(Fault(file, line, fault))
                continue
        kind, *values = [field.strip() for field in fields]
        if len(values) != sizes.get(kind, -1):
            found.append(Fault(file, line, _shape_fault(kind, values, model, sizes)))
        elif kind != "p":
            links[kind].append(Link(values[0], values[1], values[2] if len(values) > 2 else "", line))
        elif effect is not None and (values[effect] not in EFFECTS or (values[effect] == "deny" and not model.denies)):
            found.append(Fault(file, line, _effect_of_row(values[effect])))
        else:
            rows.append(tuple(values))
            lines.append(line)
    return Policy(tuple(rows), tuple(lines), {role: tuple(each) for role, each in links.items()}), found


# What makes a line worth a second look: brackets hide commas, quotes and comments mean nothing to Casbin, and the
# first column is where a row starts.
ODD = re.compile(r"""[()\[\]"'#]|^[ \t]""")
QUOTED = re.compile(r"""("[^"]*"?|'[^']*'?)\Z""")


def _line_fault(content: str, fields: list[str] | None) -> str:
    control = _control_fault(content)
    if control:
        return control
    if content[0] in " \t":
        return "a row starts in the first column: one of PyCasbin's readers drops it otherwise; remove the spaces"
    if re.search(r"\s#", content):
        return "PyCasbin reads a trailing comment as part of the last field; give it a line of its own"
    if fields is None:
        return (
            "( ) and [ ] do not balance, in texts too: PyCasbin would swallow the rest, or raise; write them in pairs"
        )
    quoted = next(filter(QUOTED.match, map(str.strip, fields)), None)
    return f"rows have no quotes: PyCasbin keeps those of `{quoted}` as letters; remove them" if quoted else ""


def _control_fault(content: str) -> str:
    if content.isprintable():
        return ""
    for character in content:
        if not character.isprintable():
            return f"control character {character!r}; use spaces, and end lines with a line feed"
    return ""


def split(content: str) -> list[str] | None:
    """The fields of a row as PyCasbin splits them, at commas outside ( ) and [ ]; None when these do not balance."""
    fields, depth, start = [], 0, 0
    for mark in re.finditer(r"[,()\[\]]", content):
        if mark[0] in "([":
            depth += 1
        elif mark[0] in ")]":
            depth -= 1
            if depth < 0:
                return None
        elif not depth:
            fields.append(content[start : mark.start()])
            start = mark.end()
    fields.append(content[start:])
    return None if depth else fields


def _shape_fault(kind: str, values: list[str], model: Model, sizes: Mapping[str, int]) -> str:
    if kind not in sizes:
        return f"unknown row type `{kind}`, which Casbin would drop; the types are {_list(sizes)}"
    names = ", ".join(model.policy) if kind == "p" else "member, role" + ", domain" * (sizes[kind] == 3)
    return (
        f"`{kind}` has {sizes[kind]} fields ({names}), not {len(values)}; a comma parts fields unless inside ( ) or [ ]"
    )


def _effect_of_row(effect: str) -> str:
    if effect == "deny":
        return f"this model's effect takes no notice of deny; write `e = {ALLOW_AND_DENY}`, or remove the row"
    return f"effect `{effect}` is none: Casbin would drop the row; write allow or deny"


def _list(names: Mapping[str, object]) -> str:
    return ", ".join(names)
