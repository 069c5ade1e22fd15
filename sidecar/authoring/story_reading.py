"""Reads a story strictly from YAML, every fault with file and line.

Defaults are merged field by field into every step, null meaning absent; they are the story's and never the
product's, which reads nothing absent as none.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field

from sidecar.authoring import yaml_lines
from sidecar.authoring.story import Batch, Close, Expect, Open, Review, Step, Story, What, Write
from sidecar.authoring.yaml_lines import Document
from sidecar.core import instants
from sidecar.core.instants import Instant
from sidecar.core.model import KINDS, Caller, Fact, Opening, Request, Watermark
from sidecar.core.pack import Pack
from sidecar.errors import Fault, PolicyFault

T = TypeVar("T")
Raw = dict[str, Any]

SUBJECT: Raw = {"account_type": "nominatif", "status": "actif"}
AUTHENTICATION: Raw = {"mfa": True, "idle_s": 0, "remote": "none"}
DEVICE: Raw = {"class": "workstation", "managed": True, "compromised": False}
RESOURCE: Raw = {"tags": []}
CALLER: Raw = {
    "id": "dpi",
    "channel": "dpi",
    "roles": ["dpi", "feed", "reviewer"],
    "hds": "certified",
    "may_assert": ["identity"],
}
PARTS = ("authentication", "device")
WHAT = ("request", "open", "close", "review", "write", "batch")


class _Step(Struct, forbid_unknown_fields=True):
    at: Instant | None = None
    caller: Raw = field(default_factory=dict)
    expect: Expect | None = None
    record: Expect | None = None
    flip_of: int | None = None
    request: Raw | None = None
    open: Raw | None = None
    close: Raw | None = None
    review: Raw | None = None
    write: list[Raw] | None = None
    batch: Raw | None = None


class _Story(Struct, forbid_unknown_fields=True):
    story: str
    pack: str
    now: Instant
    ask: list[_Step]
    facts: tuple[Fact, ...] = ()
    complete: tuple[str, ...] | None = None
    settings: dict[str, bool | int | str] = field(default_factory=dict)


class _Caller(Caller, frozen=True, forbid_unknown_fields=True):
    """A caller as a story says it: an unknown key is a fault."""


def read(text: str, file: str, pack: Pack) -> Story:
    """The story that `text` tells of `pack`. Raises PolicyFault with every fault found, each with file and line."""
    document = yaml_lines.read(text, file)
    try:
        raw = instants.decode(_Story, document.value)
    except msgspec.ValidationError as fault:
        raise PolicyFault([_located(document, fault)]) from None
    return _Reading(document, raw, pack).story()


def read_file(path: Path, pack: Pack) -> Story:
    """The story of one file. Raises PolicyFault."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise PolicyFault([Fault(str(path), 1, f"cannot be read: {fault}")]) from None
    return read(text, str(path), pack)


