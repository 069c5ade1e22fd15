"""PolicySet: the rules of one pack, compiled once, asked often. Immutable, so that any thread may ask it."""

from collections.abc import Mapping

from sidecar.core import legal_basis
from sidecar.core.break_glass import GrantTerms
from sidecar.core.bundle import Snapshot
from sidecar.core.compiled import Compiled
from sidecar.core.judgement import FACTS_UNAVAILABLE, NO_RELATIONSHIP, NO_RULE, PROFILE_CATEGORY
from sidecar.core.model import (
    Caller,
    Context,
    Decision,
    Effect,
    ItemFault,
    Opening,
    PolicyRef,
    Request,
    Resource,
)
from sidecar.core.pack import Pack
from sidecar.core.question import NOT_AVAILABLE, POLICY_ERROR, Book, Question
from sidecar.core.slices import Situations

UNKNOWN_PROFILE = "UNKNOWN_PROFILE"
UNKNOWN_CATEGORY = "UNKNOWN_CATEGORY"
UNKNOWN_PURPOSE = "UNKNOWN_PURPOSE"
UNKNOWN_ACTION = "UNKNOWN_ACTION"

# What the product alone answers, whatever the rows say: no row may deny for it.
OWN_REASONS = (
    NO_RELATIONSHIP,
    NO_RULE,
    PROFILE_CATEGORY,
    FACTS_UNAVAILABLE,
    POLICY_ERROR,
    NOT_AVAILABLE,
    UNKNOWN_PROFILE,
    UNKNOWN_CATEGORY,
    UNKNOWN_PURPOSE,
    UNKNOWN_ACTION,
)
# What it answers to an opening; rows may deny for these too. A pack has a sentence for each of both lists.
OPENING_REASONS = ("BREAK_GLASS_NOT_ELIGIBLE", "REAUTH_REQUIRED", "JUSTIFICATION_REQUIRED")

Sentences = Mapping[str, Mapping[str, str]]  # language → reason → sentence


class PolicySet:
    """Answers questions from the rules of one pack."""

    def __init__(self, compiled: Compiled, ref: PolicyRef, sentences: Sentences, situations: Situations) -> None:
        """`situations` makes the situation of a question; the rows were checked by `loading`."""
        self.ref = ref
        self.compiled, self.sentences = compiled, sentences
        self.book = Book(compiled, situations)

    @property
    def pack(self) -> Pack:
        """The pack's parameters, groups in its lists of names replaced by the names they stand for."""
        return self.compiled.pack

    def evaluate(self, request: Request, caller: Caller, controller_id: str, snapshot: Snapshot, now: int) -> Decision:
        """What the rules say of this request, in this snapshot, at `now`. Never raises: doubt is a refusal."""
        found = self.compiled.slice(request.subject.profile, request.resource.category, request.action, request.purpose)
        if found is None:
            return self.book.plain(self._unknown_name(request), now)
        question = Question(self.book, found, request, caller, controller_id, snapshot, now)
        try:
            return question.decision()
        except Exception:  # never skipped: a skipped prohibition would be a permit
            return question.error()

    def evaluate_open(
        self, opening: Opening, caller: Caller, controller_id: str, snapshot: Snapshot, now: int
    ) -> tuple[Decision, GrantTerms | None]:
        """Whether this subject may open a grant for this patient, and what the grant would give.

        3.0.6: the pack's gates with their reasons, then eligibility, re-authentication, motive and justification.
        """
        rules, vocabulary = self.pack.break_glass, self.pack.vocabulary
        profile = opening.subject.profile
        if profile not in vocabulary.profiles:
            return self.book.plain(UNKNOWN_PROFILE, now), None
        request = Request(
            subject=opening.subject,
            action=rules.action,
            resource=Resource(
                category=rules.eligible.get(profile, vocabulary.clinical),
                patient_id=opening.patient_id,
                controller_id=opening.controller_id,
            ),
            purpose=rules.purpose,
            authentication=opening.authentication,
            device=opening.device,
            context=Context(
                motive=opening.motive,
                justification=opening.justification,
                request_id=opening.request_id,
                language=opening.language,
                second_confirmation=opening.second_confirmation,
            ),
        )
        found = self.compiled.opening_slice(profile)
        question = Question(self.book, found, request, caller, controller_id, snapshot, now)
        try:
            return question.opening(opening)
        except Exception:  # as above
            return question.error(), None

    def malformed(self, request: Request) -> ItemFault | None:
        """The first field without which the request is no question, None when it is one (3.0.1)."""
        subject, resource, without = request.subject, request.resource, self.pack.vocabulary.without_patient
        said = subject.id and subject.kind and subject.profile and request.action and request.purpose
        basis = request.context.legal_basis
        if said and resource.category and resource.patient_id and not basis:
            return None
        required = (
            ("subject.id", subject.id),
            ("subject.kind", subject.kind),
            ("subject.profile", subject.profile),
            ("action", request.action),
            ("resource.category", resource.category),
            ("purpose", request.purpose),
        )
        for field, value in required:
            if not value:
                return ItemFault(field, "required")
        needs_patient = request.action not in without.actions and resource.category not in without.categories
        if needs_patient and not resource.patient_id:
            return ItemFault("resource.patient_id", f"required for `{request.action}` of `{resource.category}`")
        if basis and basis not in legal_basis.BASES:
            return ItemFault("context.legal_basis", f"one of {', '.join(legal_basis.BASES)}, or left out")
        return None

    def message(self, reason: str, effect: Effect, language: str) -> str:
        """The sentence for a reason, in the pack's own language where `language` is not one it has."""
        sentences = self.sentences.get(language) or self.sentences[self.pack.pack.language]
        said = sentences.get(reason)
        return effect.value if said is None else said

    def _unknown_name(self, request: Request) -> str:
        """The reason that says which of the four names is not in the vocabulary."""
        if request.subject.profile not in self.pack.vocabulary.profiles:
            return UNKNOWN_PROFILE
        if request.resource.category not in self.compiled.known_categories:
            return UNKNOWN_CATEGORY
        if request.purpose not in self.compiled.known_purposes:
            return UNKNOWN_PURPOSE
        return UNKNOWN_ACTION
