"""The policy set in force: judged before it is, replaced as a whole, and kept when its successor is at fault."""

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from sidecar.authoring import build, builder, bundle
from sidecar.authoring.build import Work
from sidecar.authoring.builder import Bounds, Handed, OutOfTime
from sidecar.authoring.stamp import Verdicts
from sidecar.core import form
from sidecar.core.index import Place
from sidecar.core.model import PolicyRef
from sidecar.core.policy import PolicySet
from sidecar.core.situation import Situation
from sidecar.core.words import WORDS
from sidecar.errors import Fault, PolicyFault, PolicyUnavailable

PAUSE_SECONDS = 0.0005
STEP = 100  # things let go of at once
FROZEN_EVERY = 20  # steps
SHOWN = 10  # faults told by readiness and status; the log has them all

T = TypeVar("T")
Told = Callable[[int, int], None]  # stories done, and their number


def _nobody(done: int, total: int) -> None:
    """Progress that nobody follows."""


def _never() -> bool:
    return False


class Status(Struct, frozen=True):
    """The policy in force, None when none is, and what was wrong with the candidate read last.

    `seconds` is how long that one took to build; `stamped` that its verdict was on disk already.
    """

    ref: PolicyRef | None
    faults: tuple[Fault, ...] = ()
    seconds: float = 0.0
    stamped: bool = False
    asks: int = 0


class Live:
    """Gives the policy set in force. Any thread may ask; the answer is one reference, replaced as a whole.

    One thread at a time starts, looks and builds.
    """

    def __init__(
        self,
        path: Path,
        verdicts: Path,
        bounds: Bounds = Bounds(),  # noqa: B008 - frozen
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
        command: tuple[str, ...] = builder.COMMAND,
    ) -> None:
        """The pack in the folder `path`, its verdicts kept in `verdicts`; nothing is read before `start`."""
        self._path, self._verdicts, self._bounds, self._clock = path, verdicts, bounds, clock
        self._command = command
        self._current: PolicySet | None = None
        self._replaced: PolicySet | None = None
        self._status = Status(None)
        self._read: build.Look = ()  # the folder as it was when it was read last
        self._seen: build.Look = ()  # the folder as it was at the last look

    @property
    def current(self) -> PolicySet:
        """The policy set in force. Raises PolicyUnavailable, with the faults of the one that was refused."""
        current = self._current
        if current is None:
            raise PolicyUnavailable("\n".join(map(str, self._status.faults)))
        return current

    @property
    def status(self) -> Status:
        """What is in force, and the faults of the candidate read last."""
        return self._status

    @property
    def ready(self) -> tuple[bool, str]:
        """Whether a policy is in force, and what is wrong with the candidate read last."""
        faults = self._status.faults
        more = [f"and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
        return self._current is not None, "; ".join([*map(str, faults[:SHOWN]), *more])

    def start(self, told: Told = _nobody) -> Status:
        """Put the pack in force before anything is answered; a fault leaves none in force and shows in `status`.

        A pack whose verdict is on disk is compiled here; one without is judged first, in a process of its own.
        """
        self._read = self._seen = build.look(self._path)
        began = time.monotonic()
        try:
            candidate = build.read_candidate(self._path)
            stamp = Verdicts(self._verdicts).believed(candidate.subject)
            if stamp is not None:
                policies = bundle.compile_bundle(candidate.bundle)
                policies.compiled.warm()
                self.put_in_force(policies)
                self._status = Status(self.current.ref, (), time.monotonic() - began, True, stamp.asks)
                return self._status
        except PolicyFault as fault:
            self._status = Status(None, fault.faults, time.monotonic() - began)
            return self._status
        made = self.candidate(told, background=False)
        if made is not None:
            self.put_in_force(made)
        return self._status

    def moved(self) -> bool:
        """Whether the folder is no longer as it was read, and has come to rest since the last look."""
        before, self._seen = self._seen, build.look(self._path)
        return self._seen == before and self._seen != self._read

    def again(self) -> None:
        """Take the folder for one that was never read: the next look builds it."""
        self._read = ()

    def candidate(
        self,
        told: Told = lambda done, total: None,
        stopped: Callable[[], bool] = lambda: False,
        background: bool = True,
    ) -> PolicySet | None:
        """The pack as it now stands in its folder, built and judged in a process of its own, not in force yet.

        None when it is in force already, or at fault: `status` says what, and the policy in force stays.
        """
        self._read = build.look(self._path)
        current, began = self._current, time.monotonic()
        ref = current.ref if current is not None else None
        asked = Work(
            str(self._path),
            str(self._verdicts),
            self._clock(),
            force=ref.digest if ref is not None else "",
        )
        try:
            handed = self._built(asked, background, told, stopped)
        except PolicyFault as fault:
            self._status = Status(ref, fault.faults, time.monotonic() - began)
            return None
        made = None
        if handed.parts:
            met = current.compiled.met if current is not None else ()
            made = restored(handed.parts, met, PAUSE_SECONDS if background else 0)
        self._status = Status(ref, (), time.monotonic() - began, handed.built.stamped, handed.built.asks)
        return made

    def _built(self, asked: Work, background: bool, told: Told, stopped: Callable[[], bool]) -> Handed:
        """What a build process makes of this. Raises PolicyFault."""
        bounds, command = self._bounds, self._command
        if not background:
            return builder.build(asked, bounds, told, stopped, command)
        if bounds.idle:
            first = replace(bounds, seconds=min(bounds.idle, bounds.seconds))
            with suppress(OutOfTime):
                return builder.build(replace(asked, priority="idle"), first, told, stopped, command)
        return builder.build(replace(asked, priority="low"), bounds, told, stopped, command)

    def put_in_force(self, policies: PolicySet) -> None:
        """Answer by this policy set from now on; a decision that has begun keeps the one it began with."""
        self._replaced, self._current = self._current, policies
        self._status = Status(policies.ref, (), self._status.seconds, self._status.stamped, self._status.asks)

    def let_go(self, pause: float = PAUSE_SECONDS) -> None:
        """Free the policy set replaced last in small steps: at once, ten thousand rows would stop every answer."""
        replaced, self._replaced = self._replaced, None
        if replaced is None:
            return
        held: list[object] = []
        for holder in (replaced.compiled, replaced.compiled.index):
            for value in vars(holder).values():
                held += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        # A decision that still goes on has it, and finds it whole.
        del replaced, holder, value
        while held:
            del held[-STEP:]
            time.sleep(pause)


def restored(parts: Sequence[bytes], met: Iterable[Place], pause: float) -> PolicySet:
    """The policy set a build process handed over, ready for the questions whose names were `met` before.

    Works in small steps with a `pause` in seconds after each: the thread that restores and those that answer share
    one interpreter, and none of them is to wait for more than a step.
    """
    policies = form.restore(_paced(parts, pause), WORDS, Situation)
    for names in _paced(met, pause):
        policies.compiled.slice(*names)
    return policies


def _paced(items: Iterable[T], pause: float) -> Iterator[T]:
    for number, item in enumerate(items, 1):
        yield item
        if pause:
            time.sleep(pause)
            if number % FROZEN_EVERY == 0:
                # What is made here stays: the collector need not look at it, all at once, to find that out.
                gc.freeze()
