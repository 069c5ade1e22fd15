from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.api.corridor import TRANSPORTS, Served, served, socket_in


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose name leaves room for a socket's path."""
    with TemporaryDirectory(prefix="sc-") as folder:
        yield Path(folder)


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def start(transport: str, short_folder: Path) -> Iterator[Callable[..., Served]]:
    """Starts the transport on a Unix socket, with the limits the test names."""
    with ExitStack() as stack:

        def start(**limits: int) -> Served:
            running: AbstractContextManager[Served] = served(transport, socket_in(short_folder), **limits)
            return stack.enter_context(running)

        yield start
