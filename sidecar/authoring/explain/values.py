"""An explanation as a value: what `policy explain --json` prints, described in docs/explain.md.

`explanation` is the version of this form: fields are added, never changed in meaning.
"""

from typing import Literal

from msgspec import Struct

from sidecar.core.instants import Instant
from sidecar.core.model import Advice, Effect, Obligation, PolicyRef

VERSION = 1

Verdict = Literal["passed", "refused", "unknown"]


class QuestionSeen(Struct, frozen=True):
    """Who asked what, when, through whom. `opening` says that an emergency grant was asked for."""

    at: Instant
    caller: str
    tenant: str
    controller_id: str
    subject_id: str
    profile: str
    action: str
    purpose: str
    category: str
    patient_id: str
    resource_id: str
    access_mode: str
    opening: bool


class Outcome(Struct, frozen=True):
    """The decision, as the policy set takes it. `reason` is what the caller sees, `true_reason` what is true.

    `relied` names the facts it rested on, those that its fleeting parts looked at too.
    """

    effect: Effect
    reason: str
    true_reason: str
    rule: str
    rules: tuple[str, ...]
    also: tuple[str, ...]
    obligations: tuple[Obligation, ...]
    advice: tuple[Advice, ...]
    break_glass: bool
    valid_until: Instant
    relied: tuple[str, ...]
    unknown: tuple[str, ...]
    message: str  # what the caller reads


class FactSeen(Struct, frozen=True, rename={"from_": "from"}):
    """A fact, or a grant, that a word looked at. `says` holds its fields but for free text.

    `fresh_until` is when it stops bearing a ground; None when age does not matter to it.
    """

    ref: str
    kind: str
    source: str
    id: str
    seq: int
    from_: Instant | None
    to: Instant | None
    as_of: Instant | None
    fresh_until: Instant | None
    says: dict[str, object]


class FeedSeen(Struct, frozen=True):
    """How far a source told of a kind, and whether that vouches that there is nothing more at the instant asked.

    An empty `source`: the settings name none for this kind, so nobody can vouch.
    """

    kind: str
    source: str
    complete_until: Instant | None
    vouches: bool
    vouches_until: Instant | None


class WordSeen(Struct, frozen=True):
    """A word, what it answers (None: unknown), and what lies behind. `facts` are `ref`s of facts.

    `counted_as` differs from `value` where an open grant reads an unknown restriction as absent.
    `raised` names the error of a word that could not be worked out.
    """

    word: str
    means: str
    value: bool | None
    counted_as: bool | None
    reads: dict[str, object]
    facts: tuple[str, ...]
    feeds: tuple[FeedSeen, ...]
    ends: Instant | None
    raised: str = ""


class RowSeen(Struct, frozen=True):
    """A row, what its condition answers, and where it stands. `decided`: the reason is this row's."""

    kind: str
    rule: str
    reason: str
    obligation: str
    when: str
    answer: bool | None
    decided: bool
    words: tuple[str, ...]
    instead: str
    instead_answer: bool | None
    file: str
    line: int
    source: str


class PartSeen(Struct, frozen=True):
    """A gate, the matrix, the grounds, or what comes with a yes. `counted`: the answer was not settled before it."""

    name: str
    title: str
    verdict: Verdict
    counted: bool
    rows: tuple[RowSeen, ...]


class DelegatorSeen(Struct, frozen=True):
    """Somebody who delegated, under one of their profiles, and whether they may do this themselves."""

    subject_id: str
    profile: str
    may: bool | None
    parts: tuple[PartSeen, ...]
    words: tuple[WordSeen, ...]


class Because(Struct, frozen=True):
    """A code for programs and a sentence for people."""

    code: str
    text: str


class Entity(Struct, frozen=True):
    """Somebody or something the decision rested on."""

    kind: str
    id: str


class Ends(Struct, frozen=True):
    """Until when the answer may be kept, and what ends it."""

    at: Instant
    code: str
    text: str
    word: str = ""
    fact: str = ""


class Step(Struct, frozen=True):
    """One change that was tried on the question or on what is known, and what the answer became.

    `kind` is `fact` (added), `taken` (a fact taken away), `feed` (a source tells it has told everything) or `request`
    (a field of the request). `body` holds the fact or the watermark, as `facts write` takes them, what is taken away,
    or the field and its value.
    """

    kind: Literal["fact", "taken", "feed", "request"]
    text: str
    body: dict[str, object]
    effect: Effect
    reason: str


class Missing(Struct, frozen=True):
    """What one change would do about a refusal. `steps` were tried and hold; none: no single change is enough.

    `row` is the nearest ground, with its words that stand in the way; empty where no ground was looked for.
    """

    text: str
    row: RowSeen | None
    astray: tuple[str, ...]
    steps: tuple[Step, ...]


class Explanation(Struct, frozen=True):
    """Why an answer is what it is.

    `agrees` is False when the row-by-row reading came to something else than the policy set; then the decision counts
    and the explanation does not. `rests_on_words` are the words of the rows up to the part that settled the answer;
    `unused` are facts about the patient and the people asked about that no word rests on.
    """

    explanation: int
    policy: PolicyRef
    question: QuestionSeen
    outcome: Outcome
    agrees: bool
    why: Because
    shown: Because
    parts: tuple[PartSeen, ...]
    words: tuple[WordSeen, ...]
    facts: tuple[FactSeen, ...]
    unused: tuple[FactSeen, ...]
    delegators: tuple[DelegatorSeen, ...]
    rests_on: tuple[Entity, ...]
    rests_on_words: tuple[str, ...]
    ends: Ends
    missing: Missing | None
