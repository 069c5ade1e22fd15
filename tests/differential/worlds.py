"""Worlds and questions: facts of every kind near the instant of the question, most of them about whom it concerns.

What usually lets a question pass (an active account, two factors, complete feeds) is there but for a few cases;
instants are on, just before or just after an edge, and now is often an hour that clocks or calendars make special.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from msgspec import Struct

from sidecar.core.model import (
    Alias,
    Assignment,
    Authentication,
    Caller,
    Context,
    Contract,
    Delegation,
    Device,
    Directive,
    Fact,
    Grant,
    Opening,
    Period,
    RecordState,
    References,
    Relation,
    Request,
    Resource,
    Scope,
    Stay,
    Subject,
    Target,
    Watermark,
)
from tests.oracle import World

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
YEAR = 365 * DAY + DAY // 4

CONTROLLER, TENANT = "C1", "T"
ME, SENIOR, CHIEF = "dr-a", "dr-s", "dr-d"
UNITS = ("U1", "U2")
FEEDS = {"directive": ("dpi",), "record_state": ("dpi", "gap"), "alias": ("dpi",)}
REFS = References(ticket="T-1", case="C-1")


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


class Case(Struct, frozen=True):
    """A question and the world it is asked in."""

    request: Request
    caller: Caller
    world: World
    now: int
    opening: Opening | None = None


class Setting(Struct, frozen=True):
    """The names questions are made of, and how likely each comes."""

    profiles: Sequence[str]
    kinds: Mapping[str, str]  # profile → the kind of its holders
    categories: Sequence[str]
    actions: Sequence[str]
    purposes: Sequence[str]
    tags: Sequence[str]
    flags: Sequence[str]
    relations: Sequence[str]
    windows: Mapping[str, Mapping[str, int]]
    ages: Mapping[str, int]
    motives: Sequence[str]
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
        flags=vocabulary["flags"],
        relations=often.get("relations", [name for name, each in relations.items() if not each.get("derived")]),
        windows=relations,
        ages=parameters["freshness"]["facts_max_age"],
        motives=parameters["break_glass"]["motives"],
        colleague=colleague,
        unusual=unusual,
        edges=edges,
    )


class Maker:
    """Makes cases from one source of chance."""

    def __init__(self, random: Random, setting: Setting) -> None:
        self.random, self.setting = random, setting
        self.now, self.count = NOWS[0], 0

    def case(self, opening: bool = False) -> Case:
        """A question, or the opening of a grant, and its world."""
        random = self.random
        self.now = random.choice(NOWS) + random.choice((0, 0, 0, 1, -1, HOUR))
        self.count = 0
        profile = random.choice(self.setting.profiles)
        subject, request = self.subject(profile), None
        facts = self.facts(subject)
        inline = tuple(facts.pop() for _ in range(random.randint(1, 3)) if facts) if self.rarely(0.08) else ()
        caller = self.caller(bool(inline))
        grants = self.grants(profile)
        request = self.request(subject, grants, inline)
        world = World(
            tuple(facts), self.watermarks(), grants, FEEDS if random.random() < 0.95 else {}, TENANT,
            readable=random.random() < 0.96,
        )  # fmt: skip
        return Case(request, caller, world, self.now, self.opening(subject) if opening else None)

    # ---- chance

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

    # ---- who asks

    def caller(self, inline: bool) -> Caller:
        """The system that asks; one whose question brings facts may mostly assert them."""
        random = self.random
        facts = {"facts"} if random.random() < (0.8 if inline else 0.05) else set()
        if not self.oddly():
            return Caller(
                "dpi",
                tenant=TENANT,
                controllers=(CONTROLLER,),
                hds="certified",
                may_assert=frozenset({"identity"} | facts),
            )
        return Caller(
            "dpi",
            random.choice(("dpi", "dpi", "dpi", "portal")),
            tenant=TENANT,
            controllers=random.choice(((CONTROLLER,),) * 20 + (("C2",),)),
            hds=random.choice(("certified", "certified", "not_needed", "missing")),
            may_assert=frozenset(facts | random.choice((set(), set(), {"identity"}))),
        )

    def subject(self, profile: str) -> Subject:
        """Somebody of this profile."""
        random, now = self.random, self.now
        kind = self.setting.kinds[profile]
        job = kind == "service"
        rare = self.rarely
        if not self.oddly():
            account = "service" if job else "nominatif"
            who = profile if job else ME
            return Subject(who, kind, profile, account_type=account, status="actif", supervised_by=SENIOR)
        return Subject(
            profile if job else ME,
            "prestataire" if rare(0.06) else kind,
            profile,
            profession=random.choice(("10", "10", "60", "")),
            structure=random.choice(("S1", "S1", "")),
            units=random.choice(((), (), ("U1",), ("U2",))),
            activity_id=random.choice(("", "a1")),
            activities=random.choice(((),) * 9 + (("a1",), ("a1", "a2"))),
            account_type="service" if job else "generique" if rare(0.04) else "nominatif",
            status="suspendu" if rare(0.04) else "actif",
            valid_from=self.near(now) if rare(0.05) else None,
            valid_until=self.near(now) if rare(0.05) else None,
            contract_until=self.near(now) if rare(0.05) else None,
            confidentiality_signed=random.choice((None, None, True, False)),
            supervised_by=random.choice((SENIOR, SENIOR, "", ME)),
        )

    def authentication(self) -> Authentication | None:
        """A login, mostly recent and with two factors."""
        random = self.random
        if not self.oddly():
            return Authentication(mfa=True, time=self.now - 60 * SECOND, idle_s=0, remote="none")
        if self.rarely(0.04):
            return None
        age = random.choice((60,) * 12 + (299, 300, 43_199, 43_200, 50_000, -59, -60, -61))
        return Authentication(
            mfa=random.choice((True,) * 20 + (False, None)),
            time=None if self.rarely(0.03) else self.now - age * SECOND + random.choice((0, 0, 1, -1)),
            idle_s=random.choice((0,) * 12 + (60, 599, 600, 14_399, 14_400, None)),
            remote=random.choice(("none",) * 16 + ("managed_channel", "open", None, "?")),
        )

    def device(self) -> Device | None:
        """What the subject works on."""
        random = self.random
        if not self.oddly():
            return Device("workstation", managed=True, compromised=False)
        if self.rarely(0.04):
            return None
        return Device(
            random.choice(("workstation", "workstation", "tablet", "phone")),
            managed=random.choice((True, True, True, None, False)),
            compromised=random.choice((False,) * 16 + (None, True)),
        )

    # ---- what is asked

    def request(self, subject: Subject, grants: tuple[Grant, ...], inline: tuple[Fact, ...]) -> Request:
        """A question of this subject."""
        random, setting = self.random, self.setting
        named = random.choice(grants).id if grants and not self.rarely(0.15) else ""
        profile = "inconnu" if self.rarely(0.01) else subject.profile
        return Request(
            Subject(**{name: getattr(subject, name) for name in subject.__struct_fields__} | {"profile": profile}),
            "inconnu" if self.rarely(0.01) else random.choice(setting.actions),
            self.resource(),
            "inconnu" if self.rarely(0.01) else random.choice(setting.purposes),
            self.authentication(),
            self.device(),
            Context(
                access_mode=random.choice(("bris_de_glace",) * 4 + ("centre_15", "normal")) if named else "normal",
                grant=named,
                motive=random.choice(("", *setting.motives)),
                justification=random.choice(WHYS),
                workstation=random.choice(("none", "none", "W1", None)),
                user_agreement=random.choice((True, True, None, False)),
                refs=random.choice((REFS, REFS, References())),
            ),
            inline,
        )

    def resource(self) -> Resource:
        """The object asked about."""
        random, setting = self.random, self.setting
        if not self.oddly():
            return Resource(
                random.choice(setting.categories),
                random.choice(("P1",) * 6 + ("P1b",)),
                id="doc-1",
                tags=(),
                author=random.choice(("", ME, CHIEF)),
                created_at=self.now - 10 * DAY,
                unit="U1",
                masked_for=(),
                lifecycle="actif",
            )
        return Resource(
            category="inconnu" if self.rarely(0.01) else random.choice(setting.categories),
            patient_id="" if self.rarely(0.04) else random.choice(("P1",) * 7 + ("P1b",)),
            id=random.choice(("doc-1", "doc-1", "")),
            tags=random.choice(((),) * 9 + ((setting.tags[0],), (setting.tags[-1], "inconnue"), None)),
            author=random.choice(("", ME, SENIOR, CHIEF)),
            created_at=random.choice((None, self.near(self.now - 10 * DAY), self.now - 40 * DAY, self.near(self.now))),
            unit=random.choice(("U1", "U1", "U2", "")),
            stay=random.choice(("", "S1", "S2")),
            masked_for=random.choice(((),) * 8 + ((random.choice(MASKED_FOR),), None, None)),
            lifecycle=random.choice(
                ("actif",) * 20 + ("gele", "archive", "expire", "invalide", "brouillon", None, "?")
            ),
            controller_id=random.choice(("", CONTROLLER, CONTROLLER, "C2")) if self.rarely(0.2) else "",
        )

    def opening(self, subject: Subject) -> Opening:
        """The same subject asks for an emergency grant."""
        random = self.random
        return Opening(
            subject,
            random.choice(("P1", "P1", "P1b")),
            random.choice((*self.setting.motives, "inconnu")),
            random.choice(WHYS[1:3] if self.rarely(0.6) else WHYS),
            self.authentication(),
            self.device(),
            random.choice((CONTROLLER, "")),
            random.choice((True, None)),
        )

    # ---- what is known

    def facts(self, subject: Subject) -> list[Fact]:
        """Facts about staff and patient, in any order."""
        facts = self.staff(subject) + self.care(subject) + self.record(subject) + self.will(subject)
        self.random.shuffle(facts)
        return facts

    def staff(self, subject: Subject) -> list[Fact]:
        """Who works where, who may act for whom, and who has a contract."""
        random, found = self.random, []
        for who, often in ((subject.id, 0.9), (subject.id, 0.4), (SENIOR, 0.6), (CHIEF, 0.7)):
            if random.random() < often:
                profile = subject.profile if who == subject.id and not self.rarely(0.1) else self.setting.colleague
                work = Assignment(who, random.choice(("U1", "U1", "U2")), profile, on_call=self.rarely(0.25))
                found.append(self.fact("assignment", work, self.period()))
        for _ in range(random.choice((1, 2)) if self.rarely(self.setting.edges) else 0):
            given = Delegation(
                random.choice((CHIEF, CHIEF, CHIEF, SENIOR)),
                random.choice((subject.id,) * 5 + (SENIOR,)),
                patient_id=random.choice(("P1", "P1", "P1", "", "P2")),
                units=random.choice(((), (), ("U1",))),
                categories=random.choice(((), (), tuple(self.setting.categories[:2]))),
                documents=random.choice(((), (), ("doc-1",))),
                purposes=random.choice(((), (), (self.setting.purposes[0],))),
            )
            found.append(self.fact("delegation", given, self.period()))
        if self.rarely(0.5):
            contract = Contract("S1", approved=not self.rarely(0.1), confidentiality_signed=not self.rarely(0.1))
            found.append(self.fact("contract", contract, self.period()))
        return found

    def care(self, subject: Subject) -> list[Fact]:
        """The patient's stays and relations."""
        random, found = self.random, []
        for _ in range(random.choice((0, 1, 2, 2, 3))):
            planned = self.rarely(self.setting.edges * 0.5)
            stay = Stay(
                self.patient(),
                random.choice(("U1", "U1", "U2")),
                "planned" if planned else random.choice(("active",) * 9 + ("cancelled",)),
                random.choice(("S1", "S1", "S2", "")),
                random.choice(("", "", subject.id, SENIOR, CHIEF)),
            )
            kind = random.choice(("REL_RESP", ""))
            found.append(self.fact("stay", stay, self.announced() if planned else self.windowed(kind)))
        for _ in range(random.choice((0, 1, 2, 3, 4))):
            kind = random.choice(self.setting.relations)
            optional = self.setting.windows[kind].get("patient_optional", False)
            whom: dict[str, str] = random.choice(
                ({"subject_id": subject.id}, {"subject_id": subject.id}, {"subject_id": SENIOR}, {"unit": "U1"})
            )
            relation = Relation(
                kind,
                patient_id=random.choice(("", "P1", "P2")) if optional else self.patient(),
                ref=random.choice(("T-1", "C-1")) if optional else random.choice(("", "", "C-1")),
                scope=self.scope(0.25),
                **({} if optional and self.rarely(0.6) else whom),
            )
            found.append(self.fact("relation", relation, self.windowed(kind)))
        return found

    def record(self, subject: Subject) -> list[Fact]:
        """What is known of the record as a whole, and the patient's names."""
        random, now, found = self.random, self.now, []
        if self.rarely(self.setting.edges * 0.3):
            found.append(self.fact("record_state", self.aged(), Period()))
        for _ in range(random.choice((0, 0, 1, 1, 2)) if self.oddly() else 0):
            old = random.choice((10, 20, 28))
            state = RecordState(
                self.patient(),
                birth_date=random.choice(
                    ("", "", day(now - 28 * YEAR + random.choice((0, 1, -1)) * DAY), "1970-02-28")
                ),
                death_date=random.choice(("",) * 6 + tuple(day(now - days * DAY) for days in (0, 1, 7, 8, 30, 31))),
                last_care=random.choice((None, None, now - DAY, self.near(now - 11 * YEAR), years_before(now, old)))
                if random.random() < 0.7
                else years_before(now, 20) + random.choice((DAY, -DAY, 0, HOUR, -1)),
                lifecycle=random.choice(("",) * 6 + ("actif", "gele", "archive", "expire")),
                flags=random.choice(((),) * 5 + tuple((flag,) for flag in self.setting.flags)),
            )
            found.append(self.fact("record_state", state, self.period()))
        if self.rarely(self.setting.edges * 0.5):
            merge = Alias(*random.choice((("P1", "P1b"), ("P1b", "P1"))), "merge")
            found.append(self.fact("alias", merge, self.period()))
            if self.rarely(0.4):
                found.append(self.fact("alias", Alias("P1", "P1b", "unmerge"), self.period()))
        if self.rarely(0.08):
            same = Alias(self.patient(), random.choice((subject.id, subject.id, SENIOR)), "same_person")
            found.append(self.fact("alias", same, self.period()))
        return found

    def aged(self) -> RecordState:
        """A record whose retention is about to end, for one reason or another (R.1112-7 CSP)."""
        random, now = self.random, self.now

        def about(years: int) -> int:
            return years_before(now, years) + random.choice((0, DAY, -DAY))

        cares = {"care": (20,), "birth": (20, 22, 25), "death": (11, 15, 19)}
        why = random.choice(list(cares))
        return RecordState(
            self.patient(),
            birth_date=day(about(28)) if why == "birth" else "",
            death_date=day(about(10)) if why == "death" else "",
            last_care=self.near(about(random.choice(cares[why]))),
            flags=random.choice(((), (), ("litige",))),
        )

    def will(self, subject: Subject) -> list[Fact]:
        """The patient's masks, blocks and oppositions."""
        random, found = self.random, []
        for _ in range(random.choice((1, 1, 2)) if self.rarely(self.setting.edges) else 0):
            target = random.choice(
                (
                    Target(everyone=True),
                    Target(subject_id=subject.id),
                    Target(subject_id=CHIEF),
                    Target(profession="10"),
                    Target(structure="S1"),
                    Target(unit="U1"),
                )
            )
            directive = Directive(
                random.choice(("mask", "mask", "block", "opposition", "consent")),
                self.patient(),
                modes=random.choice(((),) * 6 + (("normal",), ("bris_de_glace",))),
                target=target,
                scope=self.scope(0.3),
                except_=random.choice(((),) * 5 + ((ME,), (SENIOR,))),
                rights=random.choice(((),) * 5 + (("read",), ("write",))),
            )
            found.append(self.fact("directive", directive, self.period()))
        return found

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

    def watermarks(self) -> tuple[Watermark, ...]:
        """What feeds vouch for: mostly everything until lately."""
        random, found = self.random, []
        for source in ("dpi", "gap", "adt"):
            for kind in ("directive", "record_state", "alias", "stay", "relation", "assignment"):
                until = self.now - random.randint(0, 20) * HOUR
                if not self.oddly():
                    found.append(Watermark(source, (kind,), until, CONTROLLER))
                    continue
                if self.rarely(0.08) or (kind not in FEEDS and self.rarely(0.7)):
                    continue
                if self.rarely(0.1):
                    until = min(self.now, self.near(self.now - DAY))
                elif self.rarely(0.03):
                    until = self.now - 9 * DAY
                found.append(Watermark(source, (kind,), until, CONTROLLER))
        return tuple(found)

    def grants(self, profile: str) -> tuple[Grant, ...]:
        """Emergency grants, mostly the subject's and open."""
        random, now, found = self.random, self.now, []
        for n in range(random.choice((0, 0, 0, 1, 1, 2))):
            opened, until = now - random.randint(1, 3) * HOUR, now + HOUR
            if self.rarely(0.3):
                opened, until = random.choice(
                    (
                        (self.near(now), until),
                        (opened, self.near(now)),
                        (opened, now - HOUR),
                        (now + HOUR, now + 2 * HOUR),
                    )
                )
            closed = self.near(now) if self.rarely(0.15) else now - HOUR // 2 if self.rarely(0.05) else None
            found.append(
                Grant(
                    f"g{n}",
                    TENANT if not self.rarely(0.03) else "T2",
                    CONTROLLER if not self.rarely(0.04) else "C2",
                    "dpi",
                    ME if not self.rarely(0.08) else SENIOR,
                    random.choice(("P1",) * 7 + ("P1b", "P2")),
                    profile if not self.rarely(0.08) else self.setting.colleague,
                    "MED",
                    random.choice(self.setting.motives),
                    "arrêt cardiaque",
                    opened,
                    until,
                    until + 3 * DAY,
                    closed,
                    second_confirmation=self.rarely(0.5),
                )
            )
        return tuple(found)


MASKED_FOR = (
    "tous",
    ME,
    CHIEF,
    "profile:medecin",
    "profession:10",
    "profession:60",
    "structure:S1",
    "unit:U1",
    "unit:U2",
    "autre:x",
)
WHYS = (
    "",
    "arrêt cardiaque en salle 4",
    "urgent   vite",
    "aaaaaaaaaaaaaaaaaaaaaaaaa",
    "prise en charge non encore enregistrée aux urgences",
    "douleur du",
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
