"""What an application is told. It must tell these apart: none of them is true or false."""

from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal, NoReturn


class _NeverABoolean:
    """An outcome has no truth value: `if outcome:` would let a refusal through."""

    __slots__ = ()

    def __bool__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is neither true nor false: use isinstance() or match")


@dataclass(frozen=True, slots=True)
class Obligation:
    """What the application must do with the answer, or what it may do where it is an advice."""

    id: str
    params: MappingProxyType[str, str]


@dataclass(frozen=True, slots=True)
class Offer:
    """Whether an emergency grant may be opened for this access, with which motives, opening what."""

    available: bool = False
    motives: tuple[str, ...] = ()
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """What every recorded answer says.

    `binding` is False while the unit is being rolled out: the application is told and goes on as it did before.
    `message` is one sentence for the user. The answer may not be used again at or after `valid_until`.
    """

    reason: str
    message: str
    decision_id: str
    binding: bool
    also: tuple[str, ...] = ()
    advice: tuple[Obligation, ...] = ()
    valid_until: datetime | None = None
    consistency_token: str = ""
    policy: str = ""
    record: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """An emergency grant that a check opened, or found open: what it opens, until when, and when its review is due."""

    id: str
    scope: str
    opened_at: datetime
    until: datetime
    review_due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Permitted(_NeverABoolean):
    """Go on, and do every obligation: the application has said that it can.

    `grant` is the emergency grant that this very check opened.
    """

    answer: Answered
    obligations: tuple[Obligation, ...] = ()
    grant: Grant | None = None
    kind: Literal["permitted"] = field(default="permitted", init=False)


@dataclass(frozen=True, slots=True)
class Refused(_NeverABoolean):
    """Do not go on. `break_glass` says whether an emergency may open what is refused here.

    `obligations` come with a refusal too, as STEP_UP does. `unknown` are those of a permit that this application
    does not implement: it refuses by itself, with the reason UNKNOWN_OBLIGATION. `grant` is there when this check
    opened an emergency grant and the grant does not open what was asked.
    """

    answer: Answered
    break_glass: Offer = Offer()
    obligations: tuple[Obligation, ...] = ()
    unknown: tuple[str, ...] = ()
    grant: Grant | None = None
    kind: Literal["refused"] = field(default="refused", init=False)


@dataclass(frozen=True, slots=True)
class Unavailable(_NeverABoolean):
    """There is no answer, so nothing is permitted.

    `reason` is a gRPC status (DEADLINE_EXCEEDED, INVALID_ARGUMENT …) or UNREADABLE, UNKNOWN_EFFECT, NOT_EVALUATED,
    INVALID_REQUEST. `detail` is for the application's log, `message` for the user. `worth_retrying`: the same call
    may get an answer later.
    """

    reason: str
    message: str
    detail: str = ""
    worth_retrying: bool = False
    kind: Literal["unavailable"] = field(default="unavailable", init=False)


@dataclass(frozen=True, slots=True)
class Opened(_NeverABoolean):
    """An emergency grant is open until `until`: name it in the context of the checks it is for."""

    answer: Answered
    grant: str
    scope: str
    opened_at: datetime
    until: datetime
    review_due: datetime | None = None
    obligations: tuple[Obligation, ...] = ()
    kind: Literal["opened"] = field(default="opened", init=False)


@dataclass(frozen=True, slots=True)
class Closed(_NeverABoolean):
    """The grant is over."""

    grant: str
    closed_at: datetime | None
    kind: Literal["closed"] = field(default="closed", init=False)


Outcome = Permitted | Refused | Unavailable
OpenOutcome = Opened | Refused | Unavailable
CloseOutcome = Closed | Unavailable
