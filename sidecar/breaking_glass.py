"""Emergency grants, from the opening to the verdict: decide, record, keep with who must know, and then let it count.

A grant and its notices are kept in one transaction with the bytes of its leaf, as every change is (`keeping.py`).
Where the store cannot be written, an opening or an end goes to the ledger first, and to the store when it is back.
"""

from msgspec.structs import replace

from sidecar.core import break_glass, legal_basis
from sidecar.core.break_glass import Event, GrantTerms, State
from sidecar.core.change import Counts, GrantChange, GrantEvent
from sidecar.core.model import (
    Answer,
    Caller,
    Context,
    Decision,
    Effect,
    Grant,
    ItemFault,
    Opening,
    Request,
    Resource,
    Review,
)
from sidecar.core.notices import notices_of
from sidecar.core.policy import PolicySet
from sidecar.core.record import Changed, Checked
from sidecar.core.reviewing import Closed, Closing, Reviewing, comment, ill_said, out_of_turn, question
from sidecar.errors import FactsUnavailable, InvalidRequest, NotFound
from sidecar.keeping import ITSELF, controller_of, digest
from sidecar.telling_of_grants import TellingOfGrants


class BreakingGlass(TellingOfGrants):
    """Opens, ends and reviews grants."""

    # ---- opening

    def open(self, caller: Caller, opening: Opening) -> tuple[Answer, Grant | None]:
        """Ask for an emergency grant; the answer is recorded like a check's.

        The same request id twice is one grant. Raises InvalidRequest, LedgerUnavailable.
        """
        policies, now = self._policies.current, self._clock()
        controller_id = opening.controller_id or controller_of(caller, "", "controller_id")
        # Another controller's patient is never even read: the refusal needs nothing of it (G-DEV-2).
        patient_id = opening.patient_id if controller_id in caller.controllers else ""
        said = digest(opening)
        with self._facts.changing():
            writable = self._settle_if_writable()
            grant = self._opened_before(caller, opening, said)
            snapshot = self._facts.snapshot(caller.tenant, controller_id, patient_id)
            # A repeated request is judged at its own instant, so that a retry gets its grant and not a refusal.
            instant = grant.opened_at if grant is not None else now
            decision, terms = policies.evaluate_open(opening, caller, controller_id, snapshot, instant)
            if grant is None and terms is not None:
                grant = _granted(self._ids(), caller, controller_id, opening, terms, now)
                self._save("open_grant", grant, caller, opening.request_id, said, now, writable)
        question = _question(policies, opening, controller_id)
        basis = legal_basis.of(policies.pack, question.purpose)
        checked = Checked(
            question, caller, decision, policies.ref, snapshot.tenant.seq, opening_at=instant, legal_basis=basis
        )
        return self._answered(policies, checked, now, opening.language), grant if terms is not None else None

    def open_for(self, caller: Caller, request: Request) -> tuple[Answer | None, Grant | None]:
        """The grant that a check asks for with it: the one open for the same motive, else one opened now.

        Without one, the answer says why. Raises InvalidRequest, LedgerUnavailable.
        """
        policies, context, resource = self._policies.current, request.context, request.resource
        _refuse(policies.malformed(request))
        if not resource.patient_id:
            raise InvalidRequest("resource.patient_id", "required to open a grant")
        controller_id = resource.controller_id or controller_of(caller, "", "resource.controller_id")
        tenant = self._facts.snapshot(caller.tenant, controller_id, "").tenant
        now = self._clock()
        for grant in tenant.open_grants.get((request.subject.id, resource.patient_id), ()):
            own = (grant.controller_id, grant.profile) == (controller_id, request.subject.profile)
            if own and grant.motive == context.motive and grant.open_at(now):
                return None, grant
        return self.open(
            caller,
            Opening(
                request.subject,
                resource.patient_id,
                context.motive,
                context.justification,
                request.authentication,
                request.device,
                controller_id,
                context.second_confirmation,
                context.request_id,
                context.language,
            ),
        )

    # ---- ending

    def close(self, caller: Caller, closing: Closing) -> Closed:
        """End a grant before its time; one that is over already stays as it is.

        A subject ends their own. Somebody else's is revoked, by a caller who speaks for reviewers, where the policy
        permits it. Raises NotFound, FactsUnavailable, LedgerUnavailable.
        """
        policies, now = self._policies.current, self._clock()
        answer, event = None, Event.CLOSE
        what: GrantEvent = "close_grant"
        with self._facts.changing():
            writable = self._settle_if_writable()
            grant = self.found(caller, closing.grant)
            if grant.subject_id != closing.subject.id:
                if "reviewer" not in caller.roles:
                    raise NotFound("grant: no grant of this name for this subject")
                action = policies.pack.break_glass.close_action
                answer = self._asked(policies, caller, action, grant, closing, now)
                event, what = Event.REVOKE, "revoke_grant"
            allowed = answer is None or answer.decision.effect is Effect.PERMIT
            after = break_glass.NEXT.get((break_glass.state(grant, now), event))
            if allowed and after is not None:
                by = closing.subject.id
                grant = replace(grant, closed_at=now, ended=after.value, ended_by=by)
                self._save(what, grant, caller, "", digest((grant.id, by)), now, writable)
        return Closed(grant if allowed else None, self._token(caller, grant.controller_id), answer)

    def expire(self, now: int) -> None:
        """Keep the end of every grant whose time is past, so that no clock opens it again.

        Raises LedgerUnavailable, FactsUnavailable.
        """
        if not self._facts.ran_out(now):
            return
        with self._facts.changing():
            writable = self._settle_if_writable()
            for grant in self._facts.ran_out(now):
                self._end_by_time(grant, now, writable)

    def clock_went_back(self, before: int, now: int) -> None:
        """Let no grant outlast its time because the clock, which stood at `before`, shows `now`.

        What had run out by then is over; what had not keeps the time it had left. Raises LedgerUnavailable.
        """
        with self._facts.changing():
            writable = self._settle_if_writable()
            for grant in self._facts.not_ended():
                if grant.until <= before:
                    self._end_by_time(grant, now, writable)
                else:
                    shorter = replace(grant, until=grant.until - (before - now))
                    caller = Caller(ITSELF, "service", tenant=grant.tenant)
                    self._save("shorten_grant", shorter, caller, "", digest((grant.id, shorter.until)), now, writable)

    # ---- the verdict

    def review(self, caller: Caller, reviewing: Reviewing) -> tuple[Answer, Grant | None]:
        """Give the verdict on a grant that is over; the answer is recorded like a check's.

        The same request id twice is one verdict. Raises InvalidRequest for a grant that is open still or reviewed
        already and for a comment that is missing or too long, NotFound, FactsUnavailable, LedgerUnavailable.
        """
        policies, now = self._policies.current, self._clock()
        rules, said = policies.pack.break_glass, digest(reviewing)
        _refuse(ill_said(rules, reviewing))
        with self._facts.changing():
            self._settle()
            grant = self.found(caller, reviewing.grant)
            answer = self._asked(policies, caller, rules.review_action, grant, reviewing, now, reviewing.request_id)
            if answer.decision.effect is Effect.DENY:
                return answer, None
            if self._reviewed_before(caller, reviewing.request_id, said):
                return answer, grant
            _refuse(out_of_turn(grant, now))
            reviewer, also = reviewing.subject.id, self.also(grant)
            verdict = Review(reviewing.verdict, reviewer, caller.id, now, comment(reviewing), also)
            ended = break_glass.ending(grant, now).value
            grant = replace(grant, review=verdict, ended=ended)
            self._save("review_grant", grant, caller, reviewing.request_id, said, now, True, hold=False)
        return answer, grant

    # ---- how

    def _settle_if_writable(self) -> bool:
        """Finish what was interrupted; False when the store cannot be written, so that nobody waits for it again."""
        try:
            self._settle()
        except FactsUnavailable:
            return False
        return True

    def _opened_before(self, caller: Caller, opening: Opening, said: str) -> Grant | None:
        if not opening.request_id:
            return None
        for change, _, _ in self._facts.held():
            if (change.tenant, change.caller_id, change.request_id) == (caller.tenant, caller.id, opening.request_id):
                _same(change.digest, said)
                return change.grant
        try:
            stored = self._facts.previous(caller.tenant, caller.id, opening.request_id)
        except FactsUnavailable:
            return None  # an emergency is not refused because nobody can tell whether it was opened before
        if stored is None:
            return None
        _same(stored.digest, said)
        return self._facts.grant(caller.tenant, stored.grant_id)

    def _reviewed_before(self, caller: Caller, request_id: str, said: str) -> bool:
        stored = self._facts.previous(caller.tenant, caller.id, request_id) if request_id else None
        if stored is not None:
            _same(stored.digest, said)
        return stored is not None

    def _end_by_time(self, grant: Grant, now: int, writable: bool) -> None:
        ended = replace(grant, ended=State.EXPIRED.value)
        caller = Caller(ITSELF, "service", tenant=grant.tenant)
        self._save("expire_grant", ended, caller, "", digest((grant.id, "expired")), now, writable)

    def _asked(
        self,
        policies: PolicySet,
        caller: Caller,
        action: str,
        grant: Grant,
        asking: Closing | Reviewing,
        now: int,
        request_id: str = "",
    ) -> Answer:
        """What the policy says of this person doing this to the grant; recorded, whatever it says."""
        request = question(policies.pack.break_glass, asking, action, grant, request_id)
        snapshot = self._facts.snapshot(caller.tenant, grant.controller_id, grant.patient_id)
        # However long ago it ended, the grant is one of those that words can ask for.
        known = {**snapshot.tenant.grants, grant.id: grant}
        snapshot = replace(snapshot, tenant=replace(snapshot.tenant, grants=known))
        decision = policies.evaluate(request, caller, grant.controller_id, snapshot, now)
        basis = legal_basis.of(policies.pack, request.purpose)
        checked = Checked(request, caller, decision, policies.ref, snapshot.tenant.seq, legal_basis=basis)
        return self._answered(policies, checked, now, asking.language)

    def _answered(self, policies: PolicySet, checked: Checked, now: int, language: str) -> Answer:
        """The answer, once its record is kept."""
        [place] = self._ledger.record([checked], now)
        decision: Decision = checked.decision
        return Answer(
            decision,
            place.id,
            policies.ref,
            self._ledger.origin,
            place.index,
            self._token(checked.caller, checked.request.resource.controller_id),
            policies.message(decision.reason, decision.effect, language),
        )

    def _save(
        self,
        what: GrantEvent,
        grant: Grant,
        caller: Caller,
        request_id: str,
        said: str,
        now: int,
        writable: bool,
        hold: bool = True,
    ) -> None:
        """Keep a grant as it stands from now on; beside the store where that cannot be written and `hold` is set."""
        rules = self._policies.current.pack.break_glass
        alerts = grant.alerts if what == "open_grant" else ()
        notices = notices_of(rules, grant, what, alerts, now, self._ids)
        change = GrantChange(self._ids(), caller.tenant, caller.id, request_id, said, what, grant, now, notices)

        def leaf(seq: int, counts: Counts) -> bytes:
            return self._ledger.change_leaf(_entry(change, caller, seq, counts), now)

        if writable or not hold:
            try:
                stored = self._facts.save_grant(change, leaf)
            except FactsUnavailable:
                if not hold:
                    raise
            else:
                self._append(stored)
                return
        # No sequence yet: the store gives one when it takes the change.
        made = leaf(0, (1, 0, 0))
        self._facts.hold(change, made)
        self._ledger.append_change(made)
        self._facts.show_held(change.change_id)


