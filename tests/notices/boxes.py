"""A facts room with grants and their notices, a clock that a test moves, and a delivery over them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sidecar.core.change import GrantChange
from sidecar.core.instants import DAY
from sidecar.core.notices import Notice
from sidecar.facts.room import FactsRoom
from sidecar.notices.delivery import Address, Delivery
from sidecar.notices.post import Reply
from tests.facts.naive import MINUTE, NOON, a_grant, a_room, keep
from tests.notices.receiver import SECRET, Receiver


class Box:
    """What is owed, to whom it was told, and what time it is."""

    def __init__(self, room: FactsRoom) -> None:
        self.room, self.now, self.number = room, NOON, 0
        self.told: list[tuple[str, Reply]] = []

    def open(self, grant: str, *audiences: str, controller: str = "C1", what: str = "open_grant") -> list[str]:
        """A change of a grant, and the ids of its notices: one for each audience."""
        self.number += 1
        notices = tuple(
            Notice(f"n{self.number}-{audience}", "t1", controller, grant, what, audience, self.now, self.now + DAY)
            for audience in audiences or ("patient",)
        )
        held = a_grant(grant, controller_id=controller)
        change = GrantChange(f"c{self.number}", "t1", "dpi", f"r{self.number}", "d", what, held, self.now, notices)  # type: ignore[arg-type]
        keep(self.room, change)
        return [notice.id for notice in notices]

    def delivery(self, *addresses: Address, chance: float = 0.5) -> Delivery:
        """A delivery whose rounds a test asks for itself."""
        told = self.told.append
        clock, dice = (lambda: self.now), (lambda: chance)
        return Delivery(self.room.grants, addresses, clock, dice, lambda *reply: told(reply), seconds=0.01)

    def owed(self) -> list[str]:
        """The notices nobody has taken."""
        return [notice.id for notice in self.room.grants.undelivered("t1", 0, 1000)]

    def rounds(self, delivery: Delivery, many: int = 1, every: int = MINUTE) -> int:
        """So many rounds, time passing between them; how many notices were taken."""
        taken = 0
        for _ in range(many):
            taken += delivery.round()
            self.now += every
        return taken


def to(receiver: Receiver | str, name: str = "letters", **more: Any) -> Address:
    """The address of a receiver."""
    url = receiver if isinstance(receiver, str) else receiver.url
    return Address(**{"name": name, "url": url, "secrets": (SECRET,), "tenant": "t1", "seconds": 2.0} | more)


@contextmanager
def a_box(folder: Path) -> Iterator[Box]:
    """A box over a folder, for the length of a block."""
    room = a_room(folder)
    try:
        yield Box(room)
    finally:
        room.close()
