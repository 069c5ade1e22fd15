"""A process that breaks the glass without pause until it is killed, and keeps, in a file, what it was told.

A line is written after each acknowledgement: `grant ID`, `permit DECISION GRANT`, `over ID`, `reviewed ID`.
"""

import os
import random
from pathlib import Path

from sidecar.core.model import Effect
from tests.break_glass.rooms import MINUTE, NIGHT, Rooms, a_hospital, a_report


def main(folder: str, kept: str, real: int, seed: int) -> None:
    """Go on from where the last process stopped."""
    dice, rooms = random.Random(seed), Rooms(Path(folder), real)
    rooms.write(*a_hospital(), complete=True)
    file = os.open(kept, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def tell(*words: str) -> None:
        os.write(file, (" ".join(words) + "\n").encode())

    while True:
        rooms.real += MINUTE
        patient = dice.choice(("P1", "P2", "P3"))
        grant = rooms.break_glass(NIGHT, patient).id
        tell("grant", grant)
        for _ in range(dice.randrange(1, 4)):
            tell("permit", rooms.check(NIGHT, a_report(patient), grant).decision_id, grant)
        if dice.random() < 0.7:
            rooms.end(NIGHT, grant)
            tell("over", grant)
            if dice.random() < 0.5:
                assert rooms.review(grant).decision.effect is Effect.PERMIT
                tell("reviewed", grant)
