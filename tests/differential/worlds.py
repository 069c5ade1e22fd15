"""Worlds and questions: facts of every kind near the instant of the question, most of them about whom it concerns.

What usually lets a question pass (an active account, two factors, complete feeds) is there but for a few cases;
instants are on, just before or just after an edge, and now is often an hour that clocks or calendars make special.
"""

from msgspec import Struct

from sidecar.core.model import (
    Authentication,
    Caller,
    Context,
    Device,
    Fact,
    Grant,
    Opening,
    References,
    Request,
    Resource,
    Subject,
)
from tests.differential.chance import CHIEF, CONTROLLER, DAY, FEEDS, HOUR, ME, NOWS, SECOND, SENIOR, TENANT
from tests.differential.facts import Facts
from tests.oracle import World
from tests.oracle.others import months_after

REFS = References(ticket="T-1", case="C-1", research="C-1", request="T-1", supervisor=SENIOR)
VISIBILITY = ((), (), ("INVISIBLE_PATIENT",), ("INVISIBLE_REPRESENTANTS_LEGAUX",), None)
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
    "azertyuiop azerty",
    "voir dossier voir dossier",
    "urgent urgent urgent",
    "eeeeeeeee abcd",
)


class Case(Struct, frozen=True):
    """A question and the world it is asked in."""

    request: Request
    caller: Caller
    world: World
    now: int
    opening: Opening | None = None


class Maker(Facts):
    """Makes cases from one source of chance."""

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
            patients_this_hour=random.choice((1,) * 9 + (50, 51)), refusals_lately=random.choice((0,) * 9 + (9, 10)),
        )  # fmt: skip
        return Case(request, caller, world, self.now, self.opening(subject) if opening else None)

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
            r1110_2_category=random.choice(("", "", "1", "2a", "2j", "none")),
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
                motive=random.choice(("", *setting.motives, *setting.heirs)),
                justification=random.choice(WHYS),
                workstation=random.choice(("none", "none", "W1", None)),
                user_agreement=random.choice((True, True, None, False)),
                patient_informed=random.choice(("", "", "yes", "no", "impossible")),
                recipient=random.choice(("", "P1", "P1b", "10101010101", "1010101010")),
                notice_version=random.choice(("", "2026-01")),
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
                visibility=(),
                masked_for=(),
                lifecycle="actif",
            )
        return Resource(
            category="inconnu" if self.rarely(0.01) else random.choice(setting.categories),
            patient_id="" if self.rarely(0.04) else random.choice(("P1",) * 7 + ("P1b",)),
            id=random.choice(("doc-1", "doc-1", "")),
            tags=random.choice(
                ((),) * 9 + ((setting.tags[0],), (setting.tags[-1], "inconnue"), tuple(setting.secrets), None)
            ),
            author=random.choice(("", ME, SENIOR, CHIEF)),
            created_at=random.choice((None, self.near(self.now - 10 * DAY), self.now - 40 * DAY, self.near(self.now))),
            unit=random.choice(("U1", "U1", "U2", "")),
            stay=random.choice(("", "S1", "S2")),
            visibility=random.choice(VISIBILITY) if self.rarely(0.4) else (),
            announced_since=self.announcement() if self.rarely(0.15) else None,
            masked_for=random.choice(((),) * 8 + ((random.choice(MASKED_FOR),), None, None)),
            lifecycle=random.choice(
                ("actif",) * 20 + ("gele", "archive", "expire", "invalide", "brouillon", None, "?")
            ),
            controller_id=random.choice(("", CONTROLLER, CONTROLLER, "C2")) if self.rarely(0.2) else "",
        )

    def announcement(self) -> int:
        """When somebody asked that the patient be told first: lately, or about a month ago (R.1111-53)."""
        return self.near(months_after(self.now, -1)) if self.rarely(0.6) else self.now - 3 * DAY

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
