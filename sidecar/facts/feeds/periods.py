"""FHIR dates and periods as instants.

A FHIR `dateTime` may stop at the year, the month or the day. A start is the first instant of what is written.
An end written as a day lasts to the end of that day (FHIR R4 2.24.0.10: the end includes any matching date), in the
establishment's time zone; an end written as an instant is the first instant outside, since our periods are [from, to).
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo

from sidecar.core import instants
from sidecar.core.model import Period
from sidecar.facts.feeds.resources import FhirPeriod

_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")


def start(text: str, zone: tzinfo) -> int:
    """The first instant of FHIR dateTime `text`. Raises ValueError."""
    return instants.parse(text) if "T" in text else instants.of(_midnight(_first_day(text), zone))


def end(text: str, zone: tzinfo) -> int:
    """The first instant after FHIR dateTime `text` read as the end of a period. Raises ValueError."""
    return instants.parse(text) if "T" in text else instants.of(_midnight(_day_after(text), zone))


def period(stated: FhirPeriod | None, zone: tzinfo) -> Period:
    """[from, to) of a FHIR Period, open where it says nothing. Raises ValueError when it is empty or not a date."""
    if stated is None:
        return Period()
    first = start(stated.start, zone) if stated.start else None
    last = end(stated.end, zone) if stated.end else None
    if first is not None and last is not None and last <= first:
        raise ValueError("the period ends before it starts")
    return Period(from_=first, to=last)


def within(inner: Period, outer: Period) -> Period | None:
    """What two periods share; None when they share nothing."""
    starts = [p.from_ for p in (inner, outer) if p.from_ is not None]
    ends = [p.to for p in (inner, outer) if p.to is not None]
    shared = Period(from_=max(starts, default=None), to=min(ends, default=None))
    if shared.from_ is not None and shared.to is not None and shared.to <= shared.from_:
        return None
    return shared


def without(whole: Period, cuts: Iterable[Period]) -> list[Period]:
    """What is left of a period, in order of time, once others are cut out of it."""
    left = [whole]
    for cut in cuts:
        spared: list[Period] = []
        for one in left:
            spared += [part for part in (_before(one, cut.from_), _after(one, cut.to)) if part is not None]
        left = spared
    return left


def _before(one: Period, instant: int | None) -> Period | None:
    return within(one, Period(to=instant)) if instant is not None else None


def _after(one: Period, instant: int | None) -> Period | None:
    return within(one, Period(from_=instant)) if instant is not None else None


def calendar_day(text: str, zone: tzinfo) -> str:
    """The calendar day of a FHIR date or dateTime, the first one where it names a month or a year.

    Raises ValueError.
    """
    if "T" in text:
        instants.parse(text)
        return datetime.fromisoformat(text).astimezone(zone).date().isoformat()
    return _first_day(text).isoformat()


def whole_day(text: str) -> bool:
    """Whether FHIR date `text` names a day, not only a month or a year."""
    return len(text) == len("2024-01-01")


def _parts(text: str) -> tuple[int, int | None, int | None]:
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"not a FHIR date: `{text}`")
    year, month, day = match.groups()
    return int(year), int(month) if month else None, int(day) if day else None


def _first_day(text: str) -> date:
    year, month, day = _parts(text)
    return date(year, month or 1, day or 1)


def _day_after(text: str) -> date:
    year, month, day = _parts(text)
    if month is None:
        return date(year + 1, 1, 1)
    if day is None:
        return date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, day) + timedelta(days=1)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)
