"""Random histories of emergencies against the real store, ledger, rules and corridors, judged by the plain reading."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sidecar.core.model import Answer, Effect, Subject
from sidecar.core.reading import GrantsQuery
from sidecar.errors import InvalidRequest, LedgerUnavailable, NotFound
from tests.break_glass.plain import Asked, Opened, Plain
from tests.break_glass.rooms import (
    CONTROLLER,
    HOUR,
    MINUTE,
    NIGHT,
    OTHER,
    REVIEWER,
    SECOND,
    START,
    TENANT,
    Rooms,
    a_hospital,
    a_report,
    a_subject,
    alias_of,
    mask_of,
    stay_of,
)

PATIENTS = ("P1", "P2", "P3")
GROUND = "ALLOW_BREAK_GLASS"
# The same two people, one of them under another profile too: a grant is of a profile.
PEOPLE = (NIGHT, OTHER, a_subject("dr-nuit", "infirmier"))
OBJECTS = (("cr", "read"), ("biologie", "list"), ("cr", "create"), ("biologie", "create"), ("espace_personnel", "read"),
           ("secrets_patient", "read"), ("cr", "export"), ("cr", "print"), ("cr", "delete"))  # fmt: skip
# Never what goes by between two looks: a clock that comes to show just what it last did is seen a moment later.
SET_BACK = (2 * MINUTE + 7 * SECOND, HOUR + 7 * SECOND, 5 * HOUR + 7 * SECOND)
USUAL = (("cr", "read"), ("biologie", "list"), ("cr", "create"))
MOMENTS = (MINUTE, 59 * MINUTE, HOUR, 3 * HOUR, 4 * HOUR - MINUTE, 4 * HOUR, 30 * HOUR)

states = st.sampled_from(("", "", "", "masked", "frozen"))
patients, people = st.sampled_from(PATIENTS), st.sampled_from(PEOPLE)


@cache
def begun() -> Path:
    """A folder where the hospital was told, for histories to begin from."""
    folder = Path(tempfile.mkdtemp(prefix="bg-begun-"))
    atexit.register(shutil.rmtree, folder)
    rooms = Rooms(folder)
    rooms.write(*a_hospital(), complete=True)
    rooms.close()
    return folder


class Emergencies(RuleBasedStateMachine):
    """Open, close, expire, revoke, review, mask, move, merge, restart, break off, and move the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="bg-"))
        shutil.copytree(begun(), self.folder, dirs_exist_ok=True)
        self.rooms = Rooms(self.folder, START + MINUTE)
        self.plain = Plain()
        self.permits: list[tuple[str, str]] = []  # decision, grant
        self.fresh = 0  # permits not looked up yet

    def teardown(self) -> None:
        """Whatever happened is so after a restart too."""
        try:
            self.restart()
            self.everything_is_kept()
        finally:
            self.rooms.close()
            shutil.rmtree(self.folder)

    # ---- what people do

    @rule(who=people, patient=patients, motive=st.sampled_from(("AVIS_URGENT", "URGENCE_VITALE")))
    def open(self, who: Subject, patient: str, motive: str) -> None:
        self.rooms.real += SECOND
        grant = self.rooms.break_glass(who, patient, motive)
        self.plain.grants[grant.id] = Opened(grant.id, who.id, who.profile, patient, self.rooms.real, grant.until)

    @precondition(lambda self: self.plain.grants)
    @rule(data=st.data(), who=people, patient=patients, what=st.sampled_from(OBJECTS), state=states)
    def check(self, data: st.DataObject, who: Subject, patient: str, what: tuple[str, str], state: str) -> None:
        self.ask(who, patient, *what, data.draw(self.some_grant()), state)

    @precondition(lambda self: self.plain.grants)
    @rule(data=st.data(), what=st.sampled_from(OBJECTS))
    def check_as_its_own(self, data: st.DataObject, what: tuple[str, str]) -> None:
        """Whoever opened it uses it for its own patient: the others are mostly refused."""
        grant = self.plain.grants[data.draw(self.some_grant())]
        self.ask(
            opener(grant), data.draw(st.sampled_from(sorted(self.plain.names(grant.patient)))), *what, grant.id, ""
        )

    @precondition(lambda self: self.plain.grants)
    @rule(data=st.data(), what=st.sampled_from(USUAL), state=states)
    def read_as_usual(self, data: st.DataObject, what: tuple[str, str], state: str) -> None:
        """What a grant is for, before and after whatever else happens."""
        grant = self.plain.grants[data.draw(self.some_grant())]
        self.ask(opener(grant), grant.patient, *what, grant.id, state)

    @precondition(lambda self: self.plain.grants)
    @rule(data=st.data(), patient=patients, who=people)
    def try_elsewhere(self, data: st.DataObject, patient: str, who: Subject) -> None:
        """Whoever opened it tries it on any patient, and anybody tries it on its own."""
        grant = self.plain.grants[data.draw(self.some_grant())]
        self.ask(opener(grant), patient, "cr", "read", grant.id, "")
        self.ask(who, grant.patient, "cr", "read", grant.id, "")

    @precondition(lambda self: self.plain.grants)
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        grant = self.plain.grants[data.draw(self.some_grant())]
        self.ended(self.rooms.end(opener(grant), grant.id).grant.ended, grant, "closed")

    @precondition(lambda self: self.plain.grants)
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        grant = self.plain.grants[data.draw(self.some_grant())]
        self.ended(self.rooms.end(REVIEWER, grant.id).grant.ended, grant, "revoked")

    @precondition(lambda self: self.plain.grants)
    @rule(data=st.data(), by_oneself=st.booleans())
    def review(self, data: st.DataObject, by_oneself: bool) -> None:
        self.judge(self.plain.grants[data.draw(self.some_grant())], by_oneself)

    def judge(self, grant: Opened, by_oneself: bool) -> None:
        reviewer = a_subject(grant.subject, REVIEWER.profile, "UF-DIM") if by_oneself else REVIEWER
        try:
            permitted = self.rooms.review(grant.id, reviewer).decision.effect is Effect.PERMIT
        except InvalidRequest:
            return  # open still, or reviewed already
        assert not (by_oneself and permitted), f"{grant.subject} gave the verdict on {grant.id}, which is their own"
        grant.reviewed = grant.reviewed or permitted

    # ---- what feeds say

    @rule(patient=patients, unit=st.sampled_from(("UF-CARD", "UF-CHIR")))
    def move(self, patient: str, unit: str) -> None:
        self.rooms.write(stay_of(patient, unit))

    @rule(patient=patients, ends=st.booleans())
    def mask(self, patient: str, ends: bool) -> None:
        self.rooms.write(*(() if ends else (mask_of(patient),)), ends=(f"m-{patient}",) if ends else ())
        (self.plain.masked.discard if ends else self.plain.masked.add)(patient)

    @precondition(lambda self: not self.plain.merges)
    @rule()
    def merge(self) -> None:
        self.rooms.write(alias_of("P1", "P3", "merge", self.rooms.now))
        self.plain.merges.append(("P1", "P3"))
        self.merged_at = self.rooms.now

    # ---- what time and machines do

    @rule(time=st.sampled_from(MOMENTS))
    def wait(self, time: int) -> None:
        self.rooms.real += time
        self.rooms.write(complete=True)  # the feeds told everything, again

    @rule(back=st.sampled_from(SET_BACK))
    def set_the_clock_back(self, back: int) -> None:
        if self.plain.merges and self.rooms.now - back < self.merged_at:
            return  # on the wall, the merge is not yet
        self.rooms.offset -= back
        self.plain.clock_moved()

    @rule(forward=st.sampled_from((2 * MINUTE, 5 * HOUR)))
    def set_the_clock_forward(self, forward: int) -> None:
        self.rooms.offset += forward
        self.plain.clock_moved()
        self.rooms.settle()
        self.rooms.write(complete=True)

    @rule()
    def restart(self) -> None:
        self.rooms.close()
        self.rooms.open()

    @rule(who=people, patient=patients)
    def break_off_an_opening(self, who: Subject, patient: str) -> None:
        """The opening is on disk, its leaf cannot be: the person is told of no grant, and it counts later."""
        self.rooms.real += SECOND
        append = self.rooms.ledger.append_change
        self.rooms.ledger.append_change = unable  # type: ignore[method-assign]
        before = {grant.id for grant in self.rooms.facts.not_ended()}
        try:
            self.rooms.break_glass(who, patient)
            raise AssertionError("a grant whose leaf is in no ledger was given")
        except LedgerUnavailable:
            pass
        finally:
            self.rooms.ledger.append_change = append  # type: ignore[method-assign]
        opened_at = self.rooms.real
        self.rooms.settle()
        for grant in self.rooms.facts.not_ended():
            if grant.id not in before and grant.id not in self.plain.grants:
                self.plain.grants[grant.id] = Opened(grant.id, who.id, who.profile, patient, opened_at, grant.until)

    # ---- what must hold

    @invariant()
    def every_permit_has_its_record_its_notices_and_its_review(self) -> None:
        for decision, grant in self.permits[self.fresh :]:
            self.kept(decision, grant)
        self.fresh = len(self.permits)

    def everything_is_kept(self) -> None:
        for decision, grant in self.permits:
            self.kept(decision, grant)

    def kept(self, decision: str, grant: str) -> None:
        try:
            found = self.rooms.ledger.find(TENANT, decision)
        except NotFound:
            raise AssertionError(f"{decision} was permitted under {grant}, and has no record") from None
        assert found.checked.decision.reason == GROUND, f"{decision} has another record than its answer"
        told = {(each.what, each.audience) for each in self.rooms.facts.grants.notices(TENANT, grant)}
        assert ("open_grant", "patient") in told, f"{grant} permitted, and no notice tells its patient"
        assert ("open_grant", "reviewer") in told, f"{grant} permitted, and no notice tells a reviewer"
        held = self.rooms.facts.grant(TENANT, grant)
        assert held.review is not None or held.review_due, f"{grant} permitted, and nobody is to review it"
        query = GrantsQuery(
            states=("open", "pending", "overdue", "reviewed"), subject_id=held.subject_id, page_size=1000
        )
        listed = self.rooms.facts.grants.page(TENANT, (CONTROLLER,), query, self.rooms.now).grants
        assert grant in {each.id for each in listed}, f"{grant} permitted, and is in no list of reviewers"
        assert (held.review is not None) == self.plain.grants[grant].reviewed, f"the verdict on {grant} is not as given"

    def ask(self, who: Subject, patient: str, category: str, action: str, grant: str, state: str) -> None:
        masked, frozen = state == "masked", state == "frozen"
        more = {"masked_for": ("tous",)} if masked else {"lifecycle": "gele"} if frozen else {}
        answer: Answer = self.rooms.check(who, a_report(patient, category, **more), grant, action)
        asked = Asked(who.id, who.profile, patient, category, action, grant, masked, frozen)
        wrong = self.plain.forbids(asked, self.rooms.real, self.rooms.now)
        decision = answer.decision
        grounds = (decision.reason, *decision.also)
        if decision.effect is Effect.PERMIT and GROUND in grounds:
            assert not wrong, f"{who.id} may {action} {category} of {patient} under {grant}, but {wrong}"
            self.plain.grants[grant].used = True
            self.permits.append((answer.decision_id, grant))
        else:
            sure = who.profile == NIGHT.profile and action in ("read", "list") and category in ("cr", "biologie")
            assert not (sure and not frozen and self.plain.must_permit(asked, self.rooms.real, self.rooms.now)), (
                f"{who.id} may not {action} {category} of {patient} under {grant}: {decision.true_reason}"
            )

    def ended(self, came: str, grant: Opened, how: str) -> None:
        assert came or self.rooms.now >= grant.ends or grant.disturbed, f"{grant.id} was to be {how}, and stands"
        grant.over = grant.over or came

    def some_grant(self) -> st.SearchStrategy[str]:
        """Mostly one of the last: long histories would ask under grants that are long over."""
        return st.sampled_from(list(self.plain.grants)[-4:])


