"""Reads model.conf and the rule files strictly: a row means here what it means to PyCasbin, or it is refused.

PyCasbin drops a row whose type it does not know, splits quoted fields, reads `Deny` as no effect at all and a
trailing comment as part of the last field. A prohibition lost so is a permit; so each of these is a fault with
file, line and what to write instead. All faults of a pack are found in one go.
"""

import re
from collections.abc import Mapping

from msgspec import Struct

from sidecar.core.expression import Domains, ExpressionFault, Node, Nouns, faults, parse
from sidecar.errors import Fault

MODEL = {
    "request_definition": {"r": "subject, authentication, device, caller, action, resource, purpose, patient, context"},
    "policy_definition": {
        "p": "rule, profile, category, action, purpose, when, eft, reason, otherwise, source",
        "p2": "rule, profile, category, action, purpose, when, obligation, source",
        "p3": "rule, profile, category, action, when, eft, reason, source",
    },
    "role_definition": {"g": "_, _", "g2": "_, _", "g3": "_, _", "g4": "_, _"},
    "policy_effect": {"e": "some(where (p.eft == allow)) && !some(where (p.eft == deny))"},
    "matchers": {
        "m": "g(r.subject.profile, p.profile) && g2(r.resource.category, p.category) && g3(r.action, p.action)"
        " && g4(r.purpose, p.purpose) && eval(p.when)",
        "m2": "g(r.subject.profile, p2.profile) && g2(r.resource.category, p2.category) && g3(r.action, p2.action)"
        " && g4(r.purpose, p2.purpose) && eval(p2.when)",
        "m3": "g(r.subject.profile, p3.profile) && g2(r.resource.category, p3.category) && g3(r.action, p3.action)"
        " && eval(p3.when)",
    },
}

MODEL_FILE = "model.conf"
ROLES_FILE = "roles.csv"
LINKS = ("g", "g2", "g3", "g4")
FIELDS = {kind: text.split(", ") for kind, text in MODEL["policy_definition"].items()}
FIELDS |= {kind: ["member", "group"] for kind in LINKS}

EXPRESSIONS = {"when", "otherwise", "obligation"}
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")
SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/+;-]*\Z")
SPLITTING = re.compile(r"[,()]")
ODD = re.compile(r"[\[\]{}\\'`]")
NONE = "-"


class At(Struct, frozen=True):
    """Where a row stands."""

    file: str
    line: int

    def fault(self, text: str) -> Fault:
        """A fault of this row."""
        return Fault(self.file, self.line, text)


class Condition(Struct, frozen=True):
    """A `when`: its text and its tree."""

    text: str
    node: Node


class Otherwise(Struct, frozen=True):
    """What a refusal says when a ground's `when` is false; without `when`, always."""

    reason: str
    when: Condition | None


class Rule(Struct, frozen=True):
    """A row of p: a ground or a gate."""

    rule: str
    profile: str
    category: str
    action: str
    purpose: str
    when: Condition
    deny: bool
    reason: str
    otherwise: Otherwise | None
    at: At


class Duty(Struct, frozen=True):
    """A row of p2: what comes with a yes."""

    rule: str
    profile: str
    category: str
    action: str
    purpose: str
    when: Condition
    obligation: str
    at: At


class Cell(Struct, frozen=True):
    """A row of p3: who may see what. `reason` is empty where the row names none."""

    rule: str
    profile: str
    category: str
    action: str
    when: Condition
    deny: bool
    reason: str
    at: At


class Link(Struct, frozen=True):
    """A row of g, g2, g3 or g4: `member` has what `group` has."""

    section: str
    member: str
    group: str
    at: At


class Rows(Struct, frozen=True):
    """Every row of a pack."""

    rules: tuple[Rule, ...]
    duties: tuple[Duty, ...]
    cells: tuple[Cell, ...]
    links: tuple[Link, ...]


def model_faults(text: str, file: str = MODEL_FILE) -> list[Fault]:
    """What is wrong with a model: anything but the shipped one is refused."""
    found: list[Fault] = []
    seen: dict[tuple[str, str], int] = {}
    section = ""
    for line, raw in enumerate(text.split("\n"), 1):
        fault = character_fault(raw)
        if fault:
            found.append(Fault(file, line, fault))
            continue
        content = raw.strip()
        if not content or content.startswith("#"):
            continue
        if content.startswith("[") and content.endswith("]"):
            section = content[1:-1]
            if section not in MODEL:
                found.append(Fault(file, line, f"unknown section `[{section}]`; the sections are {', '.join(MODEL)}"))
            continue
        key, equals, value = (part.strip() for part in content.partition("="))
        fault = _definition_fault(section, key, equals, value)
        if fault:
            found.append(Fault(file, line, fault))
        if (section, key) in seen:
            found.append(Fault(file, line, f"`{key}` is defined twice, first in line {seen[section, key]}; keep one"))
        seen.setdefault((section, key), line)
    for name, keys in MODEL.items():
        for key, value in keys.items():
            if (name, key) not in seen:
                found.append(Fault(file, 1, f"`{key}` is missing; add `{key} = {value}` under `[{name}]`"))
    return found


