"""A pack's parameters: the place of every name the code must not know.

`Pack` is what `pack.toml` says, decoded strictly (msgspec, unknown keys refused). Durations are whole seconds,
counts are integers. docs/packs.md describes every key.
"""

from typing import Literal

from msgspec import Struct, field

Seconds = int
Strings = tuple[str, ...]
SetBy = Literal["law", "guidance", "proposal"]


class About(Struct, frozen=True, forbid_unknown_fields=True):
    """[pack]: what this is."""

    name: str
    version: str
    controller_type: str
    language: Literal["fr", "en"] = "fr"


class Profile(Struct, frozen=True, forbid_unknown_fields=True):
    """[vocabulary.profiles.X]: who may hold it and for which purposes (names or groups of g4)."""

    kinds: Strings
    purposes: Strings
    specialty: str = ""
    portal_idle: bool = False


class Window(Struct, frozen=True, forbid_unknown_fields=True):
    """[vocabulary.relations.X]: [from − before, to + after), in seconds."""

    before: Seconds = 0
    after: Seconds = 0
    patient_optional: bool = False
    derived: bool = False  # follows from stays, assignments or directives: no relation fact is of this kind


class WithoutPatient(Struct, frozen=True, forbid_unknown_fields=True):
    """[vocabulary.without_patient]: the only questions that may name no patient."""

    actions: Strings = ()
    categories: Strings = ()


class Vocabulary(Struct, frozen=True, forbid_unknown_fields=True):
    """[vocabulary]: the closed lists."""

    profiles: dict[str, Profile]
    categories: Strings
    tags: Strings
    actions: Strings
    purposes: Strings
    relations: dict[str, Window]
    flags: Strings
    without_patient: WithoutPatient = WithoutPatient()
    denied_purposes: Strings = ()  # known and always denied
    clinical: str = ""  # the category group whose unknown restrictions offer break-glass
    write_actions: Strings = ()
    consent_categories: Strings = ()  # what a consent that names no category gives (REL_CONSENT)
    with_request: Strings = ()  # what whoever is asked reads beside what the request names
    specialties: dict[str, Strings] = field(default_factory=dict)  # specialty → its units
    protected_flags: Strings = ()  # record flags that ask for a relation by name
    # category → the switch that lets the patient mask it to the current care team too (3.1.5)
    safety: dict[str, str] = field(default_factory=dict)
    secret_tags: Strings = ()  # tags of acts a minor keeps from the legal representatives (R.1111-50)
    heir_motives: Strings = ()  # for which heirs may read (L.1110-4 V)
    dim_profiles: Strings = ()  # who answers for medical information, and delegates coding


class Order(Struct, frozen=True, forbid_unknown_fields=True):
    """[order]: which refusal and which permit is the reason."""

    gates: Strings
    otherwise_rank: Strings
    allow_rank: Strings
    firm_gates: Strings  # gates no grant changes and whose unknown offers no break-glass (G-SUB to G-PUR)
    delegator_gates: Strings = ()  # gates the delegator is asked when somebody acts for them (G-LIFE, G-WILL)


class Reason(Struct, frozen=True, forbid_unknown_fields=True):
    """[reasons.X]: what comes with this reason."""

    obligations: Strings = ()  # obligation texts that come with a refusal for this reason
    break_glass: bool = False  # a refusal for it may offer break-glass
    discloses: bool = False  # would reveal the patient's will: shown as NOT_AVAILABLE


class ObligationRule(Struct, frozen=True, forbid_unknown_fields=True):
    """[obligations.X]: parameter names in order, and how two of the same id merge."""

    params: Strings = ()
    merge: Literal["same", "shortest", "union"] = "same"
    advice: bool = False


class NoticeRule(Struct, frozen=True, forbid_unknown_fields=True):
    """[[break_glass.notices]]: who must know of what, and within how long; 0: to be shown, not to be confirmed.

    With `by_review`, until the review is due.
    """

    on: Literal[
        "open_grant",
        "close_grant",
        "expire_grant",
        "revoke_grant",
        "review_grant",
        "volume",
        "blocked",
        "single_factor",
    ]  # a change of the grant, or what its opening alerts to
    audience: str
    within: Seconds = 0
    by_review: bool = False


