"""Whatever the history: what stood then is read again, what stands now is in memory, and tenants are apart."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.core.change import FactsChange
from sidecar.core.reading import FactsPage, FactsQuery
from sidecar.facts import view
from sidecar.facts.patch import Patch
from sidecar.facts.room import FactsRoom
from tests.facts.histories import CONTROLLERS, PATIENTS, histories
from tests.facts.naive import (
    Naive,
    a_change,
    a_leaf,
    a_room,
    a_stay,
    an_alias,
    keep,
    of_patient,
    of_staff,
    seen,
)

short = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@contextmanager
def in_a_folder(patients: int = 1000) -> Iterator[FactsRoom]:
    with tempfile.TemporaryDirectory() as folder:
        room = a_room(Path(folder), patients)
        try:
            yield room
        finally:
            room.close()


def wrong_answers(room: FactsRoom, naive: Naive, tenant: str = "t1") -> int:
    """How many readings of memory differ from a plain reading of everything ever said."""
    wrong = int(of_staff(room.tenant_facts(tenant)) != naive.staff(naive.seq))
    wrong += dict(room.tenant_facts(tenant).watermarks) != naive.marks[-1]
    wrong += room.tenant_facts(tenant).seq != naive.seq
    for controller in CONTROLLERS:
        for patient in PATIENTS:
            bundle = room.snapshot(tenant, controller, patient).patient
            wrong += bundle is None or of_patient(bundle) != naive.bundle(controller, patient, naive.seq)
    return wrong


def whole(room: FactsRoom, query: dict[str, object], size: int) -> tuple[set[object], FactsPage]:
    """Every fact of a query, page by page, and the last page."""
    facts: list[object] = []
    token = ""
    while True:
        page = room.read_facts("t1", CONTROLLERS, FactsQuery(page_size=size, page_token=token, **query))  # type: ignore[arg-type]
        facts += [seen(version.fact, version.fact.as_of or 0, version.recorded_seq) for version in page.facts]
        assert len(page.facts) <= size
        token = page.next_page_token
        if not token:
            assert len(facts) == len(set(facts))
            return set(facts), page


@short
@given(histories(), st.integers(1, 5))
def test_any_past_state_is_read_again_as_it_stood(history: list[FactsChange], size: int) -> None:
    naive = Naive()
    with in_a_folder() as room:
        for change in history:
            stored = keep(room, change)
            assert (stored.changed, stored.unchanged, stored.retracted) == naive.write(change)
        for seq, state in enumerate(naive.states):
            stood = {seen(fact, as_of, version) for fact, as_of, version in state.values()}
            found, page = whole(room, {"as_of_token": room.token("t1", seq)}, size)
            assert found == stood
            assert page.consistency_token == room.token("t1", seq)
            assert {
                (mark.controller_id, mark.source, kind): mark.complete_until
                for mark in page.watermarks
                for kind in mark.kinds
            } == naive.marks[seq]
            if seq:
                assert whole(room, {"as_of": naive.instants[seq]}, 1000)[0] == stood


@short
@given(histories(), st.integers(0, 3), st.data())
def test_memory_says_what_the_whole_history_says(
    history: list[FactsChange], patients: int, data: st.DataObject
) -> None:
    naive = Naive()
    with in_a_folder(patients) as room:  # a view too small for its patients, or large enough
        for change in history:
            for patient in data.draw(st.sets(st.sampled_from(PATIENTS))):
                room.snapshot("t1", "C1", patient)
            with room.changing():
                before = wrong_answers(room, naive)
                stored = room.write(change, a_leaf)
                assert before == wrong_answers(room, naive) == 0  # on disk, and not yet acknowledged
                room.acknowledge(stored.change_id, stored.seq)
            naive.write(change)
            assert wrong_answers(room, naive) == 0
            assert room._view.patients_held() <= 2 * max(patients // 2, 1)


@settings(short, max_examples=12)
@given(histories(most=4))
def test_a_restart_changes_nothing_that_is_known(history: list[FactsChange]) -> None:
    naive = Naive()
    with tempfile.TemporaryDirectory() as folder:
        for change in history:
            room = a_room(Path(folder))
            keep(room, change)
            naive.write(change)
            held = room.tenant_facts("t1")
            room.close()
            room = a_room(Path(folder))
            assert of_staff(held) == of_staff(room.tenant_facts("t1"))
            assert wrong_answers(room, naive) == 0
            room.close()


@short
@given(histories("t1", 4), histories("t2", 4), st.randoms(use_true_random=False))
def test_two_tenants_never_see_or_change_each_other(
    mine: list[FactsChange], theirs: list[FactsChange], dice: object
) -> None:
    naives = {"t1": Naive(), "t2": Naive(), "t3": Naive()}
    queue = [mine, theirs]
    with in_a_folder() as room:
        while any(queue):
            history = dice.choice([side for side in queue if side])  # type: ignore[attr-defined]
            change = history.pop(0)
            keep(room, change)
            naives[change.tenant].write(change)
            for tenant, naive in naives.items():
                assert wrong_answers(room, naive, tenant) == 0
                page = room.read_facts(tenant, CONTROLLERS, FactsQuery(page_size=1000))
                assert len(page.facts) == len(naive.states[-1])
                assert len(page.watermarks) <= len(naive.marks[-1])


def test_without_dropping_what_a_change_touches_memory_says_wrong_things() -> None:
    """The twin of the property above: the same world, and a view that drops only the patient named."""
    history = [
        a_change(1, a_stay("s1", "P1"), a_stay("s2", "P2")),
        a_change(2, an_alias("m1", "P1", "P2")),
        a_change(3, a_stay("s3", "P2")),
        a_change(4, a_stay("s1", "P2")),
    ]

    def wrong_after(history: list[FactsChange]) -> int:
        naive, wrong = Naive(), 0
        with in_a_folder() as room:
            for change in history:
                wrong += wrong_answers(room, naive)
                keep(room, change)
                naive.write(change)
                wrong += wrong_answers(room, naive)
        return wrong

    assert wrong_after(history) == 0
    honest = view.View.apply

    def careless(self: view.View, patch: Patch) -> None:
        named = {fact.patient_id for fact in history[patch.seq - 1].facts}
        kept = frozenset(key for key in patch.patients if key[1] in named)
        honest(self, Patch(patch.tenant, patch.seq, patch.now, kept, patch.staff, patch.watermarks, patch.grants))

    try:
        view.View.apply = careless  # type: ignore[method-assign]
        assert wrong_after(history) > 0
    finally:
        view.View.apply = honest  # type: ignore[method-assign]
