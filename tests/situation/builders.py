"""A question and what is known, named only by what matters to a test.

Dr dr-card works in UF-CARD, asks at NOW about patient P1 of controller C1, and states nothing about the object
but that it has no tags and is masked for nobody. Nothing is known but what a test gives.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from sidecar.core import instants, pack
from sidecar.core.bundle import FOREVER, NEVER, PatientFacts, Snapshot, TenantFacts
from sidecar.core.model import (
    Alias,
    Assignment,
    Authentication,
    Caller,
    Contract,
    Delegation,
    Device,
    Directive,
    Fact,
    Grant,
    Known,
    Period,
    RecordState,
    Relation,
    Request,
    Resource,
    Stay,
    Subject,
    Target,
)
from sidecar.core.situation import Situation
from sidecar.core.usage import UNCOUNTED, Usage
from sidecar.core.vocabulary import NOUNS
from sidecar.core.words import WORDS

SECOND, DAY = instants.SECOND, instants.DAY
HOUR = 3600 * SECOND
NOW = instants.parse("2026-03-10T12:00:00+01:00")
CONTROLLER, TENANT, FEED = "C1", "T1", "adt"
FEEDS = {"directive": ("dpi",), "record_state": ("dpi",), "alias": ("dpi",)}


def _setting(value: bool | int | str) -> pack.Setting:
    return pack.Setting(value, "S-1", "proposal")


PROFILE = pack.Profile(kinds=("professionnel", "personnel"), purposes=("soins", "soins_urgence"))
PACK = pack.Pack(
    pack=pack.About("test", "1", "hospital"),
    vocabulary=pack.Vocabulary(
        profiles={
            "medecin": PROFILE,
            "infirmier": PROFILE,
            "secretaire": PROFILE,
            "dim": PROFILE,
            "patient": pack.Profile(kinds=("patient",), purposes=("droits",), portal_idle=True),
            "job": pack.Profile(kinds=("service",), purposes=("soins",)),
        },
        categories=("cr", "biologie", "alertes", "sejour"),
        tags=("psy", "vih", "secret_mineur"),
        actions=("read", "list", "create", "update"),
        purposes=("soins", "soins_urgence", "droits", "emploi"),
        relations={
            "REL_RESP": pack.Window(after=90 * 86_400),
            "REL_TEAM": pack.Window(),
            "REL_APPT": pack.Window(before=7 * 86_400, after=30 * 86_400),
            "REL_TRANSFER": pack.Window(before=86_400, after=86_400),
            "REL_REQ": pack.Window(after=15 * 86_400),
            "REL_RCP": pack.Window(before=7 * 86_400, after=7 * 86_400),
            "REL_REFERENT": pack.Window(after=30 * 86_400),
            "REL_TICKET": pack.Window(patient_optional=True),
            "REL_CASE": pack.Window(patient_optional=True),
        },
        flags=("detenu", "personnalite", "litige"),
        denied_purposes=("emploi",),
        write_actions=("create", "update"),
        protected_flags=("detenu", "personnalite"),
        safety={"alertes": "alertes_maskable"},
        consent_categories=("cr", "biologie"),
        with_request=("sejour", "alertes"),
        specialties={"cardiologie": ("UF-CARD", "UF-USIC"), "urgences": ("UF-SAU",)},
        secret_tags=("secret_mineur",),
        heir_motives=("CAUSE_DECES",),
        dim_profiles=("dim",),
    ),
    order=pack.Order((), (), (), ()),
    reasons={},
    obligations={},
    break_glass=pack.BreakGlass(
        action="open",
        purpose="soins_urgence",
        modes=("bris_de_glace",),
        reason="ALLOW_BREAK_GLASS",
        motives=("URGENCE_VITALE", "AVIS_URGENT", "AUTRE"),
        vital_motives=("URGENCE_VITALE",),
        free_text_motives=("AUTRE",),
        eligible={"medecin": "MED"},
        ttl=4 * 3600,
        reauth=300,
        review_deadline=72 * 3600,
        justification_min=10,
        justification_free=20,
        justification_max=500,
        unknown="open",
        override_profiles=("medecin",),
        override_motives=("URGENCE_VITALE",),
    ),
    freshness=pack.Freshness(
        facts_max_age={
            "stay": 86_400,
            "relation": 86_400,
            "record_state": 86_400,
            "assignment": 7 * 86_400,
            "delegation": 7 * 86_400,
            "contract": 7 * 86_400,
        },
        watermark_max_age=86_400,
        on_call_max_age=86_400,
    ),
    settings={
        "adm_mfa": _setting(True),
        "idle_limit": _setting(14_400),
        "portal_idle_limit": _setting(600),
        "producer_uf_keeps": _setting(True),
        "alertes_maskable": _setting(False),
        "vital_override": _setting(False),
        "bulk_threshold": _setting(60),
        "denial_threshold": _setting(20),
        "notice_version": _setting("2026-01"),
        "majority": _setting(18),
        "announcement_months": _setting(1),
    },
    jobs={"job": pack.Job(("job-1",), ("soins",), ("sejour", "cr"), ("read", "create"))},
)


def with_settings(**values: bool | int | str) -> pack.Pack:
    """The pack with other settings."""
    return replace(PACK, settings=PACK.settings | {name: _setting(value) for name, value in values.items()})


def fact(body: Any, start: int | None = None, end: int | None = None, **said: Any) -> Fact:
    """A fact of this body; `said` is any other field of Fact."""
    kind = next(name for name, of in _BODIES.items() if isinstance(body, of))
    said = {"id": f"{kind}-{id(body)}", "source": FEED, "controller_id": CONTROLLER} | said
    return Fact(period=Period(start, end), **{kind: body}, **said)


_BODIES = {
    "stay": Stay,
    "assignment": Assignment,
    "relation": Relation,
    "directive": Directive,
    "delegation": Delegation,
    "record_state": RecordState,
    "alias": Alias,
    "contract": Contract,
}


def stay(start: int | None = NOW - DAY, end: int | None = None, unit: str = "UF-CARD", **said: Any) -> Fact:
    """A stay of P1 in a unit, since yesterday."""
    body, rest = _split(Stay, {"patient_id": "P1", "unit": unit, "status": "active"} | said)
    return fact(body, start, end, **rest)


def assignment(start: int | None = None, end: int | None = None, **said: Any) -> Fact:
    """dr-card works in UF-CARD."""
    body, rest = _split(Assignment, {"subject_id": "dr-card", "unit": "UF-CARD", "profile": "medecin"} | said)
    return fact(body, start, end, **rest)


def relation(kind: str, start: int | None = None, end: int | None = None, **said: Any) -> Fact:
    """A relation with P1."""
    body, rest = _split(Relation, {"kind": kind, "patient_id": "P1"} | said)
    return fact(body, start, end, **rest)


def directive(kind: Any, start: int | None = None, end: int | None = None, **said: Any) -> Fact:
    """P1's will, about everyone unless `target` says otherwise."""
    body, rest = _split(Directive, {"kind": kind, "patient_id": "P1", "target": Target(everyone=True)} | said)
    return fact(body, start, end, **rest)


