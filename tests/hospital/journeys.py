"""The patients of a day and where they are when: stays, transfers, appointments, requests, and what some want."""

import random
from dataclasses import dataclass, field

from sidecar.core import instants
from sidecar.core.model import Alias, Directive, Fact, Period, RecordState, Relation, Scope, Stay, Target
from tests.hospital import house
from tests.hospital.house import DAY, HOUR, SOURCE, Agent
from tests.hospital.synthea import MINUTE, Model, models, shapes

MASKED = "lettre-masquee"  # the document a mask names
# Of a thousand patients: who they are today.
SORTS = {
    "inpatient": 330,
    "admitted": 130,
    "transferred": 90,
    "left lately": 110,
    "left long ago": 60,
    "outpatient": 190,
    "protected": 25,
    "secret delivery": 15,
    "masking": 20,
    "blocking": 10,
    "opposed": 10,
    "dead": 10,
}


@dataclass
class Span:
    """A time in one unit; `end` is None while it lasts. `told` is when the record learns of its beginning."""

    unit: str
    start: int
    end: int | None = None
    announced: int | None = None  # when a transfer to it was announced


@dataclass
class Patient:
    """A patient of the day, and all that an answer about them depends on."""

    id: str
    sort: str
    born: str
    spans: list[Span] = field(default_factory=list)
    seen_by: Agent | None = None  # by appointment
    appointment: int = 0
    asked: int | None = None  # when imaging was asked for
    named: Agent | None = None  # in the care team of a protected record
    flag: str = ""
    will_at: int = 0  # when the mask, the block or the opposition was told
    died: str = ""

    @property
    def units(self) -> set[str]:
        return {span.unit for span in self.spans}


def journeys(dice: random.Random, count: int, midnight: int) -> list[Patient]:
    """`count` patients, in the order of their numbers."""
    sorts = dice.choices(list(SORTS), weights=list(SORTS.values()), k=count)
    return [_patient(dice, n, sort, dice.choice(models()), midnight) for n, sort in enumerate(sorts, 1)]


