"""What is kept of facts from one question to the next: no answer may tell that another question was asked before."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sidecar.core.bundle import FOREVER, NEVER, Snapshot
from tests.situation.builders import CALLER, CONTROLLER, HOUR, NOW, PACK, Asked, alias, asking, assignment, record
from tests.situation.builders import snapshot as facts_of
from tests.situation.test_situation_properties import FACTS, MARKS, REQUESTS, answers

SOME = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
STRICTER = replace(PACK, freshness=replace(PACK.freshness, facts_max_age={"assignment": 3600, "stay": 3600}))
INSTANTS = st.integers(NOW - 30 * HOUR, NOW + 30 * HOUR)
QUESTIONS = st.lists(st.tuples(REQUESTS, INSTANTS, st.sampled_from([PACK, STRICTER])), max_size=4)
Touch = Callable[[Snapshot, Asked], None]


def nothing(known: Snapshot, asked: Asked) -> None:
    """Leaves what is kept as it is."""


def differing(told, marks, questions, touch: Touch = nothing) -> int:
    """How many of these are answered otherwise, or for another time, because others were asked before them."""
    kept, wrong = facts_of(told, NOW, marks=marks, told=NOW), 0
    for request, now, pack in questions:
        touch(kept, Asked(request, CALLER, CONTROLLER, kept, now, pack))
        alone = facts_of(told, NOW, marks=marks, told=NOW)
        wrong += said(request, kept, now, pack) != said(request, alone, now, pack)
    return wrong


def said(request, known, now, pack):
    """What the words say of a question, what that rests on, and until when."""
    made = Asked(request, CALLER, CONTROLLER, known, now, pack)
    made.delegate = lambda outer, asked: True
    words = answers(made)
    return words, [each.relied for each in made.relied], made.ends


@SOME
@given(FACTS, MARKS, QUESTIONS)
def test_an_answer_is_the_same_whatever_was_asked_before(told, marks, questions):
    assert differing(told, marks, questions) == 0


# ---- twins: what is kept is taken for more than it is


def held_for_ever(known: Snapshot, asked: Asked) -> None:
    """The instants between which it holds are not looked at."""
    for shelf in (known.tenant.kept, known.patient.kept):
        for name, kept in shelf.items():
            shelf[name] = replace(kept, at=NEVER, until=FOREVER) if hasattr(kept, "until") else kept


def by_any_pack(known: Snapshot, asked: Asked) -> None:
    """The pack whose limits it was worked out by is not looked at."""
    for subject, kept in known.tenant.kept.items():
        known.tenant.kept[subject] = replace(kept, pack=asked.pack)


def of_any_name(known: Snapshot, asked: Asked) -> None:
    """The names the patient went by are not looked at."""
    for name, kept in known.patient.kept.items():
        known.patient.kept[name] = replace(kept, names=asked.names)


REQUEST = asking(subject={"units": ()}, context={"grant": ""})
NIGHT = [(REQUEST, NOW, PACK), (REQUEST, NOW + 3 * HOUR, PACK), (REQUEST, NOW - 3 * HOUR, PACK)]


LATE = [(REQUEST, NOW + 2 * HOUR, pack) for pack in (PACK, STRICTER)]


@pytest.mark.parametrize(
    ("touch", "told", "questions"),
    [
        (held_for_ever, [record(end=NOW + HOUR, lifecycle="gele")], NIGHT),
        (held_for_ever, [assignment(end=NOW + HOUR)], NIGHT),
        (by_any_pack, [assignment()], LATE),
        (of_any_name, [alias("merge", "P2", start=NOW + HOUR), record(patient_id="P2", lifecycle="gele")], NIGHT),
    ],
)
def test_every_limit_of_what_is_kept_counts(touch, told, questions):
    assert differing(told, {}, questions) == 0
    wrong = differing(told, {}, questions, touch)
    print(f"{touch.__name__}: {wrong} wrong answers")
    assert wrong > 0
