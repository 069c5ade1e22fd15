from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.cli.world import World, a_world
from tests.judged import VERDICTS


@pytest.fixture(scope="session", autouse=True)
def judged_once() -> Iterator[None]:
    """Every sidecar that a command starts shares the verdicts on packs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIDECAR_POLICY__VERDICTS", str(VERDICTS))
        yield


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """One sidecar that knows the hospital, for every command that only asks and adds."""
    with TemporaryDirectory(prefix="sc-") as folder, a_world(Path(folder)) as world:
        yield world


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose name leaves room for a socket's path."""
    with TemporaryDirectory(prefix="sc-") as folder:
        yield Path(folder)
