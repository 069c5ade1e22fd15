"""The real store, ledger, rules and corridors in one process, under two clocks that a test moves.

`real` is the time that goes by, and only goes by; `offset` is how wrong the clock on the wall is.
"""

import itertools
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from msgspec.structs import replace

from sidecar.authoring.bundle import compile_bundle, read_folder
from sidecar.authoring.core_asker import with_settings
from sidecar.breaking_glass import BreakingGlass
from sidecar.changes import Changes
from sidecar.core.instants import DAY, SECOND
from sidecar.core.model import (
    KINDS,
    Alias,
    Answer,
    Assignment,
    Authentication,
    Caller,
    Context,
    Device,
    Directive,
    Fact,
    Grant,
    Opening,
    Period,
    PolicyRef,
    RecordState,
    Request,
    Resource,
    Retraction,
    Stay,
    Subject,
    Target,
    Watermark,
)
from sidecar.core.policy import PolicySet
from sidecar.core.reviewing import Closed, Closing, Reviewing
from sidecar.errors import SidecarError
from sidecar.facts.room import open_room
from sidecar.ledger.room import LedgerRoom
from sidecar.pdp import Call, Pdp
from sidecar.steady import Steady

PACK = Path(__file__).parents[2] / "policies/hospital"
TENANT, CONTROLLER = "default", "330000001"
START = 1_772_398_800 * SECOND  # 2026-03-01T22:00:00+01:00
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
TTL = 4 * HOUR
SOURCE = "adt"
DPI = Caller(
    "dpi",
    roles=frozenset({"dpi", "feed"}),
    controllers=(CONTROLLER,),
    hds="certified",
    may_assert=frozenset({"identity"}),
)
REVIEW = replace(DPI, id="relecture", roles=frozenset({"reviewer"}))
WORKSTATION = Device("workstation", True, False)


@cache
def hospital(**settings: bool | int | str) -> PolicySet:
    """The pack, with these settings in place of its own, compiled once."""
    bundle = read_folder(PACK)
    return compile_bundle(replace(bundle, pack=with_settings(bundle.pack, settings)))


class InForce:
    """The policy in force, always the same."""

    def __init__(self, policies: PolicySet) -> None:
        self._policies = policies

    @property
    def current(self) -> PolicySet:
        """It."""
        return self._policies

    @property
    def status(self) -> "InForce":
        """Names it."""
        return self

    @property
    def ref(self) -> PolicyRef:
        """Its name."""
        return self._policies.ref

    def put_in_force(self, policies: PolicySet) -> None:
        """Not in these histories."""
        raise NotImplementedError


