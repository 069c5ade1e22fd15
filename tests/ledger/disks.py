"""Disks that go wrong, really: a small tmpfs, and a file whose flush fails or hangs."""

import errno
import os
import subprocess
import threading
import time
from contextlib import contextmanager


@contextmanager
def small_disk(folder, size="1m"):
    """A tmpfs of `size` mounted on `folder`. Yields a function that mounts it again read-only or not."""
    folder.mkdir(exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder)
    try:
        yield lambda mode: _run("mount", "-o", f"remount,{mode}", folder)
    finally:
        _run("umount", "-l", folder)


def mounts_allowed(folder) -> bool:
    """Whether a tmpfs can be mounted here."""
    try:
        with small_disk(folder):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def _run(*command):
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


class ForgettingDisk:
    """Flushes that can be made to fail as a broken disk does: what was not flushed before is dropped."""

    def __init__(self):
        self.broken = False
        self._kept: dict[tuple[int, int], int] = {}

    def __call__(self, file: int) -> None:
        """What fdatasync does; raises OSError while broken."""
        now = os.fstat(file)
        key = now.st_dev, now.st_ino
        if self.broken:
            os.ftruncate(file, self._kept.get(key, 0))
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        os.fdatasync(file)
        self._kept[key] = now.st_size

    def lose_power(self, folder) -> None:
        """Leave of each segment what was flushed."""
        for path in folder.glob("*.log"):
            found = path.stat()
            os.truncate(path, self._kept.get((found.st_dev, found.st_ino), 0))


class HangingDisk:
    """Flushes that hang while `free` is cleared."""

    def __init__(self):
        self.free = threading.Event()
        self.free.set()

    def __call__(self, file: int) -> None:
        """What fdatasync does, late."""
        self.free.wait(60)
        os.fdatasync(file)


class ToldDisk(ForgettingDisk):
    """A disk of another process, told by a file what to do: `fails` or `hangs`; without the file it works."""

    def __init__(self, told):
        super().__init__()
        self._told = told

    def __call__(self, file: int) -> None:
        """What fdatasync does, or does not."""
        while (word := self._word()) == "hangs":
            time.sleep(0.01)
        self.broken = word == "fails"
        super().__call__(file)

    def _word(self) -> str:
        try:
            return self._told.read_text()
        except FileNotFoundError:
            return ""
