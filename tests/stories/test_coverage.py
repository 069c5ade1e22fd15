"""Every rule of the hospital pack decides some ask of the stories, and one minimal change takes its answer away."""

import re

from tests.stories import coverage, hospital

# packs.md 3.1.3 and 3.1.4, and the tricky decisions marked for the hospital: each is told by its name.
RULES = [*(f"A-{number:02}" for number in range(1, 40)), *(f"A-BG-{number}" for number in range(1, 10))]
SCENARIOS = (1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 23, 25, 27, 29, 33, 35, 37, 39, 43, 45, 47)


def test_every_rule_decides_some_ask_and_one_minimal_change_takes_it_away():
    asked = coverage.asked()
    assert [name for name, entry in asked.items() if not entry.decided] == [], coverage.table()
    assert [name for name, entry in asked.items() if not entry.flipped] == [], coverage.table()


def test_a_rule_nobody_asks_about_is_missed(monkeypatch):
    more = {**coverage.rules(), "A-99": (coverage.Rule("A-99", frozenset(), beside=False),)}
    monkeypatch.setattr(coverage, "rules", lambda: more)
    entry = coverage.asked()["A-99"]
    assert (entry.asks, entry.decided, entry.flipped) == (0, 0, False)


def test_every_rule_and_every_scenario_of_the_hospital_is_told_by_its_name():
    text = "\n".join(path.read_text(encoding="utf-8") for path in (hospital.PACK / "tests").glob("*.yaml"))
    assert [name for name in RULES if name not in text] == []
    told = {int(number) for number in re.findall(r"\bX-(\d+)", text)}
    assert [number for number in SCENARIOS if number not in told] == []


def test_the_stories_permit_and_refuse_and_flip_by_the_hundred():
    *_, line = coverage.table().splitlines()
    stories, decisions, permits, refusals, flips = (int(number) for number in re.findall(r"\d+", line))
    assert stories > 100
    assert decisions == permits + refusals
    assert min(permits, refusals, flips) > 250, line
