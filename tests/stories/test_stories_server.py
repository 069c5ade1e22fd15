"""Every story of the hospital pack, told to a running sidecar through gRPC, and its decisions taken again.

Of each story the first decision for each reason and rule is taken again; with SOAK=1 every decision is.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sidecar.authoring import bundle
from sidecar.authoring.bundle import Bundle
from sidecar.authoring.replay import replay
from sidecar.authoring.stories import run
from sidecar.core.policy import PolicySet
from tests.stories import hospital
from tests.stories.server_asker import ServerAsker, StoryServer

# What a story asks does not depend on the disk; that records outlive a crash is tried elsewhere.
IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@pytest.fixture(scope="module", autouse=True)
def compiled_once() -> Iterator[None]:
    """The sidecars of these tests share the packs they decide by, each compiled and warmed by the first."""
    compile_bundle, made = bundle.compile_bundle, dict[str, PolicySet]()

    def once(read: Bundle) -> PolicySet:
        if read.digest not in made:
            policies = made[read.digest] = compile_bundle(read)
            policies.compiled.warm()
            policies.compiled.warm = lambda: None  # type: ignore[method-assign]
        return made[read.digest]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundle, "compile_bundle", once)
        yield


@pytest.fixture(scope="module")
def aside() -> Iterator[ThreadPoolExecutor]:
    """Where servers drain and stop while the next story is told."""
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.mark.parametrize("name", [Path(story.file).stem for story in hospital.stories()])
def test_the_server_tells_the_story_as_it_is_written(name, aside):
    assert told(name, "native", aside) == []


@pytest.mark.parametrize("name", ["break_glass_night", "batches", "unknown_words", "controllers_and_tenants"])
def test_the_other_transport_tells_it_too(name, aside):
    assert told(name, "grpc", aside) == []


def told(name: str, transport: str, aside: ThreadPoolExecutor) -> list[str]:
    folder = TemporaryDirectory(prefix="sc-", dir=IN_MEMORY)
    server = StoryServer(hospital.story(name), hospital.PACK, Path(folder.name), transport)
    try:
        asker = ServerAsker(server)
        failures = [str(failure) for failure in run(server.story, asker)]
        return failures + otherwise(asker, Path(folder.name) / "pack")
    finally:
        aside.submit(stop, server, folder)


def otherwise(asker: ServerAsker, copy: Path) -> list[str]:
    """Each decision that comes out otherwise when it is taken again from the record."""
    policies = policies_of(copy if copy.exists() else hospital.PACK)
    found = []
    for decision_id, tenant in asker.decided if os.environ.get("SOAK") else asker.first_of_a_kind.values():
        recalled = asker.recalled(decision_id, tenant)
        assert recalled.found.checked.policy.digest == policies.ref.digest
        found += [f"{decision_id} taken again: {difference}" for difference in replay(recalled, policies).differences]
    return found


@cache
def policies_of(pack: Path) -> PolicySet:
    return bundle.compile_bundle(bundle.read_folder(pack))


def stop(server: StoryServer, folder: TemporaryDirectory[str]) -> None:
    server.stop()
    folder.cleanup()
