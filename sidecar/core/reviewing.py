"""What is asked of a grant that is there: to end it, or to give the verdict on it."""

from typing import Literal

from msgspec import Struct

from sidecar.core import break_glass
from sidecar.core.break_glass import Event, State
from sidecar.core.model import Answer, Authentication, Context, Device, Grant, ItemFault, Request, Resource, Subject
from sidecar.core.pack import BreakGlass


class Closing(Struct, frozen=True, omit_defaults=True):
    """A subject wants a grant ended before its time: their own, or, for who reviews, anybody's."""

    grant: str
    subject: Subject
    authentication: Authentication | None = None
    device: Device | None = None
    language: str = ""


class Reviewing(Struct, frozen=True, omit_defaults=True):
    """A reviewer gives the verdict on a grant that is over."""

    grant: str
    subject: Subject
    verdict: Literal["justifie", "injustifie", "non_conclusif"]
    comment: str = ""
    authentication: Authentication | None = None
    device: Device | None = None
    request_id: str = ""
    language: str = ""


class Closed(Struct, frozen=True):
    """The grant as it stands after a closing, None where that was refused.

    `answer` is what the policy said, where it was asked.
    """

    grant: Grant | None
    consistency_token: str
    answer: Answer | None = None


def question(
    rules: BreakGlass, asking: Closing | Reviewing, action: str, grant: Grant, request_id: str = ""
) -> Request:
    """What the policy is asked before somebody ends or reviews somebody else's grant; the grant is named in it."""
    return Request(
        asking.subject,
        action,
        Resource(rules.review_category, grant.patient_id, id=grant.id, tags=(), controller_id=grant.controller_id),
        rules.review_purpose,
        asking.authentication,
        asking.device,
        Context(grant=grant.id, request_id=request_id, language=asking.language),
    )


def comment(reviewing: Reviewing) -> str:
    """The comment, its white space made plain."""
    return " ".join(reviewing.comment.split())


def ill_said(rules: BreakGlass, reviewing: Reviewing) -> ItemFault | None:
    """What is wrong with the verdict as it is put; None when it may be given."""
    said = comment(reviewing)
    if len(said) > rules.review_comment_max:
        return ItemFault("comment", f"longer than {rules.review_comment_max} characters")
    if not said and reviewing.verdict != "justifie":
        return ItemFault("comment", f"required for the verdict `{reviewing.verdict}`")
    return None


def out_of_turn(grant: Grant, now: int) -> ItemFault | None:
    """Why no verdict can be given on this grant now; None when one can."""
    came = break_glass.state(grant, now)
    if (came, Event.REVIEW) in break_glass.NEXT:
        return None
    why = "open still: it is reviewed once it is over or revoked" if came is State.OPEN else "reviewed already"
    return ItemFault("grant", why)
