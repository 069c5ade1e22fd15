"""A pack's rows as they are written: an own splitter, an own reader of conditions, an own closure of groups."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

COLUMNS = {
    "p": ("rule", "profile", "category", "action", "purpose", "when", "eft", "reason", "otherwise", "source"),
    "p2": ("rule", "profile", "category", "action", "purpose", "when", "obligation", "source"),
    "p3": ("rule", "profile", "category", "action", "when", "eft", "reason", "source"),
    "g": ("member", "group"),
    "g2": ("member", "group"),
    "g3": ("member", "group"),
    "g4": ("member", "group"),
}
TOKEN = re.compile(r'&&|\|\||[!(),]|"[^"]*"|[A-Za-z0-9_.]+')
ARGUMENTS_IN_PLACE = ("r.resource", "r.purpose")  # said by the request, so a word needs no telling

# ("word", "noun.word", arguments) · ("not", condition) · ("all" | "any", conditions) · ("is", bool)
Condition = tuple  # type: ignore[type-arg]
Names = tuple[str, str, str, str]  # profile, category, action, purpose
Ask = Callable[[str, tuple[str | int, ...]], bool | None]


@dataclass(frozen=True)
class Row:
    """One line of a rule file: its kind, its columns by name, and its condition."""

    kind: str
    said: Mapping[str, str]
    when: Condition
    text: str

    @property
    def rule(self) -> str:
        """The rule's id."""
        return self.said["rule"]

    @property
    def denies(self) -> bool:
        """Whether the row forbids."""
        return self.said.get("eft") == "deny"

    @property
    def otherwise(self) -> tuple[str, Condition]:
        """What a refusal says when this ground does not hold, and on which condition; empty when it says nothing."""
        text = self.said.get("otherwise", "-")
        if text == "-":
            return "", ("is", False)
        reason, _, condition = text.partition(" when ")
        return reason, read_condition(condition) if condition else ("is", True)


def read_rows(files: Mapping[str, str]) -> list[Row]:
    """Every rule of a pack, in the order of files and lines."""
    return [
        Row(kind, said, read_condition(said["when"]), text)
        for kind, said, text in _lines(files)
        if not kind.startswith("g")
    ]


def read_links(files: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Every link of roles.csv: section, member, group."""
    return [(kind, said["member"], said["group"]) for kind, said, _ in _lines(files) if kind.startswith("g")]


def groups_of(links: Iterable[tuple[str, str, str]], section: str, name: str) -> frozenset[str]:
    """A name and every group it is in, through any number of links."""
    listed, reached, ahead = list(links), {name}, [name]
    while ahead:
        at = ahead.pop()
        above = {group for kind, member, group in listed if (kind, member) == (section, at)} - reached
        reached |= above
        ahead += above
    return frozenset(reached)


def _lines(files: Mapping[str, str]) -> Iterable[tuple[str, dict[str, str], str]]:
    for name in sorted(files):
        if name != "roles.csv" and not name.startswith("rules/"):
            continue
        for line in files[name].split("\n"):
            if line and not line.startswith("#"):
                kind, *fields = split(line)
                yield kind, dict(zip(COLUMNS[kind], fields, strict=True)), line


def split(line: str) -> list[str]:
    """The fields of a row: a comma inside parentheses parts nothing."""
    fields, depth = [""], 0
    for letter in line:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            fields.append("")
        else:
            fields[-1] += letter
    return [field.strip() for field in fields]


def read_condition(text: str) -> Condition:
    """The condition that a text says: `!` binds closest, then `&&`, then `||`."""
    tokens = TOKEN.findall(text)

    def some(joint: str, kind: str, part: Callable[[], Condition]) -> Condition:
        parts = [part()]
        while tokens and tokens[0] == joint:
            tokens.pop(0)
            parts.append(part())
        return parts[0] if len(parts) == 1 else (kind, parts)

    def either() -> Condition:
        return some("||", "any", both)

    def both() -> Condition:
        return some("&&", "all", single)

    def single() -> Condition:
        token = tokens.pop(0)
        if token == "!":
            return ("not", single())
        if token == "(":
            inner = either()
            tokens.pop(0)
            return inner
        if token in ("True", "False"):
            return ("is", token == "True")
        return ("word", token.removeprefix("r."), arguments() if tokens[:1] == ["("] else ())

    def arguments() -> tuple[str | int, ...]:
        end = tokens.index(")")
        given = [token for token in tokens[1:end] if token != ","]
        del tokens[: end + 1]
        return tuple(
            int(token) if token.isdigit() else token.strip('"') for token in given if token not in ARGUMENTS_IN_PLACE
        )

    return either()


def value(condition: Condition, ask: Ask) -> bool | None:
    """What a condition says, read from the left, by Kleene's logic: unknown and false is false, unknown or true is
    true, otherwise unknown stays unknown."""
    match condition:
        case ("word", name, arguments):
            return ask(name, arguments)
        case ("not", inner):
            said = value(inner, ask)
            return None if said is None else not said
        case ("is", said):
            return bool(said)
    kind, parts = condition
    settles, answer = kind == "any", kind != "any"
    doubt = False
    for part in parts:
        said = value(part, ask)
        if said is settles:
            return settles
        doubt = doubt or said is None
    return None if doubt else answer


def words_in(condition: Condition) -> set[tuple[str, tuple[str | int, ...]]]:
    """Every word of a condition, with its arguments."""
    match condition:
        case ("word", name, arguments):
            return {(name, arguments)}
        case ("is", _):
            return set()
        case ("not", inner):
            return words_in(inner)
    return set().union(*(words_in(part) for part in condition[1]))


def by_number(rule: str) -> list[tuple[int, str]]:
    """The key by which rules are read: G-SUB-2 before G-SUB-10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"[0-9]+|[^0-9]+", rule)]
