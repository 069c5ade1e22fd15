"""No access outside an open grant's patient, scope and time is ever permitted on its ground, whatever happens.

And every permit on its ground has a record, a notice and a review. 8 histories of 30 steps; 200 with SOAK=1.
"""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.break_glass.machine import Emergencies
from tests.break_glass.weakened import WEAKENINGS

SHORT = settings(
    max_examples=8,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
TestEmergencies = Emergencies.TestCase
TestEmergencies.settings = SHORT


@pytest.mark.parametrize("weakening", WEAKENINGS, ids=lambda weakening: weakening.__name__)
def test_with_a_protection_off_the_histories_find_it_and_say_how(
    weakening: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    weakening(monkeypatch)
    once = settings(SHORT, max_examples=40, phases=[Phase.generate], report_multiple_bugs=False)
    with pytest.raises(AssertionError) as found:
        run_state_machine_as_test(Emergencies, settings=once)
    said = str(found.value).splitlines()[0]
    reporter = request.config.pluginmanager.getplugin("terminalreporter")
    reporter.write_line(f"\n{weakening.__doc__} {said}")
