"""Paths with `*`, `**`, `?` and `[…]`, written as a regular expression without look-around.

The meaning is PyCasbin's (wcmatch with `**`): slashes count as one, one at the end is not missed, a wildcard never
stands for a segment's first dot, and `/dir/**` holds `/dir` itself. Go's globMatch reads the end of a path otherwise.
"""

import re
from collections.abc import Iterator

# One segment, its first letter not a dot.
SEGMENT = "[^/.][^/]*"
DEEP = "**"
NOTHING = r"[^\s\S]"
TAKEN = re.compile(r"\*+|\?|\[(?P<negated>[!^]?)(?P<letters>\]?[^\]]*)\]|[^\[*?]")
REFUSED = {
    "\\": "a backslash; write the letter itself in `[…]`",
    "{": "braces; write a row for each alternative",
    "}": "braces; write a row for each alternative",
    ",": "a comma; write a row for each alternative",
}


def glob_pattern(pattern: str) -> str:
    """The regular expression of a glob pattern, whole text. Raises ValueError for what is not taken."""
    for letter, said in REFUSED.items():
        if letter in pattern:
            raise ValueError(f"`{pattern}` holds {said}")
    if not pattern:
        raise ValueError("an empty pattern matches nothing; write one")
    if "//" in pattern or f"{DEEP}/{DEEP}" in pattern:
        raise ValueError(f"`{pattern}` says `//` or `**/**`; once is enough")
    while pattern.startswith("*/"):
        pattern = pattern[1:]
    return f"^(?:{_path(pattern)})$"


def _path(pattern: str) -> str:
    parts = pattern.split("/")
    lead = "/+" if parts[0] == "" else ""
    parts = parts[1:] if lead else parts
    shut = bool(parts) and parts[-1] == ""  # ends with a slash
    parts = parts[:-1] if shut else parts
    if not parts:
        return lead
    if shut and parts[-1] == DEEP:
        raise ValueError(f"`{pattern}` ends with `**/`; write `**`")
    if parts == [DEEP]:
        return f"{lead or '/*'}(?:{SEGMENT}/+)*(?:{SEGMENT})?"
    *before, last = parts
    written = lead
    for place, part in enumerate(before):
        if part == DEEP:
            written += f"{'/*' if place == 0 and not lead else ''}(?:{SEGMENT}/+)*"
        elif last == DEEP and place == len(before) - 1:
            written += _segment(part, pattern)  # `dir/**` holds `dir`
        else:
            written += _segment(part, pattern) + "/+"
    if last == DEEP:
        return f"{written}(?:/+{SEGMENT})*/*"
    return written + _segment(last, pattern) + ("/+" if shut else "/*")


def _segment(part: str, pattern: str) -> str:
    """One segment: a wildcard at its start stands for no dot."""
    tokens = list(_tokens(part, pattern))
    if tokens[0] != "*":
        return _first(tokens[0]) + "".join(_later(token) for token in tokens[1:])
    later = "".join(_later(token) for token in tokens[1:])
    taken = f"{SEGMENT}{later}"
    if len(tokens) == 1 or tokens[1] == ".":
        return taken
    return f"(?:{taken}|{_first(tokens[1])}{''.join(_later(token) for token in tokens[2:])})"


def _tokens(part: str, pattern: str) -> Iterator[str]:
    at = 0
    while at < len(part):
        found = TAKEN.match(part, at)
        if found is None or (found[0][0] == "[" and not found["letters"]):
            raise ValueError(f"`{pattern}`: `[` that is not closed within its segment, or is empty; close it")
        yield "*" if found[0][0] == "*" else found[0]
        at = found.end()


def _first(token: str) -> str:
    if token == "?":  # noqa: S105 - a mark
        return "[^/.]"
    return _letters(token, first=True) if token[0] == "[" else re.escape(token)


def _later(token: str) -> str:
    if token == "*":  # noqa: S105 - a mark
        return "[^/]*"
    if token == "?":  # noqa: S105 - a mark
        return "[^/]"
    return _letters(token, first=False) if token[0] == "[" else re.escape(token)


def _letters(token: str, first: bool) -> str:
    """A set of letters, without the slash, and without the dot at the start of a segment."""
    negated, inside = token[1] in "!^", token[1:-1].lstrip("!^") if token[1] in "!^" else token[1:-1]
    if "[" in inside or re.search(r"[^-]-[^-]-", inside):
        raise ValueError(f"`{token}`: names and doubled ranges are not taken; write the letters out")
    ranges = list(_ranges(inside, token))
    if negated:
        kept = "".join(f"{re.escape(low)}-{re.escape(high)}" for low, high in ranges)
        return f"[^/{'.' if first else ''}{kept}]"
    # A dot that may not stand first is taken out of the ranges, as the slash is.
    without = "./" if first else "/"
    kept = "".join(f"{re.escape(low)}-{re.escape(high)}" for low, high in _parted(ranges, without))
    return f"[{kept}]" if kept else NOTHING


def _ranges(inside: str, token: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(inside):
        if at + 2 < len(inside) and inside[at + 1] == "-":
            if inside[at] > inside[at + 2]:
                raise ValueError(f"`{token}`: a range that runs backwards; turn it round")
            yield inside[at], inside[at + 2]
            at += 3
        else:
            yield inside[at], inside[at]
            at += 1


def _parted(ranges: list[tuple[str, str]], without: str) -> Iterator[tuple[str, str]]:
    """The ranges, with these letters cut out of them."""
    for low, high in ranges:
        start = ord(low)
        for gap in sorted(ord(letter) for letter in without if low <= letter <= high):
            if start < gap:
                yield chr(start), chr(gap - 1)
            start = gap + 1
        if start <= ord(high):
            yield chr(start), high
