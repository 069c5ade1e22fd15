"""Facts of every kind near the instant of a question, most of them about whom it concerns."""

from sidecar.core.model import (
    Alias,
    Assignment,
    Contract,
    Delegation,
    Directive,
    Fact,
    Grant,
    Period,
    RecordState,
    Relation,
    Stay,
    Subject,
    Target,
    Watermark,
)
from tests.differential.chance import (
    CHIEF,
    CONTROLLER,
    DAY,
    FEEDS,
    HOUR,
    ME,
    SENIOR,
    TENANT,
    YEAR,
    Chance,
    day,
    years_before,
)


class Facts(Chance):
    """Makes what is known."""

    def facts(self, subject: Subject) -> list[Fact]:
        """Facts about staff and patient, in any order."""
        facts = self.staff(subject) + self.care(subject) + self.record(subject)
        facts += self.kin(subject) + self.will(subject) + self.agreement(subject)
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
                (
                    {"subject_id": subject.id},
                    {"subject_id": subject.id, "requester_id": SENIOR},
                    {"subject_id": SENIOR, "requester_id": subject.id},
                    {"unit": "U1", "requester_id": subject.id},
                )
            )
            relation = Relation(
                kind,
                patient_id=random.choice(("", "P1", "P2")) if optional else self.patient(),
                ref=random.choice(("T-1", "C-1")) if optional else random.choice(("", "", "C-1")),
                structure=random.choice(("", "", "S1", "S2")) if kind == "REL_CODE" else "",
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
                    ("", "", self.birthday(28), self.birthday(18), self.birthday(12), "1970-02-28")
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

    def kin(self, subject: Subject) -> list[Fact]:
        """A minor whom the subject speaks for, until about now."""
        if not self.rarely(0.06):
            return []
        born = RecordState(self.patient(), birth_date=self.birthday(self.random.choice((12, 18, 18))))
        speaks = Relation("REL_REP", self.patient(), subject.id)
        return [self.fact("record_state", born, Period()), self.fact("relation", speaks, self.windowed("REL_REP"))]

    def birthday(self, years: int) -> str:
        """The day of birth of somebody who comes to this age about now."""
        return day(years_before(self.now, years) + self.random.choice((0, 1, -1)) * DAY)

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
                random.choice(("mask", "mask", "block", "opposition", "visibility")),
                self.patient(),
                modes=random.choice(((),) * 6 + (("normal",), ("bris_de_glace",))),
                target=target,
                scope=self.scope(0.3),
                except_=random.choice(((),) * 5 + ((ME,), (SENIOR,))),
                rights=random.choice(((),) * 5 + (("read",), ("write",))),
            )
            found.append(self.fact("directive", directive, self.period()))
        return found

    def agreement(self, subject: Subject) -> list[Fact]:
        """What the patient consented to, and was told of."""
        random, found = self.random, []
        for _ in range(random.choice((1, 1, 2)) if self.rarely(0.4) else 0):
            target = random.choice(
                (
                    Target(subject_id=subject.id),
                    Target(subject_id=subject.id),
                    Target(subject_id=CHIEF),
                    Target(everyone=True),
                    Target(unit="U1"),
                    Target(profession="10"),
                    Target(structure="S1"),
                )
            )
            directive = Directive(
                random.choice(("consent", "consent", "informed")),
                self.patient(),
                modes=random.choice(((),) * 6 + (("normal",), ("bris_de_glace",))),
                target=target,
                scope=self.scope(0.8),
                except_=random.choice(((),) * 9 + ((ME,),)),
                rights=random.choice(((),) * 5 + (("read",), ("write",))),
            )
            found.append(self.fact("directive", directive, self.period()))
        return found

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
                    alerts=("single_factor",) if self.rarely(0.5) else (),
                )
            )
        return tuple(found)
