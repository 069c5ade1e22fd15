"""The clock that decisions are taken by, which says when it has gone back."""

import threading
from collections.abc import Callable

TOLERANCE = 1_000_000  # microseconds: what a clock that is being corrected may move without anybody being told


class Steady:
    """A clock compared with one that only goes forward.

    It gives what the clock shows, whatever that is. But before it gives an instant that is earlier than what must have
    been reached by now, who grants time is told, once: no grant may outlast its time because a clock was set back.
    """

    def __init__(self, clock: Callable[[], int], ticks: Callable[[], int]) -> None:
        """`clock` gives microseconds, `ticks` nanoseconds that only go forward."""
        self._clock, self._ticks = clock, ticks
        self._went_back: Callable[[int, int], None] | None = None
        self._mark = clock(), ticks()  # an instant the clock showed, and when: one value, whoever writes it
        self._telling = threading.RLock()

    def tell(self, went_back: Callable[[int, int], None], reached: int = 0) -> None:
        """Have this told what had been reached and what the clock shows; while it raises, so does this clock.

        `reached` is an instant known to have been reached before the process began.
        """
        self._went_back = went_back
        if reached > self._mark[0]:
            self._mark = reached, self._ticks()

    def __call__(self) -> int:
        """What the clock shows. Raises what `went_back` raises."""
        now, ticks = self._clock(), self._ticks()
        behind = self._reached(ticks) - now
        if behind <= 0:
            self._mark = now, ticks
        elif behind > TOLERANCE:
            self._tell()
        return now

    def _reached(self, ticks: int) -> int:
        marked, since = self._mark
        return marked + (ticks - since) // 1000

    def _tell(self) -> None:
        with self._telling:
            now, ticks = self._clock(), self._ticks()
            reached = self._reached(ticks)
            if reached - now > TOLERANCE:  # nobody else has told it meanwhile
                if self._went_back is not None:
                    self._went_back(reached, now)
                self._mark = now, ticks
