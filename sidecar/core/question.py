"""One question put to the rules, and the decision it gets: what is true, and what the caller is shown of it."""

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from sidecar.core import break_glass, instants, judgement, obligations
from sidecar.core.break_glass import BLOCKED, SINGLE_FACTOR, VOLUME, GrantTerms
from sidecar.core.bundle import FOREVER, Snapshot
from sidecar.core.compiled import Compiled
from sidecar.core.instants import DAY, SECOND
from sidecar.core.judgement import FACTS_UNAVAILABLE, NO_RELATIONSHIP, PROFILE_CATEGORY
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
from sidecar.core.slices import GATES_PASSED, Settled, Situation, Situations, Slice
from sidecar.core.usage import SOURCE

POLICY_ERROR = "POLICY_ERROR"
NOT_AVAILABLE = "NOT_AVAILABLE"

MASK_DISCLOSURE = "mask_disclosure"  # setting: `none` hides whether a masked object exists
VITAL_OVERRIDE = "vital_override"  # setting: whether a grant may pass masks (A-BG-5)
BG_SINGLE_FACTOR = "bg_single_factor"  # setting: whether one factor may open a grant (A-BG-2)
ANSWER_MAX_AGE = "answer_max_age"  # setting: seconds an answer may be kept at most

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
        self.override = self._refusal(rules.override_obligations, False).obligations
        self.many = self._refusal(rules.many_obligations, False).obligations
        override = pack.settings.get(VITAL_OVERRIDE)
        self.overrides = override is not None and override.value is True
        one_factor = pack.settings.get(BG_SINGLE_FACTOR)
        self.one_factor = one_factor is not None and one_factor.value is True
        self.reads_unknown_as_absent = rules.unknown == "open"
        # The modes in which a grant may ask for the lenient reading.
        self.lenient_modes = frozenset(rules.modes) if self.reads_unknown_as_absent else frozenset()
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

    def may(self, outer: Situation, request: Request) -> bool | None:
        """What a delegator may do, asked once more of the same facts; its own delegators are not asked (depth one)."""
        return self._may(outer, request, will=True)

    def may_without_will(self, outer: Situation, request: Request) -> bool | None:
        """The same, whatever the patient wants."""
        return self._may(outer, request, will=False)

    def _may(self, outer: Situation, request: Request, will: bool) -> bool | None:
        compiled = self.compiled
        found = compiled.slice(request.subject.profile, request.resource.category, request.action, request.purpose)
        if found is None:
            return False
        inner = self.situations(request, outer.speaker, outer.controller_id, outer.snapshot, outer.now, compiled.pack)
        if not will:
            inner = inner.without_will()
        answer = judgement.may(found, inner)
        outer.relied.extend(inner.relied)
        outer.ends = min(outer.ends, inner.ends)
        return answer

    def _refusal(self, texts: Iterable[str], offers: bool) -> Refusal:
        rules = self.compiled.pack.obligations
        made = [obligations.template(text, rules) for text in texts]
        duties = obligations.merged([each.fixed for each in made if each.fixed and not each.advice], rules)
        advice = obligations.merged([each.fixed for each in made if each.fixed and each.advice], rules)
        return Refusal(duties, obligations.advised(advice), offers)


