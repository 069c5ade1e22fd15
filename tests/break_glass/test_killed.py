"""A process killed at any moment of an emergency: whoever was told something was told the truth.

2 kills; 75 with SOAK=1.
"""

import os
import random
import time
from collections import defaultdict
from pathlib import Path

import pytest

from sidecar.breaking_glass import BreakingGlass
from sidecar.core.model import Effect
from sidecar.core.reading import GrantsQuery
from tests.break_glass import dying
from tests.break_glass.rooms import CONTROLLER, DAY, MINUTE, NIGHT, START, TENANT, Rooms, a_hospital, a_report
from tests.server.process import child, until

KILLS = 75 if os.environ.get("SOAK") else 2


def killed(folder: Path, kept: Path, run: int, moment: float) -> None:
    """A process that breaks the glass, killed a moment after it first said so."""
    before = kept.stat().st_size if kept.exists() else 0
    process = child(dying.main, str(folder), str(kept), START + run * DAY, run)
    assert until(lambda: (kept.exists() and kept.stat().st_size > before) or not process.is_alive())
    time.sleep(moment)
    assert process.is_alive()
    process.kill()
    process.join(60)


def lies(rooms: Rooms, kept: Path) -> list[str]:
    """What somebody was told and is not so."""
    told: dict[str, list[list[str]]] = defaultdict(list)
    for line in kept.read_text().splitlines():
        kind, *words = line.split()
        told[kind].append(words)
    assert told["permit"] and told["over"]
    found = []
    for (grant,) in told["grant"]:
        held = rooms.facts.grant(TENANT, grant)
        audiences = {each.audience for each in rooms.facts.grants.notices(TENANT, grant) if each.what == "open_grant"}
        found += [f"{grant}: nobody tells the {audience}" for audience in {"patient", "reviewer"} - audiences]
        found += [] if held.review or held.review_due else [f"{grant}: nobody reviews it"]
    for decision, grant in told["permit"]:
        checked = rooms.ledger.find(TENANT, decision).checked
        found += [] if checked.request.context.grant == grant else [f"{decision}: another record"]
    for (grant,) in told["over"]:
        held = rooms.facts.grant(TENANT, grant)
        answer = rooms.check(NIGHT, a_report(held.patient_id), grant).decision
        found += [f"{grant}: over, and opens"] if answer.effect is Effect.PERMIT else []
    found += [
        f"{grant}: reviewed, and the verdict is gone"
        for (grant,) in told["reviewed"]
        if rooms.facts.grant(TENANT, grant).review is None
    ]
    return found


def test_killed_at_any_moment_no_emergency_is_lost_and_none_is_left_open(tmp_path: Path) -> None:
    dice, kept = random.Random(7), tmp_path / "kept"
    for run in range(KILLS):
        killed(tmp_path / "data", kept, run, dice.uniform(0.1, 0.4))
    rooms = Rooms(tmp_path / "data", START + KILLS * DAY - 12 * 60 * MINUTE)
    try:
        assert lies(rooms, kept) == []
        # What is in the store without having been told is whole too: a grant, its notices, its leaf.
        every = rooms.facts.grants.page(TENANT, (CONTROLLER,), GrantsQuery(page_size=1000), rooms.now).grants
        assert len(every) >= sum(line.startswith("grant ") for line in kept.read_text().splitlines())
        assert all(rooms.facts.grants.notices(TENANT, grant.id) for grant in every)
        assert rooms.facts.pending() == []
    finally:
        rooms.close()


def test_without_keeping_ends_a_kill_would_open_what_was_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: a closing is answered and not kept."""
    save, kept = BreakingGlass._save, tmp_path / "kept"

    def forgetting(self: BreakingGlass, what: str, *given: object, **more: object) -> None:
        if what != "close_grant":
            save(self, what, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(BreakingGlass, "_save", forgetting)
    rooms = Rooms(tmp_path / "data")
    try:
        dying_here(rooms, kept)
        assert [lie for lie in lies(rooms, kept) if lie.endswith("over, and opens")]
    finally:
        rooms.close()


def dying_here(rooms: Rooms, kept: Path) -> None:
    """One turn of what the process does, without the process."""
    rooms.write(*a_hospital(), complete=True)
    rooms.real += MINUTE
    grant = rooms.break_glass(NIGHT, "P1").id
    decision = rooms.check(NIGHT, a_report("P1"), grant).decision_id
    rooms.end(NIGHT, grant)
    kept.write_text(f"grant {grant}\npermit {decision} {grant}\nover {grant}\n")