def delegation(start: int | None = None, end: int | None = None, **said: Any) -> Fact:
    """dr-card lets the secretary s-card act."""
    body, rest = _split(Delegation, {"from_subject_id": "dr-card", "to_subject_id": "s-card"} | said)
    return fact(body, start, end, **rest)


def record(start: int | None = None, end: int | None = None, **said: Any) -> Fact:
    """What is known of P1's record."""
    body, rest = _split(RecordState, {"patient_id": "P1"} | said)
    return fact(body, start, end, **rest)


def alias(kind: Any, other: str, start: int | None = None, end: int | None = None, **said: Any) -> Fact:
    """P1 and another name."""
    body, rest = _split(Alias, {"patient_id": "P1", "other_id": other, "kind": kind} | said)
    return fact(body, start, end, **rest)


def contract(start: int | None = None, end: int | None = None, **said: Any) -> Fact:
    """An approved and signed contract of provider PR1."""
    body, rest = _split(Contract, {"provider_id": "PR1", "approved": True, "confidentiality_signed": True} | said)
    return fact(body, start, end, **rest)


def grant(**said: Any) -> Grant:
    """A grant of dr-card for P1, opened an hour ago for four."""
    values = {
        "id": "g1",
        "tenant": TENANT,
        "controller_id": CONTROLLER,
        "caller_id": "dpi",
        "subject_id": "dr-card",
        "patient_id": "P1",
        "profile": "medecin",
        "scope": "MED",
        "motive": "URGENCE_VITALE",
        "justification": "arrêt cardiaque en salle 4",
        "opened_at": NOW - HOUR,
        "until": NOW + 3 * HOUR,
        "review_due": NOW + 71 * HOUR,
    }
    return Grant(**(values | said))