class Rooms:
    """A sidecar without its wire, over a folder; opened again as often as a test likes."""

    settings: Mapping[str, bool | int | str] = MappingProxyType({})  # of the pack, otherwise than shipped

    def __init__(self, folder: Path, real: int = START, offset: int = 0) -> None:
        self.folder, self.real, self.offset = folder, real, offset
        self.numbers = itertools.count(1)
        self.open()

    @property
    def now(self) -> int:
        """What the clock on the wall shows."""
        return self.real + self.offset

    def open(self) -> None:
        """Start, as `server.py` does."""
        policies = InForce(hospital(**self.settings))
        self.facts = open_room(self.folder, dict.fromkeys(KINDS, (SOURCE,)))
        self.ledger = LedgerRoom(
            self.folder / "ledger",
            "test",
            min_free_bytes=0,
            flush_s=3600.0,
            checkpoint_s=3600.0,
            clock=lambda: self.now,
        )
        self.ledger.open(self.now)
        steady = Steady(lambda: self.now, lambda: self.real * 1000)
        self.glass = BreakingGlass(policies, self.facts, self.ledger, steady, self._name)
        steady.tell(self.glass.clock_went_back, max(self.facts.latest(), self.ledger.latest))
        self.pdp = Pdp(policies, self.facts, self.ledger, steady, lambda: 0, lambda *_: None, lambda _: None)
        self.changes = Changes(policies, self.facts, self.ledger, steady, self._name)
        self.settle()

    def _name(self) -> str:
        return f"{self.real:x}-{next(self.numbers)}"

    def settle(self) -> None:
        """What the watch does four times a second."""
        self.changes.settle()
        self.glass.expire(self.now)

    def close(self) -> None:
        """Stop in order."""
        self.ledger.close()
        self.facts.close()

    # ---- what is asked

    def write(self, *facts: Fact, ends: tuple[str, ...] = (), complete: bool = False) -> None:
        """These facts, the end of those, and whether everything was told up to now."""
        request_id = f"w{self.real}-{next(self.numbers)}"
        gone = tuple(Retraction(SOURCE, each) for each in ends)
        marks = (Watermark(SOURCE, tuple(KINDS), self.now),) if complete else ()
        self.changes.write_facts(DPI, CONTROLLER, request_id, facts, gone, marks)

    def break_glass(self, subject: Subject, patient: str, motive: str = "AVIS_URGENT") -> Grant:
        """A grant. Fails when it is refused."""
        why = "équipe du service non joignable"
        answer, grant = self.glass.open(DPI, Opening(subject, patient, motive, why, self.proven(), WORKSTATION))
        assert grant is not None, answer.decision
        return grant

    def check(self, subject: Subject, resource: Resource, grant: str, action: str = "read") -> Answer:
        """An access under a grant, whoever's and whatever it is for."""
        context = Context(access_mode="bris_de_glace", grant=grant, workstation="none")
        request = Request(subject, action, resource, "soins_urgence", self.proven(), WORKSTATION, context)
        [answer] = self.pdp.check([Call(request, DPI)])
        if isinstance(answer, SidecarError):
            raise answer
        return answer

    def end(self, subject: Subject, grant: str) -> Closed:
        """A subject ends their own grant; a reviewer anybody's."""
        caller = REVIEW if subject.profile == REVIEWER.profile else DPI
        return self.glass.close(caller, Closing(grant, subject, self.proven(), WORKSTATION))

    def review(
        self, grant: str, subject: Subject | None = None, verdict: str = "justifie", comment: str = ""
    ) -> Answer:
        """A verdict."""
        asked = Reviewing(grant, subject or REVIEWER, verdict, comment, self.proven(), WORKSTATION)  # type: ignore[arg-type]
        return self.glass.review(REVIEW, asked)[0]

    def proven(self) -> Authentication:
        """Two factors, just now."""
        return Authentication(mfa=True, time=self.now, idle_s=0, remote="none")


def a_subject(name: str, profile: str = "medecin", unit: str = "UF-SAU", **more: object) -> Subject:
    """Somebody of the hospital."""
    return Subject(name, "professionnel", profile, units=(unit,), account_type="nominatif", status="actif", **more)  # type: ignore[arg-type]


NIGHT, OTHER = a_subject("dr-nuit"), a_subject("dr-autre")
REVIEWER = a_subject("dr-relecture", "reviewer_bg", "UF-DIM")


def a_report(patient: str, category: str = "cr", **more: object) -> Resource:
    """An object of a patient, about which everything is said."""
    said = {"tags": (), "visibility": (), "masked_for": (), "lifecycle": "actif", "controller_id": CONTROLLER} | more
    return Resource(category, patient, "document", f"doc-{patient}", **said)  # type: ignore[arg-type]


def a_hospital() -> tuple[Fact, ...]:
    """Three patients in cardiology, two physicians in the emergency department."""
    since = Period(START - 10 * DAY, None)
    patients = [
        fact
        for patient in ("P1", "P2", "P3")
        for fact in (
            stay_of(patient, "UF-CARD"),
            Fact(f"r-{patient}", SOURCE, record_state=RecordState(patient, "1950-01-01", status="open")),
        )
    ]
    staff = [
        Fact(f"a-{who.id}", SOURCE, period=since, assignment=Assignment(who.id, who.units[0], who.profile))
        for who in (NIGHT, OTHER, REVIEWER)
    ]
    return (*patients, *staff)


def stay_of(patient: str, unit: str) -> Fact:
    """Where a patient lies."""
    since = Period(START - 10 * DAY, None)
    return Fact(f"s-{patient}", SOURCE, period=since, stay=Stay(patient, unit, "active", f"sej-{patient}"))


def mask_of(patient: str) -> Fact:
    """A patient masks everything from everybody."""
    return Fact(f"m-{patient}", SOURCE, directive=Directive("mask", patient, target=Target(everyone=True)))


def alias_of(one: str, other: str, kind: str, since: int) -> Fact:
    """Two names of one person, or no more."""
    return Fact(f"{kind}-{one}-{other}", SOURCE, period=Period(since, None), alias=Alias(one, other, kind))  # type: ignore[arg-type]
