"""What is asked of a grant that is there: to end it, or to give the verdict on it."""

from typing import Literal

from msgspec import Struct

from sidecar.core.model import Answer, Authentication, Device, Grant, Subject


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
    """The grant as it stands after a closing; `answer` is what the policy said, where it was asked."""

    grant: Grant
    consistency_token: str
    answer: Answer | None = None
