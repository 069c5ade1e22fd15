"""What the screen that offers to break the glass shows, before anybody does."""

from dataclasses import dataclass
from datetime import timedelta

from dpi_sidecar_client.outcomes import Unavailable
from sidecar.v1 import break_glass_pb2


@dataclass(frozen=True, slots=True)
class Motive:
    """One motive to choose: its code, its sentence, and the shortest justification it takes, in characters."""

    code: str
    text: str
    at_least: int


@dataclass(frozen=True, slots=True)
class Told:
    """Who will know, and within how long; None when they are shown it and nobody has to confirm it."""

    audience: str
    text: str
    within: timedelta | None


@dataclass(frozen=True, slots=True)
class Emergency:
    """What breaking the glass asks of the user and brings about.

    Show all of it: the motives, that no medical detail is needed, what it opens (`scope`, `categories`), for how long,
    who will be told, and that it is reviewed. The login must be younger than `login_within` when it is opened.
    """

    scope: str
    categories: tuple[str, ...]
    motives: tuple[Motive, ...]
    justification_max: int
    lasts: timedelta
    login_within: timedelta
    reviewed_within: timedelta
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class NotEligible:
    """A profile that cannot break the glass: do not offer it."""

    profile: str


EmergencyOutcome = Emergency | NotEligible | Unavailable


def described(response: break_glass_pb2.DescribeResponse, profile: str) -> Emergency | NotEligible:
    """What a response says an emergency of this profile is."""
    if not response.eligible:
        return NotEligible(profile)
    return Emergency(
        response.scope,
        tuple(response.categories),
        tuple(Motive(each.code, each.text, each.at_least) for each in response.motives),
        response.justification_max,
        timedelta(seconds=response.ttl_s),
        timedelta(seconds=response.reauth_s),
        timedelta(seconds=response.review_s),
        tuple(
            Told(each.audience, each.text, timedelta(seconds=each.within_s) if each.HasField("within_s") else None)
            for each in response.told
        ),
    )
