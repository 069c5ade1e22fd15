r"""The built-in functions of a matcher: each makes, from a pattern, the question that is asked of a value.

What they answer is what PyCasbin's answer, but for this: patterns are matched in time linear in the text (RE2), a
value with a control character is a fault, `\w`, `\d`, `\s` and `\b` know ASCII, and an address range that cannot be
read is refused when the policy is loaded. A pattern that could backtrack is refused likewise.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping

import re2

from sidecar.core.casbin_functions_glob import glob_pattern

Asked = Callable[..., object]

# What RE2 and Python read differently, though both take it.
UNLIKE = (
    (re.compile(r"\{,"), "`{,n}` is read differently by Go and Python; write `{0,n}`"),
    (re.compile(r"\[\^?\[[:.=]"), "`[[:name:]]` is read differently by Go and Python; write the letters out"),
)
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Patterns that Python reads as RE2 does, told without asking it: letters, groups, `.*` and one segment.
PLAIN = re.compile(r"(?:[A-Za-z0-9_/^$|(): -]|\.\*?|\[\^/\]\+)*\Z")

VARIABLE = re.compile(r":[^/]+")
BRACED = re.compile(r"\{[^/]+?\}")
BRACED_WIDE = re.compile(r"\{([^/]+)\}")

OPTIONS = re2.Options()
OPTIONS.log_errors = False  # a pattern that cannot be read is a fault of its line, not a line of RE2's log


class PatternFault(ValueError):
    """A pattern that is not taken; the message says why and what to write instead."""


def compiled(pattern: str, ours: bool = False) -> "re2._Regexp":
    """The pattern, as RE2 matches it. Raises PatternFault where it might backtrack, or Python's `re` reads another.

    `ours` says that this product wrote the pattern, so that Python need not be asked.
    """
    try:
        made = re2.compile(pattern, OPTIONS)
    except re2.error as error:
        said = error.args[0]
        why = said.decode() if isinstance(said, bytes) else str(said)
        raise PatternFault(
            f"`{pattern}` is not matched in linear time ({why}); write it without look-around, references and"
            " possessive marks"
        ) from None
    if not ours and not PLAIN.match(pattern):
        for unlike, text in UNLIKE:
            if unlike.search(pattern):
                raise PatternFault(f"`{pattern}`: {text}")
        try:
            re.compile(pattern)
        except re.error as error:
            raise PatternFault(f"PyCasbin cannot read `{pattern}` ({error}); correct it") from None
    return made


def value(asked: object) -> str:
    """The text a function is asked about. Raises TypeError, and ValueError for a control character."""
    if not isinstance(asked, str):
        raise TypeError(f"a text is matched, not {type(asked).__name__}")
    if CONTROL.search(asked):
        raise ValueError("a control character in a value that is matched")
    return asked


def regex_match(pattern: str) -> Asked:
    """Whether the value begins with what the pattern describes: PyCasbin starts there, and ends where `$` says."""
    found = compiled(pattern)
    return lambda asked: found.match(value(asked).encode()) is not None


def key_match(pattern: str) -> Asked:
    """Whether the value is the pattern, or begins with what stands before its first `*`."""
    head, star, _ = pattern.partition("*")
    if not star:
        return lambda asked: value(asked) == pattern
    return lambda asked: value(asked).startswith(head)


def key_match2(pattern: str) -> Asked:
    """As a path: `:name` is one segment, `/*` the rest."""
    path = VARIABLE.sub("[^/]+", pattern.replace("/*", "/.*"))
    return regex_match("^" + ("(.*)" if path == "*" else path) + "$")


def key_match3(pattern: str) -> Asked:
    """As a path: `{name}` is one segment or part of it, `/*` the rest."""
    return regex_match("^" + BRACED.sub("[^/]+", pattern.replace("/*", "/.*")) + "$")


def key_match4(pattern: str) -> Asked:
    """As keyMatch3, and `{name}` written twice is the same twice."""
    path = pattern.replace("/*", "/.*")
    names = BRACED_WIDE.findall(path)
    found = compiled("^" + BRACED_WIDE.sub("([^/]+)", path) + "$")
    if found.groups != len(names):
        raise PatternFault(f"`{pattern}`: keyMatch4 counts brackets; write `{{name}}` alone, without ( )")

    def asked_of(asked: object) -> bool:
        matched = found.match(value(asked).encode())
        if matched is None:
            return False
        first: dict[str, bytes] = {}
        return all(first.setdefault(name, part) == part for name, part in zip(names, matched.groups(), strict=True))

    return asked_of


def key_match5(pattern: str) -> Asked:
    """As keyMatch3, of the value before its `?`."""
    path = regex_match("^" + BRACED_WIDE.sub("[^/]+", pattern.replace("/*", "/.*")) + "$")
    return lambda asked: path(value(asked).partition("?")[0])


def key_get(pattern: str) -> Asked:
    """What stands where the pattern has `*`; empty when the value does not match."""
    head, star, _ = pattern.partition("*")

    def asked_of(asked: object) -> str:
        key = value(asked)
        return key[len(head) :] if star and key.startswith(head) else ""

    return asked_of


def key_get2(pattern: str) -> Asked:
    """What stands where the pattern has `:name`; empty when the value does not match, or has no such name."""
    path = pattern.replace("/*", "/.*")
    names = [name[1:] for name in VARIABLE.findall(path)]
    return _key_get(pattern, VARIABLE.sub("([^/]+)", path), names)


def key_get3(pattern: str) -> Asked:
    """What stands where the pattern has `{name}`; empty when the value does not match, or has no such name."""
    path = pattern.replace("/*", "/.*")
    names = [name[1:-1] for name in BRACED.findall(path)]
    return _key_get(pattern, BRACED.sub("([^/]+?)", path), names)


def _key_get(pattern: str, path: str, names: list[str]) -> Asked:
    found = compiled("^" + ("(.*)" if path == "*" else path) + "$")
    if found.groups != len(names) and path != "*":
        raise PatternFault(f"`{pattern}`: names are counted by brackets; write it without ( )")

    def asked_of(asked: object, name: object) -> str:
        matched = found.match(value(asked).encode())
        if matched is None or name not in names:
            return ""
        return str(matched.groups()[names.index(str(name))].decode())

    return asked_of


def ip_match(pattern: str) -> Asked:
    """Whether the value is this address, or one of this range."""
    try:
        network = ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        raise PatternFault(f"`{pattern}` is no address and no range, so it would match nothing; correct it") from None
    return lambda asked: ipaddress.ip_address(value(asked)) in network


def glob_match(pattern: str) -> Asked:
    """Whether the value, a path, fits: `*` and `?` within a segment, `**` any number of segments, `[…]` one letter."""
    try:
        found = compiled(glob_pattern(pattern), ours=True)
    except ValueError as fault:
        raise PatternFault(str(fault)) from None
    return lambda asked: found.match(value(asked).encode()) is not None


FUNCTIONS: Mapping[str, Callable[[str], Asked]] = {
    "keyMatch": key_match,
    "keyMatch2": key_match2,
    "keyMatch3": key_match3,
    "keyMatch4": key_match4,
    "keyMatch5": key_match5,
    "keyGet": key_get,
    "keyGet2": key_get2,
    "keyGet3": key_get3,
    "regexMatch": regex_match,
    "ipMatch": ip_match,
    "globMatch": glob_match,
}
ARGUMENTS = dict.fromkeys(FUNCTIONS, 2) | {"keyGet2": 3, "keyGet3": 3}
