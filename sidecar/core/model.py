"""The values that travel: what is asked, what is known, what is answered.

Field names are those of proto/sidecar/v1 and of the JSON form (snake_case). An instant is an integer
(`instants.Instant`). `None` is "absent": the product never reads absent as none.
"""

from enum import StrEnum
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import force_setattr

from sidecar.core.instants import Instant


class Effect(StrEnum):
    """What is answered."""

    PERMIT = "PERMIT"
    DENY = "DENY"


# ---- the question


class Subject(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who asks. Required on the wire: `id`, `kind`, `profile`."""

    id: str
    kind: str
    profile: str
    id_system: str = ""
    profession: str = ""
    r1110_2_category: str = ""
    structure: str = ""
    units: tuple[str, ...] = ()
    activity_id: str = ""
    activities: tuple[str, ...] = ()
    account_type: str = ""
    status: str = ""
    valid_from: Instant | None = None
    valid_until: Instant | None = None
    contract_ref: str = ""
    contract_until: Instant | None = None
    confidentiality_signed: bool | None = None
    hds: str = ""
    supervised_by: str = ""
    on_behalf_of: str = ""


class Authentication(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the subject proved who they are."""

    acr: str = ""
    amr: tuple[str, ...] = ()
    mfa: bool | None = None
    time: Instant | None = None
    idle_s: int | None = None
    remote: str | None = None


class Device(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename={"class_": "class"}):
    """What the subject works on."""

    class_: str = ""
    managed: bool | None = None
    compromised: bool | None = None


class Resource(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The object asked about. Required on the wire: `category`, and `patient_id` but for search and TECH."""

    category: str = ""
    patient_id: str = ""
    type: str = ""
    id: str = ""
    tags: tuple[str, ...] | None = None
    author: str = ""
    author_structure: str = ""
    created_at: Instant | None = None
    unit: str = ""
    stay: str = ""
    visibility: tuple[str, ...] | None = None
    masked_for: tuple[str, ...] | None = None
    announced_since: Instant | None = None
    lifecycle: str | None = None
    controller_id: str = ""
    source_system: str = ""


class References(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the access rests on."""

    ticket: str = ""
    case: str = ""
    request: str = ""
    instruction: str = ""
    research: str = ""
    author: str = ""
    supervisor: str = ""


NO_REFERENCES = References()


class Context(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The circumstance of the access."""

    access_mode: str = "normal"
    grant: str = ""
    motive: str = ""
    justification: str = ""
    workstation: str | None = None
    unit: str = ""
    request_id: str = ""
    language: str = ""
    secret_connection: bool | None = None
    patient_informed: str = ""
    recipient: str = ""
    notice_version: str = ""
    legal_basis: str = ""
    user_agreement: bool | None = None
    refs: References = NO_REFERENCES
    consistency_token: str = ""
    second_confirmation: bool | None = None


NO_CONTEXT = Context()


class Caller(Struct, frozen=True):
    """Which system speaks, proven by its connection and described by the configuration, never by the body."""

    id: str
    channel: str = "dpi"
    roles: frozenset[str] = frozenset()
    tenant: str = "default"
    controllers: tuple[str, ...] = ()
    hds: str = "missing"
    may_assert: frozenset[str] = frozenset()


# ---- what is known


class Period(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename={"from_": "from"}):
    """[from, to); an absent bound is open."""

    from_: Instant | None = None
    to: Instant | None = None


class Assignment(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A member of staff works in a unit under a profile."""

    subject_id: str
    unit: str
    profile: str
    on_call: bool = False


class Stay(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A patient's presence in one medical unit."""

    patient_id: str
    unit: str
    status: Literal["planned", "active", "cancelled"]
    stay_id: str = ""
    responsible_id: str = ""


class Scope(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Narrows a relation or a directive; empty means everything."""

    categories: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    stay_id: str = ""


EVERYTHING = Scope()


class Relation(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Ties a subject, a unit or a structure to a patient; `kind` is one of the pack's relation kinds.

    Of a request (REL_REQ) `subject_id` or `unit` is who is asked, `requester_id` who signed it.
    """

    kind: str
    patient_id: str = ""
    subject_id: str = ""
    unit: str = ""
    structure: str = ""
    scope: Scope = EVERYTHING
    ref: str = ""
    requester_id: str = ""


class Target(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Whom a directive concerns: exactly one field is set."""

    subject_id: str = ""
    profession: str = ""
    structure: str = ""
    unit: str = ""
    everyone: bool = False


class Directive(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename={"except_": "except"}):
    """The patient's will."""

    kind: Literal["mask", "block", "opposition", "consent", "informed", "circle", "visibility", "mask_delegation"]
    patient_id: str
    modes: tuple[str, ...] = ()
    target: Target = Target()
    scope: Scope = EVERYTHING
    except_: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()
    channel: str = ""
    proof: str = ""


class Delegation(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Lets `to_subject_id` act for `from_subject_id`; every field that is filled narrows it."""

    from_subject_id: str
    to_subject_id: str
    patient_id: str = ""
    units: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()


class RecordState(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the controller knows of a record as a whole. Dates are ISO 8601 calendar dates."""

    patient_id: str
    birth_date: str = ""
    death_date: str = ""
    last_care: Instant | None = None
    last_intervention: Instant | None = None
    status: str = ""
    lifecycle: str = ""
    flags: tuple[str, ...] = ()


class Alias(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Two names of one person."""

    patient_id: str
    other_id: str
    kind: Literal["merge", "unmerge", "same_person"]


class Contract(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Binds a provider."""

    provider_id: str
    client_structure: str = ""
    service: str = ""
    approved: bool = False
    confidentiality_signed: bool = False


class Call(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A call to an emergency call centre."""

    patient_id: str
    subject_id: str
    authenticated: bool = False


Body = Assignment | Stay | Relation | Directive | Delegation | RecordState | Alias | Contract | Call

KINDS: dict[str, type] = {
    "assignment": Assignment,
    "stay": Stay,
    "relation": Relation,
    "directive": Directive,
    "delegation": Delegation,
    "record_state": RecordState,
    "alias": Alias,
    "contract": Contract,
    "call": Call,
}

ALWAYS = Period()


class Fact(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing known; exactly one body is set. Upsert key: tenant, controller, source, id.

    `as_of` is outside version equality: a second import of the same refreshes it and versions nothing.
    """

    id: str
    source: str
    controller_id: str = ""
    as_of: Instant | None = None
    period: Period = ALWAYS
    assignment: Assignment | None = None
    stay: Stay | None = None
    relation: Relation | None = None
    directive: Directive | None = None
    delegation: Delegation | None = None
    record_state: RecordState | None = None
    alias: Alias | None = None
    contract: Contract | None = None
    call: Call | None = None

    @property
    def kind(self) -> str:
        """The one kind that is set. Raises ValueError when none or several are."""
        kinds = [name for name in KINDS if getattr(self, name) is not None]
        if len(kinds) != 1:
            raise ValueError("a fact has exactly one of " + ", ".join(KINDS))
        return kinds[0]

    @property
    def patient_id(self) -> str:
        """The patient the fact is about, or empty."""
        return getattr(getattr(self, self.kind), "patient_id", "")


class Watermark(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A source has told everything of these kinds up to `complete_until`."""

    source: str
    kinds: tuple[str, ...]
    complete_until: Instant
    controller_id: str = ""


class Retraction(Struct, frozen=True, forbid_unknown_fields=True):
    """Ends a fact of a source."""

    source: str
    id: str


class Review(Struct, frozen=True, omit_defaults=True):
    """The verdict on a grant. `also` are the grounds known by then that would have permitted without one (A-BG-9)."""

    verdict: Literal["justifie", "injustifie", "non_conclusif"]
    reviewer_id: str
    caller_id: str
    at: Instant
    comment: str = ""
    also: tuple[str, ...] = ()


class Grant(Struct, frozen=True, omit_defaults=True):
    """Leave to pass the care-team rule for one patient, in an emergency, until `until`.

    `ended` says how it was ended, once that is kept; it then opens nothing, whatever the clock says. `opener` is the
    subject as the caller described them at the opening.
    """

    id: str
    tenant: str
    controller_id: str
    caller_id: str
    subject_id: str
    patient_id: str
    profile: str
    scope: str
    motive: str
    justification: str
    opened_at: Instant
    until: Instant
    review_due: Instant
    closed_at: Instant | None = None
    second_confirmation: bool = False
    request_id: str = ""
    ended: Literal["", "closed", "expired", "revoked"] = ""
    ended_by: str = ""
    units: tuple[str, ...] = ()
    opener: Subject | None = None
    alerts: tuple[str, ...] = ()
    review: Review | None = None
    known_to: tuple[str, ...] = ()  # audiences that were told and know

    def open_at(self, now: int) -> bool:
        """Whether the grant opens anything at `now`."""
        if self.ended:
            return False
        return self.opened_at <= now < self.until and (self.closed_at is None or now < self.closed_at)

    def reviewable_by(self, reviewer_id: str, strict: bool) -> bool:
        """Whether this person may give the verdict: not the subject, nor, if strict, their direct superior (A-BG-8)."""
        superior = self.opener.supervised_by if self.opener is not None else ""
        return reviewer_id != self.subject_id and not (strict and reviewer_id == superior)


class Relied(Struct, frozen=True):
    """A fact version the decision rested on."""

    source: str
    id: str
    seq: int


NOT_RELIED = Relied("", "", 0)


class Known(Struct, frozen=True):
    """A fact as the store holds it: its version, and the instants its truth depends on.

    `start` and `end` are the fact's period with open bounds made explicit, so that words compare integers.
    """

    fact: Fact
    kind: str
    seq: int
    start: int
    end: int
    as_of: int
    # Worked out from these, for every question that meets the fact.
    relied: Relied = NOT_RELIED  # what is recorded of a decision that rests on it
    feed: tuple[str, str, str] = ("", "", "")  # controller, source, kind: whose watermark speaks for it
    on_call: bool = False

    def __post_init__(self) -> None:
        fact = self.fact
        force_setattr(self, "relied", Relied(fact.source, fact.id, self.seq))
        force_setattr(self, "feed", (fact.controller_id, fact.source, self.kind))
        force_setattr(self, "on_call", fact.assignment is not None and fact.assignment.on_call)


# ---- the question as the corridor carries it, and the answer


class Request(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One question: may this subject do this action on this resource for this purpose?"""

    subject: Subject
    action: str
    resource: Resource
    purpose: str
    authentication: Authentication | None = None
    device: Device | None = None
    context: Context = NO_CONTEXT
    facts: tuple[Fact, ...] = ()


class Opening(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A request for an emergency grant."""

    subject: Subject
    patient_id: str
    motive: str = ""
    justification: str = ""
    authentication: Authentication | None = None
    device: Device | None = None
    controller_id: str = ""
    second_confirmation: bool | None = None
    request_id: str = ""
    language: str = ""


class Obligation(Struct, frozen=True, omit_defaults=True):
    """What the PEP must do with the answer, or refuse."""

    id: str
    params: dict[str, str] = field(default_factory=dict)


class Advice(Struct, frozen=True, omit_defaults=True):
    """What the PEP may do with the answer."""

    id: str
    params: dict[str, str] = field(default_factory=dict)


class Offer(Struct, frozen=True, omit_defaults=True):
    """Whether a grant may be opened for this access, with which motives, opening which category group."""

    available: bool = False
    motives: tuple[str, ...] = ()
    scope: str = ""


NO_OFFER = Offer()


class Decision(Struct, frozen=True):
    """What the policy says of one request in one situation.

    `reason` is what the caller sees, `true_reason` what the ledger keeps (3.0.4): they differ where the
    truth would reveal the patient's will. `rules` are the ids of every row that took part.
    """

    effect: Effect
    reason: str
    true_reason: str
    rule: str = ""
    also: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    advice: tuple[Advice, ...] = ()
    offer: Offer = NO_OFFER
    valid_until: int = 0
    relied: tuple[Relied, ...] = ()
    unknown: tuple[str, ...] = ()


class PolicyRef(Struct, frozen=True):
    """Names a policy: pack, revision (git or `folder`) and SHA-256 digest of the pack's files."""

    pack: str
    revision: str
    digest: str


class Answer(Struct, frozen=True):
    """A decision that has been recorded."""

    decision: Decision
    decision_id: str
    policy: PolicyRef
    origin: str
    index: int
    consistency_token: str
    message: str


class ItemFault(Struct, frozen=True):
    """A malformed item of a batch."""

    field: str
    description: str
