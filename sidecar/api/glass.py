"""Emergency grants on the wire: bytes in, bytes out.

A grant is shown to whom it concerns: what the subject wrote, and what is known of the patient since, to reviewers.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from google.protobuf.message import Message
from msgspec.structs import replace

from sidecar.api import answers
from sidecar.api.shape import message, value
from sidecar.api.strict import check, parsed
from sidecar.core import break_glass
from sidecar.core.model import Answer, Caller, Grant, Opening, Request
from sidecar.core.notices import Notice
from sidecar.core.reading import EventsPage, EventsQuery, GrantsPage, GrantsQuery
from sidecar.core.reviewing import Closed, Closing, Reviewing
from sidecar.v1 import access_pb2, break_glass_pb2

M = TypeVar("M", bound=Message)

REVIEWERS = frozenset(("reviewer", "auditor"))
NORMAL = "normal"


class Glass(Protocol):
    """What the table needs of the corridor of grants. Every method raises SidecarError."""

    def open(self, caller: Caller, opening: Opening) -> tuple[Answer, Grant | None]:
        """The answer to an opening, and the grant when it is a permit."""

    def open_for(self, caller: Caller, request: Request) -> tuple[Answer | None, Grant | None]:
        """The grant a check asks for with it, or the answer that refuses one."""

    def close(self, caller: Caller, closing: Closing) -> Closed:
        """The grant as it ended."""

    def review(self, caller: Caller, reviewing: Reviewing) -> tuple[Answer, Grant | None]:
        """The answer to a review, and the grant as it stands when it is a permit."""

    def get(self, caller: Caller, grant_id: str) -> tuple[Grant, tuple[str, ...], tuple[Notice, ...]]:
        """One grant, what would have permitted without it, and its notices."""

    def page(self, caller: Caller, query: GrantsQuery) -> GrantsPage:
        """Some grants."""

    def events(self, caller: Caller, query: EventsQuery) -> EventsPage:
        """Notices after a cursor."""

    def acknowledge(self, caller: Caller, ids: Sequence[str], request_id: str) -> tuple[tuple[Notice, ...], str]:
        """The notices as they are known now, and a consistency token."""


def asks_for_grant(request: Request) -> bool:
    """Whether a check asks for a grant with it: an emergency, with its motive and why, and no grant named."""
    context = request.context
    return context.access_mode != NORMAL and bool(context.motive and context.justification) and not context.grant


def under(request: Request, grant: Grant) -> Request:
    """The same question, under this grant."""
    return replace(request, context=replace(request.context, grant=grant.id))


def answered_under(answer: Answer, grant: Grant) -> bytes:
    """The answer to a check that was asked with its grant."""
    said = answers.answer(answer)
    said.grant.CopyFrom(message(access_pb2.GrantReference, grant))
    return said.SerializeToString()


def open_(glass: Glass, caller: Caller, payload: bytes, now: int) -> bytes:
    """Open. Raises SidecarError."""
    answer, given = glass.open(caller, opening(payload))
    shown = None if given is None else grant(given, caller, now)
    return break_glass_pb2.OpenResponse(answer=answers.answer(answer), grant=shown).SerializeToString()


def close(glass: Glass, caller: Caller, payload: bytes, now: int) -> bytes:
    """Close. Raises SidecarError."""
    closed = glass.close(caller, value(Closing, _checked(break_glass_pb2.CloseRequest, payload)))
    shown = None if closed.grant is None else grant(closed.grant, caller, now)
    said = break_glass_pb2.CloseResponse(grant=shown, consistency_token=closed.consistency_token)
    if closed.answer is not None:
        said.answer.CopyFrom(answers.answer(closed.answer))
    return said.SerializeToString()


def get(glass: Glass, caller: Caller, payload: bytes, now: int) -> bytes:
    """Get. Raises SidecarError."""
    given, also, notices = glass.get(caller, _checked(break_glass_pb2.GetRequest, payload).grant)
    said = break_glass_pb2.GetResponse(grant=grant(given, caller, now), notices=map(_notice, notices))
    said.grant.also.extend(also)
    return said.SerializeToString()


def list_(glass: Glass, caller: Caller, payload: bytes, now: int) -> bytes:
    """List. Raises SidecarError."""
    page = glass.page(caller, value(GrantsQuery, _checked(break_glass_pb2.ListRequest, payload)))
    return break_glass_pb2.ListResponse(
        grants=[grant(each, caller, now) for each in page.grants],
        next_page_token=page.next_page_token,
        totals=message(break_glass_pb2.GrantTotals, page.totals),
    ).SerializeToString()


def review(glass: Glass, caller: Caller, payload: bytes, now: int) -> bytes:
    """Review. Raises SidecarError."""
    answer, given = glass.review(caller, value(Reviewing, _checked(break_glass_pb2.ReviewRequest, payload)))
    shown = None if given is None else grant(given, caller, now)
    return break_glass_pb2.ReviewResponse(answer=answers.answer(answer), grant=shown).SerializeToString()


def events(glass: Glass, caller: Caller, payload: bytes, now: int) -> bytes:
    """Events. Raises SidecarError."""
    page = glass.events(caller, value(EventsQuery, _checked(break_glass_pb2.EventsRequest, payload)))
    return break_glass_pb2.EventsResponse(
        notices=map(_notice, page.notices), cursor=page.cursor, more=page.more
    ).SerializeToString()


def acknowledge(glass: Glass, caller: Caller, payload: bytes, now: int) -> bytes:
    """Acknowledge. Raises SidecarError."""
    asked = _checked(break_glass_pb2.AcknowledgeRequest, payload)
    known, token = glass.acknowledge(caller, tuple(asked.notices), asked.request_id)
    return break_glass_pb2.AcknowledgeResponse(notices=map(_notice, known), consistency_token=token).SerializeToString()


def grant(given: Grant, caller: Caller, now: int) -> break_glass_pb2.Grant:
    """The message of a grant as it stands at `now`, as far as it is this caller's to know."""
    reviews = not REVIEWERS.isdisjoint(caller.roles)
    shown = given if reviews else replace(given, justification="", alerts=(), review=None)
    return message(
        break_glass_pb2.Grant,
        shown,
        state=break_glass.state(given, now),
        ended=break_glass.ending(given, now),
        review_state=break_glass.review_state(given, now),
    )


def opening(payload: bytes) -> Opening:
    """The opening of an OpenRequest. Raises InvalidRequest."""
    return value(Opening, _checked(break_glass_pb2.OpenRequest, payload))


def _notice(given: Notice) -> break_glass_pb2.Notice:
    return message(break_glass_pb2.Notice, given, grant=given.grant_id)


def _checked(kind: type[M], payload: bytes) -> M:
    found = parsed(kind, payload)
    check(found)
    return found
