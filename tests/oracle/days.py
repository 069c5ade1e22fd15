"""Calendar days in Paris: an own arithmetic, from the standard library alone (3.1.1, R.1112-7 CSP)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
DAY = 24 * 3600 * SECOND


def paris_day(instant: int) -> date:
    """The day it is in Paris at an instant, microseconds since the epoch."""
    return (EPOCH + timedelta(microseconds=instant)).astimezone(PARIS).date()


def begins(day: date) -> int:
    """The instant that day begins in Paris."""
    return (datetime(day.year, day.month, day.day, tzinfo=PARIS).astimezone(UTC) - EPOCH) // timedelta(microseconds=1)


def years_after(day: date, years: int) -> date:
    """The same day some years later; 1 March for a 29 February that year has not."""
    leap = (day.month, day.day) == (2, 29)
    year = day.year + years
    lacks = leap and not (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))
    return date(year, 3, 1) if lacks else date(year, day.month, day.day)


def retention(last_care: int, born: str, died: str) -> tuple[date, date]:
    """The day from which a record is over twenty years old, and the day from which it may be destroyed."""
    care = paris_day(last_care)
    old = due = years_after(care, 20)
    if born:
        due = max(due, years_after(date.fromisoformat(born), 28))
    if died and date.fromisoformat(died) < years_after(care, 10):
        due = years_after(date.fromisoformat(died), 10)
    return old, due


def written(instant: int) -> str:
    """RFC 3339 in UTC, with microseconds where there are some."""
    return (EPOCH + timedelta(microseconds=instant)).isoformat().replace("+00:00", "Z")