def _refuse(fault: ItemFault | None) -> None:
    if fault is not None:
        raise InvalidRequest(fault.field, fault.description)


def _same(before: str, said: str) -> None:
    if before != said:
        raise InvalidRequest("request_id", "this identifier was used for another request")


def _entry(change: GrantChange, caller: Caller, seq: int, counts: Counts) -> Changed:
    grant, review = change.grant, change.grant.review
    detail = f"{grant.motive} {grant.justification}" if review is None else f"{review.verdict} {review.comment}"
    return Changed(
        change.change_id,
        caller,
        change.what,
        change.request_id,
        grant.controller_id,
        change.digest,
        seq,
        counts,
        grant.subject_id,
        grant.patient_id,
        grant.id,
        f"by {grant.ended_by}" if change.what == "revoke_grant" else detail,
    )


def _granted(grant_id: str, caller: Caller, controller_id: str, opening: Opening, terms: GrantTerms, now: int) -> Grant:
    return Grant(
        grant_id,
        caller.tenant,
        controller_id,
        caller.id,
        opening.subject.id,
        opening.patient_id,
        opening.subject.profile,
        terms.scope,
        opening.motive,
        opening.justification,
        now,
        terms.until,
        terms.review_due,
        second_confirmation=bool(opening.second_confirmation),
        request_id=opening.request_id,
        units=opening.subject.units,
        opener=opening.subject,
        alerts=terms.alerts,
    )


def _question(policies: PolicySet, opening: Opening, controller_id: str) -> Request:
    """The opening as the question it is, for the record."""
    rules = policies.pack.break_glass
    return Request(
        opening.subject,
        rules.action,
        Resource(
            category=rules.eligible.get(opening.subject.profile, ""),
            patient_id=opening.patient_id,
            controller_id=controller_id,
        ),
        rules.purpose,
        opening.authentication,
        opening.device,
        Context(
            motive=opening.motive,
            justification=opening.justification,
            request_id=opening.request_id,
            language=opening.language,
            second_confirmation=opening.second_confirmation,
        ),
    )
