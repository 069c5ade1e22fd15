"""Paris calendar days as instants: days since death, birthdays, retention (3.1.1); everything else is n × 86 400 s.

Each is worked out once per date and kept, so that a decision compares integers.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sidecar.core import instants

CARE_YEARS, BIRTHDAY, DEATH_YEARS = 20, 28, 10  # R.1112-7 CSP (L-28)


@lru_cache(1)
def _paris() -> ZoneInfo:
    return ZoneInfo("Europe/Paris")


@lru_cache(10_000)
def midnight(day: str, days_later: int = 0) -> int:
    """The instant a Paris day begins, `days_later` after the ISO date `day`. Raises ValueError for no such date."""
    return _midnight(date.fromisoformat(day) + timedelta(days=days_later))


@lru_cache(10_000)
def birthday(day: str, years: int) -> int:
    """The instant the Paris day of a birthday begins. Raises ValueError for no such date."""
    return _midnight(_years_later(date.fromisoformat(day), years))


@lru_cache(10_000)
def months_later(instant: int, months: int) -> int:
    """The same Paris time of the same day, months later; of the month's last day where it has no such day.

    That is how a delay counted in months ends (art. 641 CPC).
    """
    then = datetime.fromtimestamp(instant // instants.SECOND, UTC).astimezone(_paris())
    year, month = divmod(then.year * 12 + then.month - 1 + months, 12)
    day = min(then.day, monthrange(year, month + 1)[1])
    later = then.replace(year=year, month=month + 1, day=day, fold=0)
    return instants.of(later) + instant % instants.SECOND


@lru_cache(10_000)
def retention(last_care: int, birth_date: str, death_date: str) -> tuple[int, int]:
    """When care is twenty years past, and when the record is due to expire: the starts of those Paris days.

    20 years from the last care, at least until the 28th birthday; ten years from a death within ten years of it
    (R.1112-7 CSP, L-28). Dates are ISO 8601, empty when not known. Raises ValueError for no such date.
    """
    care = datetime.fromtimestamp(last_care // instants.SECOND, UTC).astimezone(_paris()).date()
    past = _years_later(care, CARE_YEARS)
    if death_date:
        death = date.fromisoformat(death_date)
        if death < _years_later(care, DEATH_YEARS):
            return _midnight(past), _midnight(_years_later(death, DEATH_YEARS))
    due = max(past, _years_later(date.fromisoformat(birth_date), BIRTHDAY)) if birth_date else past
    return _midnight(past), _midnight(due)


def _midnight(day: date) -> int:
    return instants.of(datetime(day.year, day.month, day.day, tzinfo=_paris()))


def _years_later(day: date, years: int) -> date:
    """The same day of a later year; 29 February becomes 1 March, so that nothing is due a day early."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
