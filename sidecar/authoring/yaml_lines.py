"""YAML read strictly, with the line every value stands on.

Plain words stay text: only `true`, `false`, `null`, `~`, whole numbers and decimal numbers are read as such, so
that `yes`, an instant or a code with a leading zero is what its author wrote (YAML 1.2, not 1.1).
"""

import re
from collections.abc import Callable

import yaml
from msgspec import Struct

from sidecar.errors import Fault, PolicyFault

MAX_NODES = 200_000  # aliases unfold: a small file must not become a large value

Yaml = dict[str, "Yaml"] | list["Yaml"] | str | int | float | bool | None


class Document(Struct, frozen=True):
    """A YAML file as plain values; `lines` maps the path of each value, as in `$.ask[0].at`, to its line."""

    file: str
    value: Yaml
    lines: dict[str, int]

    def line(self, path: str) -> int:
        """The line of `path`, or of the nearest thing that holds it."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["))] if path != "$" else ""
        return self.lines.get(path, 1)

    def fault(self, path: str, text: str) -> Fault:
        """What is wrong at `path`, with its file and line."""
        return Fault(self.file, self.line(path), f"{text} - at `{path}`")


# libyaml reads seven times as fast as PyYAML's own reader, and has no bound on depth of its own: `read` has one.
_SafeLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 500
_INDENTED = re.compile(rf"^[ ?-]{{{2 * _DEEPEST}}}", re.MULTILINE)


class _Loader(_SafeLoader):  # type: ignore[misc, valid-type]  # which of the two is known when this is imported
    """The safe loader with YAML 1.2's few implicit types."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  as the base declares


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(true|false)\Z"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(null|~|)\Z"), ["n", "~", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"-?(0|[1-9]\d*)\Z"), list("-0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"-?(0|[1-9]\d*)\.\d+\Z"), list("-0123456789"))

_TEXT = "tag:yaml.org,2002:str"
_SCALARS: dict[str, Callable[[str], Yaml]] = {
    "tag:yaml.org,2002:bool": lambda text: text == "true",
    "tag:yaml.org,2002:null": lambda text: None,
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    _TEXT: str,
}


def read(text: str, file: str) -> Document:
    """The document that `text` holds. Raises PolicyFault with file and line."""
    if _too_deep(text):
        raise PolicyFault([Fault(file, 1, "nested too deep")])
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        said = getattr(fault, "problem", None) or str(fault).splitlines()[0]
        raise PolicyFault([Fault(file, mark.line + 1 if mark else 1, f"not YAML: {said}")]) from None
    except RecursionError:
        raise PolicyFault([Fault(file, 1, "nested too deep")]) from None
    if node is None:
        raise PolicyFault([Fault(file, 1, "the file is empty")])
    reading = _Reading(file)
    value = reading.value(node, "$", ())
    return Document(file, value, reading.lines)


def _too_deep(text: str) -> bool:
    """Whether something stands in more brackets, or further in, than anything that could be read here."""
    depth = 0
    for mark in re.findall(r"[][{}]", text):
        depth += 1 if mark in "[{" else -1
        if depth > _DEEPEST:
            return True
    return _INDENTED.search(text) is not None


class _Reading:
    """Turns nodes into values and notes where each one stands."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[str, int] = {}

    def value(self, node: yaml.Node, path: str, above: tuple[yaml.Node, ...]) -> Yaml:
        if len(self.lines) >= MAX_NODES or len(above) > 50 or any(node is held for held in above):
            raise self.fault(node, "too many values, or too deep: aliases may not repeat without end")
        self.lines[path] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path, (*above, node))
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            return [self.value(item, f"{path}[{index}]", (*above, node)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and node.tag in _SCALARS:
            return self.scalar(node)
        raise self.fault(node, f"no tag is read here: `{node.tag}`")

    def mapping(self, node: yaml.MappingNode, path: str, above: tuple[yaml.Node, ...]) -> Yaml:
        if node.tag != "tag:yaml.org,2002:map":
            raise self.fault(node, f"no tag is read here: `{node.tag}`")
        held: dict[str, Yaml] = {}
        for key, item in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != _TEXT:
                raise self.fault(key, "a key is a plain word")
            if key.value in held:
                raise self.fault(key, f"`{key.value}` is said twice")
            held[key.value] = self.value(item, f"{path}.{key.value}", above)
            self.lines[f"{path}.{key.value}"] = key.start_mark.line + 1
        return held

    def scalar(self, node: yaml.ScalarNode) -> Yaml:
        try:
            return _SCALARS[node.tag](node.value)
        except ValueError:
            raise self.fault(node, f"not a {node.tag.rpartition(':')[2]}: `{node.value}`") from None

    def fault(self, node: yaml.Node, text: str) -> PolicyFault:
        return PolicyFault([Fault(self.file, node.start_mark.line + 1, text)])
