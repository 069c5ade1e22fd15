"""A lighthouse instead of a hospital: the small pack in `pack/`, and words that answer what a test says."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct

from sidecar.authoring import bundle
from sidecar.authoring.bundle import Bundle
from sidecar.core.bundle import FOREVER, PatientFacts, Snapshot, TenantFacts
from sidecar.core.model import (
    Authentication,
    Caller,
    Context,
    Decision,
    Directive,
    Fact,
    Grant,
    Known,
    Opening,
    Request,
    Resource,
    Subject,
)
from sidecar.core.pack import Pack
from sidecar.core.policy import PolicySet
from sidecar.core.vocabulary import Word
from sidecar.core.words import Words

PACK = Path(__file__).parent / "pack"
NOW = 1_772_000_000_000_000
SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR

GROUND, RESTRICTION, WILL_WORD = Word("ground"), Word("restriction"), Word("restriction", will=True)
NOUNS: Mapping[str, Mapping[str, Word]] = {
    "subject": {
        "named": GROUND,
        "away": RESTRICTION,
        "purpose_allowed": Word("request", ("purpose",)),
        "author": GROUND,
        "senior": GROUND,
        "near": GROUND,
        "was_near": GROUND,
        "may_act": GROUND,
        "acts_for": Word("ground", ("resource",)),
        "seen_within": Word("ground", ("int",)),
    },
    "resource": {
        "frozen": RESTRICTION,
        "hidden": WILL_WORD,
        "old": GROUND,
        "tagged": Word("restriction", ("strs",), "tags"),
    },
    "patient": {"blocked": WILL_WORD},
    "context": {
        "grant_open": GROUND,
        "grant_ended": GROUND,
        "setting": Word("request", ("str",), "settings"),
    },
}

Answer = bool | None | Exception
Answers = Mapping[str, Answer]

# Everybody is named and works for a purpose of theirs, unless the test says otherwise; all else is False.
USUAL: Answers = {"subject.named": True, "subject.purpose_allowed": True}
WILL = ("resource.hidden", "patient.blocked")


class Said(Struct):
    """What a test says of the world: each word's answer, how long it holds, and the situation's values."""

    answers: Answers = MappingProxyType({})
    ends: Mapping[str, int] = MappingProxyType({})
    values: Mapping[str, str] = MappingProxyType({})
    without_will: Answers = MappingProxyType(dict.fromkeys(WILL, False))
    delegated: Request | None = None
    delegator: Answers = MappingProxyType({})


class Noun:
    """A noun as PyCasbin reads it: every word asks the board."""

    def __init__(self, board: "Board", name: str) -> None:
        self.board, self.name = board, name

    def __getattr__(self, word: str) -> object:
        known = NOUNS[self.name][word]
        if known.args is None:
            return self.board.ask(self.name, word)
        return lambda *args: self.board.ask(
            self.name, word, *(each for each in args if each != self.board.request.purpose)
        )


class Board:
    """What the words of one question are asked of; answers come from what the test said."""

    # Every word is asked.
    unrelated = ungranted = unconsented = in_use = unmarked = unwilled = False

    def __init__(
        self,
        said: Said,
        request: Request,
        caller: Caller,
        controller_id: str,
        snapshot: Snapshot,
        now: int,
        lenient: bool = False,
    ) -> None:
        self.said, self.request, self.lenient = said, request, lenient
        self.speaker, self.controller_id, self.snapshot, self.now = caller, controller_id, snapshot, now
        self.names = (request.resource.patient_id,)
        self.relied: list[Known] = []
        self.ends = FOREVER
        self.held_at: dict[int, int] = {}
        self.unknown: list[str] = []
        self.counts: dict[str, int] = {}
        self.delegate: Callable[[Board, Request], bool | None] | None = None

    def ask(self, noun: str, word: str, *args: object) -> bool | None:
        texts = [argument for argument in args if isinstance(argument, str)]
        name = f"{noun}.{word}" + (f"({','.join(texts)})" if texts else "")
        if name == "subject.acts_for" and self.said.delegated is not None:
            return self.delegate(self, self.said.delegated) if self.delegate is not None else False
        answer = self.said.answers.get(name, USUAL.get(name, False))
        if isinstance(answer, Exception):
            raise answer
        self.ends = min(self.ends, self.said.ends.get(name, FOREVER))
        return answer

    def unanswered(self, noun: str, word: str) -> bool | None:
        name = f"{noun}.{word}"
        if name not in self.unknown:
            self.unknown.append(name)
        return False if self.lenient and NOUNS[noun][word].kind == "restriction" else None

    def without_will(self, tags: bool = True) -> "Board":
        said = Said(
            {**self.said.answers, **self.said.without_will},
            self.said.ends,
            self.said.values,
            self.said.without_will,
            self.said.delegated,
            self.said.delegator,
        )
        return Board(said, self.request, self.speaker, self.controller_id, self.snapshot, self.now, self.lenient)

    def without_delegators(self) -> "Board | None":
        if self.said.delegated is None or not any(self.said.delegator.get(word) for word in WILL):
            return None
        other = self.without_will()
        other.said.delegated = None
        return other

    def read_alike(self) -> None:
        """Nothing is read."""

    def value(self, name: str) -> str:
        return self.said.values.get(name, "")


WORDS: Words = {
    noun: {word: partial(lambda noun, word, board, *args: board.ask(noun, word, *args), noun, word) for word in words}
    for noun, words in NOUNS.items()
}


def a_board(said: Said, request: Request) -> Board:
    """A board that no delegator can be asked of."""
    return Board(said, request, CALLER, "c1", a_snapshot(), NOW)


def situations(said: Said) -> Callable[..., Board]:
    """What makes the situation of a question; a delegator's question is answered by what was said of them."""

    def make(
        request: Request,
        caller: Caller,
        controller_id: str,
        snapshot: Snapshot,
        now: int,
        pack: Pack,
        lenient: bool = False,
    ) -> Board:
        if request is said.delegated:
            theirs = Said(said.delegator, said.ends, without_will=said.without_will)
            return Board(theirs, request, caller, controller_id, snapshot, now, lenient)
        return Board(said, request, caller, controller_id, snapshot, now, lenient)

    return make


