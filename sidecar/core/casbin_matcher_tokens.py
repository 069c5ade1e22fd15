"""The tokens of a Casbin expression: what each is, what a text in quotes means, and what may touch what."""

import re

TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<number>[0-9]+(?:\.[0-9]+)?(?![A-Za-z0-9_.]))
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
    | (?P<mark>&&|\|\||==|!=|<=|>=|[!<>()\[\],+\-*/%])
    )""",
    re.VERBOSE,
)
ESCAPE = re.compile(r"\\(.)")
LETTER = re.compile(r"[A-Za-z0-9_]")
QUOTE = re.compile("[\"']")
LITERAL = re.compile(r"""("[^"\\]*"|'[^'\\]*')|(?<![A-Za-z0-9_.])((?:0|[1-9][0-9]*)(?:\.[0-9]+)?)(?![A-Za-z0-9_.])""")
MORE = re.compile(r"\bin\b|[A-Za-z0-9_]\s*\(|\\")  # what else may be done with a literal

LONGEST = 10_000  # characters of one expression


class MatcherFault(ValueError):
    """An expression that cannot be taken; the message says why and what to write instead."""


Literals = tuple[str | float, ...]


def shape(text: str) -> tuple[str, Literals]:
    """The expression with its texts and numbers blanked, and these, in their order: many rules differ in them alone.

    An expression that does more with them than compare is its own shape, without literals: functions make patterns
    of texts, and `in` has a rule about them.
    """
    literals: list[str | float] = []

    def kept(found: re.Match[str]) -> str:
        text, number = found[1], found[2]
        literals.append(text[1:-1] if text else float(number) if "." in number else int(number))
        return '""' if text else "0"

    shaped = LITERAL.sub(kept, text)
    if len(text) > LONGEST or MORE.search(shaped) or QUOTE.search(shaped.replace('""', "")):
        return text, ()
    return shaped, tuple(literals)


def meant(token: str) -> str:
    """What a text in quotes says: a backslash stands before a quote or a backslash, and nowhere else."""
    for escape in ESCAPE.finditer(token):
        if escape[1] not in "\"'\\":
            raise MatcherFault(f"`{escape[0]}` in a text; a backslash is written `\\\\`")
    return ESCAPE.sub(r"\1", token[1:-1])


def check_spaced(text: str, token: str, start: int, end: int) -> None:
    """Refuse a mark or a text that touches letters: PyCasbin's rewriting would join them."""
    before, after = LETTER.match(text[start - 1 : start]), LETTER.match(text[end : end + 1])
    if token in ("&&", "||") and (before or after):
        raise MatcherFault(
            f"`{token}` without a space on each side: PyCasbin reads `a{token}b` as one name; put spaces round it"
        )
    if before:
        raise MatcherFault(f"letters touch the text `{short(token)}`; put a space or a mark between")


def short(text: str) -> str:
    """The text, or as much of it as a message holds."""
    return text if len(text) <= 40 else f"{text[:40]}…"
