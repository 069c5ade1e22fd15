"""One question put to the rules, and the decision it gets: what is true, and what the caller is shown of it."""

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from sidecar.core import break_glass, instants, judgement, obligations
from sidecar.core.break_glass import GrantTerms
from sidecar.core.bundle import Snapshot
from sidecar.core.expression import When
from sidecar.core.instants import DAY, SECOND
from sidecar.core.judgement import FACTS_UNAVAILABLE, NO_RELATIONSHIP, PROFILE_CATEGORY, Settled
from sidecar.core.model import (
    NO_OFFER,
    Advice,
    Caller,
    Decision,
    Effect,
    Obligation,
    Offer,
    Opening,
    Relied,
    Request,
)
from sidecar.core.slices import Ask, Compiled, Situation, Situations, Slice

POLICY_ERROR = "POLICY_ERROR"
NOT_AVAILABLE = "NOT_AVAILABLE"

MASK_DISCLOSURE = "mask_disclosure"  # setting: `none` hides whether a masked object exists
ANSWER_MAX_AGE = "answer_max_age"  # setting: seconds an answer may be kept at most
CACHE_MAX_AGE, SECONDS = "CACHE_MAX_AGE", "s"  # the obligation that shortens it, and its parameter

# What cures these may arrive at any moment, so nobody keeps the answer.
DOUBTS = frozenset({FACTS_UNAVAILABLE, POLICY_ERROR})


class Refusal(Struct, frozen=True):
    """What comes with every refusal for one reason."""

    obligations: tuple[Obligation, ...]
    advice: tuple[Advice, ...]
    break_glass: bool


class Book:
    """What a pack says comes with its answers, worked out once."""

    def __init__(self, compiled: Compiled, situations: Situations) -> None:
        """`situations` makes the nouns of a question."""
        self.compiled, self.situations = compiled, situations
        pack = compiled.pack
        self.refusals = {
            name: self._refusal(reason.obligations, reason.break_glass) for name, reason in pack.reasons.items()
        }
        rules = pack.break_glass
        self.overlooked = self._refusal((*rules.unknown_obligations, *rules.unknown_advice), False)
        self.reads_unknown_as_absent = rules.unknown == "open"
        self.grant_modes = frozenset(rules.modes)
        disclosure, age = pack.settings.get(MASK_DISCLOSURE), pack.settings.get(ANSWER_MAX_AGE)
        self.conceals = disclosure is None or disclosure.value == "none"
        self.max_age = int(age.value) * SECOND if age is not None else DAY

    def plain(self, reason: str, now: int, rules: tuple[str, ...] = ()) -> Decision:
        """A refusal that no row gave."""
        refusal = self.refusals[reason]
        return Decision(
            effect=Effect.DENY,
            reason=reason,
            true_reason=reason,
            rules=rules,
            obligations=refusal.obligations,
            advice=refusal.advice,
            valid_until=now if reason in DOUBTS else now + self.max_age,
        )

    def _refusal(self, texts: Iterable[str], offers: bool) -> Refusal:
        rules = self.compiled.pack.obligations
        made = [obligations.template(text, rules) for text in texts]
        duties = obligations.merged([each.fixed for each in made if each.fixed and not each.advice], rules)
        advice = obligations.merged([each.fixed for each in made if each.fixed and each.advice], rules)
        return Refusal(duties, obligations.advised(advice), offers)


