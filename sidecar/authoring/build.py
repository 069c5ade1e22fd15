"""A candidate pack, built in a process of its own: read whole, compiled, judged, and only then handed over.

`python -m sidecar.authoring.build` reads one `Work` from its standard input and writes `Progress`, the `Part`s of the
compiled policy, and at last one `Built` or `Refused` to its standard output, each a msgpack value after its length in
four bytes. It ends when its
input does, so that it never outlives the sidecar that started it. PyCasbin is loaded here and nowhere else in the
product.
"""

import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import BinaryIO, Literal

import msgspec
from msgspec import Struct

from sidecar.authoring import bundle, story_reading
from sidecar.authoring.bundle import Bundle
from sidecar.authoring.stamp import Stamp, Subject, Verdicts, software
from sidecar.authoring.story import Story
from sidecar.core import form
from sidecar.core.pack_check import PACK_FILE
from sidecar.core.policy import PolicySet
from sidecar.errors import Fault, PolicyFault

STORIES = "tests"
STORY_BYTES = 16 << 20
LOOKS, LOOK_SECONDS = 25, 0.2  # how often and how far apart a folder that changes while it is read is read again
FAULTS_TOLD = 50
LENGTH_BYTES = 4
NICENESS = 10

Look = tuple[tuple[str, int, int, int, int], ...]


class Work(Struct, frozen=True):
    """What a build process is to do: judge the pack in `path`, keep the verdict in `verdicts`.

    `force` (SHA-256) is in force already and needs no building again; `memory` bounds the process in bytes, 0 does
    not; `priority` is normal, low, or idle: only on processor time that nobody else wants.
    """

    path: str
    verdicts: str
    now: int
    force: str = ""
    memory: int = 0
    priority: Literal["normal", "low", "idle"] = "normal"


class Progress(Struct, frozen=True, tag=True):
    """How many of the stories both judges have heard."""

    done: int
    total: int


class Refused(Struct, frozen=True, tag=True):
    """What is wrong with the candidate, as (file, line, text); `digest` is empty when it could not be read."""

    faults: tuple[tuple[str, int, str], ...]
    digest: str = ""


class Part(Struct, frozen=True, tag=True):
    """A part of the compiled policy (`core.form`); there is none when it is in force already."""

    data: bytes


class Built(Struct, frozen=True, tag=True):
    """A candidate that both judges accept."""

    digest: str
    stories: int
    asks: int
    rows: int
    stamped: bool  # the verdict was on disk already


Message = Progress | Part | Refused | Built


class Candidate(Struct, frozen=True):
    """A pack and its stories, read at one moment."""

    bundle: Bundle
    stories: dict[str, str]

    @property
    def subject(self) -> Subject:
        """What a verdict on it is about."""
        return Subject(self.bundle.digest, bundle.digest(self.stories), software())


def look(path: Path) -> Look:
    """What tells whether anything in a pack's folder changed, without reading it; empty when there is no folder."""
    found: list[tuple[str, int, int, int, int]] = []
    try:
        for folder in (path, *(path / name for name in (*bundle.FOLDERS, STORIES))):
            if folder.is_dir():
                entries = [folder, *folder.iterdir()]
                for each in entries:
                    about = each.stat()
                    found.append((str(each), about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns))
    except OSError:
        return ()
    return tuple(sorted(found))


def read_candidate(path: Path) -> Candidate:
    """The pack and its stories, all of one moment. Raises PolicyFault, also for a folder that does not come to rest."""
    for _ in range(LOOKS):
        before = look(path)
        fault: PolicyFault | None = None
        try:
            found = Candidate(bundle.read_folder(path), _read_stories(path))
        except PolicyFault as error:
            fault = error
        if look(path) == before:
            if fault is not None:
                raise fault
            return found
        time.sleep(LOOK_SECONDS)
    raise PolicyFault([Fault(PACK_FILE, 1, "the folder changes all the time while it is read; write it elsewhere,"
                                           " then move it here")])  # fmt: skip


