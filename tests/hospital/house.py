"""The hospital: its units, who works in them under which profile, and who is on call at night."""

from dataclasses import dataclass

from sidecar.core.instants import SECOND
from sidecar.core.model import Assignment, Fact, Period

SOURCE = "journee"
HOUR, DAY = 3_600 * SECOND, 86_400 * SECOND
WARDS = tuple(f"UF-{name}" for name in (
    "CARD", "PNEU", "NEPH", "NEUR", "GAST", "ENDO", "HEMA", "ONCO", "ORTH", "CHIR", "UROL", "ORL", "PEDI", "GERI",
    "INFE", "RHUM", "MEDI", "REA",
))  # fmt: skip
EMERGENCY, MATERNITY, IMAGING, DESK = "UF-SAU", "UF-MATER", "UF-IMAG", "UF-ADMI"
NIGHT_BEGINS, NIGHT_ENDS = 18 * HOUR + HOUR // 2, 8 * HOUR + HOUR // 2
COVERED = 6  # wards one physician on call covers
DOCTORS, NURSES = 4, 8  # of a ward
CARE = {"medecin": DOCTORS, "interne": 2, "infirmier": NURSES, "secretaire_medicale": 1}
STAFF = (
    dict.fromkeys(WARDS, CARE)
    | {EMERGENCY: {"medecin": 8, "interne": 4, "infirmier": 12}}
    | {MATERNITY: {"sage_femme": 8, "medecin": 3, "infirmier": 4}}
    | {IMAGING: {"radiologue": 4, "manipulateur": 6}}
    | {DESK: {"agent_admission": 6}}
)
KIND = {"secretaire_medicale": "personnel", "agent_admission": "personnel"}  # the others are professionals


@dataclass(frozen=True)
class Agent:
    """A member of staff."""

    id: str
    unit: str
    profile: str

    @property
    def kind(self) -> str:
        return KIND.get(self.profile, "professionnel")


def staff(unit: str, *profiles: str) -> list[Agent]:
    """Who works in a unit under one of these profiles, all of them when none is named."""
    return [
        Agent(f"{profile}-{unit.removeprefix('UF-').lower()}-{n}", unit, profile)
        for profile, many in STAFF[unit].items()
        if not profiles or profile in profiles
        for n in range(1, many + 1)
    ]


def everyone() -> list[Agent]:
    """All the staff."""
    return [agent for unit in STAFF for agent in staff(unit)]


def on_call() -> dict[Agent, tuple[str, ...]]:
    """The physicians on call at night and the wards each covers, none of them their own.

    It is the last physician of the first ward of each next group, who is asked as a stranger by nobody.
    """
    groups = [WARDS[first : first + COVERED] for first in range(0, len(WARDS), COVERED)]
    return {staff(groups[(n + 1) % len(groups)][0], "medecin")[-1]: group for n, group in enumerate(groups)}


def facts(midnight: int) -> list[Fact]:
    """Who works where, and the roster of the two nights the day touches."""
    since = Period(midnight - 400 * DAY)
    told = [
        Fact(f"poste/{agent.id}", SOURCE, period=since, assignment=Assignment(agent.id, agent.unit, agent.profile))
        for agent in everyone()
    ]
    for agent, wards in on_call().items():
        for n, night in enumerate((midnight - DAY, midnight)):
            slot = Period(night + NIGHT_BEGINS, night + DAY + NIGHT_ENDS)
            for ward in wards:
                duty = Assignment(agent.id, ward, agent.profile, on_call=True)
                told.append(Fact(f"garde/{agent.id}/{ward}/{n}", SOURCE, period=slot, assignment=duty))
    return told


def at_night(since_midnight: int) -> bool:
    """Whether a roster slot runs at this time of the day."""
    return since_midnight < NIGHT_ENDS or since_midnight >= NIGHT_BEGINS
