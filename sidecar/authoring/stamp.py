"""Verdicts kept on disk, so that a restart does not ask PyCasbin again: by pack, stories and software.

A verdict is believed only with its HMAC by a key of its own folder, for exactly the pack, stories and software at
hand. Whatever is wrong with it makes it no verdict: the pack is judged again.
"""

import functools
import hashlib
import hmac
import os
import secrets
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import msgspec
from msgspec import Struct

import sidecar

KEY_FILE, KEY_BYTES = "key", 32
KEPT = 64  # verdicts; the oldest leave first
JUDGING = ("core", "authoring")  # packages whose code a verdict is about


class Subject(Struct, frozen=True):
    """What a verdict is about: SHA-256 of the pack's texts and of its stories, and what judged and will decide."""

    pack: str
    stories: str
    software: str

    @property
    def file(self) -> str:
        """The name of the file of its verdict."""
        return hashlib.sha256(msgspec.msgpack.encode(self)).hexdigest()[:32] + ".json"


class Stamp(Struct, frozen=True, forbid_unknown_fields=True):
    """Both judges agreed and every story went as told, at `judged` (microseconds since the epoch)."""

    subject: Subject
    judged: int
    stories_told: int
    asks: int
    rows: int


class _Kept(Struct, frozen=True, forbid_unknown_fields=True):
    stamp: Stamp
    mac: str


class Verdicts:
    """The verdicts of one folder."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read or made before it is needed."""
        self._folder = folder

    def believed(self, subject: Subject) -> Stamp | None:
        """The verdict on exactly this, None when there is none or it was not made here."""
        try:
            kept = msgspec.json.decode((self._folder / subject.file).read_bytes(), type=_Kept)
            key = (self._folder / KEY_FILE).read_bytes()
        except (OSError, msgspec.MsgspecError, UnicodeError):
            return None
        genuine = len(key) == KEY_BYTES and hmac.compare_digest(kept.mac.encode(), _mac(key, kept.stamp).encode())
        return kept.stamp if genuine and kept.stamp.subject == subject else None

    def keep(self, stamp: Stamp) -> None:
        """Write the verdict, for this user alone, whole or not at all. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = _Kept(stamp, _mac(self._key(), stamp))
        _write(self._folder / stamp.subject.file, msgspec.json.encode(kept))
        found = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        for old in found[:-KEPT]:
            old.unlink(missing_ok=True)

    def _key(self) -> bytes:
        path = self._folder / KEY_FILE
        with suppress(OSError):
            key = path.read_bytes()
            if len(key) == KEY_BYTES:
                return key
        key = secrets.token_bytes(KEY_BYTES)
        _write(path, key)
        return key


@functools.cache
def software() -> str:
    """What judges and decides: versions, and SHA-256 of the code that does, so that a changed tree is judged anew."""
    made = hashlib.sha256()
    root = Path(sidecar.__file__).parent
    for path in sorted(path for name in JUDGING for path in (root / name).glob("*.py")):
        content = path.read_bytes()
        made.update(f"{path.name} {len(content)}\n".encode())
        made.update(content)
    python = ".".join(map(str, sys.version_info[:3]))
    judges = " ".join(f"{name} {version(name)}" for name in ("pycasbin", "simpleeval"))
    return f"dpi-sidecar {sidecar.__version__} {made.hexdigest()[:32]}, {judges}, python {python}"


def _mac(key: bytes, stamp: Stamp) -> str:
    return hmac.new(key, msgspec.msgpack.encode(stamp), hashlib.sha256).hexdigest()


def _write(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
