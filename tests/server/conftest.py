from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose name leaves room for a socket's path."""
    with TemporaryDirectory(prefix="sc-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def module_folder() -> Iterator[Path]:
    """The same, for a sidecar that serves every test of a file."""
    with TemporaryDirectory(prefix="sc-") as name:
        yield Path(name)
