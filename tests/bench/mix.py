"""The request mix: a small hospital, and questions about it whose right answer is known by construction.

No story and no rule is read here: who works where and who lies where decide what the answer must be.
"""

import random
from collections.abc import Iterator

import msgspec

from sidecar.core.model import (
    Assignment,
    Authentication,
    Device,
    Directive,
    Fact,
    Period,
    RecordState,
    Request,
    Resource,
    Scope,
    Stay,
    Subject,
    Target,
    Watermark,
)

UNITS, SHIFTS, PATIENTS = 40, 10, 1_000
TEMPORARY = 1_000  # secretaries of a unit that no feed knows: nobody is refused so often that it counts
KINDS = ("assignment", "stay", "relation", "directive", "delegation", "record_state", "alias", "contract", "call")
PROFILES = ("medecin", "medecin", "infirmier", "interne", "secretaire_medicale", "agent_admission")
SOURCE = "banc"
DAY = 86_400 * 1_000_000
Expected = tuple[str, str]


def unit_of(n: int) -> str:
    """The n-th unit."""
    return f"UF-{n:03}"


def staff(unit: int, n: int, shift: int) -> str:
    """Who holds the n-th profile in a unit on one of its shifts. So many that nobody asks, or is refused, too often."""
    return f"agent-{unit:03}-{n}-{shift}"


def patient(n: int) -> str:
    """The n-th patient: lies in unit n modulo UNITS; every tenth masked document `masque`."""
    return f"P{n:05}"


def facts(now: int) -> tuple[list[Fact], list[Watermark]]:
    """Who works where, who lies where, who masked what; and that this is everything."""
    since = Period(now - 10 * DAY, None)
    told = [
        Fact(
            f"a-{unit}-{n}-{shift}",
            SOURCE,
            period=since,
            assignment=Assignment(staff(unit, n, shift), unit_of(unit), profile),
        )
        for unit in range(UNITS)
        for n, profile in enumerate(PROFILES)
        for shift in range(SHIFTS)
    ]
    for n in range(PATIENTS):
        stay = Stay(patient(n), unit_of(n % UNITS), "active", f"sej-{n}")
        told.append(Fact(f"s-{n}", SOURCE, period=since, stay=stay))
        told.append(Fact(f"r-{n}", SOURCE, record_state=RecordState(patient(n), "1950-01-01", status="open")))
        if n % 10 == 0:
            mask = Directive("mask", patient(n), target=Target(everyone=True), scope=Scope(documents=("masque",)))
            told.append(Fact(f"m-{n}", SOURCE, period=since, directive=mask))
    return told, [Watermark(SOURCE, KINDS, now)]


def questions(count: int, now: int, seed: int = 20_261_122) -> Iterator[tuple[Request, Expected]]:
    """`count` questions, all distinct, each with the effect and the reason it must get."""
    chance = random.Random(seed)
    for n in range(count):
        chosen = chance.choices(range(len(SORTS)), weights=[weight for _, weight in SORTS])[0]
        yield SORTS[chosen][0](chance, n, now)


def _subject(chance: random.Random, unit: int, n: int, shifts: int = SHIFTS) -> Subject:
    kind = "professionnel" if PROFILES[n] in ("medecin", "interne", "infirmier") else "personnel"
    who = staff(unit, n, chance.randrange(shifts))
    return Subject(who, kind, PROFILES[n], units=(unit_of(unit),), account_type="nominatif", status="actif")


def _request(subject: Subject, action: str, resource: Resource, purpose: str, now: int) -> Request:
    return Request(
        subject,
        action,
        resource,
        purpose,
        Authentication(mfa=True, time=now - 600_000_000, idle_s=30, remote="none"),
        Device("workstation", True, False),
    )


def _document(n: int, about: int, category: str, **more: object) -> Resource:
    return Resource(
        category, patient(about), "document", f"doc-{n}", tags=(), visibility=(), masked_for=(), lifecycle="actif",
        created_at=None, **more,
    )  # fmt: skip


def _care_team(chance: random.Random, n: int, now: int) -> tuple[Request, Expected]:
    about = chance.randrange(PATIENTS)
    category = chance.choice(("cr", "biologie", "prescription", "soins", "alertes"))
    action = chance.choice(("read", "list"))
    subject = _subject(chance, about % UNITS, chance.choice((0, 1, 2)))
    return _request(subject, action, _document(n, about, category), "soins", now), ("PERMIT", "ALLOW_CARE_TEAM")


def _stranger(chance: random.Random, n: int, now: int) -> tuple[Request, Expected]:
    about = chance.randrange(PATIENTS)
    subject = _subject(chance, (about + 1 + chance.randrange(UNITS - 1)) % UNITS, chance.choice((0, 1, 2)))
    return _request(subject, "read", _document(n, about, "cr"), "soins", now), ("DENY", "NO_RELATIONSHIP")


def _masked(chance: random.Random, n: int, now: int) -> tuple[Request, Expected]:
    about = chance.randrange(PATIENTS // 10) * 10
    resource = Resource(
        "cr", patient(about), "document", "masque", (), f"autre-{n}", visibility=(), masked_for=(), lifecycle="actif"
    )
    return _request(_subject(chance, about % UNITS, 0), "read", resource, "soins", now), ("DENY", "NOT_AVAILABLE")


def _secretary(chance: random.Random, n: int, now: int) -> tuple[Request, Expected]:
    about = chance.randrange(PATIENTS)
    return (
        _request(_subject(chance, about % UNITS, 4, TEMPORARY), "read", _document(n, about, "cr"), "soins", now),
        ("DENY", "PROFILE_CATEGORY"),
    )


def _admission(chance: random.Random, n: int, now: int) -> tuple[Request, Expected]:
    about = chance.randrange(PATIENTS)
    return (
        _request(_subject(chance, about % UNITS, 5), "read", _document(n, about, "sejour"), "admin_sejour", now),
        ("PERMIT", "ALLOW_ADMIN_PURPOSE"),
    )


def _single_factor(chance: random.Random, n: int, now: int) -> tuple[Request, Expected]:
    request, _ = _care_team(chance, n, now)
    weak = msgspec.structs.replace(request.authentication, mfa=False)
    return msgspec.structs.replace(request, authentication=weak), ("DENY", "MFA_REQUIRED")


SORTS = (
    (_care_team, 70),
    (_stranger, 10),
    (_masked, 4),
    (_secretary, 5),
    (_admission, 9),
    (_single_factor, 2),
)
