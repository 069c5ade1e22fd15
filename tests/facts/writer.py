"""A process that writes facts until it is killed: `python -m tests.facts.writer DATA LEDGER`.

Each change says three things in one: two stays of one patient and an assignment, all of the change's unit.
LEDGER is a file that gets a change's id, flushed to the disk, before the change is acknowledged. A line on
standard output says that a change was acknowledged.
"""

import os
import sys
from pathlib import Path

from sidecar.core.change import FactsChange
from sidecar.core.model import Assignment, Fact, Stay
from sidecar.facts.room import FactsRoom, open_room


def change(number: int) -> FactsChange:
    """Change `number`: everything in unit U<number>."""
    unit = f"U{number}"
    facts = (
        Fact("s1", "adt", stay=Stay("P1", unit, "active")),
        Fact(f"s-{number}", "adt", stay=Stay("P1", unit, "active")),
        Fact("a1", "rh", assignment=Assignment("dr-jour", unit, "clinicien")),
    )
    return FactsChange(f"c{number}", "t1", "dpi", f"r{number}", "d", "C1", 1_000_000 * number, facts)


def settle(room: FactsRoom, ledger: Path) -> None:
    """Append what lacks its leaf, as the corridor does at start and before each change."""
    for change_id, leaf in room.pending():
        lines = ledger.read_bytes().split(b"\n") if ledger.exists() else []
        if leaf not in lines:
            append(ledger, leaf)
        room.acknowledge(change_id, 0)


def append(ledger: Path, leaf: bytes) -> None:
    """Add a leaf; it is on disk when this returns."""
    descriptor = os.open(ledger, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    os.write(descriptor, leaf + b"\n")
    os.fsync(descriptor)
    os.close(descriptor)


def main(data: Path, ledger: Path) -> None:
    """Write for ever, from where the last process stopped."""
    room = open_room(data, {})
    settle(room, ledger)
    number = room.tenant_facts("t1").seq
    while True:
        number += 1
        stored = room.write(change(number), lambda seq, counts: f"{seq} {counts}".encode())
        append(ledger, stored.leaf)
        room.acknowledge(stored.change_id, number)
        print(number, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