class _Reading:
    """Fills in what a story leaves out and checks that its steps follow from one another."""

    def __init__(self, document: Document, raw: _Story, pack: Pack) -> None:
        self.document, self.raw, self.pack = document, raw, pack
        self.kinds = {name: profile.kinds[0] for name, profile in pack.vocabulary.profiles.items() if profile.kinds}
        self.default_caller: Raw = {**CALLER, "controllers": [pack.pack.name]}
        self.faults: list[Fault] = []

    def story(self) -> Story:
        raw, title = self.raw, self.pack.pack.name
        if raw.pack != title:
            self.fault("$.pack", f"a story of `{raw.pack}`, read with `{title}`")
        for kind in raw.complete or ():
            if kind not in KINDS:
                self.fault("$.complete", f"unknown kind of fact `{kind}`: one of {', '.join(KINDS)}")
        for name in raw.settings:
            if name not in self.pack.settings:
                self.fault(f"$.settings.{name}", f"the pack has no setting `{name}`")
        for index, fact in enumerate(raw.facts):
            self.one_body(fact, f"$.facts[{index}]")
        steps: list[Step] = []
        for index, step in enumerate(raw.ask):
            try:
                steps.append(self.step(index, step))
            except msgspec.ValidationError as fault:
                self.faults.append(_located(self.document, fault))
        if not self.faults:
            self.check_time(steps)
            self.check_flips(steps)
        if self.faults:
            raise PolicyFault(self.faults)
        caller = self.caller({}, "$")
        facts = tuple(self.owned(fact, caller) for fact in raw.facts)
        complete = frozenset(KINDS if raw.complete is None else raw.complete)
        return Story(
            self.document.file, raw.story, facts, tuple(steps), complete, raw.settings, caller=caller, now=raw.now
        )

    def step(self, index: int, raw: _Step) -> Step:
        path = f"$.ask[{index}]"
        said = [name for name in WHAT if getattr(raw, name) is not None]
        if len(said) != 1:
            raise msgspec.ValidationError(f"a step is exactly one of {', '.join(WHAT)} - at `{path}`")
        now = self.raw.now if raw.at is None else raw.at
        caller = self.caller(raw.caller, f"{path}.caller")
        what = self.what(raw, said[0], now, caller, path)
        line = self.document.line(path)
        return Step(index, line, now, caller, what, raw.expect, raw.record, raw.flip_of)

    def what(self, raw: _Step, name: str, now: int, caller: Caller, path: str) -> What:
        path = f"{path}.{name}"
        if raw.write is not None:
            return self.write(raw.write, caller, path)
        value: Raw = getattr(raw, name)
        value = self.asked(value, now)
        if name == "close":
            return self.decode(Close, value, path)
        if name == "review":
            return self.decode(Review, value, path)
        if name == "request":
            value["resource"] = self.resource(value.get("resource"), caller)
            return self.decode(Request, value, path)
        if name == "open":
            alias = value.pop("as", "")
            if len(caller.controllers) == 1:
                value.setdefault("controller_id", caller.controllers[0])
            return Open(self.decode(Opening, value, path), self.decode(str, alias, f"{path}.as"))
        semantics = value.pop("semantics", "execute_all")
        if semantics not in ("execute_all", "deny_on_first_deny"):
            raise msgspec.ValidationError(f"semantics are execute_all or deny_on_first_deny - at `{path}.semantics`")
        items = value.get("items")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise msgspec.ValidationError(f"items are a list of action and resource - at `{path}.items`")
        value["items"] = [{**item, "resource": self.resource(item.get("resource"), caller)} for item in items]
        value["deny_on_first_deny"] = semantics == "deny_on_first_deny"
        return self.decode(Batch, value, path)

    def write(self, raw: list[Raw], caller: Caller, path: str) -> Write:
        facts, marks = [], []
        for index, item in enumerate(raw):
            where = f"{path}[{index}]"
            if set(item) == {"watermark"}:
                mark = self.decode(Watermark, item["watermark"], f"{where}.watermark")
                unknown = [kind for kind in mark.kinds if kind not in KINDS]
                if unknown:
                    raise msgspec.ValidationError(f"unknown kind of fact `{unknown[0]}` - at `{where}.watermark.kinds`")
                marks.append(mark)
            else:
                fact = self.decode(Fact, item, where)
                self.one_body(fact, where)
                facts.append(self.owned(fact, caller))
        return Write(tuple(facts), tuple(marks))

    def asked(self, raw: Raw, now: int) -> Raw:
        """`raw` with the defaults of who asks, how and from where; null takes a whole part away."""
        filled: Raw = {**raw, "subject": self.subject(raw)}
        time = {"time": instants.text(now)}
        for name, default in (("authentication", {**AUTHENTICATION, **time}), ("device", DEVICE)):
            filled[name] = None if raw.get(name, default) is None else _merged(default, raw.get(name, {}))
        return filled

    def subject(self, raw: Raw) -> object:
        said = raw.get("subject", {})
        profile = said.get("profile") if isinstance(said, dict) else None
        kind = self.kinds.get(profile) if isinstance(profile, str) else None
        return _merged({**SUBJECT, **({} if kind is None else {"kind": kind})}, said)

    def resource(self, raw: object, caller: Caller) -> object:
        own = {"controller_id": caller.controllers[0]} if len(caller.controllers) == 1 else {}
        return _merged({**RESOURCE, **own}, {} if raw is None else raw)

    def caller(self, raw: Raw, path: str) -> Caller:
        said = self.decode(_Caller, _merged(self.default_caller, raw), path)
        return Caller(**{name: getattr(said, name) for name in Caller.__struct_fields__})

    def decode(self, kind: type[T], raw: object, path: str) -> T:
        return instants.decode(kind, _present(raw), path)

    def owned(self, fact: Fact, caller: Caller) -> Fact:
        """The fact with the controller it is about: the caller's, where it names none."""
        if fact.controller_id or not caller.controllers:
            return fact
        return msgspec.structs.replace(fact, controller_id=caller.controllers[0])

    def one_body(self, fact: Fact, path: str) -> None:
        try:
            fact.kind  # noqa: B018  raises where a fact has no body, or two
        except ValueError as fault:
            self.fault(path, str(fault))

    def fault(self, path: str, text: str) -> None:
        self.faults.append(self.document.fault(path, text))

    def check_time(self, steps: list[Step]) -> None:
        before = self.raw.now
        for step in steps:
            if step.at < before:
                self.fault(f"$.ask[{step.index}]", f"instants never go back: {instants.text(before)} was told before")
            before = max(before, step.at)

    def check_flips(self, steps: list[Step]) -> None:
        for step in steps:
            path = f"$.ask[{step.index}].flip_of"
            if step.flip_of is None:
                continue
            if not 0 <= step.flip_of < step.index:
                self.fault(path, "flips an ask told before it, counted from 0")
                continue
            changes = self.changes(steps, step.flip_of, step.index)
            if len(changes) != 1:
                told = ", ".join(changes) or "nothing"
                self.fault(path, f"a flip changes exactly one attribute, instant or fact; this one changes {told}")
            if step.expect == steps[step.flip_of].expect:
                self.fault(path, f"expects just what ask {step.flip_of} expects, so it flips nothing")

    def changes(self, steps: list[Step], first: int, second: int) -> list[str]:
        """What differs between two asks: attributes, the instant, and whatever was written in between."""
        one, other = self.told(first), self.told(second)
        paths = {path for path in {*one, *other} if one.get(path) != other.get(path)}
        whole = {path for path in paths if path in PARTS}  # told as absent: one attribute, whatever it holds elsewhere
        changes = sorted(path for path in paths if path.partition(".")[0] not in whole - {path})
        if steps[first].at != steps[second].at:
            changes.append("the instant")
        for step in steps[first + 1 : second]:
            if isinstance(step.what, Write):
                changes += [f"fact `{fact.id}`" for fact in step.what.facts]
                changes += [f"watermark of `{mark.source}`" for mark in step.what.watermarks]
            elif isinstance(step.what, Open | Close | Review):
                changes.append(f"the grant of ask {step.index}")
        return changes

    def told(self, index: int) -> dict[str, object]:
        """Every attribute of an ask by its path, as told and as defaulted, but for what follows from the rest."""
        raw = self.raw.ask[index]
        said = next(name for name in WHAT if getattr(raw, name) is not None)
        value = getattr(raw, said)
        told: dict[str, object] = {"what": said, **_leaves("caller", _merged(self.default_caller, raw.caller))}
        if not isinstance(value, dict):
            return told
        defaults = {"subject": SUBJECT, "authentication": AUTHENTICATION, "device": DEVICE}
        if said == "request":
            defaults["resource"] = RESOURCE
        for name, default in defaults.items():
            given = value.get(name, {})
            told |= {name: "absent"} if given is None else _leaves(name, _merged(default, given))
        for name in value.keys() - defaults.keys():
            told |= _leaves(name, value[name])
        return told


