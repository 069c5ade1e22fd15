"""What readers see while facts change under them."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.core.bundle import PatientFacts, Snapshot, TenantFacts
from sidecar.core.model import Watermark
from sidecar.errors import FactsTooOld, FactsUnavailable
from sidecar.facts.room import FactsRoom
from sidecar.facts.store import Store
from sidecar.facts.view import View, _Tenant
from tests.facts.naive import MINUTE, NOON, REQUIRED, a_change, a_room, a_stay, an_assignment, keep


class Interrupted:
    """A store whose next read of a patient is finished only after something else has happened."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.meanwhile: Callable[[], object] | None = None

    def tenant_facts(self, tenant: str) -> TenantFacts:
        return self._store.tenant_facts(tenant)

    def patient(self, tenant: str, controller_id: str, patient_id: str, at: int) -> PatientFacts:
        found = self._store.patient(tenant, controller_id, patient_id, at)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return found


class Careless(View):
    """A view that keeps whatever it has loaded."""

    def _fetch(self, held: _Tenant, facts: TenantFacts, key: tuple[str, str]) -> Snapshot:
        patient = self._source.patient(facts.tenant, *key, facts.seq)
        held.young[key] = patient
        return Snapshot(facts, patient)


def units(snapshot: Snapshot) -> tuple[str, str]:
    """The unit of dr-jour and the unit of the patient."""
    assert snapshot.patient is not None
    (assignment,) = snapshot.tenant.assignments["dr-jour"]
    (stay,) = snapshot.patient.stays
    assert assignment.fact.assignment is not None and stay.fact.stay is not None
    return assignment.fact.assignment.unit, stay.fact.stay.unit


def move(room: FactsRoom, number: int) -> None:
    """Move staff and patient to the same unit, in one change."""
    keep(room, a_change(number, a_stay("s1", "P1", f"U{number}"), an_assignment("a1", "dr-jour", f"U{number}")))


def torn_or_stale(room: FactsRoom, view: View, source: Interrupted) -> int:
    """How many snapshots are wrong when a change comes in the middle of a load."""
    wrong = 0
    room._view = view
    for number in range(2, 6):
        view.forget("t1")
        source.meanwhile = lambda number=number: move(room, number)
        during = units(view.snapshot("t1", "C1", "P1"))
        wrong += during[0] != during[1]
        after = units(view.snapshot("t1", "C1", "P1"))
        wrong += after != (f"U{number}", f"U{number}")
    return wrong


@pytest.mark.parametrize("kind", [View, Careless])
def test_a_patient_loaded_before_a_change_is_not_kept_after_it(tmp_path: Path, kind: type[View]) -> None:
    room = a_room(tmp_path)
    move(room, 1)
    source = Interrupted(room._store)
    view = kind(source, 10, lambda tenant: pytest.fail(f"{tenant} could not be read"))
    wrong = torn_or_stale(room, view, source)
    assert wrong == 0 if kind is View else wrong > 0
    room.close()


def test_readers_never_see_half_a_change_nor_less_than_was_acknowledged(tmp_path: Path) -> None:
    room = a_room(tmp_path, patients=2)
    move(room, 1)
    acknowledged, over, wrong, read = 1, threading.Event(), [0], [0]

    def reader(crowd: bool) -> None:
        while not over.is_set():
            least = acknowledged
            staff, patient = units(room.snapshot("t1", "C1", "P1", least))
            wrong[0] += staff != patient or int(staff[1:]) < least
            read[0] += 1
            if crowd:
                for other in ("P2", "P3", "P4"):  # pushes P1 out of a view of two
                    room.snapshot("t1", "C1", other)

    readers = [threading.Thread(target=reader, args=(crowd,)) for crowd in (True, False, False)]
    for thread in readers:
        thread.start()
    for number in range(2, 40):
        move(room, number)
        acknowledged = number
    over.set()
    for thread in readers:
        thread.join()
    room.close()
    assert wrong[0] == 0 and read[0] > 0


def test_an_empty_patient_id_gives_an_empty_bundle(tmp_path: Path) -> None:
    room = a_room(tmp_path)
    keep(room, a_change(1, an_assignment("a1", "dr-jour")))
    snapshot = room.snapshot("t1", "C1", "")
    assert snapshot.patient == PatientFacts("", "C1", 1)
    assert "dr-jour" in snapshot.tenant.assignments
    room.close()


def test_a_tenant_nobody_wrote_to_knows_nothing_and_says_which_sources_are_required(tmp_path: Path) -> None:
    room = a_room(tmp_path)
    snapshot = room.snapshot("t9", "C1", "P1")
    assert (snapshot.tenant.seq, snapshot.tenant.required) == (0, REQUIRED)
    assert snapshot.patient == PatientFacts("P1", "C1", 0)
    room.close()


def test_facts_that_are_not_reached_yet_are_not_answered_from(tmp_path: Path) -> None:
    room = a_room(tmp_path)
    move(room, 1)
    assert units(room.snapshot("t1", "C1", "P1", at_least=1)) == ("U1", "U1")
    with pytest.raises(FactsTooOld):
        room.snapshot("t1", "C1", "P1", at_least=2)
    room.close()


class Broken:
    """A store that cannot be read once `broken` is set."""

    def __init__(self, store: Store) -> None:
        self._store, self.broken = store, False

    def tenant_facts(self, tenant: str) -> TenantFacts:
        if self.broken:
            raise FactsUnavailable("not now")
        return self._store.tenant_facts(tenant)

    def patient(self, tenant: str, controller_id: str, patient_id: str, at: int) -> PatientFacts:
        if self.broken:
            raise FactsUnavailable("not now")
        return self._store.patient(tenant, controller_id, patient_id, at)


def test_a_store_that_cannot_be_read_leaves_what_is_in_memory_and_nothing_else(tmp_path: Path) -> None:
    room = a_room(tmp_path)
    move(room, 1)
    source = Broken(room._store)
    room._view._source = source
    room.snapshot("t1", "C1", "P1")
    source.broken = True
    assert units(room.snapshot("t1", "C1", "P1")) == ("U1", "U1")
    assert room.snapshot("t1", "C1", "P2").patient is None
    unread = room.snapshot("t7", "C1", "P1")
    assert (unread.patient, unread.tenant.watermarks, unread.tenant.required) == (None, {}, REQUIRED)
    source.broken = False
    assert room.snapshot("t1", "C1", "P2").patient == PatientFacts("P2", "C1", 1)
    room.close()


def test_a_change_that_was_missed_drops_what_is_held(tmp_path: Path) -> None:
    room = a_room(tmp_path)
    for number in (1, 2):
        move(room, number)
    room.snapshot("t1", "C1", "P1")
    room._view._tenants["t1"].facts = room._store.tenant_facts("t0")  # a tenant at sequence 0: change 1 and 2 missed
    move(room, 3)
    assert units(room.snapshot("t1", "C1", "P1")) == ("U3", "U3")
    room.close()


def test_what_a_feed_completes_is_seen_by_who_asked_before(tmp_path: Path) -> None:
    room = a_room(tmp_path)
    for number, until in enumerate((NOON, NOON + MINUTE), 1):
        before = room.tenant_facts("t1").complete_until("C1", "directive")
        keep(room, a_change(number, watermarks=(Watermark("dpi", ("directive",), until),)))
        assert before < until
        assert room.tenant_facts("t1").complete_until("C1", "directive") == until
    room.close()