def a_telling_history(machine: Emergencies) -> None:
    """One history in which every protection is needed, for those who have no time for chance."""
    machine.open(NIGHT, "P1", "AVIS_URGENT")
    [first] = machine.plain.grants

    def read(grant: str, who: Subject = NIGHT, patient: str = "P1", action: str = "read", state: str = "") -> None:
        machine.ask(who, patient, "cr", action, grant, state)
        machine.every_permit_has_its_record_its_notices_and_its_review()

    read(first)
    read(first, patient="P2")
    read(first, OTHER)
    read(first, action="export")
    read(first, state="masked")
    machine.mask("P1", False)
    read(first)
    machine.mask("P1", True)
    machine.break_off_an_opening(OTHER, "P2")
    machine.ended(machine.rooms.end(NIGHT, first).grant.ended, machine.plain.grants[first], "closed")
    read(first)
    machine.restart()
    read(first)
    machine.judge(machine.plain.grants[first], by_oneself=True)
    machine.judge(machine.plain.grants[first], by_oneself=False)
    machine.everything_is_kept()
    machine.open(NIGHT, "P2", "URGENCE_VITALE")
    second = list(machine.plain.grants)[-1]
    machine.wait(4 * HOUR - MINUTE)
    read(second, patient="P2")
    machine.set_the_clock_back(SET_BACK[0])
    machine.wait(2 * MINUTE)
    read(second, patient="P2")
    machine.wait(4 * HOUR)
    read(second, patient="P2")


def opener(grant: Opened) -> Subject:
    """Whoever opened it, as they were then."""
    return next(each for each in PEOPLE if (each.id, each.profile) == (grant.subject, grant.profile))


def unable(leaf: bytes) -> None:
    """No leaf can be written."""
    raise LedgerUnavailable("the disk is full")
