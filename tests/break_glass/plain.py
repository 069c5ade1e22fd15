"""What an emergency may ever permit, said plainly: no store, no policy, no clock but the time that goes by.

It is told what was done and judges what was answered. It never asks the product.
"""

from dataclasses import dataclass, field

from tests.break_glass.rooms import TTL

READS = ("read", "list")
# Of what the histories ask: what the scope of a physician's grant has.
IN_SCOPE = ("cr", "biologie", "prescription")
WRITTEN_IN_AN_EMERGENCY = ("cr", "prescription", "soins", "constantes")


@dataclass
class Opened:
    """One grant, as whoever opened it was told."""

    id: str
    subject: str
    profile: str
    patient: str
    real: int  # when, of the time that goes by
    ends: int  # what its own end was said to be, on the wall
    over: str = ""
    reviewed: bool = False
    used: bool = False
    disturbed: bool = False  # the clock was moved while it was open: it may end early


@dataclass
class Asked:
    """One access that was asked for under a grant."""

    subject: str
    profile: str
    patient: str
    category: str
    action: str
    grant: str
    masked: bool = False
    frozen: bool = False


@dataclass
class Plain:
    """Everything that was done."""

    grants: dict[str, Opened] = field(default_factory=dict)
    masked: set[str] = field(default_factory=set)
    merges: list[tuple[str, str]] = field(default_factory=list)  # in force

    def names(self, patient: str) -> set[str]:
        """Every name of a patient now."""
        found = {patient}
        while True:
            more = {name for pair in self.merges if found & set(pair) for name in pair} - found
            if not more:
                return found
            found |= more

    def forbids(self, asked: Asked, real: int, wall: int) -> str:
        """Why a permit on the ground of an emergency would be wrong here; empty when it would be right."""
        grant = self.grants.get(asked.grant)
        if grant is None:
            return "there is no such grant"
        if asked.subject != grant.subject:
            return f"the grant is {grant.subject}'s"
        if asked.profile != grant.profile:
            return f"it was opened as {grant.profile}"
        if asked.patient not in self.names(grant.patient):
            return f"it is for {grant.patient}"
        if grant.over:
            return f"it was {grant.over}"
        if real >= grant.real + TTL:
            return f"it lasts 4 h, and {(real - grant.real) / 3.6e9:.1f} h have gone by"
        if wall >= grant.ends:
            return "the clock is past its end"
        if asked.frozen and asked.action not in READS:
            return "the object is frozen"
        if asked.masked or self.names(asked.patient) & self.masked:
            return "the patient masked it"
        if asked.action in READS:
            return "" if asked.category in IN_SCOPE else f"{asked.category} is not in its scope"
        if asked.action == "create":
            return (
                "" if asked.category in WRITTEN_IN_AN_EMERGENCY else f"{asked.category} is not written in an emergency"
            )
        return f"no grant opens {asked.action}"

    def must_permit(self, asked: Asked, real: int, wall: int) -> bool:
        """Whether a refusal would be a failure at the bedside: nothing forbids it, and no clock was moved."""
        return not self.forbids(asked, real, wall) and not self.grants[asked.grant].disturbed

    def clock_moved(self) -> None:
        """What is open may end earlier than it was said."""
        for grant in self.grants.values():
            grant.disturbed = True