class Question:
    """A request in a snapshot at an instant, before the rows it meets."""

    __slots__ = ("book", "caller", "controller_id", "found", "loose", "now", "request", "snapshot", "strict")

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

    def decision(self) -> Decision:
        """What the rules say. Raises what a row raises."""
        strict = self.strict = self._situation()
        loose = self.loose = self._lenient(strict)
        settled, ends = self._settled(strict, loose)
        if settled.permit:
            return self._permitted(settled, *self._doubted(strict, loose, ends))
        if settled.stage >= self.found.will:
            return self._own_right() or self._willed(settled, ends)
        if self._conceals:
            strict.read_alike()
        return self._refused(settled, settled, ends)

    @property
    def _conceals(self) -> bool:
        """Whether the patient's will may decide here, and nobody may know of it."""
        return self.book.conceals and self.found.will < GATES_PASSED

    def _settled(self, strict: Situation, loose: Situation) -> tuple[Settled, int]:
        """What gates, matrix and grounds say, what comes with a yes, and how long it holds."""
        held = judgement.gates(self.found, strict, loose)
        if held is not None:
            if self._conceals and held[0].stage >= self.found.will:
                # What the patient wills must not be told by how long a refusal takes: the same rows are tried.
                judgement.merits(self.found, loose)
            return held if loose is strict else (held[0], min(held[1], strict.ends))
        settled, cells, grounds = judgement.merits(self.found, loose)
        if settled.permit:
            settled = judgement.whole(self.found, self.book.compiled.pack, settled, cells, grounds, strict)
        return settled, min(strict.ends, loose.ends)

    def _own_right(self) -> Decision | None:
        """The permit of a subject who acts for nobody; None when there is none, or nobody lets them act.

        3.0.4: under a delegation the delegator's patient-will refusals count as the subject's. Who needs no
        delegation is not under one: a colleague the patient refuses must not cost them their own patient.
        """
        if not (self.snapshot.tenant.delegations.get(self.request.subject.id) or self.request.facts):
            return None
        strict = self._situation()
        strict.delegate = None
        loose = self._lenient(strict)
        if loose is not strict:
            loose.delegate = None
        settled, ends = self._settled(strict, loose)
        if not settled.permit:
            return None
        self.strict, self.loose = strict, loose
        return self._permitted(settled, *self._doubted(strict, loose, ends))

    def _willed(self, settled: Settled, ends: int) -> Decision:
        """A refusal the patient's will may have caused, shown as the pack discloses it.

        It is read anew without that will whether or not any is known, so that the work tells nobody which.
        """
        if self._conceals:
            return self._refused(settled, *self._without_will())
        return self._refused(settled, settled, ends)

    def _doubted(self, strict: Situation, loose: Situation, ends: int) -> tuple[int, bool]:
        """How long a permit lasts, and whether something unknown was read as absent in it (`bg_unknown`)."""
        if loose is strict:
            return ends, False
        found = self.found
        doubts = judgement.doubtful((found.gates, found.cells, found.grounds), strict)
        return min(ends, strict.ends), doubts

    def _lenient(self, strict: Situation) -> Situation:
        """The reading in which an unknown restriction is absent, where a grant is open (`bg_unknown`)."""
        if self.request.context.access_mode not in self.book.lenient_modes:
            return strict
        return self._situation(lenient=True) if self.book.compiled.grant_open(strict) else strict

    def _without_will(self) -> tuple[Settled, int]:
        """What is shown instead of a refusal the patient's will may have caused (3.0.4), and until when.

        Whatever would be refused without it too shows that refusal, byte for byte and `valid_until` included, so
        that neither a mask nor a sensitive tag changes anything for a stranger; what somebody with no delegation
        would be refused, if the delegator is shut out; else NOT_AVAILABLE.
        """
        strict = self._situation()
        loose = self._lenient(strict)
        open_until = strict.ends  # the reading is that of an open grant no longer than the grant is
        settled, ends = self._unwilled(strict, loose, tags=False)
        if settled.permit and self.request.resource.tags:
            open_until = min(open_until, ends)  # the next reading is shown no longer than this one permits
            settled, ends = self._unwilled(strict, loose, tags=True)
        alone = strict.without_delegators() if settled.permit else None
        if alone is not None:
            open_until = min(open_until, ends)
            either = alone if loose is strict else loose.without_delegators() or loose.without_will()
            settled, ends = self._said(self._plain(alone), self._plain(either))
        return (Settled(False, NOT_AVAILABLE) if settled.permit else settled), min(ends, open_until)

    def _unwilled(self, strict: Situation, loose: Situation, tags: bool) -> tuple[Settled, int]:
        """What is said without the patient's will; without `tags`, of an object that is not sensitive either."""
        plain = self._plain(strict.without_will(tags))
        return self._said(plain, plain if loose is strict else self._plain(loose.without_will(tags)))

    def _plain(self, situation: Situation) -> Situation:
        """The situation, in which delegators are asked what they may do whatever the patient wants."""
        situation.delegate = self.book.may_without_will
        return situation

    def _said(self, strict: Situation, loose: Situation) -> tuple[Settled, int]:
        """What gates, matrix and grounds say, and until when."""
        held = judgement.gates(self.found, strict, loose)
        settled, ends = held or (judgement.merits(self.found, loose)[0], loose.ends)
        return settled, min(ends, strict.ends) if loose is not strict else ends

    def opening(self, opening: Opening) -> tuple[Decision, GrantTerms | None]:
        """Whether the grant may be opened, and what it gives then. Raises what a row raises."""
        book, rules = self.book, self.book.compiled.pack.break_glass
        self.strict = strict = self._situation()
        # 3.0.1: under `bg_unknown` open, an unknown own record does not refuse the opening either.
        self.loose = loose = self._situation(lenient=True) if book.reads_unknown_as_absent else strict
        held = judgement.gates(self.found, strict, loose)
        if held is not None:
            return self._refused(held[0], *held), None
        snapshot, subject = self.snapshot, opening.subject
        before = break_glass.openings_of_a_day(
            snapshot.tenant.grants.values(), self.controller_id, subject.id, self.now
        )
        reason = break_glass.refusal(rules, opening, self.now, before)
        if reason:
            settled = Settled(False, reason)
            return self._refused(settled, settled, strict.ends), None
        terms = break_glass.terms(rules, subject.profile, self.now)

        def value(name: str) -> str:
            return instants.text(terms.until) if name == "until" else strict.value(name)

        section = self.found.contributions
        rows = judgement.came(section, section.ask(strict))
        settled = judgement.with_contributions(Settled(True, rules.reason), rows, book.compiled.pack, value)
        doubts = loose is not strict and judgement.doubtful((self.found.gates,), strict)
        ends = min(strict.ends, loose.ends, terms.until)
        many = break_glass.many(rules, before)
        more = book.many if many else ()
        if break_glass.overrides(rules, opening, book.overrides):
            more += book.override
        decision = self._permitted(settled, ends, doubts, more)
        # A-BG-7: who is blocked is not refused the opening, which would tell them; whoever reviews it is alerted.
        alerts = ((VOLUME,) if many else ()) + ((BLOCKED,) if book.compiled.blocked(strict) else ())
        if break_glass.with_one_factor(rules, opening, book.one_factor):
            alerts += (SINGLE_FACTOR,)
        due = break_glass.review_due(decision.obligations, self.now, terms.review_due)
        return decision, replace(terms, review_due=due, alerts=alerts)

    def _situation(self, lenient: bool = False) -> Situation:
        """The situation of this question, in which the words may ask what a delegator may do."""
        made = self.book.situations(
            self.request, self.caller, self.controller_id, self.snapshot, self.now, self.book.compiled.pack, lenient
        )
        made.delegate = self.book.may
        return made

    def _permitted(self, settled: Settled, ends: int, doubts: bool, more: tuple[Obligation, ...] = ()) -> Decision:
        """The permit; with `doubts`, something unknown was read as absent because a grant is open (`bg_unknown`)."""
        duties, advice = settled.duties, settled.advice
        if more:
            duties = obligations.merged((*duties, *more), self.book.compiled.pack.obligations)
        if doubts:
            book = self.book
            duties = obligations.merged((*duties, *book.overlooked.obligations), book.compiled.pack.obligations)
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
            valid_until=min(ends, self.now + min(self.book.max_age, settled.age)),
            relied=self._relied(),
            unknown=self._unknown(),
        )

    def _refused(self, settled: Settled, shown: Settled, ends: int) -> Decision:
        """The refusal: `shown` is what the caller sees, `settled` what is recorded beside it."""
        book, now = self.book, self.now
        # NOT_AVAILABLE comes with exactly what a plain NO_RELATIONSHIP refusal of this request would (3.0.4).
        like = NO_RELATIONSHIP if shown.reason == NOT_AVAILABLE else shown.reason
        refusal = book.refusals[like]
        offer, until = self._offer(like, shown) if refusal.break_glass else (NO_OFFER, FOREVER)
        return Decision(
            effect=Effect.DENY,
            reason=shown.reason,
            true_reason=settled.reason,
            rule=shown.rule,
            rules=settled.rules,
            obligations=refusal.obligations,
            advice=refusal.advice,
            offer=offer,
            valid_until=now if shown.reason in DOUBTS else min(ends, until, now + book.max_age),
            relied=self._relied(),
            unknown=self._unknown(),
        )

    def _offer(self, reason: str, shown: Settled) -> tuple[Offer, int]:
        """Whether a grant would help, and the instant until which that is so.

        The reason allows it, and no grant of this subject for this patient, by any name, is open already (3.0.5).
        """
        found, request = self.found, self.request
        if reason == FACTS_UNAVAILABLE and (shown.firm or not found.clinical):
            return NO_OFFER, FOREVER
        if reason == PROFILE_CATEGORY and not any(cell.widened and not cell.deny for cell in found.cells.rows):
            return NO_OFFER, FOREVER
        if not found.offer.available or not request.resource.patient_id or self.strict is None:
            return NO_OFFER, FOREVER
        offer, until = found.offer, FOREVER
        for name in self.strict.names:
            for grant in self.snapshot.tenant.open_grants.get((request.subject.id, name), ()):
                end = grant.until if grant.closed_at is None else min(grant.until, grant.closed_at)
                if grant.controller_id != self.controller_id or self.now >= end:
                    continue
                is_open = grant.opened_at <= self.now
                offer = NO_OFFER if is_open else offer
                until = min(until, end if is_open else grant.opened_at)
        return offer, until

    def _relied(self) -> tuple[Relied, ...]:
        """The versions of the facts that words rested on, each once."""
        strict, loose = self.strict, self.loose
        if strict is None:
            return ()
        known = strict.relied
        if loose is not None and loose is not strict:
            known = list({id(each): each for each in (*known, *loose.relied)}.values())
        relied = tuple([each.relied for each in known])
        counts = {**strict.counts, **loose.counts} if loose is not None else strict.counts
        return (*relied, *(Relied(SOURCE, *each) for each in counts.items())) if counts else relied

    def _unknown(self) -> tuple[str, ...]:
        strict, loose = self.strict, self.loose
        if strict is None:
            return ()
        if loose is None or loose is strict:
            return tuple(strict.unknown)
        return tuple(dict.fromkeys((*strict.unknown, *loose.unknown)))

    def error(self) -> Decision:
        """The refusal when a row raised; the rows at fault are recorded, not shown."""
        return self.book.plain(POLICY_ERROR, self.now, tuple(dict.fromkeys(self._raising())))

    def _raising(self) -> Iterator[str]:
        """The rules whose rows raise, each asked alone."""
        found = self.found
        for section in (found.firm, found.gates, found.cells, found.grounds, found.contributions):
            for row in section.rows:
                try:
                    self.book.compiled.alone(row)(self._situation())
                except Exception:  # named here, not hidden: the answer is POLICY_ERROR already
                    yield row.rule
