"""One processor for the threads that need the interpreter, and another for those that do not.

One thread at a time has the interpreter. Where there are several processors, a thread that lets go of it for a
moment wakes another elsewhere, and waits until it may have it back; on one processor it goes on. And a thread that
reads or writes the network, woken by an answer, would take that processor from the next answer
(docs/decisions/threads-on-one-processor.md).
"""

import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
MARGIN = 0.25  # of a processor's time: others must keep ours busier by so much before the threads move
Place = Callable[[int, set[int]], None]
PROC = Path("/proc")


class Reading(Struct, frozen=True):
    """Clock ticks that each processor worked since the machine started, and that our threads did."""

    busy: Mapping[int, int]
    ours: int


def better(held: int, before: Reading, after: Reading, ticks: float) -> int:
    """The processor to be on: `held`, unless others kept it busier than another, by MARGIN of the `ticks` between."""
    others = {cpu: busy - before.busy.get(cpu, busy) for cpu, busy in after.busy.items()}
    if held not in others:
        return min(others, key=others.__getitem__, default=held)
    others[held] -= after.ours - before.ours
    idlest = min(others, key=others.__getitem__)
    return idlest if others[held] - others[idlest] > MARGIN * ticks else held


def processors() -> tuple[int, ...]:
    """The processors this process may use now; none where the system does not let threads be placed."""
    return tuple(sorted(os.sched_getaffinity(os.getpid()))) if hasattr(os, "sched_getaffinity") else ()


class OneProcessor:
    """Keeps the threads that join on one processor, and moves them together when others want it more.

    Threads that are kept off it have all others.
    """

    def __init__(
        self,
        allowed: Callable[[], Sequence[int]],
        proc: Path = PROC,
        look_s: float = LOOK_SECONDS,
        place: Place | None = None,
    ) -> None:
        """`allowed` gives the processors to choose from, of fewer than two none is; `proc` tells who works.

        `place` puts a thread on a processor, by default the kernel's own call.
        """
        self._allowed, self._proc, self._look_s = allowed, proc, look_s
        self._put = place
        choice = allowed()
        self._idle = len(choice) < 2
        # Several sidecars of one machine begin on different processors.
        self.held = choice[os.getpid() % len(choice)] if choice else 0
        self._threads: set[int] = set()
        self._names: tuple[str, ...] = ()  # how the names of threads begin that are kept off it
        self._away: dict[int, set[int]] = {}  # where those are
        self._moving, self._stopped = threading.Lock(), threading.Event()

    def start(self) -> None:
        """Begin to look who else wants the processor."""
        if not self._idle:
            threading.Thread(target=self._look_until_stopped, name="one-processor", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def join(self) -> None:
        """Bring the calling thread, and the threads it will start, to the processor."""
        if self._idle:
            return
        thread = threading.get_native_id()
        with self._moving:
            self._threads.add(thread)
            self._place(thread, {self.held})

    def join_in_background(self) -> None:
        """The same for a thread that nobody waits for: woken, it does not take the processor from who runs."""
        if self._idle:
            return
        try:
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        except OSError as fault:
            log.warning("one_processor_no_batch", extra={"fault": str(fault)})
        self.join()

    def keep_off(self, name: str) -> None:
        """Keep the threads whose name begins so off the processor: a library's, which do not need the interpreter.

        Those that the library starts later are found when this looks.
        """
        if self._idle:
            return
        with self._moving:
            self._names = (*self._names, name)
            try:
                self._place_away()
            except OSError as fault:  # threads that cannot be found run where they like
                log.warning("one_processor_blind", extra={"fault": str(fault)})

    def look(self, before: Reading, ticks: float) -> Reading:
        """Move if another processor is better since `before`, `ticks` ago; what is read now. Raises OSError."""
        after = self._reading()
        with self._moving:
            best = better(self.held, before, after, ticks)
            if best != self.held:
                self.held = best
                self._away = {}
                for thread in tuple(self._threads):
                    self._place(thread, {best})
            self._place_away()
        return after

    def _look_until_stopped(self) -> None:
        ticks = self._look_s * os.sysconf("SC_CLK_TCK")
        try:
            before = self._reading()
            while not self._stopped.wait(self._look_s):
                before = self.look(before, ticks)
        except (OSError, ValueError) as fault:
            log.warning("one_processor_blind", extra={"fault": str(fault)})

    def _place_away(self) -> None:
        """Put the threads that are kept off, and are not yet where they should be, on all other processors."""
        others = {*self._allowed()} - {self.held}
        if not self._names or not others:
            return
        for task in (self._proc / "self" / "task").iterdir():
            thread = int(task.name)
            with suppress(FileNotFoundError, ProcessLookupError):  # it ended
                if self._away.get(thread) != others and (task / "comm").read_text().startswith(self._names):
                    self._away[thread] = others
                    self._place(thread, others)

    def _place(self, thread: int, where: set[int]) -> None:
        """Put a thread somewhere. One that is no more is forgotten; where it may not be, it stays as it was."""
        try:
            (self._put or os.sched_setaffinity)(thread, where)
        except ProcessLookupError:
            self._threads.discard(thread)
            self._away.pop(thread, None)
        except OSError as fault:
            log.warning("one_processor_refused", extra={"processors": sorted(where), "fault": str(fault)})

    def _reading(self) -> Reading:
        busy, allowed = {}, self._allowed()
        for line in (self._proc / "stat").read_text().splitlines():
            name, *fields = line.split()
            if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in allowed:
                user, nice, system, _, _, irq, softirq, *_ = map(int, fields)
                busy[int(name[3:])] = user + nice + system + irq + softirq
        return Reading(busy, sum(map(self._worked, tuple(self._threads))))

    def _worked(self, thread: int) -> int:
        """Ticks a thread of ours worked so far; none for one that is no more."""
        with suppress(FileNotFoundError, ProcessLookupError):
            # After the name, which may hold anything, utime and stime are the 12th and 13th field (proc(5)).
            told = (self._proc / "self" / "task" / str(thread) / "stat").read_text().rpartition(")")[2].split()
            return int(told[11]) + int(told[12])
        return 0


ANY_PROCESSOR = OneProcessor(tuple)  # every thread runs where it likes
