"""No access outside an open grant's patient, scope and time is ever permitted on its ground, whatever happens.

And every permit on its ground has a record, a notice and a review. 6 histories of 30 steps; 150 with SOAK=1, when
the twins too find what is missing by chance alone.
"""

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.break_glass.machine import Emergencies, a_telling_history, begun
from tests.break_glass.weakened import WEAKENINGS

SHORT = settings(
    max_examples=150 if os.environ.get("SOAK") else 6,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
BY_CHANCE = settings(SHORT, max_examples=100, phases=[Phase.generate], report_multiple_bugs=False)
TestEmergencies = Emergencies.TestCase
TestEmergencies.settings = SHORT


def test_a_history_that_needs_every_protection_goes_well() -> None:
    """The ground the twins stand on."""
    machine = Emergencies()
    try:
        a_telling_history(machine)
        assert machine.permits
    finally:
        machine.teardown()


@pytest.mark.parametrize("weakening", WEAKENINGS, ids=lambda weakening: weakening.__name__)
def test_with_a_protection_off_a_history_shows_it_and_says_how(
    weakening: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    begun()  # with every protection on
    weakening(monkeypatch)
    with pytest.raises(AssertionError) as found:
        if os.environ.get("SOAK"):
            run_state_machine_as_test(Emergencies, settings=BY_CHANCE)
        else:
            a_telling_history(machine := Emergencies())
            machine.everything_is_kept()
    said = str(found.value).splitlines()[0]
    with capfd.disabled():
        print(f"\n{weakening.__doc__} {said}")
