"""A story: what is known, what is asked and what the answers must be. docs/stories.md describes the format."""

from msgspec import Struct, field

from sidecar.core.model import (
    KINDS,
    NO_CONTEXT,
    Authentication,
    Caller,
    Context,
    Device,
    Effect,
    Fact,
    Opening,
    Request,
    Resource,
    Subject,
    Watermark,
)
from sidecar.core.reviewing import Closing, Reviewing


class Named(Struct, frozen=True, forbid_unknown_fields=True):
    """An obligation or advice that must be there; only the params stated are compared."""

    id: str
    params: dict[str, str] = field(default_factory=dict)


class ExpectOne(Struct, frozen=True, forbid_unknown_fields=True):
    """What one answer must be; only what is said is compared."""

    effect: Effect | None = None
    reason: str | None = None
    true_reason: str | None = None
    also: tuple[str, ...] | None = None
    break_glass: bool | None = None
    obligations: tuple[str | Named, ...] = ()
    advice: tuple[str | Named, ...] = ()
    nothing_more: bool = False  # no obligation and no advice but those named
    same_as: int | None = None  # everything the caller sees is what this ask's caller saw, to the byte
    error: str | None = None
    field: str | None = None


class Expect(ExpectOne, frozen=True, forbid_unknown_fields=True):
    """What a step must bring: one answer, or the answers of a batch in order."""

    items: tuple[ExpectOne, ...] | None = None
    legal_basis: str | None = None  # of a record: the basis it keeps (art. 6 GDPR)


class Open(Struct, frozen=True):
    """An emergency grant is asked for; the story calls it `name`."""

    opening: Opening
    name: str = ""


class Close(Closing, frozen=True, forbid_unknown_fields=True):
    """A subject ends a grant: their own, or somebody else's."""


class Review(Reviewing, frozen=True, forbid_unknown_fields=True):
    """A reviewer gives the verdict on a grant."""


class Write(Struct, frozen=True):
    """Facts and watermarks become known."""

    facts: tuple[Fact, ...]
    watermarks: tuple[Watermark, ...]


class Item(Struct, frozen=True, forbid_unknown_fields=True):
    """What one question of a batch does not share with the others."""

    action: str
    resource: Resource


class Batch(Struct, frozen=True, forbid_unknown_fields=True):
    """Questions of one subject about one patient."""

    subject: Subject
    purpose: str
    items: tuple[Item, ...]
    patient_id: str = ""
    authentication: Authentication | None = None
    device: Device | None = None
    context: Context = NO_CONTEXT
    deny_on_first_deny: bool = False


What = Request | Open | Close | Review | Write | Batch


class Step(Struct, frozen=True):
    """One thing that happens in a story, at one instant, through one caller."""

    index: int
    line: int
    at: int
    caller: Caller
    what: What
    expect: Expect | None = None
    record: Expect | None = None
    flip_of: int | None = None


class Story(Struct, frozen=True):
    """A whole story: `complete` names the fact kinds whose feeds have told everything at every step's instant."""

    file: str
    title: str
    facts: tuple[Fact, ...]
    steps: tuple[Step, ...]
    complete: frozenset[str]
    settings: dict[str, bool | int | str]
    caller: Caller
    now: int

    def required(self) -> dict[str, tuple[str, ...]]:
        """The sources that must report each kind: those the story names for it, `feed` where it names none."""
        sources: dict[str, set[str]] = {kind: set() for kind in KINDS}
        writes = [step.what for step in self.steps if isinstance(step.what, Write)]
        for fact in (*self.facts, *(fact for write in writes for fact in write.facts)):
            sources[fact.kind].add(fact.source)
        for mark in (mark for write in writes for mark in write.watermarks):
            for kind in mark.kinds:
                sources[kind].add(mark.source)
        return {kind: tuple(sorted(names)) or ("feed",) for kind, names in sources.items()}
