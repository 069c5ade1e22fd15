"""Structured lines on standard error. No identifier is ever written: only the fields named here pass."""

import logging
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from sidecar.config import LogSettings

# Field allow-list, not deny-list: a field that is not here is dropped, so that no identifier can slip in.
FIELDS = frozenset(
    {
        "event", "level", "timestamp", "part", "ready", "detail", "address", "pack", "revision", "digest", "version",
        "faults", "error", "where", "method", "seconds", "count", "signal", "notice", "sequence", "leaves", "pid",
        "vkeys", "direction",
    }
)  # fmt: skip

Log = structlog.typing.FilteringBoundLogger


def configure(settings: LogSettings) -> Log:
    """The product's log."""
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer(ensure_ascii=True)
    if settings.format == "text":
        renderer = structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _allowed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[settings.level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    log: Log = structlog.get_logger()
    logging.getLogger("sidecar").handlers = [_Forward(log)]
    logging.getLogger("sidecar").propagate = False
    logging.getLogger().handlers = [_Foreign(log)]
    return log


class _Forward(logging.Handler):
    """Lines of the standard library's loggers, in the same form and through the same list of fields."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        said = {name: value for name, value in vars(record).items() if name in FIELDS}
        self._log.log(record.levelno, record.msg, **said)


class _Foreign(logging.Handler):
    """Libraries' own loggers: which one spoke, and of what error. Their text may quote what a caller sent."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line without the library's text."""
        error = record.exc_info[1] if record.exc_info else None
        said = {} if error is None else {"error": type(error).__name__, "where": where(error)}
        self._log.log(record.levelno, "a library reports", part=record.name, **said)


def _allowed(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in event.items() if name in FIELDS}


def where(error: BaseException) -> str:
    """File and line of each frame, and the type: an exception's text may quote what a caller sent."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{frame.filename.rpartition('sidecar/')[2]}:{frame.lineno}" for frame in reversed(frames))
