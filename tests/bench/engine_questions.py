"""Questions about a generated pack, each with what is known, the answer it must get, and what its words then answer.

The words' answers follow from how the question was made, not from the product: other engines are given them.
"""

import random
from collections.abc import Callable, Sequence

from msgspec import Struct

from sidecar.core import instants
from sidecar.core.bundle import Snapshot
from sidecar.core.model import (
    Assignment,
    Authentication,
    Caller,
    Device,
    Directive,
    Fact,
    Period,
    RecordState,
    Request,
    Resource,
    Stay,
    Subject,
    Target,
)
from tests.bench import engine_pack
from tests.situation import builders
from tests.situation.builders import CONTROLLER, NOW, TENANT

DAY, HOUR = instants.DAY, 3600 * instants.SECOND
PATIENT, UNIT, ELSEWHERE = "P1", "UF-1", "UF-2"
CALLER = Caller("banc", tenant=TENANT, controllers=(CONTROLLER,), hds="certified", may_assert=frozenset({"identity"}))
IN_ORDER = frozenset({"subject.active", "subject.purpose_allowed", "authentication.mfa"})
PERMIT, DENY = "PERMIT", "DENY"


class Asked(Struct, frozen=True):
    """A question; `holds` are the words that answer True, `left` the microseconds since the last stay together."""

    request: Request
    snapshot: Snapshot
    effect: str
    reason: str
    holds: frozenset[str]
    left: int | None = None


def questions(cells: Sequence[tuple[int, int]], count: int, seed: int = 20_261_122) -> list[Asked]:
    """`count` questions, drawn from the cells given as (profession, category)."""
    chance = random.Random(seed)
    sorts, weights = zip(*SORTS, strict=True)
    return [chance.choices(sorts, weights)[0](chance, n, *chance.choice(cells)) for n in range(count)]


def cells(rules: int) -> list[tuple[int, int]]:
    """Every cell of `shaped(rules)` that is whole."""
    return [(n, about) for n in range(engine_pack.professions(rules)) for about in range(engine_pack.categories(rules))]


def _team(chance: random.Random, n: int, who: int, about: int) -> Asked:
    """A member of the care team now, as most are."""
    return _asked(chance, n, who, about, (PERMIT, "ALLOW_CARE_TEAM"), {"subject.in_care_team"})


def _sensitive(chance: random.Random, n: int, who: int, about: int) -> Asked:
    """The same of a document with a sensitive tag: the cell decides."""
    answer = (PERMIT, "ALLOW_CARE_TEAM") if engine_pack.cell(who, about) == "True" else (DENY, "PROFILE_CATEGORY")
    return _asked(chance, n, who, about, answer, {"subject.in_care_team", "resource.sensitive"}, tags=("psy",))


def _stranger(chance: random.Random, n: int, who: int, about: int) -> Asked:
    """Somebody of another unit."""
    return _asked(chance, n, who, about, (DENY, "NO_RELATIONSHIP"), set(), unit=ELSEWHERE)


def _afterwards(chance: random.Random, n: int, who: int, about: int) -> Asked:
    """The patient left an hour before or after the last moment of the profession's days."""
    left = engine_pack.days(who) * DAY + chance.choice((-HOUR, HOUR))
    within = left < engine_pack.days(who) * DAY
    answer = (PERMIT, "ALLOW_POST_STAY") if within else (DENY, "RELATION_EXPIRED")
    holds = {"subject.was_in_care_team", "resource.created_before_leaving"}
    return _asked(chance, n, who, about, answer, holds, left=left)


def _masked(chance: random.Random, n: int, who: int, about: int) -> Asked:
    """The patient masked everything to everyone."""
    mask = Fact("mask", "dpi", CONTROLLER, directive=Directive("mask", PATIENT, target=Target(everyone=True)))
    holds = {"subject.in_care_team", "resource.masked_for_subject"}
    return _asked(chance, n, who, about, (DENY, "NOT_AVAILABLE"), holds, more=(mask,))


def _one_factor(chance: random.Random, n: int, who: int, about: int) -> Asked:
    """A member of the team with a password alone."""
    return _asked(chance, n, who, about, (DENY, "MFA_REQUIRED"), {"subject.in_care_team"}, mfa=False)


def _for_research(chance: random.Random, n: int, who: int, about: int) -> Asked:
    """A purpose the profession does not have."""
    holds = {"subject.in_care_team"}
    return _asked(chance, n, who, about, (DENY, "PURPOSE_NOT_ALLOWED"), holds, purpose="recherche")


def _asked(
    chance: random.Random,
    n: int,
    who: int,
    about: int,
    answer: tuple[str, str],
    holds: set[str],
    *,
    unit: str = UNIT,
    tags: tuple[str, ...] = (),
    left: int | None = None,
    more: Sequence[Fact] = (),
    mfa: bool = True,
    purpose: str = "soins",
) -> Asked:
    profile, subject_id = engine_pack.profession(who), f"agent-{n}"
    request = Request(
        Subject(
            subject_id, "professionnel", profile, units=(unit,), account_type="nominatif", status="actif",
            structure="S1", profession="10",
        ),
        chance.choice(("read", "list")),
        Resource(
            engine_pack.category(about), PATIENT, "document", f"doc-{n}", tags, masked_for=(), visibility=(),
            lifecycle="actif", created_at=NOW - 60 * DAY,
        ),
        purpose,
        Authentication(mfa=mfa, time=NOW - HOUR, idle_s=30, remote="none"),
        Device("workstation", managed=True, compromised=False),
    )  # fmt: skip
    since = Period(NOW - 90 * DAY, None)
    facts = [
        Fact("work", "rh", CONTROLLER, period=since, assignment=Assignment(subject_id, unit, profile)),
        Fact(
            "stay", "adt", CONTROLLER, stay=Stay(PATIENT, UNIT, "active", "sej-1"),
            period=since if left is None else Period(NOW - 90 * DAY, NOW - left),
        ),
        Fact("record", "dpi", CONTROLLER, record_state=RecordState(PATIENT, "1950-01-01", status="open")),
        *more,
    ]  # fmt: skip
    said = set(holds) | IN_ORDER
    if not mfa:
        said.discard("authentication.mfa")
    if purpose != "soins":
        said.discard("subject.purpose_allowed")
    return Asked(request, builders.snapshot(facts, patient=PATIENT), *answer, frozenset(said), left)


SORTS: tuple[tuple[Callable[[random.Random, int, int, int], Asked], int], ...] = (
    (_team, 65),
    (_sensitive, 10),
    (_stranger, 10),
    (_afterwards, 5),
    (_masked, 4),
    (_one_factor, 3),
    (_for_research, 3),
)
