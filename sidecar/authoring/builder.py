"""Starts a build process, follows it, and makes a sentence of whatever becomes of it."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

import sidecar
from sidecar.authoring.build import LENGTH_BYTES, Built, Message, Part, Refused, Work, send
from sidecar.errors import Fault, PolicyFault

PROCESS = "build process"  # stands where a file's name does: what went wrong is in no file
COMMAND = (sys.executable, "-P", "-m", "sidecar.authoring.build")
WAKE_SECONDS = 0.2
LARGEST = 64 << 20
CHUNK = 1 << 16


class Bounds(Struct, frozen=True):
    """What a build may take: seconds, and bytes of memory.

    For the first `idle` seconds a build beside a serving sidecar takes only processor time that nobody wants; it
    begins anew, at a low priority, when that was not enough.
    """

    seconds: float = 300.0
    memory: int = 2 << 30
    idle: float = 20.0


class OutOfTime(PolicyFault):
    """A build that was not done within its seconds."""


class Handed(Struct, frozen=True):
    """What a build process gave: the verdict, and the parts of the compiled policy, none where it is in force."""

    built: Built
    parts: tuple[bytes, ...]


def build(
    asked: Work,
    bounds: Bounds,
    told: Callable[[int, int], None],
    stopped: Callable[[], bool],
    command: tuple[str, ...] = COMMAND,
) -> Handed:
    """The candidate, built and judged in a process of its own; `told` hears of stories done and their number.

    Raises PolicyFault: the candidate is at fault, or the process died, hung, outgrew its bounds or was told to stop.
    """
    asked = msgspec.structs.replace(asked, memory=bounds.memory)
    environment = os.environ | {"PYTHONPATH": str(Path(sidecar.__file__).parent.parent)}
    # A new interpreter, never a fork: other threads of this process hold locks that a fork would keep for ever.
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, bufsize=0
    )
    try:
        return _followed(process, asked, time.monotonic() + bounds.seconds, bounds, told, stopped)
    finally:
        process.kill()
        process.communicate()


def _followed(
    process: subprocess.Popen[bytes],
    asked: Work,
    deadline: float,
    bounds: Bounds,
    told: Callable[[int, int], None],
    stopped: Callable[[], bool],
) -> Handed:
    source, sink = process.stdout, process.stdin
    if source is None or sink is None:
        raise RuntimeError("a process started with pipes has them")
    try:
        send(sink, asked)  # type: ignore[arg-type]
    except BrokenPipeError:
        raise _gone(process) from None
    buffer, parts = bytearray(), list[bytes]()
    with selectors.DefaultSelector() as ready:
        ready.register(source, selectors.EVENT_READ)
        while True:
            if stopped():
                raise _fault("stopped with the sidecar")
            if time.monotonic() > deadline:
                text = f"not done within policy.build_seconds ({bounds.seconds:g}); raise it, or tell less"
                raise OutOfTime(_fault(text).faults)
            if not ready.select(WAKE_SECONDS):
                continue
            data = os.read(source.fileno(), CHUNK)
            if not data:
                raise _gone(process)
            buffer += data
            while (message := _taken(buffer)) is not None:
                if isinstance(message, Built):
                    return Handed(message, tuple(parts))
                if isinstance(message, Refused):
                    raise PolicyFault([Fault(*fault) for fault in message.faults])
                if isinstance(message, Part):
                    parts.append(message.data)
                else:
                    told(message.done, message.total)


def _taken(buffer: bytearray) -> Message | None:
    """The first whole message, taken out of the buffer."""
    length = int.from_bytes(buffer[:LENGTH_BYTES], "big")
    if length > LARGEST:
        raise _fault("said something that is no message")
    end = LENGTH_BYTES + length
    if len(buffer) < LENGTH_BYTES or len(buffer) < end:
        return None
    try:
        message: Message = msgspec.msgpack.decode(bytes(buffer[LENGTH_BYTES:end]), type=Message)
    except msgspec.MsgspecError:
        raise _fault("said something that is no message") from None
    del buffer[:end]
    return message


def _gone(process: subprocess.Popen[bytes]) -> PolicyFault:
    """What became of a process that ended without a word."""
    code = process.wait()
    if code == -signal.SIGKILL:
        return _fault("killed (SIGKILL); if nobody did, memory ran short: the kernel's log says so")
    if code < 0:
        return _fault(f"killed by {signal.Signals(-code).name}; a process that outgrows policy.build_bytes may end so")
    return _fault(f"ended with exit code {code} and no verdict; `dpi-sidecar policy build` shows where")


def _fault(text: str) -> PolicyFault:
    return PolicyFault([Fault(PROCESS, 0, text)])
