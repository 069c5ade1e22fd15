"""Whether the clock that dates the records can be believed.

The order of the records is their index, never their instant; so a clock that moved harms no record, and nothing is
refused for it. It is counted and said, for grants, months of keys and an auditor's periods go by that clock.
"""

from collections.abc import Callable

BOUND_US = 1_000_000  # what a clock that is being corrected may move

BACK, FORWARD = "back", "forward"


class ClockWatch:
    """Compares each instant with the latest one recorded, and the clock with one that never moves."""

    def __init__(self, moved: Callable[[str], None]) -> None:
        """`moved` is told, each time the clock moves by more than BOUND_US, whether back or forward."""
        self._moved = moved
        self.latest = 0  # of the instants that went into records
        self._offset: int | None = None
        self.behind = False

    def seen(self, now: int) -> None:
        """An instant that goes, or went, into a record."""
        if now >= self.latest:
            self.latest, self.behind = now, False
        elif self.latest - now > BOUND_US:
            self.behind = True

    def look(self, now: int, ticks: float) -> None:
        """Compare the clock with `ticks`, seconds that only go forward."""
        offset = now - int(ticks * 1_000_000)
        before, self._offset = self._offset, offset
        if before is not None and abs(offset - before) > BOUND_US:
            self._moved(FORWARD if offset > before else BACK)
        self.seen(now)

    @property
    def sentence(self) -> str:
        """What is said while the clock is behind the latest record; else empty."""
        if not self.behind:
            return ""
        return "the clock is behind the latest record: set it right; records keep their order, and are dated as it says"