def _split(kind: Any, said: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The body and the other fields of the fact."""
    body = {name: value for name, value in said.items() if name in kind.__struct_fields__}
    return kind(**body), {name: value for name, value in said.items() if name not in body}


CALLER = Caller("dpi", tenant=TENANT, controllers=(CONTROLLER,), hds="certified", may_assert=frozenset({"identity"}))
SUBJECT = Subject(
    "dr-card", "professionnel", "medecin", profession="10", structure="S1", account_type="nominatif", status="actif"
)
RESOURCE = Resource("cr", "P1", id="doc-1", tags=(), masked_for=(), visibility=(), lifecycle="actif")
REQUEST = Request(
    SUBJECT,
    "read",
    RESOURCE,
    "soins",
    Authentication(mfa=True, time=NOW - HOUR, idle_s=0, remote="none"),
    Device("workstation", managed=True, compromised=False),
)


def asking(request: Request = REQUEST, **said: Any) -> Request:
    """The request with fields of its parts replaced: `subject={...}`, `resource={...}`, `action="create"`."""
    changes = {}
    for name, value in said.items():
        part = getattr(request, name)
        changes[name] = replace(part, **value) if isinstance(value, dict) else value
    return replace(request, **changes)


def known(told: Fact, now: int = NOW, seq: int = 1) -> Known:
    """The fact as the store holds it, told at `now` unless it says when."""
    start, end = told.period.from_, told.period.to
    return Known(
        told,
        told.kind,
        seq,
        NEVER if start is None else start,
        FOREVER if end is None else end,
        now if told.as_of is None else told.as_of,
    )


def snapshot(
    facts: Iterable[Fact],
    now: int = NOW,
    grants: Sequence[Grant] = (),
    marks: Mapping[tuple[str, str, str], int] | None = None,
    patient: str = "P1",
    controller: str = CONTROLLER,
    readable: bool = True,
    told: int | None = None,
) -> Snapshot:
    """What is known, as a room would hand it over: facts told at `told` (now); by default each feed is complete."""
    held = [known(each, now if told is None else told, seq) for seq, each in enumerate(facts, 1)]

    def of(kind: str, field: str = "") -> Any:
        found = [each for each in held if each.kind == kind]
        if not field:
            return tuple(found)
        keys = {getattr(getattr(each.fact, kind), field) for each in found} - {""}
        return {key: tuple(each for each in found if getattr(getattr(each.fact, kind), field) == key) for key in keys}

    aliases = of("alias")
    about = PatientFacts(
        patient,
        controller,
        len(held),
        of("stay"),
        of("relation"),
        of("directive"),
        of("record_state"),
        tuple(each for each in aliases if each.fact.alias.kind != "same_person"),
        tuple(each for each in aliases if each.fact.alias.kind == "same_person"),
    )
    if marks is None:
        marks = {(controller, source, kind): now for kind, sources in FEEDS.items() for source in sources}
    staff = TenantFacts(
        TENANT,
        len(held),
        of("assignment", "subject_id"),
        of("delegation", "to_subject_id"),
        of("contract", "provider_id"),
        of("relation", "ref"),
        {each.id: each for each in grants},
        {},
        marks,
        FEEDS,
    )
    return Snapshot(staff, about if readable else None)


class Noun:
    """`situation.subject.in_care_team`: a word, asked as a row asks it."""

    def __init__(self, situation: "Asked", name: str) -> None:
        self._situation, self._name = situation, name

    def __getattr__(self, word: str) -> Any:
        takes = NOUNS[self._name][word].args

        def answer(*args: object) -> bool | None:
            said = WORDS[self._name][word](
                self._situation, *(args if not {"resource", "purpose"}.intersection(takes or ()) else ())
            )
            return self._situation.unanswered(self._name, word) if said is None else said

        return answer() if takes is None else answer


class Asked(Situation):
    """A situation whose words read as rules write them."""

    subject = property(lambda self: Noun(self, "subject"))
    authentication = property(lambda self: Noun(self, "authentication"))
    device = property(lambda self: Noun(self, "device"))
    caller = property(lambda self: Noun(self, "caller"))
    resource = property(lambda self: Noun(self, "resource"))
    patient = property(lambda self: Noun(self, "patient"))
    context = property(lambda self: Noun(self, "context"))


def situation(
    *facts: Fact,
    request: Request = REQUEST,
    now: int = NOW,
    caller: Caller = CALLER,
    pack: pack.Pack = PACK,
    lenient: bool = False,
    usage: Usage = UNCOUNTED,
    **known_as: Any,
) -> Asked:
    """The situation of this request when these facts are known; `known_as` is any argument of `snapshot`."""
    known_as.setdefault("patient", request.resource.patient_id)
    seen = replace(snapshot(facts, now, **known_as), usage=usage)
    return Asked(request, caller, CONTROLLER, seen, now, pack, lenient)
