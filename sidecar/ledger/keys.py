"""The keys of each month: one that makes pseudonyms, one that seals content.

    keys/2026-03/pseudonym      `2026-03 pseudonym KEY CHECK`, 32 bytes of key in hexadecimal, file mode 0600
    keys/2026-03/content        `2026-03 content KEY CHECK`
    keys/made                   the months that ever had keys, one a line
    keys/retired                the months whose keys were erased, and when, one a line

A month is a UTC calendar month. Its keys are made when the data folder is first used or when the month before
begins, never in the place of keys that are gone: a leaf under a replaced key could not be opened again.
Retiring a month erases its keys: what was recorded in it is unreadable from then on, while every hash of it stays.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sidecar.core import instants
from sidecar.core.leaf import RUN_BYTES
from sidecar.errors import LedgerUnavailable

KEY_BYTES = 32
PSEUDONYM_BYTES = 16
REMEMBERED = 16_384  # pseudonyms of patients, and of subjects, kept in memory
_NONCE = bytes(4)  # what a nonce begins with; the rest is the counter of its id
_KINDS = ("pseudonym", "content")
_MADE, _RETIRED = "made", "retired"


class MonthKeys:
    """The keys of one month, ready for use; satisfies `core.leaf.Keys`.

    Sealing is AES-256-GCM. Its key is derived from the month's content key and the run (12 random bytes that
    begin every id of one run of the sidecar); its nonce is the rest of the id, a counter that never goes back.
    So no nonce is used twice under one key, whatever the clock does and however often the sidecar restarts.
    """

    def __init__(self, name: str, pseudonym: bytes, content: bytes, run: bytes) -> None:
        """`name` is the month, as in 2026-03; `run` begins every id sealed here."""
        self.name = name
        self.start, self.end = _bounds(name)
        self._patients = Pseudonyms(pseudonym, b"patient")
        self._subjects = Pseudonyms(pseudonym, b"subject")
        self._content = content
        self._run, self._sealing = run, self._cipher(run)
        self._other = run, self._sealing  # the run whose leaf was opened last; replaced as one value

    def patient(self, tenant: str, patient_id: str) -> bytes:
        """The pseudonym of a patient in a tenant, 16 bytes; empty for nobody."""
        return self._patients[tenant, patient_id]

    def subject(self, tenant: str, subject_id: str) -> bytes:
        """The pseudonym of a subject in a tenant, 16 bytes; empty for nobody."""
        return self._subjects[tenant, subject_id]

    def seal(self, id_: bytes, plain: bytes) -> bytes:
        """`plain` encrypted and authenticated; an id seals once. Raises ValueError for an id of another run."""
        if not id_.startswith(self._run):
            raise ValueError("an id of another run seals nothing")
        return self._sealing.encrypt(_NONCE + id_[RUN_BYTES:], plain, None)

    def unseal(self, id_: bytes, sealed: bytes) -> bytes:
        """What `seal` was given. Raises ValueError when the bytes or the key are not those."""
        run, cipher = self._other
        if not id_.startswith(run):
            run = id_[:RUN_BYTES]
            cipher = self._cipher(run)
            self._other = run, cipher
        try:
            return cipher.decrypt(_NONCE + id_[RUN_BYTES:], sealed, None)
        except InvalidTag:
            raise ValueError(f"the sealed part was not sealed with the content key of {self.name}") from None

    def _cipher(self, run: bytes) -> AESGCM:
        return AESGCM(hashlib.blake2b(run, key=self._content, digest_size=KEY_BYTES, person=b"content").digest())


class Pseudonyms(dict[tuple[str, str], bytes]):
    """Pseudonyms by tenant and id: the same few thousand people are asked about again and again."""

    def __init__(self, key: bytes, person: bytes) -> None:
        self._keyed = hashlib.blake2b(key=key, digest_size=PSEUDONYM_BYTES, person=person)

    def __missing__(self, who: tuple[str, str]) -> bytes:
        tenant, id_ = who
        hashed = self._keyed.copy()
        # The length tells tenant from id, so that no two pairs are the same text.
        hashed.update(f"{len(tenant)}:{tenant}{id_}".encode())
        if len(self) >= REMEMBERED:
            self.clear()
        made = self[who] = hashed.digest() if id_ else b""
        return made


class KeyFolder:
    """The months' keys on disk. One process at a time writes here: the one that holds the journal."""

    def __init__(self, folder: Path, run: bytes, random: Callable[[int], bytes]) -> None:
        """`run` begins every id sealed by this process; `random` gives bytes fit for keys."""
        self._folder, self._run, self._random = folder, run, random
        self._known: dict[str, MonthKeys] = {}

    def current(self, now: int) -> MonthKeys:
        """The keys of the month of `now`; they and the next month's are made when their time has come.

        Raises LedgerUnavailable when keys are gone, cannot be read or cannot be written.
        """
        name = month(now)
        with _unusable(self._folder):
            self._have(name)
            keys = self._read(name)
            self._have(_following(name))
        return keys

    def reading(self, at: int) -> MonthKeys | None:
        """The keys that open what was recorded at instant `at`; None when that month's are gone.

        Raises LedgerUnavailable when they cannot be read.
        """
        name = month(at)
        if name in self.retired() or not (self._folder / name).exists():
            return None
        return self._read(name)

    def gone(self, at: int) -> str:
        """Why nothing opens what was recorded at this instant, as a sentence."""
        name = month(at)
        when = self.retired().get(name)
        return f"the keys of {name} are missing" if when is None else f"the keys of {name} were retired at {when}"

    def made(self) -> list[str]:
        """The months that ever had keys here, in the order they were made. Raises LedgerUnavailable."""
        with _unusable(self._folder):
            return self._made()

    def missing(self) -> list[str]:
        """The months whose keys should be here and are not. Raises LedgerUnavailable."""
        retired = self.retired()
        return [name for name in self.made() if name not in retired and not (self._folder / name).exists()]

    def retired(self) -> dict[str, str]:
        """The months whose keys were erased, and when (RFC 3339). Raises LedgerUnavailable."""
        try:
            lines = (self._folder / _RETIRED).read_text(encoding="ascii").splitlines()
            return {line[:7]: line[8:] for line in lines}
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError):
            raise LedgerUnavailable(
                f"`{self._folder.name}/{_RETIRED}` cannot be read: put it back from its copy"
            ) from None

    def retire(self, name: str, now: int) -> None:
        """Note that this month is retired, and erase its keys; on disk when this returns. Raises LedgerUnavailable."""
        with _unusable(self._folder):
            if name not in self.retired():
                # One write: after a crash the line stands whole or not at all.
                _write(self._folder / _RETIRED, f"{name} {instants.text(now)}\n", os.O_APPEND)
                _sync(self._folder)
            self._erase(name)

    def finish_retiring(self) -> None:
        """Erase what a stop left of the keys of retired months. Raises LedgerUnavailable."""
        with _unusable(self._folder):
            for name in self.retired():
                self._erase(name)

    def _erase(self, name: str) -> None:
        """Overwrite, then remove. Raises OSError."""
        self._known.pop(name, None)
        for folder in (self._folder / name, self._folder / f".{name}"):
            if not folder.exists():
                continue
            for path in folder.iterdir():
                _write(path, "0" * path.stat().st_size, 0)
                path.unlink()
            folder.rmdir()
        _sync(self._folder)

    @property
    def empty(self) -> bool:
        """Whether no month ever had keys here."""
        return not self._made()

    def _have(self, name: str) -> None:
        """A month's keys are there, made now if they never were. Raises OSError, LedgerUnavailable."""
        made = self._made()
        if name in self.retired():
            raise LedgerUnavailable(
                f"the keys of {name} were retired: nothing is recorded in that month; see the clock"
            )
        if not (self._folder / name).exists():
            if name in made:
                raise LedgerUnavailable(
                    f"the keys of {name} are missing from `{self._folder.name}/`: put that folder back from its copy;"
                    " they are never made twice, or what is recorded could not be opened"
                )
            self._make(name)
        if name not in made:
            _write(self._folder / _MADE, f"{name}\n", os.O_APPEND)
            _sync(self._folder)

    def _made(self) -> list[str]:
        """The months that ever had keys here."""
        try:
            return (self._folder / _MADE).read_text(encoding="ascii").split()
        except FileNotFoundError:
            return []

    def _make(self, name: str) -> None:
        """Both files appear at once, whole and on disk, or not at all."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        draft = self._folder / f".{name}"
        draft.mkdir(mode=0o700, exist_ok=True)
        for kind in _KINDS:
            _write(draft / kind, _line(name, kind, self._random(KEY_BYTES)), os.O_TRUNC)
        _sync(draft)
        draft.rename(self._folder / name)
        _sync(self._folder)

    def _read(self, name: str) -> MonthKeys:
        known = self._known.get(name)
        if known is None:
            pseudonym, content = (_key(self._folder / name / kind, name, kind) for kind in _KINDS)
            known = self._known[name] = MonthKeys(name, pseudonym, content, self._run)
        return known


def month(at: int) -> str:
    """The UTC month of an instant, as in 2026-03."""
    return instants.text(at)[:7]


def is_month(name: str) -> bool:
    """Whether a text names a month, as in 2026-03."""
    try:
        return month(instants.parse(f"{name}-01T00:00:00Z")) == name
    except ValueError:
        return False


def end_of(name: str) -> int:
    """The instant at which a month is over."""
    return _bounds(name)[1]


@contextmanager
def _unusable(folder: Path) -> Iterator[None]:
    """A refusal of the file system, as the ledger's."""
    try:
        yield
    except OSError as fault:
        raise LedgerUnavailable(f"the keys in `{folder.name}/` cannot be used: {fault.strerror}") from None


