"""The database file of a node: one process, one writer, on disk before it is acknowledged."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import command
from alembic.config import Config as Alembic
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from sidecar.errors import ConfigFault, FactsUnavailable

FILE = "facts.db"
_READERS = 4
_BUSY_SECONDS = 5


class Database:
    """A migrated SQLite database in a folder that no other process uses."""

    def __init__(self, path: Path, lock: int, writer: sa.Engine, reader: sa.Engine) -> None:
        self._path, self._lock, self._writer, self._reader = path, lock, writer, reader
        self._identity = self._files()

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that is on disk when the block ends, and leaves nothing when it raises.

        Raises FactsUnavailable when the store cannot be written or its files are no longer where they were.
        """
        with _faults(), self._writer.begin() as connection:
            yield connection
            # A commit into a file that was deleted or replaced succeeds, and is gone at the next start.
            if self._files() != self._identity:
                raise FactsUnavailable(f"{self._path} was moved, deleted or replaced: restore it and restart")

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One consistent view of the store. Raises FactsUnavailable."""
        with _faults(), self._reader.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection and let another process have the folder."""
        self._reader.dispose()
        self._writer.dispose()
        os.close(self._lock)

    def _files(self) -> tuple[tuple[int, int] | None, ...]:
        return tuple(_inode(self._path.with_name(name)) for name in (FILE, f"{FILE}-wal"))


def open_database(folder: Path) -> Database:
    """The database of a data folder, made and migrated as needed.

    Raises ConfigFault when another process has the folder, when it cannot be written, or when a newer version
    of the product wrote it.
    """
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = _lock(folder)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as fault:
        raise ConfigFault(f"`data`: {folder} cannot be used: {fault.strerror}") from None
    writer = _engine(path, "BEGIN IMMEDIATE", 1)
    try:
        _migrate(writer, path)
    except SQLAlchemyError as fault:
        writer.dispose()
        os.close(lock)
        raise ConfigFault(f"`data`: {path} cannot be opened: {_cause(fault)}; restore it from a backup") from None
    except ConfigFault:
        writer.dispose()
        os.close(lock)
        raise
    return Database(path, lock, writer, _engine(path, "BEGIN", _READERS))


def _lock(folder: Path) -> int:
    """A lock that lasts as long as this process. Raises ConfigFault when another one has it."""
    lock = os.open(folder / "facts.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(lock, 32, 0).decode(errors="replace").strip() or "unknown"
        os.close(lock)
        raise ConfigFault(
            f"`data`: {folder} is in use by another sidecar (process {owner}): stop it, or give this one its own folder"
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    return lock


def _engine(path: Path, begin: str, connections: int) -> sa.Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=_BUSY_SECONDS,
        hide_parameters=True,  # a fault is logged, and parameters identify patients
        connect_args={"check_same_thread": False, "timeout": _BUSY_SECONDS},
    )

    @sa.event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        # The driver would begin transactions at moments of its own choosing; `begin` below is the only one.
        connection.isolation_level = None
        # A leaf that was acknowledged must not linger in free space: its key is erased, and it with it.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def start(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _migrate(engine: sa.Engine, path: Path) -> None:
    settings = Alembic()
    settings.set_main_option("script_location", "sidecar.facts:migrations")
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        try:
            command.upgrade(settings, "head")
        except CommandError as fault:
            raise ConfigFault(f"`data`: {path} was written by a newer version: {fault}") from None


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as fault:
        raise FactsUnavailable(f"the facts store cannot be used: {_cause(fault)}") from None
    except msgspec.DecodeError:
        raise FactsUnavailable("the facts store holds a row that cannot be read: restore it from a backup") from None


def _cause(fault: SQLAlchemyError) -> str:
    """What the driver said, without the statement and its parameters."""
    return str(fault.orig) if isinstance(fault, DBAPIError) else type(fault).__name__


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