def read_files(paths: Sequence[Path], pack: Pack) -> list[Story]:
    """The stories of these files and of the `*.yaml` files in these folders. Raises PolicyFault with every fault."""
    stories: list[Story] = []
    faults: list[Fault] = []
    for path in paths:
        for file in sorted(path.rglob("*.yaml")) if path.is_dir() else [path]:
            try:
                stories.append(read_file(file, pack))
            except PolicyFault as fault:
                faults += fault.faults
    if faults:
        raise PolicyFault(faults)
    return stories


def _merged(default: Mapping[str, object], said: object) -> object:
    """`said` over `default`, field by field; a null field is absent. What is not a mapping is left to be refused."""
    return _present({**default, **said}) if isinstance(said, dict) else said


def _present(raw: object) -> Any:
    """`raw` without what is null."""
    if not isinstance(raw, dict):
        return raw
    return {name: _present(value) for name, value in raw.items() if value is not None}


def _leaves(path: str, value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        return {path: value}
    leaves: dict[str, object] = {}
    for name, held in value.items():
        leaves |= _leaves(f"{path}.{name}", held)
    return leaves


def _located(document: Document, fault: msgspec.ValidationError) -> Fault:
    """A decoding fault, with the file and line of the path it names."""
    said, _, where = str(fault).rpartition(" - at `")
    path = where.rstrip("`") if said else "$"
    unknown = said.partition("unknown field `")[2].rstrip("`")
    return Fault(document.file, document.line(f"{path}.{unknown}" if unknown else path), str(fault))
