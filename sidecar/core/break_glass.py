"""A grant's life: who may open one, for what and how long, and the states it goes through (3.0.6, A-BG-1 to A-BG-9)."""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from sidecar.core import obligations
from sidecar.core.instants import DAY, SECOND
from sidecar.core.justification import says_something
from sidecar.core.model import Authentication, Grant, Obligation, Opening
from sidecar.core.pack import BreakGlass

CLOCK_AHEAD = 60 * SECOND  # how far the caller's clock may be ahead of ours (G-AUTH-2)

# The obligation that says when the review is due, and its parameter (3.0.5).
REQUIRE_REVIEW, DEADLINE = "REQUIRE_REVIEW", "deadline"

# What must be looked at first: many openings in a day, a patient who shut this professional out (A-BG-7), one factor
# where two are asked (A-BG-2).
VOLUME, BLOCKED, SINGLE_FACTOR = "volume", "blocked", "single_factor"

SELF_REVIEW = "SELF_REVIEW"


class GrantTerms(Struct, frozen=True):
    """What a grant opened now gives: category group, end (excluded), when its review is due, and what to look at."""

    scope: str
    until: int
    review_due: int
    alerts: tuple[str, ...] = ()


class State(StrEnum):
    """Where a grant stands."""

    OPEN = "open"
    CLOSED = "closed"
    EXPIRED = "expired"
    REVOKED = "revoked"
    REVIEWED = "reviewed"


class Event(StrEnum):
    """What can happen to a grant."""

    CLOSE = "close"
    EXPIRE = "expire"
    REVOKE = "revoke"
    REVIEW = "review"


# A grant ends once, in one way, and is then reviewed once: what is not here changes nothing.
NEXT = {
    (State.OPEN, Event.CLOSE): State.CLOSED,
    (State.OPEN, Event.EXPIRE): State.EXPIRED,
    (State.OPEN, Event.REVOKE): State.REVOKED,
    (State.CLOSED, Event.REVIEW): State.REVIEWED,
    (State.EXPIRED, Event.REVIEW): State.REVIEWED,
    (State.REVOKED, Event.REVIEW): State.REVIEWED,
}


class ReviewState(StrEnum):
    """Where the review of a grant stands."""

    NONE = "none"
    PENDING = "pending"
    OVERDUE = "overdue"
    DONE = "done"


def ending(grant: Grant, now: int) -> State:
    """How the grant stands at `now`, its review apart: what was kept of its end, else whichever came first."""
    if grant.ended:
        return State(grant.ended)
    came = State.OPEN
    if grant.closed_at is not None and grant.closed_at < grant.until and grant.closed_at <= now:
        came = NEXT[came, Event.CLOSE]
    elif now >= grant.until:
        came = NEXT[came, Event.EXPIRE]
    return came


def state(grant: Grant, now: int) -> State:
    """Where this grant stands at `now`."""
    came = ending(grant, now)
    return came if grant.review is None else NEXT[came, Event.REVIEW]


def review_state(grant: Grant, now: int) -> ReviewState:
    """Where its review stands at `now`; late at the deadline, whether or not the grant is over."""
    if grant.review is not None:
        return ReviewState.DONE
    if now >= grant.review_due:
        return ReviewState.OVERDUE
    return ReviewState.NONE if ending(grant, now) is State.OPEN else ReviewState.PENDING


def terms(rules: BreakGlass, profile: str, now: int) -> GrantTerms:
    """What a grant of this profile opened at `now` gives. Raises KeyError for a profile that is not eligible."""
    return GrantTerms(rules.eligible[profile], now + rules.ttl * SECOND, now + rules.review_deadline * SECOND)


def review_due(duties: Iterable[Obligation], now: int, otherwise: int) -> int:
    """When a review is due that these obligations ask for; `otherwise` where none says."""
    said = (obligations.seconds(duty.params.get(DEADLINE, "")) for duty in duties if duty.id == REQUIRE_REVIEW)
    return min((now + seconds * SECOND for seconds in said if seconds is not None), default=otherwise)


def openings_of_a_day(grants: Iterable[Grant], controller_id: str, subject_id: str, now: int) -> list[Grant]:
    """The grants this subject opened within the 24 hours before `now`, the latest last."""
    found = [
        grant
        for grant in grants
        if grant.subject_id == subject_id and grant.controller_id == controller_id and now - DAY < grant.opened_at < now
    ]
    return sorted(found, key=lambda grant: grant.opened_at)


def many(rules: BreakGlass, before: list[Grant]) -> bool:
    """Whether one more opening is past what the pack expects of one person in a day."""
    return 0 < rules.max_per_subject_24h <= len(before)


def overrides(rules: BreakGlass, opening: Opening, allowed: bool) -> bool:
    """Whether this opening asks to pass masks, and the pack lets it: `vital_override` (A-BG-5)."""
    return (
        allowed
        and opening.second_confirmation is True
        and opening.motive in rules.override_motives
        and opening.subject.profile in rules.override_profiles
    )


def with_one_factor(rules: BreakGlass, opening: Opening, allowed: bool) -> bool:
    """Whether this opening does with one factor, and the pack lets it: the MFA service is down (A-BG-2)."""
    given = opening.authentication
    return allowed and opening.motive in rules.single_factor_motives and not (given is not None and given.mfa is True)


def refusal(rules: BreakGlass, opening: Opening, now: int, before: list[Grant] | None = None) -> str:
    """Why this subject may not open this grant once the gates let them through, or empty; in the order of 3.0.6.

    `before` are their openings of the last 24 hours. Volume alone never refuses: it asks for a login of its own.
    """
    if opening.subject.profile not in rules.eligible:
        return "BREAK_GLASS_NOT_ELIGIBLE"
    if not younger(opening.authentication, rules.reauth, now):
        return "REAUTH_REQUIRED"
    if before and many(rules, before) and not _newer(opening.authentication, before[-1].opened_at):
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
    return least == 0 or says_something(said)


def _newer(authentication: Authentication | None, instant: int) -> bool:
    return authentication is not None and authentication.time is not None and authentication.time > instant