class BreakGlass(Struct, frozen=True, forbid_unknown_fields=True):
    """[break_glass]: who may open what, for how long."""

    action: str  # the action Open asks the gates with
    purpose: str  # the purpose Open asks the gates with
    modes: Strings  # access modes in which grants are considered
    reason: str  # the allow reason of grant rows
    motives: Strings
    vital_motives: Strings
    free_text_motives: Strings  # motives that need `justification_free` characters
    eligible: dict[str, str]  # profile → category group of its scope
    ttl: Seconds
    reauth: Seconds
    review_deadline: Seconds
    justification_min: int
    justification_free: int
    justification_max: int
    unknown: Literal["open", "closed"]  # bg_unknown
    unknown_advice: Strings = ()  # advice and obligations added when an unknown is read as absent
    unknown_obligations: Strings = ()
    gates: Strings = ()  # gates Open runs, in order
    override_profiles: Strings = ()  # who passes a mask under `vital_override` (A-BG-5)
    override_motives: Strings = ()
    override_obligations: Strings = ()  # what an opening under `vital_override` brings
    single_factor_motives: Strings = ()  # for which one factor is enough, where `bg_single_factor` is on (A-BG-2)
    blocked_motives: Strings = ()  # for which a block is passed, where `blocked_bg` is `alert_allow` (A-BG-7)
    max_per_subject_24h: int = 0  # openings of one person in 24 hours that call for no alert; 0: any number
    many_obligations: Strings = ()  # what an opening past that number brings
    notices: tuple[NoticeRule, ...] = ()
    holder_audience: str = ""  # the audience of those notices that is the patient
    close_action: str = ""  # the action, purpose and category that ending and reviewing somebody else's grant ask with
    review_action: str = ""
    review_purpose: str = ""
    review_category: str = ""
    review_strict: bool = False  # the direct superior of the subject may not review either (A-BG-8)
    review_comment_max: int = 500
    # motive → the relation kind whose absence it speaks of, where no fact tells (docs/break-glass-review.md)
    missing_relation: dict[str, str] = field(default_factory=dict)


class Freshness(Struct, frozen=True, forbid_unknown_fields=True):
    """[freshness]: seconds, by fact kind; a kind not listed has no limit."""

    facts_max_age: dict[str, Seconds]
    watermark_max_age: Seconds
    on_call_max_age: Seconds


class Job(Struct, frozen=True, forbid_unknown_fields=True):
    """[jobs.X]: a machine account's whole list (A-31)."""

    accounts: Strings
    purposes: Strings
    categories: Strings
    actions: Strings
    writes_need_author: bool = True
    closed_stay: bool = False
    write_categories: Strings = ()  # what a write is limited to; every category of the job when empty


class Basis(Struct, frozen=True, forbid_unknown_fields=True):
    """[legal_bases.X]: the basis of art. 6(1) GDPR that a purpose rests on, its source, and who sets it."""

    basis: str
    source: str
    set_by: SetBy


class Setting(Struct, frozen=True, forbid_unknown_fields=True):
    """[settings.X]: a switch or a number, its source, and who sets it."""

    value: bool | int | str
    source: str
    set_by: SetBy
    unit: str = ""  # of a number: `s` for seconds, else a word


class Origin(Struct, frozen=True, forbid_unknown_fields=True):
    """[origins."path.of.a.key"]: where a number or list outside [settings] comes from, and who sets it."""

    source: str
    set_by: SetBy


class Show(Struct, frozen=True, forbid_unknown_fields=True):
    """[show]: the groups under which a reader sees categories and profiles; the rest comes last."""

    categories: Strings = ()
    profiles: Strings = ()


class Pack(Struct, frozen=True, forbid_unknown_fields=True, rename={"import_": "import"}):
    """Everything pack.toml says."""

    pack: About
    vocabulary: Vocabulary
    order: Order
    reasons: dict[str, Reason]
    obligations: dict[str, ObligationRule]
    break_glass: BreakGlass
    freshness: Freshness
    settings: dict[str, Setting]
    legal_bases: dict[str, Basis] = field(default_factory=dict)  # by purpose; a pack in which one lacks is refused
    jobs: dict[str, Job] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)  # sources that are no requirement number: what they are
    show: Show = Show()
    import_: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