def _definition_fault(section: str, key: str, equals: str, value: str) -> str:
    wanted = MODEL.get(section, {}).get(key)
    if not equals or (section in MODEL and wanted is None):
        return f"`{key}` is not a definition of `[{section}]`; it holds {', '.join(MODEL.get(section, ())) or 'none'}"
    if wanted is None:
        return ""  # the unknown section is the fault
    if section == "policy_effect":
        if "priority" in value.lower():
            return (
                f"a priority effect makes the order of rows decide, and rows are gathered from files; write `{wanted}`"
            )
        if value.startswith("!"):
            return f"an effect that allows by default permits whoever no rule names; write `{wanted}`"
        # PyCasbin compares the text of an effect character by character.
        return "" if value == wanted else f"this effect is not accepted; write `{wanted}`"
    return "" if _spaced(value) == _spaced(wanted) else f"`{key}` differs from the accepted model; write `{wanted}`"


def _spaced(text: str) -> str:
    """The text with spaces made alike round the marks where they mean nothing."""
    return re.sub(r" *(,|&&|\(|\)) *", r"\1", " ".join(text.split()))


def read_rows(files: Mapping[str, str], nouns: Nouns, domains: Domains) -> tuple[Rows, list[Fault]]:
    """The rows of the CSV files, by file name, and every fault found in them."""
    reader = _Rows(nouns, domains)
    for file in sorted(files):
        for line, raw in enumerate(files[file].split("\n"), 1):
            reader.line(raw, At(file, line))
    return Rows(tuple(reader.rules), tuple(reader.duties), tuple(reader.cells), tuple(reader.links)), reader.faults


def character_fault(raw: str) -> str:
    """What is wrong with the characters of a line: comments may hold any letter, rows ASCII alone."""
    if raw.isascii() and raw.isprintable():
        return ""
    for character in raw:
        if not character.isprintable():
            return f"control character {character!r}; use spaces, and end lines with a line feed alone"
    if not raw.isascii() and not raw.startswith("#"):
        odd = next(character for character in raw if not character.isascii())
        return f"`{odd}` outside a comment; rows are written in ASCII"
    return ""


def split(raw: str) -> list[str] | None:
    """The fields of a row as PyCasbin splits them, at commas outside parentheses; None when they do not balance."""
    if "(" not in raw and ")" not in raw:
        return [field.strip() for field in raw.split(",")]
    fields, depth, start = [], 0, 0
    for mark in SPLITTING.finditer(raw):
        if mark[0] == "(":
            depth += 1
        elif mark[0] == ")":
            depth -= 1
            if depth < 0:
                return None
        elif not depth:
            fields.append(raw[start : mark.start()].strip())
            start = mark.end()
    fields.append(raw[start:].strip())
    return None if depth else fields


