"""A grant's life: who may open one, for what and how long, and the states it goes through (3.0.6, A-BG-1, A-BG-2)."""

from enum import StrEnum

from msgspec import Struct

from sidecar.core.instants import SECOND
from sidecar.core.model import Authentication, Grant, Opening
from sidecar.core.pack import BreakGlass

CLOCK_AHEAD = 60 * SECOND  # how far the caller's clock may be ahead of ours (G-AUTH-2)
DISTINCT_LETTERS = 5  # fewer is not a sentence: `aaaaaaaaaa`, `..........`, `non non non`


class GrantTerms(Struct, frozen=True):
    """What a grant opened now gives: category group, end (excluded), and when its review is due."""

    scope: str
    until: int
    review_due: int


class State(StrEnum):
    """Where a grant stands."""

    OPEN = "open"
    CLOSED = "closed"
    EXPIRED = "expired"


class Event(StrEnum):
    """What can happen to a grant."""

    CLOSE = "close"
    EXPIRE = "expire"


# A grant that is over stays as it ended: closing it again, or its time passing, changes nothing.
NEXT = {
    (State.OPEN, Event.CLOSE): State.CLOSED,
    (State.OPEN, Event.EXPIRE): State.EXPIRED,
}


def state(grant: Grant, now: int) -> State:
    """Where this grant stands at `now`: whichever of its closing and its expiry came first decided."""
    came = State.OPEN
    if grant.closed_at is not None and grant.closed_at < grant.until and grant.closed_at <= now:
        came = NEXT[came, Event.CLOSE]
    elif now >= grant.until:
        came = NEXT[came, Event.EXPIRE]
    return came


def terms(rules: BreakGlass, profile: str, now: int) -> GrantTerms:
    """What a grant of this profile opened at `now` gives. Raises KeyError for a profile that is not eligible."""
    return GrantTerms(rules.eligible[profile], now + rules.ttl * SECOND, now + rules.review_deadline * SECOND)


def refusal(rules: BreakGlass, opening: Opening, now: int) -> str:
    """Why this subject may not open this grant once the gates let them through, or empty; in the order of 3.0.6."""
    if opening.subject.profile not in rules.eligible:
        return "BREAK_GLASS_NOT_ELIGIBLE"
    if not younger(opening.authentication, rules.reauth, now):
        return "REAUTH_REQUIRED"
    if not justified(rules, opening.motive, opening.justification):
        return "JUSTIFICATION_REQUIRED"
    return ""


def younger(authentication: Authentication | None, seconds: int, now: int) -> bool:
    """Whether the subject proved who they are less than `seconds` ago (at the limit is not; 60 s of clock ahead is)."""
    if authentication is None or authentication.time is None:
        return False
    return -CLOCK_AHEAD <= now - authentication.time < seconds * SECOND


def justified(rules: BreakGlass, motive: str, justification: str) -> bool:
    """Whether the motive is of the closed list and the justification says something of the right length."""
    said = " ".join(justification.split())
    least = rules.justification_free if motive in rules.free_text_motives else rules.justification_min
    if motive not in rules.motives or not least <= len(said) <= rules.justification_max:
        return False
    return least == 0 or len({letter for letter in said.casefold() if letter.isalpha()}) >= DISTINCT_LETTERS
