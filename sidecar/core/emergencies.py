"""What is shown of emergencies beside their grants: what one asks for, what was asked under one, where they happen."""

from msgspec import Struct, field

from sidecar.core.instants import Instant
from sidecar.core.model import Effect
from sidecar.core.pack import BreakGlass
from sidecar.core.pressure import UnitPressure


class Choice(Struct, frozen=True):
    """A motive: its code, what it says to people, and the shortest justification it takes, in characters."""

    code: str
    text: str
    at_least: int


class Told(Struct, frozen=True):
    """Who will know of an opening, and within how many seconds; None when nobody has to confirm it."""

    audience: str
    text: str
    within_s: int | None


class Description(Struct, frozen=True):
    """What an emergency asks of a profile and brings about; of one that is not eligible, nothing.

    `names` are what the pack's codes are called, by table and code, where no profile was named.
    """

    eligible: bool = False
    scope: str = ""
    categories: tuple[str, ...] = ()
    motives: tuple[Choice, ...] = ()
    justification_max: int = 0
    ttl_s: int = 0
    reauth_s: int = 0
    review_s: int = 0
    told: tuple[Told, ...] = ()
    names: dict[str, str] = field(default_factory=dict)


class Access(Struct, frozen=True):
    """One question asked under a grant: what kind of object, and what was answered; nothing of what the object says."""

    at: Instant
    action: str
    category: str
    object: str
    effect: Effect
    reason: str
    decision_id: str


class Accesses(Struct, frozen=True):
    """The latest questions under a grant, how many there were, and the kind of a relation that was told since."""

    accesses: tuple[Access, ...]
    total: int
    relation: str = ""


class PressureQuery(Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """Which openings are counted: of the caller's controllers or one of them, in [from, to)."""

    controller_id: str = ""
    start: Instant | None = None
    end: Instant | None = None  # the last 28 days to now where they are absent


class Pressure(Struct, frozen=True):
    """The openings of a period by unit."""

    start: Instant
    end: Instant
    grants: int
    units: tuple[UnitPressure, ...]


def shortest(rules: BreakGlass, motive: str) -> int:
    """The shortest justification this motive takes, in characters."""
    return rules.justification_free if motive in rules.free_text_motives else rules.justification_min
