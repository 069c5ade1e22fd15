"""Chance: the names questions are made of, and instants on, just before or just after an edge."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from msgspec import Struct

from sidecar.core.model import Fact, Period, Scope

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
YEAR = 365 * DAY + DAY // 4

CONTROLLER, TENANT = "C1", "T"
ME, SENIOR, CHIEF = "dr-a", "dr-s", "dr-d"
UNITS = ("U1", "U2")
FEEDS = {"directive": ("dpi",), "record_state": ("dpi", "gap"), "alias": ("dpi",)}


def instant(text: str) -> int:
    """The instant of an ISO text with its offset."""
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


NOWS = tuple(
    map(
        instant,
        (
            "2026-03-10T12:00:00+01:00",
            "2026-07-14T03:30:00+02:00",
            "2026-03-29T01:59:59.999999+01:00",  # clocks go forward
            "2026-03-29T03:00:00+02:00",
            "2026-10-25T02:30:00+02:00",  # the hour that comes twice
            "2026-10-25T02:30:00+01:00",
            "2026-10-26T00:00:00+01:00",
            "2028-02-29T00:00:00+01:00",  # leap day
            "2028-02-29T23:59:59.999999+01:00",
            "2028-03-01T00:00:00+01:00",
            "2026-12-31T23:59:59.999999+01:00",
            "2027-01-01T00:00:00+01:00",
        ),
    )
)


class Setting(Struct, frozen=True):
    """The names questions are made of, and how likely each comes."""

    profiles: Sequence[str]
    kinds: Mapping[str, str]  # profile → the kind of its holders
    categories: Sequence[str]
    actions: Sequence[str]
    purposes: Sequence[str]
    tags: Sequence[str]
    secrets: Sequence[str]  # tags kept from a minor's representatives
    flags: Sequence[str]
    relations: Sequence[str]
    windows: Mapping[str, Mapping[str, int]]
    ages: Mapping[str, int]
    motives: Sequence[str]
    heirs: Sequence[str]  # motives for which heirs may read
    colleague: str  # the profile of senior and delegator
    unusual: float = 0.6  # the share of logins, devices, accounts, callers and objects that are drawn at random
    edges: float = 0.4  # the share of facts whose instants are at an edge


def setting_of(
    parameters: Mapping[str, Any], colleague: str, unusual: float = 0.6, edges: float = 0.4, **often: Sequence[str]
) -> Setting:
    """The names of a pack; `often` lists replace those of the vocabulary."""
    vocabulary = parameters["vocabulary"]
    relations = vocabulary["relations"]
    return Setting(
        profiles=often.get("profiles", list(vocabulary["profiles"])),
        kinds={name: profile["kinds"][0] for name, profile in vocabulary["profiles"].items()},
        categories=often.get("categories", vocabulary["categories"]),
        actions=often.get("actions", vocabulary["actions"]),
        purposes=often.get("purposes", vocabulary["purposes"]),
        tags=vocabulary["tags"],
        secrets=vocabulary.get("secret_tags", ()),
        flags=vocabulary["flags"],
        relations=often.get("relations", [name for name, each in relations.items() if not each.get("derived")]),
        windows=relations,
        ages=parameters["freshness"]["facts_max_age"],
        motives=parameters["break_glass"]["motives"],
        heirs=vocabulary.get("heir_motives", ()),
        colleague=colleague,
        unusual=unusual,
        edges=edges,
    )


class Chance:
    """One source of chance, and what is drawn from it: instants, periods, scopes, facts."""

    def __init__(self, random: Random, setting: Setting) -> None:
        self.random, self.setting = random, setting
        self.now, self.count = NOWS[0], 0

    def rarely(self, share: float) -> bool:
        """True in this share of cases."""
        return self.random.random() < share

    def oddly(self) -> bool:
        """Whether this part of the question is drawn at random."""
        return self.rarely(self.setting.unusual)

    def near(self, at: int) -> int:
        """On an instant, or just beside it."""
        return at + self.random.choice((0, 0, 1, -1, SECOND, -SECOND))

    def period(self, before: int = 0, after: int = 0) -> Period:
        """A period that mostly holds now, within its window; its ends are often at the edge."""
        random, now = self.random, self.now
        if not self.rarely(self.setting.edges):
            lasting = Period(now - random.randint(1, 60) * DAY, None if random.random() < 0.5 else now + 3 * DAY)
            return Period() if self.rarely(0.1) else lasting
        side = random.choice(("end", "end", "start", "past"))
        if side == "start":
            return Period(self.near(now + before), None if random.random() < 0.5 else now + before + 5 * DAY)
        end = now - after if side == "end" else now - random.choice((0, 2, 7, 7, 30, 30, 45, 90)) * DAY
        return Period(self.near(end) - random.randint(1, 9) * DAY, self.near(end))

    def as_of(self, kind: str) -> int:
        """When the fact was told: mostly lately, sometimes as long ago as its age may be."""
        limit = self.setting.ages.get(kind, 365 * 86_400) * SECOND
        if not self.rarely(self.setting.edges * 0.4):
            return self.now - self.random.randint(0, 20) * HOUR
        old = self.near(self.now - limit) if self.rarely(0.7) else self.now - limit - 5 * DAY
        return min(self.now, old)

    def fact(self, kind: str, body: Any, period: Period) -> Fact:
        """A fact of this body, from one of two sources, in this controller's records but for a few."""
        self.count += 1
        controller = CONTROLLER if self.random.random() < 0.96 else "C2"
        source = self.random.choice(("dpi", "dpi", "adt"))
        as_of = self.as_of(kind)
        if kind == "assignment" and body.on_call and self.rarely(0.3):
            as_of = min(self.now, self.near(self.now - DAY))
        return Fact(f"f{self.count}", source, controller, as_of, period, **{kind: body})

    def patient(self) -> str:
        return self.random.choice(("P1",) * 12 + ("P1b", "P1b", "P2"))

    def windowed(self, kind: str) -> Period:
        window = self.setting.windows.get(kind, {})
        return self.period(window.get("before", 0) * SECOND, window.get("after", 0) * SECOND)

    def announced(self) -> Period:
        """The period of a planned stay, often such that a transfer's window opens or closes about now."""
        window = self.setting.windows.get("REL_TRANSFER", {})
        before, after = window.get("before", 0) * SECOND, window.get("after", 0) * SECOND
        planned = self.now + self.random.choice((0, HOUR, -HOUR))
        if self.rarely(self.setting.edges):
            planned = self.near(self.random.choice((self.now + before, self.now - after)))
        return Period(planned, None if self.rarely(0.5) else planned + 9 * DAY)

    def scope(self, share: float) -> Scope:
        if not self.rarely(share):
            return Scope()
        random = self.random
        return Scope(
            random.choice(((), tuple(self.setting.categories[:3]))),
            random.choice(((), ("doc-1",))),
            random.choice(("", "S1", "S2")),
        )


def day(at: int) -> str:
    """The day of an instant, an hour east of Greenwich."""
    return str((datetime(1970, 1, 1, 1) + timedelta(microseconds=at)).date())


def years_before(at: int, years: int) -> int:
    """The same calendar instant some years earlier; 1 March for a 29 February that was not."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    try:
        before = moment.replace(year=moment.year - years)
    except ValueError:
        before = moment.replace(year=moment.year - years, month=3, day=1)
    return (before - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