def _patient(dice: random.Random, n: int, sort: str, model: Model, midnight: int) -> Patient:
    one = Patient(f"P{n:05}", sort, model.born)
    ward, other = dice.sample(house.WARDS, 2)
    since = midnight - _days(dice)
    match sort:
        case "inpatient" | "masking" | "blocking":
            one.spans = [Span(ward, since)]
            if sort == "inpatient" and dice.random() < 0.25:
                one.spans[0].end = _minute(dice, "AMB", midnight)
            if sort == "inpatient" and dice.random() < 0.3:
                one.asked = midnight - 2 * HOUR
        case "admitted":
            came = _minute(dice, "EMER", midnight)
            bed = min(came + max(30, _length(dice, "EMER")) * MINUTE, midnight + DAY - HOUR)
            one.spans = [Span(house.EMERGENCY, came, bed), Span(ward, bed, announced=(came + bed) // 2)]
        case "transferred":
            moved = max(_minute(dice, "IMP", midnight), midnight + 3 * HOUR)
            one.spans = [Span(ward, since, moved), Span(other, moved, announced=moved - 2 * HOUR)]
        case "left lately" | "left long ago":
            left = midnight - dice.randrange(*((2, 20) if sort == "left lately" else (31, 80))) * DAY
            one.spans = [Span(ward, left - _days(dice), left)]
        case "outpatient" | "opposed":
            one.seen_by = dice.choice(house.staff(ward, "medecin")[:-1])
            one.appointment = _minute(dice, "AMB", midnight)
        case "protected" | "secret delivery":
            secret = sort == "secret delivery"
            unit = house.MATERNITY if secret else ward
            one.spans = [Span(unit, since)]
            one.flag = "accouchement_secret" if secret else dice.choice(("personnalite", "agent_de_l_etablissement"))
            one.named = dice.choice(house.staff(unit, "sage_femme" if secret else "medecin")[:-1])
        case "dead":
            died = midnight - dice.randrange(35, 80) * DAY
            one.spans = [Span(ward, died - _days(dice), died)]
            one.died = instants.text(died)[:10]
    one.will_at = midnight + dice.randrange(8, 16) * HOUR if sort in ("masking", "blocking", "opposed") else 0
    return one


def before(one: Patient, midnight: int) -> list[Fact]:
    """What is known of a patient at midnight."""
    state = RecordState(one.id, one.born, one.died, flags=(one.flag,) if one.flag else (), status="open")
    told = [Fact(f"dossier/{one.id}", SOURCE, record_state=state)]
    told += [_stay(one, n, midnight) for n, span in enumerate(one.spans) if span.start < midnight]
    if one.seen_by is not None:
        period = Period(one.appointment, one.appointment + HOUR // 2)
        seen = Relation("REL_APPT", one.id, one.seen_by.id)
        told.append(Fact(f"rdv/{one.id}", SOURCE, period=period, relation=seen))
    if one.asked is not None:
        request = Relation("REL_REQ", one.id, unit=house.IMAGING, scope=Scope(categories=("demande", "imagerie")))
        told.append(Fact(f"demande/{one.id}", SOURCE, period=Period(one.asked), relation=request))
    if one.named is not None:
        team = Relation("REL_TEAM", one.id, one.named.id)
        told.append(Fact(f"equipe/{one.id}", SOURCE, period=Period(one.spans[0].start), relation=team))
    if one.flag == "agent_de_l_etablissement":
        works = Alias(one.id, f"agent-{one.id}", "same_person")
        told.append(Fact(f"agent/{one.id}", SOURCE, alias=works))
    return told


def during(one: Patient, midnight: int) -> list[tuple[int, Fact]]:
    """What the record learns of a patient in the course of the day, and when."""
    told: list[tuple[int, Fact]] = []
    for n, span in enumerate(one.spans):
        if span.announced is not None:
            planned = Stay(one.id, span.unit, "planned", f"S-{one.id}")
            told.append(
                (span.announced, Fact(f"annonce/{one.id}/{n}", SOURCE, period=Period(span.start), stay=planned))
            )
        told += [(at, _stay(one, n, at)) for at in (span.start, span.end) if at is not None and at >= midnight]
    if one.will_at:
        told.append((one.will_at, Fact(f"volonte/{one.id}", SOURCE, period=Period(one.will_at), directive=_will(one))))
    return told


def _stay(one: Patient, n: int, at: int) -> Fact:
    """A stay as it is known at an instant: its end is not, before it has come."""
    span = one.spans[n]
    end = span.end if span.end is not None and span.end <= at else None
    stay = Stay(one.id, span.unit, "active", f"S-{one.id}")
    return Fact(f"sejour/{one.id}/{n}", SOURCE, period=Period(span.start, end), stay=stay)


def blocked(one: Patient) -> Agent:
    """Whom a patient who blocks somebody blocks: the first physician of the ward."""
    return house.staff(one.spans[0].unit, "medecin")[0]


def _will(one: Patient) -> Directive:
    if one.sort == "masking":
        return Directive("mask", one.id, target=Target(everyone=True), scope=Scope(documents=(MASKED,)))
    if one.sort == "blocking":
        return Directive("block", one.id, target=Target(subject_id=blocked(one).id))
    assert one.seen_by is not None
    return Directive("opposition", one.id, target=Target(unit=one.seen_by.unit))


def _minute(dice: random.Random, sort: str, midnight: int) -> int:
    """An instant of the day at which an encounter of this class began, before 22:00."""
    return midnight + min(dice.choice(shapes(sort))[0], 22 * 60) * MINUTE


def _length(dice: random.Random, sort: str) -> int:
    """How many minutes an encounter of this class lasted, 12 hours at most."""
    return min(dice.choice(shapes(sort))[1], 12 * 60)


def _days(dice: random.Random) -> int:
    """How long an inpatient has been there: as long as one of Synthea's, a day at least and three weeks at most."""
    minutes = dice.choice(shapes("IMP"))[1]
    return min(max(minutes * MINUTE, DAY), 21 * DAY) + dice.randrange(HOUR)
