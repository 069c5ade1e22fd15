"""What a slice is: the few rows one question (profile, category, action, purpose) meets, and what follows from them."""

from collections.abc import Mapping
from typing import Generic, Protocol, Self, TypeVar

from msgspec import Struct

from sidecar.core import generated, obligations
from sidecar.core.bundle import FOREVER, Snapshot
from sidecar.core.casbin_text import Condition
from sidecar.core.evidence import Ask
from sidecar.core.model import Advice, Caller, Known, Obligation, Offer, Request
from sidecar.core.pack import Pack

GATES_PASSED = 1 << 30  # the stage of matrix and grounds, after every gate


class Situation(Protocol):
    """What the words of one question are asked of, and what their answers rested on so far."""

    snapshot: Snapshot
    names: tuple[str, ...]  # every name the patient goes by now
    speaker: Caller
    controller_id: str
    now: int
    relied: list[Known]
    ends: int  # the earliest end of anything a known word rested on, microseconds
    held_at: Mapping[int, int]  # of the prohibitions asked last: what `ends` was when each was found to hold
    unknown: list[str]  # words that answered None, or would have but for a lenient reading
    counts: Mapping[str, int]  # what the sidecar counted of the subject, where that decided
    delegate: Ask | None  # what a delegator may do

    def unanswered(self, noun: str, word: str) -> bool | None:
        """What a word that answers None counts as: None, or False under a lenient reading; noted."""

    def without_will(self, tags: bool = True) -> Self:
        """The same with the patient's directives and visibility values taken away; without `tags`, those too."""

    def without_delegators(self) -> Self | None:
        """The same without will and without the delegators it refuses; None where it refuses none of them."""

    def read_alike(self) -> None:
        """Read what the patient's will may be held against, so that what is read tells nobody whether there is one."""

    def value(self, name: str) -> str:
        """`delegator`, `senior` or `until`; empty when the situation has none."""


class Situations(Protocol):
    """Makes the situation of a question; `lenient` reads an unknown restriction as absent."""

    def __call__(
        self,
        request: Request,
        caller: Caller,
        controller_id: str,
        snapshot: Snapshot,
        now: int,
        pack: Pack,
        lenient: bool = False,
    ) -> Situation:
        """The situation."""


class Prohibition(Struct, frozen=True):
    """A deny row of p. `stage` is the place of its gate."""

    when: Condition
    rule: str
    reason: str
    gate: str
    stage: int
    firm: bool
    discloses: bool


class Ground(Struct, frozen=True):
    """An allow row of p, with what a refusal says instead; `otherwise_rank` orders those, 0 first."""

    when: Condition
    rule: str
    reason: str
    otherwise: str
    otherwise_when: Condition | None
    otherwise_rank: int


class MatrixCell(Struct, frozen=True):
    """A row of p3."""

    when: Condition
    rule: str
    deny: bool
    reason: str
    widened: bool  # an open grant may make it hold


class Contribution(Struct, frozen=True):
    """A row of p2: an obligation or advice."""

    when: Condition
    rule: str
    template: obligations.Template


Row = Prohibition | Ground | MatrixCell | Contribution
R = TypeVar("R", Prohibition, Ground, MatrixCell, Contribution)


class Section(Generic[R]):
    """Rows of one kind, in order, and the function that asks them all."""

    __slots__ = ("ask", "rows")

    def __init__(self, rows: tuple[R, ...], ask: generated.Ask) -> None:
        """`ask` gives two bits a row, as `generated` says."""
        self.rows: tuple[R, ...] = rows
        self.ask = ask

    def held(self, bits: int) -> list[R]:
        """The rows that hold."""
        return [row for place, row in enumerate(self.rows) if bits >> place & 1]

    def unknown(self, bits: int) -> list[R]:
        """The rows of which it is not known."""
        return self.held(bits >> len(self.rows))


class Settled(Struct, frozen=True):
    """What the rows say, before it is put in words for the caller.

    `stage` is the place of the gate that decided, GATES_PASSED after all of them; `firm` a gate no grant opens;
    `place` the row in its section, where a row decided.
    `age` is how long an answer with these duties may be kept at most, microseconds.
    """

    permit: bool
    reason: str
    rule: str = ""
    rules: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    stage: int = GATES_PASSED
    firm: bool = False
    place: int = 0
    duties: tuple[Obligation, ...] = ()
    advice: tuple[Advice, ...] = ()
    age: int = FOREVER


class Slice(Struct, frozen=True, eq=False):
    """The rows one question meets, in the order they are read."""

    firm: Section[Prohibition]
    gates: Section[Prohibition]
    delegator: Section[Prohibition]
    cells: Section[MatrixCell]
    grounds: Section[Ground]  # by rank of their reason
    otherwise: Section[Ground]  # the grounds that say something of a refusal, asked whether they do
    contributions: Section[Contribution]
    will: int  # the stage from which the patient's will may have decided
    clinical: bool
    offer: Offer  # what a refusal may offer: a grant that would open this
    settled: dict[tuple[int, ...], "Settled"]  # what followed from the bits of the sections so far; see `judgement`
