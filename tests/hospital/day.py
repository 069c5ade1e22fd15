"""A day of a hospital: what is known at midnight, and the stream of what happens and what is asked until the next."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sidecar.core import instants
from sidecar.core.model import Fact, Request, Watermark
from tests.hospital import house
from tests.hospital.asking import SORTS, Ask, Asker, Expected
from tests.hospital.house import SOURCE
from tests.hospital.journeys import Patient, before, during, journeys

SEED, DATE = 20_261_123, date(2026, 3, 10)
PATIENTS, ASKS = 2_000, 4_000
KINDS = ("assignment", "stay", "relation", "directive", "delegation", "record_state", "alias", "contract", "call")
PARIS = ZoneInfo("Europe/Paris")


@dataclass(frozen=True)
class Moment:
    """Something of the day: facts the record learns, or a question with the effect and reason it must get."""

    at: int
    facts: tuple[Fact, ...] = ()
    ask: Request | None = None
    sort: str = ""
    expected: Expected = ("", "")


@dataclass(frozen=True)
class Day:
    """What is known at midnight and vouched for, and the moments of the day in their order."""

    midnight: int
    patients: tuple[Patient, ...]
    facts: tuple[Fact, ...]
    marks: tuple[Watermark, ...]
    moments: tuple[Moment, ...]

    def questions(self) -> Iterator[tuple[Request, Expected]]:
        """The questions alone, with their answers at the instant they are asked."""
        return ((moment.ask, moment.expected) for moment in self.moments if moment.ask is not None)


def midnight_of(day: date) -> int:
    """The first instant of a calendar day of Paris."""
    return instants.of(datetime(day.year, day.month, day.day, tzinfo=PARIS))


def a_day(seed: int = SEED, patients: int = PATIENTS, asks: int = ASKS, day: date = DATE) -> Day:
    """The same for the same arguments."""
    midnight = midnight_of(day)
    who = journeys(random.Random(f"{seed} patients"), patients, midnight)
    known = house.facts(midnight) + [fact for one in who for fact in before(one, midnight)]
    moments = [Moment(at, (fact,)) for one in who for at, fact in during(one, midnight)]
    moments += [Moment(one.at, (), one.request, one.sort, one.expected) for one in _asked(seed, who, midnight, asks)]
    # What is learned at an instant is known to a question asked at it.
    moments.sort(key=lambda moment: (moment.at, moment.ask is not None))
    marks = (Watermark(SOURCE, KINDS, midnight),)
    return Day(midnight, tuple(who), tuple(known), marks, tuple(moments))


def _asked(seed: int, who: list[Patient], midnight: int, count: int) -> Iterator[Ask]:
    dice = random.Random(f"{seed} questions")
    asker = Asker(dice, who, midnight)
    weights = [weight for _, weight in SORTS.values()]
    while count:
        question = asker.ask(dice.choices(list(SORTS), weights)[0])
        if question is not None:
            count -= 1
            yield question