SHIPPED = bundle.read_folder(PACK)


def edited(edits: Mapping[str, str | Callable[[str], str]]) -> Bundle:
    """The pack with some of its files replaced."""
    files = dict(SHIPPED.files)
    for name, edit in edits.items():
        files[name] = edit if isinstance(edit, str) else edit(files[name])
    return Bundle(bundle.decode_pack(files["pack.toml"]), files, bundle.digest(files))


def a_policy(said: Said | Answers | None = None, pack: Bundle = SHIPPED) -> PolicySet:
    """The pack compiled, in a world where the words answer so."""
    world = said if isinstance(said, Said) else Said(said or {})
    return bundle.compile_bundle(pack, NOUNS, WORDS, situations(world))


def a_request(
    profile: str = "gardien",
    category: str = "carte",
    action: str = "read",
    purpose: str = "veille",
    mode: str = "normal",
    patient_id: str = "P1",
    subject_id: str = "u1",
) -> Request:
    """A question of the lighthouse."""
    return Request(
        Subject(subject_id, "marin", profile),
        action,
        Resource(category, patient_id),
        purpose,
        context=Context(access_mode=mode),
    )


def an_opening(
    profile: str = "gardien", age_s: int = 10, motive: str = "TEMPETE", why: str = "Le bateau coule"
) -> Opening:
    """Somebody asks for an emergency grant, having logged in `age_s` seconds ago."""
    return Opening(
        Subject("u1", "marin", profile), "P1", motive, why, Authentication(mfa=True, time=NOW - age_s * SECOND)
    )


MASKED = Known(Fact("m1", "dpi", directive=Directive("mask", "P1")), "directive", 7, NOW - DAY, FOREVER, NOW - DAY)


def a_snapshot(*grants: Grant, will: bool = False, readable: bool = True) -> Snapshot:
    """What is known: grants, and whether the patient said anything at all."""
    open_grants = {(grant.subject_id, grant.patient_id): (grant,) for grant in grants}
    tenant = TenantFacts("t", 1, {}, {}, {}, {}, {grant.id: grant for grant in grants}, open_grants, {}, {})
    patient = PatientFacts("P1", "c1", 1, directives=(MASKED,) if will else ())
    return Snapshot(tenant, patient if readable else None)


def a_grant(opened: int = NOW - HOUR, until: int = NOW + HOUR) -> Grant:
    """u1 opened P1's papers."""
    return Grant(
        "g1", "t", "c1", "dpi", "u1", "P1", "gardien", "papiers", "TEMPETE", "Le bateau coule", opened, until, until
    )


CALLER = Caller("dpi", controllers=("c1",))


def decide(
    said: Said | Answers | None = None,
    request: Request | None = None,
    snapshot: Snapshot | None = None,
    pack: Bundle = SHIPPED,
) -> Decision:
    """What the pack says of a request in a world."""
    policy = a_policy(said, pack)
    return policy.evaluate(request or a_request(), CALLER, "c1", snapshot or a_snapshot(), NOW)