class _Rows:
    """Gathers rows and faults, line by line."""

    def __init__(self, nouns: Nouns, domains: Domains) -> None:
        self.nouns, self.domains = nouns, domains
        self.rules: list[Rule] = []
        self.duties: list[Duty] = []
        self.cells: list[Cell] = []
        self.links: list[Link] = []
        self.faults: list[Fault] = []
        self.conditions: dict[str, Condition] = {}
        self.plain: set[tuple[str, str]] = set()  # fields found to be plain names: most are written many times

    def line(self, raw: str, at: At) -> None:
        fault = character_fault(raw) or _line_fault(raw)
        if fault:
            self.faults.append(at.fault(fault))
            return
        if not raw or raw.startswith("#"):
            return
        fields = split(raw)
        if fields is None:
            self.faults.append(at.fault("parentheses do not balance; PyCasbin would swallow the rest of the row"))
            return
        self.row(fields, at)

    def row(self, fields: list[str], at: At) -> None:
        kind, values = fields[0], fields[1:]
        if kind not in FIELDS:
            self.faults.append(at.fault(f"unknown row type `{kind}`; the types are {', '.join(FIELDS)}"))
            return
        if (kind in LINKS) is not (at.file == ROLES_FILE):
            place = f"`{kind}` rows belong in {ROLES_FILE}" if kind in LINKS else "rules belong in rules/*.csv"
            self.faults.append(at.fault(f"{place}; move this row"))
            return
        names = FIELDS[kind]
        if len(values) != len(names):
            self.faults.append(
                at.fault(f"`{kind}` has {len(names)} fields ({', '.join(names)}), not {len(values)}; a `-` says none")
            )
            return
        row = dict(zip(names, values, strict=True))
        if self.named(row, at):
            getattr(self, f"add_{kind if kind not in LINKS else 'link'}")(kind, row, at)

    def named(self, row: dict[str, str], at: At) -> bool:
        """Whether the fields that are plain names are; the faults of those that are not."""
        good = True
        for field, value in row.items():
            if field in EXPRESSIONS or (field, value) in self.plain or (field == "reason" and value == NONE):
                continue
            pattern, kind = (
                (SOURCE, "letters, digits and ._:/+;-") if field == "source" else (NAME, "letters, digits, _ and -")
            )
            if pattern.match(value):
                self.plain.add((field, value))
                continue
            self.faults.append(at.fault(f"`{value}` is not a {field}; write {kind}, without quotes"))
            good = False
        return good

    def effect(self, row: dict[str, str], at: At) -> bool | None:
        """Whether the row denies; None, and a fault, when it does neither."""
        if row["eft"] in ("allow", "deny"):
            return row["eft"] == "deny"
        self.faults.append(at.fault(f"effect `{row['eft']}` is none: PyCasbin would drop the row; write allow or deny"))
        return None

    def condition(self, text: str, at: At) -> Condition | None:
        """The expression; None, and its faults, when it cannot be used."""
        if text in self.conditions:
            return self.conditions[text]
        try:
            node = parse(text)
        except ExpressionFault as fault:
            self.faults.append(at.fault(str(fault)))
            return None
        found = faults(node, self.nouns, self.domains)
        if found:
            self.faults.extend(at.fault(fault) for fault in found)
            return None
        self.conditions[text] = Condition(text, node)
        return self.conditions[text]

    def otherwise(self, text: str, at: At) -> Otherwise | None:
        reason, separator, expression = text.partition(" when ")
        if not NAME.match(reason.strip()):
            self.faults.append(at.fault(f"`{text}` is no otherwise; write -, a reason, or REASON when <expression>"))
            return None
        return Otherwise(reason.strip(), self.condition(expression.strip(), at) if separator else None)

    def add_p(self, kind: str, row: dict[str, str], at: At) -> None:
        when, deny = self.condition(row["when"], at), self.effect(row, at)
        otherwise = None if row["otherwise"] == NONE else self.otherwise(row["otherwise"], at)
        if row["reason"] == NONE:
            self.faults.append(at.fault("a row of p names its reason; write the reason code"))
            return
        if when is None or deny is None:
            return
        if deny and row["otherwise"] != NONE:
            self.faults.append(at.fault("a row that denies has no otherwise; write -"))
        place = (row["rule"], row["profile"], row["category"], row["action"], row["purpose"])
        self.rules.append(Rule(*place, when, deny, row["reason"], otherwise, at))

    def add_p2(self, kind: str, row: dict[str, str], at: At) -> None:
        when = self.condition(row["when"], at)
        if when is not None:
            place = (row["rule"], row["profile"], row["category"], row["action"], row["purpose"])
            self.duties.append(Duty(*place, when, row["obligation"], at))

    def add_p3(self, kind: str, row: dict[str, str], at: At) -> None:
        when, deny = self.condition(row["when"], at), self.effect(row, at)
        if when is None or deny is None:
            return
        if not deny and row["reason"] != NONE:
            self.faults.append(at.fault("a cell that allows has no reason, its ground has; write -"))
        reason = "" if row["reason"] == NONE else row["reason"]
        self.cells.append(Cell(row["rule"], row["profile"], row["category"], row["action"], when, deny, reason, at))

    def add_link(self, kind: str, row: dict[str, str], at: At) -> None:
        self.links.append(Link(kind, row["member"], row["group"], at))


def _line_fault(raw: str) -> str:
    """What PyCasbin would read otherwise in this line."""
    if not raw or raw.startswith("#"):
        return ""
    if not raw.strip():
        return "a line of spaces raises in PyCasbin; leave it empty"
    if raw.lstrip().startswith("#"):
        return "a comment starts in the first column; remove the spaces before `#`"
    if "#" in raw:
        return (
            "`#` inside a row: PyCasbin reads a trailing comment as part of the last field; give it a line of its own"
        )
    odd = ODD.search(raw)
    return f"`{odd[0]}` means something else to PyCasbin, or nothing; remove it" if odd else ""