class Question:
    """A request in a snapshot at an instant, before the rows it meets."""

    __slots__ = ("book", "caller", "controller_id", "found", "loose", "made", "now", "request", "snapshot", "strict")

    def __init__(
        self,
        book: Book,
        found: Slice,
        request: Request,
        caller: Caller,
        controller_id: str,
        snapshot: Snapshot,
        now: int,
    ) -> None:
        self.book, self.found = book, found
        self.request, self.caller, self.controller_id = request, caller, controller_id
        self.snapshot, self.now = snapshot, now
        self.strict: Situation | None = None
        self.loose: Situation | None = None
        self.made: list[Situation] = []

    def decision(self) -> Decision:
        """What the rules say; POLICY_ERROR when one raises."""
        try:
            return self._decision()
        except Exception:  # never skipped: a skipped prohibition would be a permit
            return self._error()
        finally:
            self._forget()

    def opening(self, opening: Opening) -> tuple[Decision, GrantTerms | None]:
        """Whether the grant may be opened; POLICY_ERROR when a row raises."""
        try:
            return self._opening(opening)
        except Exception:  # as in `decision`
            return self._error(), None
        finally:
            self._forget()

    def _decision(self) -> Decision:
        self.strict = strict = self._situation()
        settled = judgement.settle(self.book.compiled, self.found, strict, self._lenient())
        if settled.permit:
            return self._permitted(settled)
        if self.book.conceals and settled.stage >= self.found.will and self._has_will():
            return self._refused(settled, self._without_will())
        return self._refused(settled, settled)

    def _without_will(self) -> Settled:
        """What is shown instead of a refusal the patient's will may have caused (3.0.4).

        Whatever would be refused without it too shows that refusal, byte for byte and `valid_until` included, so
        that a mask changes nothing for a stranger; else NOT_AVAILABLE.
        """
        plain = self._situation(will=False)
        settled = judgement.settle(self.book.compiled, self.found, plain, self._lenient(will=False))
        return Settled(False, NOT_AVAILABLE, settled.ends) if settled.permit else settled

    def _opening(self, opening: Opening) -> tuple[Decision, GrantTerms | None]:
        book, rules = self.book, self.book.compiled.pack.break_glass
        self.strict = strict = self._situation()
        # 3.0.4: opening is not refused for a patient-will reason; each access under the grant is.
        firm = [row for row in self.found.firm if row.gate in rules.gates and not row.discloses]
        gates = [row for row in self.found.gates if row.gate in rules.gates and not row.discloses]
        # 3.0.1: under `bg_unknown` open, an unknown own record does not refuse the opening either.
        self.loose = loose = self._situation(lenient=True) if book.reads_unknown_as_absent else strict
        held = judgement.first(firm, strict), judgement.first(gates, loose)
        for each in held:
            if each is not None:
                settled = judgement.refused(each)
                return self._refused(settled, settled), None
        reason = break_glass.refusal(rules, opening, self.now)
        if reason:
            settled = Settled(False, reason, strict.ends)
            return self._refused(settled, settled), None
        terms = break_glass.terms(rules, opening.subject.profile, self.now)

        def value(name: str) -> str:
            return instants.text(terms.until) if name == "until" else strict.value(name)

        duties, said = judgement.contributions(self.found.duties, strict, value, book.compiled)
        advice, also_said = judgement.contributions(self.found.advice, strict, value, book.compiled)
        settled = Settled(
            permit=True,
            reason=rules.reason,
            ends=min(strict.ends, loose.ends, terms.until),
            rules=said + also_said,
            duties=duties,
            advice=advice,
            overlooked=loose is not strict and bool(loose.unknown),
        )
        return self._permitted(settled), terms

    def _situation(self, lenient: bool = False, will: bool = True) -> Situation:
        """The nouns of this question, able to ask what a delegator may do."""
        made = self.book.situations(
            self.request, self.caller, self.controller_id, self.snapshot, self.now, self.book.compiled.pack, lenient
        )
        if not will:
            made = made.without_will()
        made.delegate = self._delegate(made, will)
        self.made.append(made)
        return made

    def _forget(self) -> None:
        """Let go of the situations: they and their nouns name each other, and would wait for the collector."""
        for situation in self.made:
            vars(situation).clear()

    def _lenient(self, will: bool = True) -> Callable[[], Situation] | None:
        """What makes the lenient reading, None where no grant can ask for one (`bg_unknown`)."""
        if not self.book.reads_unknown_as_absent or self.request.context.access_mode not in self.book.grant_modes:
            return None

        def made() -> Situation:
            loose = self._situation(lenient=True, will=will)
            if will:
                self.loose = loose
            return loose

        return made

    def _delegate(self, outer: Situation, will: bool) -> Ask:
        """What a delegator may do, asked once more of the same facts; its own delegators are not asked (depth one)."""

        def ask(request: Request, delegator_id: str) -> bool | None:
            compiled = self.book.compiled
            found = compiled.slice(request.subject.profile, request.resource.category, request.action, request.purpose)
            if found is None:
                return False
            inner = self.book.situations(
                request, self.caller, self.controller_id, self.snapshot, self.now, compiled.pack
            )
            if not will:
                inner = inner.without_will()
            answer = judgement.may(found, inner)
            outer.relied.extend(inner.relied)
            outer.ends = min(outer.ends, inner.ends)
            return answer

        return ask

    def _has_will(self) -> bool:
        """Whether anything of the patient's will is known here; without it there is nothing to conceal."""
        resource, patient = self.request.resource, self.snapshot.patient
        stated = resource.visibility or resource.masked_for or self.request.facts
        return bool(stated) or (patient is not None and bool(patient.directives))

    def _permitted(self, settled: Settled) -> Decision:
        book, duties, advice = self.book, settled.duties, obligations.advised(settled.advice)
        if settled.overlooked:
            rules = book.compiled.pack.obligations
            duties = obligations.merged((*duties, *book.overlooked.obligations), rules)
            advice += tuple(each for each in book.overlooked.advice if each not in advice)
        return Decision(
            effect=Effect.PERMIT,
            reason=settled.reason,
            true_reason=settled.reason,
            rule=settled.rule,
            also=settled.also,
            rules=settled.rules,
            obligations=duties,
            advice=advice,
            valid_until=min(settled.ends, self.now + self._age(duties)),
            relied=self._relied(),
            unknown=self._unknown(),
        )

    def _refused(self, settled: Settled, shown: Settled) -> Decision:
        """The refusal: `shown` is what the caller sees, `settled` what is recorded beside it."""
        book, now = self.book, self.now
        # NOT_AVAILABLE comes with exactly what a plain NO_RELATIONSHIP refusal of this request would (3.0.4).
        like = NO_RELATIONSHIP if shown.reason == NOT_AVAILABLE else shown.reason
        refusal = book.refusals[like]
        return Decision(
            effect=Effect.DENY,
            reason=shown.reason,
            true_reason=settled.reason,
            rule=shown.rule,
            rules=settled.rules,
            obligations=refusal.obligations,
            advice=refusal.advice,
            offer=self._offer(like, shown) if refusal.break_glass else NO_OFFER,
            valid_until=now if shown.reason in DOUBTS else min(shown.ends, now + book.max_age),
            relied=self._relied(),
            unknown=self._unknown(),
        )

    def _offer(self, reason: str, shown: Settled) -> Offer:
        """Whether a grant would help: the reason allows it, and no grant of this subject is open already (3.0.5)."""
        found, request = self.found, self.request
        if reason == FACTS_UNAVAILABLE and (shown.firm or not found.clinical):
            return NO_OFFER
        if reason == PROFILE_CATEGORY and not any(cell.widened for cell in found.cells):
            return NO_OFFER
        if not request.resource.patient_id:
            return NO_OFFER
        grants = self.snapshot.tenant.open_grants.get((request.subject.id, request.resource.patient_id), ())
        if any(grant.controller_id == self.controller_id and grant.open_at(self.now) for grant in grants):
            return NO_OFFER
        return found.offer

    def _age(self, duties: tuple[Obligation, ...]) -> int:
        """How long the answer may be kept, microseconds."""
        age = self.book.max_age
        for duty in duties:
            if duty.id == CACHE_MAX_AGE:
                age = min(age, (obligations.seconds(duty.params.get(SECONDS, "")) or 0) * SECOND)
        return age

    def _relied(self) -> tuple[Relied, ...]:
        """The versions of the facts that words rested on; each situation names each of its own once."""
        known = [each for situation in (self.strict, self.loose) if situation is not None for each in situation.relied]
        if self.loose is not None:
            known = list({id(each): each for each in known}.values())
        return tuple([Relied(each.fact.source, each.fact.id, each.seq) for each in known])

    def _unknown(self) -> tuple[str, ...]:
        words = [word for situation in (self.strict, self.loose) if situation is not None for word in situation.unknown]
        return tuple(dict.fromkeys(words))

    def _error(self) -> Decision:
        """The refusal when a row raised; the rows at fault are recorded, not shown."""
        return self.book.plain(POLICY_ERROR, self.now, tuple(dict.fromkeys(self._raising())))

    def _raising(self) -> Iterator[str]:
        found = self.found
        rows: list[tuple[When, tuple[str, ...]]] = [(row.when, (row.rule,)) for row in (*found.firm, *found.gates)]
        rows += [(cell.when, (cell.rule,)) for cell in (*found.forbidden, *found.cells)]
        rows += [(ground.when, (ground.rule,)) for ground in found.grounds]
        rows += [(duty.when, duty.rules) for duty in (*found.duties, *found.advice)]
        for when, rules in rows:
            try:
                when(self._situation())
            except Exception:  # named here, not hidden: the answer is POLICY_ERROR already
                yield from rules
