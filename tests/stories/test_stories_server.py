"""Every story of the hospital pack, told to a running sidecar through gRPC."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sidecar.authoring.stories import Failure, run
from tests.stories import hospital
from tests.stories.server_asker import ServerAsker, StoryServer


@pytest.fixture(scope="module")
def aside() -> Iterator[ThreadPoolExecutor]:
    """Where servers drain and stop while the next story is told."""
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.mark.parametrize("name", [Path(story.file).stem for story in hospital.stories()])
def test_the_server_tells_the_story_as_it_is_written(name, aside):
    assert [str(failure) for failure in told(name, "native", aside)] == []


@pytest.mark.parametrize("name", ["break_glass_night", "batches", "unknown_words", "controllers_and_tenants"])
def test_the_other_transport_tells_it_too(name, aside):
    assert [str(failure) for failure in told(name, "grpc", aside)] == []


def told(name: str, transport: str, aside: ThreadPoolExecutor) -> list[Failure]:
    folder = TemporaryDirectory(prefix="sc-")
    server = StoryServer(hospital.story(name), hospital.PACK, Path(folder.name), transport)
    try:
        return run(server.story, ServerAsker(server))
    finally:
        aside.submit(stop, server, folder)


def stop(server: StoryServer, folder: TemporaryDirectory[str]) -> None:
    server.stop()
    folder.cleanup()