def judge(
    candidate: Candidate,
    policies: PolicySet,
    verdicts: Verdicts | None,
    now: int,
    told: Callable[[int, int], None],
) -> Stamp:
    """The verdict of both judges on a candidate and what it compiled to, kept in `verdicts` where that is given.

    Raises PolicyFault with each story that goes otherwise and each row PyCasbin answers otherwise.
    """
    from sidecar.authoring.judging import judge_pack  # PyCasbin comes with it

    pack = candidate.bundle.pack
    stories: list[Story] = []
    faults: list[Fault] = []
    for name, text in sorted(candidate.stories.items()):
        try:
            stories.append(story_reading.read(text, name, pack))
        except PolicyFault as error:
            faults += error.faults
    if faults:
        raise PolicyFault(faults)
    verdict = judge_pack(candidate.bundle, stories, lambda done: told(done, len(stories)), policies)
    if verdict.failures:
        raise PolicyFault([Fault(each.file, each.line, f"ask {each.ask}: {each.text}") for each in verdict.failures])
    stamp = Stamp(candidate.subject, now, verdict.stories, verdict.asks, verdict.rows)
    if verdicts is not None:
        verdicts.keep(stamp)
    return stamp


def work(asked: Work, told: Callable[[int, int], None]) -> tuple[Built, PolicySet]:
    """The candidate of a folder, judged unless its verdict is on disk, and what it compiled to. Raises PolicyFault."""
    candidate, verdicts = read_candidate(Path(asked.path)), Verdicts(Path(asked.verdicts))
    policies = bundle.compile_bundle(candidate.bundle)
    stamp = verdicts.believed(candidate.subject)
    stamped = stamp is not None
    if stamp is None:
        stamp = judge(candidate, policies, verdicts, asked.now, told)
    return Built(candidate.bundle.digest, stamp.stories_told, stamp.asks, stamp.rows, stamped), policies


def send(stream: BinaryIO, message: Struct) -> None:
    """Write one value after its length."""
    data = msgspec.msgpack.encode(message)
    stream.write(len(data).to_bytes(LENGTH_BYTES, "big") + data)
    stream.flush()


def main() -> None:
    """What the build process does."""
    stream = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no message
    length = int.from_bytes(_input(LENGTH_BYTES), "big")
    asked = msgspec.msgpack.decode(_input(length), type=Work)
    Thread(target=_end_with_input, daemon=True).start()
    if asked.memory:
        resource.setrlimit(resource.RLIMIT_AS, (asked.memory, asked.memory))
    if asked.priority == "idle":
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    elif asked.priority == "low":
        os.nice(NICENESS)
    try:
        message: Message
        message, policies = work(asked, lambda done, total: send(stream, Progress(done, total)))
        if message.digest != asked.force:
            policies.compiled.warm()
            for part in form.dump(policies):
                send(stream, Part(part))
    except PolicyFault as error:
        message = Refused(_told(error))
    except MemoryError:
        text = f"the build needs more than policy.build_bytes ({asked.memory}); raise it, or split the pack"
        message = Refused(((PACK_FILE, 1, text),))
    except OSError as error:
        message = Refused(((PACK_FILE, 1, f"the verdict cannot be kept in {asked.verdicts}: {error.strerror}"),))
    send(stream, message)


def _told(error: PolicyFault) -> tuple[tuple[str, int, str], ...]:
    told = [(fault.file, fault.line, fault.text) for fault in error.faults[:FAULTS_TOLD]]
    more = len(error.faults) - len(told)
    return (
        *told,
        *([(PACK_FILE, 1, f"and {more} more faults; `dpi-sidecar policy build` shows them")] if more else []),
    )


def _input(length: int) -> bytes:
    """So many bytes of standard input, fewer at its end. Unbuffered: a thread waits in it while the process ends."""
    data = b""
    while len(data) < length and (more := os.read(0, length - len(data))):
        data += more
    return data


def _end_with_input() -> None:
    _input(1)
    os._exit(3)


def _read_stories(path: Path) -> dict[str, str]:
    """The texts of the stories by name. Raises PolicyFault."""
    stories: dict[str, str] = {}
    faults: list[Fault] = []
    total = 0
    for each in sorted((path / STORIES).glob("*.yaml")):
        name = f"{STORIES}/{each.name}"
        try:
            content = each.read_bytes()
            total += len(content)
            stories[name] = content.decode()
        except OSError as error:
            faults.append(Fault(name, 1, error.strerror or str(error)))
        except UnicodeDecodeError as error:
            faults.append(Fault(name, 1, f"not UTF-8 at byte {error.start}; save it as UTF-8"))
    if total > STORY_BYTES:
        faults.append(Fault(STORIES, 1, f"the stories are over {STORY_BYTES} bytes together; remove some"))
    if faults:
        raise PolicyFault(faults)
    return stories


if __name__ == "__main__":
    main()