def _following(name: str) -> str:
    year, number = int(name[:4]), int(name[5:])
    return f"{year + 1:04}-01" if number == 12 else f"{year:04}-{number + 1:02}"


def _bounds(name: str) -> tuple[int, int]:
    return instants.parse(f"{name}-01T00:00:00Z"), instants.parse(f"{_following(name)}-01T00:00:00Z")


def _line(name: str, kind: str, key: bytes) -> str:
    named = f"{name} {kind} {key.hex()}"
    return f"{named} {hashlib.blake2b(named.encode(), digest_size=8).hexdigest()}\n"


def _key(path: Path, name: str, kind: str) -> bytes:
    shown = f"{path.parent.parent.name}/{name}/{kind}"
    try:
        text = path.read_text(encoding="ascii")
        key = bytes.fromhex(text.split()[2])
    except OSError as fault:
        raise LedgerUnavailable(
            f"the key `{shown}` cannot be read: {fault.strerror}: put it back from its copy"
        ) from None
    except (ValueError, IndexError):
        raise LedgerUnavailable(f"the key `{shown}` is garbled: put it back from its copy") from None
    if len(key) != KEY_BYTES or text != _line(name, kind, key):
        raise LedgerUnavailable(f"the key `{shown}` is garbled: put it back from its copy")
    return key


def _write(path: Path, text: str, how: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600)
    try:
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
