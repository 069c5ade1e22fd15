"""What is asked in the course of a day, and the answer that who is where decides: no rule and no story is read here."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sidecar.core.instants import SECOND
from sidecar.core.model import Authentication, Device, Request, Resource, Subject
from tests.hospital import house
from tests.hospital.house import DAY, HOUR, Agent
from tests.hospital.journeys import MASKED, Patient, blocked

Expected = tuple[str, str]
CATEGORIES = ("cr", "biologie", "prescription", "soins", "alertes")


@dataclass(frozen=True)
class Ask:
    """One question, when it is asked, what sort it is of and the effect and reason it must get."""

    at: int
    request: Request
    sort: str
    expected: Expected


class Asker:
    """Draws questions about the patients of a day."""

    def __init__(self, dice: random.Random, patients: Sequence[Patient], midnight: int) -> None:
        self.dice, self.midnight, self.number = dice, midnight, 0
        self.of: dict[str, list[Patient]] = {}
        for one in patients:
            self.of.setdefault(one.sort, []).append(one)
        self.duty = house.on_call()

    def ask(self, sort: str) -> Ask | None:
        """A question of this sort; None when the day has nobody for it."""
        self.number += 1
        return SORTS[sort][0](self)

    # ---- the pieces of a question

    def one(self, *sorts: str) -> Patient | None:
        """Some patient of these sorts."""
        found = [one for sort in sorts for one in self.of.get(sort, ())]
        return self.dice.choice(found) if found else None

    def between(self, start: int, end: int) -> int | None:
        """An instant of the day in [start, end), or None."""
        first, last = max(start, self.midnight), min(end, self.midnight + DAY - 1)
        return self.dice.randrange(first, last) if first < last else None

    def agent(self, unit: str, *profiles: str) -> Agent:
        """Somebody of a unit who is not on call: whom nothing else ties to anybody."""
        return self.dice.choice([agent for agent in house.staff(unit, *profiles) if agent not in self.duty])

    def carer(self, unit: str) -> Agent:
        """A physician or a nurse of a unit."""
        return self.agent(unit, "medecin", "infirmier")

    def read(
        self,
        sort: str,
        agent: Agent,
        one: Patient,
        at: int | None,
        expected: Expected,
        *,
        purpose: str = "soins",
        action: str = "read",
        category: str = "cr",
        mfa: bool = True,
        status: str = "actif",
        **resource: object,
    ) -> Ask | None:
        """The question as the record system asks it; `resource` says more of the object."""
        if at is None:
            return None
        said = {"id": f"doc-{self.number}", "tags": (), "visibility": (), "masked_for": (), "lifecycle": "actif"}
        asked = Resource(category, one.id, "document", **(said | resource))  # type: ignore[arg-type]
        subject = Subject(
            agent.id, agent.kind, agent.profile, units=(agent.unit,), account_type="nominatif", status=status
        )
        login = Authentication(mfa=mfa, time=at - 600 * SECOND, idle_s=self.dice.randrange(120), remote="none")
        request = Request(subject, action, asked, purpose, login, Device("workstation", True, False))
        return Ask(at, request, sort, expected)


PERMIT, DENY = "PERMIT", "DENY"


def treated(by: Asker) -> Ask | None:
    """Somebody of the unit where the patient lies."""
    one = by.one("inpatient", "admitted", "transferred")
    if one is None:
        return None
    span = by.dice.choice(one.spans)
    at = by.between(span.start, span.end or by.midnight + DAY)
    action, category = by.dice.choice(("read", "read", "list")), by.dice.choice(CATEGORIES)
    expected = PERMIT, "ALLOW_CARE_TEAM"
    return by.read("treated", by.carer(span.unit), one, at, expected, action=action, category=category)


def stranger(by: Asker) -> Ask | None:
    """Somebody of a unit the patient has nothing to do with."""
    one = by.one("inpatient", "admitted", "transferred", "left lately", "outpatient")
    if one is None:
        return None
    unit = by.dice.choice([ward for ward in house.WARDS if ward not in one.units])
    agent = by.dice.choice([agent for agent in house.staff(unit, "medecin", "infirmier") if agent not in by.duty])
    if agent == one.seen_by:
        return None
    at = by.between(by.midnight, by.midnight + DAY)
    return by.read("stranger", agent, one, at, (DENY, "NO_RELATIONSHIP"))


def on_call(by: Asker) -> Ask | None:
    """The physician on call, in the night and in the day."""
    one = by.one("inpatient")
    if one is None:
        return None
    ward = one.spans[0].unit
    agent = next(agent for agent, wards in by.duty.items() if ward in wards)
    at = by.between(one.spans[0].start, one.spans[0].end or by.midnight + DAY)
    night = at is not None and house.at_night(at - by.midnight)
    return by.read("on call", agent, one, at, (PERMIT, "ALLOW_ON_CALL") if night else (DENY, "NO_RELATIONSHIP"))


def left(by: Asker) -> Ask | None:
    """A physician of the unit the patient left, for what was written before and after."""
    one = by.one("transferred", "left lately", "left long ago")
    if one is None:
        return None
    span = one.spans[0]
    gone = span.end or 0
    at, earlier = by.between(gone, by.midnight + DAY), by.dice.random() < 0.5
    created = gone - HOUR if earlier else gone + HOUR
    kept = earlier and at is not None and at < gone + 30 * DAY
    expected = (PERMIT, "ALLOW_POST_STAY") if kept else (DENY, "RELATION_EXPIRED")
    return by.read("left", by.agent(span.unit, "medecin"), one, at, expected, created_at=created)


def awaited(by: Asker) -> Ask | None:
    """The unit a patient is to be moved to, before anything is announced and after."""
    one = by.one("admitted", "transferred")
    if one is None:
        return None
    span = one.spans[1]
    at, announced = by.between(by.midnight, span.start), span.announced or 0
    expected = (PERMIT, "ALLOW_TRANSFER") if at is not None and at >= announced else (DENY, "NO_RELATIONSHIP")
    return by.read("awaited", by.carer(span.unit), one, at, expected)


def appointment(by: Asker) -> Ask | None:
    """The physician who expects the patient."""
    one = by.one("outpatient")
    if one is None or one.seen_by is None:
        return None
    at = by.between(by.midnight, by.midnight + DAY)
    return by.read("appointment", one.seen_by, one, at, (PERMIT, "ALLOW_APPOINTMENT"))


def imaging(by: Asker) -> Ask | None:
    """The imaging unit that is asked, for what is asked of it and for the rest."""
    found = [one for one in by.of.get("inpatient", ()) if one.asked is not None]
    if not found:
        return None
    one, tied = by.dice.choice(found), by.dice.random() < 0.7
    agent, at = by.agent(house.IMAGING, "radiologue"), by.between(by.midnight, by.midnight + DAY)
    category, expected = ("imagerie", (PERMIT, "ALLOW_REQUEST")) if tied else ("cr", (DENY, "NO_RELATIONSHIP"))
    return by.read("imaging", agent, one, at, expected, category=category)


def masked(by: Asker) -> Ask | None:
    """A letter of another unit that the patient masks in the course of the day."""
    one = by.one("masking")
    if one is None:
        return None
    at = by.between(by.midnight, by.midnight + DAY)
    hidden = at is not None and at >= one.will_at
    expected = (DENY, "NOT_AVAILABLE") if hidden else (PERMIT, "ALLOW_CARE_TEAM")
    return by.read("masked", by.carer(one.spans[0].unit), one, at, expected, id=MASKED, unit=house.IMAGING)


def own(by: Asker) -> Ask | None:
    """The author of the letter that is masked."""
    one = by.one("masking")
    if one is None:
        return None
    agent, at = by.agent(one.spans[0].unit, "medecin"), by.between(one.will_at, by.midnight + DAY)
    return by.read("author", agent, one, at, (PERMIT, "ALLOW_AUTHOR"), id=MASKED, unit=house.IMAGING, author=agent.id)


def shut_out(by: Asker) -> Ask | None:
    """Whom the patient blocks, and the colleagues whom the patient does not."""
    one = by.one("blocking")
    if one is None:
        return None
    agent, at = by.agent(one.spans[0].unit, "medecin"), by.between(by.midnight, by.midnight + DAY)
    hidden = at is not None and at >= one.will_at and agent == blocked(one)
    expected = (DENY, "NOT_AVAILABLE") if hidden else (PERMIT, "ALLOW_CARE_TEAM")
    return by.read("blocked", agent, one, at, expected)


def opposed(by: Asker) -> Ask | None:
    """A physician by appointment, with whose unit the patient will not share."""
    one = by.one("opposed")
    if one is None or one.seen_by is None:
        return None
    at = by.between(by.midnight, by.midnight + DAY)
    hidden = at is not None and at >= one.will_at
    expected = (DENY, "NOT_AVAILABLE") if hidden else (PERMIT, "ALLOW_APPOINTMENT")
    return by.read("opposed", one.seen_by, one, at, expected)


def protected(by: Asker) -> Ask | None:
    """A record under protection: who is named in the care, and the rest of the unit."""
    one = by.one("protected", "secret delivery")
    if one is None or one.named is None:
        return None
    named = by.dice.random() < 0.4
    agent = one.named if named else by.agent(one.named.unit, "infirmier")
    at, sort = by.between(by.midnight, by.midnight + DAY), one.sort
    expected = (PERMIT, "ALLOW_CARE_TEAM") if named else (DENY, "NO_RELATIONSHIP")
    return by.read(sort, agent, one, at, expected, category="soins")


def dead(by: Asker) -> Ask | None:
    """A physician of the unit, more than a month after the patient died."""
    one = by.one("dead")
    if one is None:
        return None
    agent = by.agent(one.spans[0].unit, "medecin")
    return by.read("dead", agent, one, by.between(by.midnight, by.midnight + DAY), (DENY, "DECEASED_PURPOSE"))


def admission(by: Asker) -> Ask | None:
    """The admission desk, for administrative data."""
    one = by.one("inpatient", "admitted", "transferred", "outpatient")
    if one is None:
        return None
    at, category = by.between(by.midnight, by.midnight + DAY), by.dice.choice(("sejour", "identite"))
    expected = PERMIT, "ALLOW_ADMIN_PURPOSE"
    return by.read(
        "admission", by.agent(house.DESK), one, at, expected, purpose="admin_sejour", category=category, id=""
    )


def secretary(by: Asker) -> Ask | None:
    """A secretary of the ward opens a report that nobody delegated."""
    one = by.one("inpatient")
    if one is None:
        return None
    agent, at = by.agent(one.spans[0].unit, "secretaire_medicale"), by.between(by.midnight, by.midnight + DAY)
    return by.read("secretary", agent, one, at, (DENY, "PROFILE_CATEGORY"))


def weak(by: Asker) -> Ask | None:
    """One factor, or an account that is no longer in use: whoever it is."""
    one = by.one("inpatient")
    if one is None:
        return None
    agent, at = by.carer(one.spans[0].unit), by.between(by.midnight, by.midnight + DAY)
    if by.dice.random() < 0.5:
        return by.read("weak login", agent, one, at, (DENY, "MFA_REQUIRED"), mfa=False)
    return by.read("weak login", agent, one, at, (DENY, "SUBJECT_INACTIVE"), status="suspendu")


# What is asked, how often of a thousand questions.
SORTS: dict[str, tuple[Callable[[Asker], Ask | None], int]] = {
    "treated": (treated, 560),
    "stranger": (stranger, 70),
    "on call": (on_call, 40),
    "left": (left, 60),
    "awaited": (awaited, 25),
    "appointment": (appointment, 50),
    "imaging": (imaging, 30),
    "masked": (masked, 20),
    "author": (own, 8),
    "blocked": (shut_out, 12),
    "opposed": (opposed, 10),
    "protected": (protected, 25),
    "dead": (dead, 5),
    "admission": (admission, 60),
    "secretary": (secretary, 15),
    "weak login": (weak, 10),
}
