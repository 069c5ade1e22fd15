"""The policy set in force: judged before it is, kept when its successor is at fault, and let go of when replaced."""

import gc
import shutil
import sys
import weakref
from pathlib import Path

import pytest

from sidecar.authoring import builder, bundle, live
from sidecar.authoring.build import Work
from sidecar.authoring.builder import Bounds
from sidecar.authoring.live import Live
from sidecar.errors import PolicyUnavailable
from tests.judged import VERDICTS
from tests.reload.packs import a_pack

# A build process that must not be asked for.
NEVER = (sys.executable, "-c", "raise SystemExit(9)")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    return a_pack(tmp_path_factory.mktemp("pack") / "hospital", "authentication")


@pytest.fixture
def pack(shipped, tmp_path):
    return Path(shutil.copytree(shipped, tmp_path / "hospital"))


def started(pack: Path, verdicts: Path = VERDICTS, command: tuple[str, ...] = builder.COMMAND) -> Live:
    made = Live(pack, verdicts, command=command)
    made.start()
    return made


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def swapped(policies: Live) -> bool:
    """Whether the folder gave a successor, which is now in force."""
    made = policies.candidate()
    if made is not None:
        policies.put_in_force(made)
    return made is not None


def test_a_judged_pack_is_in_force_from_the_start(pack):
    policies = started(pack)
    assert policies.ready == (True, "")
    assert policies.current.ref == policies.status.ref
    assert policies.current.ref.pack == "hospital"


def test_a_start_with_a_verdict_on_disk_starts_no_build_process(pack, tmp_path):
    first = started(pack, tmp_path / "v")
    again = started(pack, tmp_path / "v", NEVER)
    assert (first.status.stamped, again.status.stamped) == (False, True)
    assert again.current.ref == first.current.ref


def test_a_start_whose_verdict_was_forged_asks_the_judges_again(pack, tmp_path):
    started(pack, tmp_path / "v")
    [verdict] = (tmp_path / "v").glob("*.json")
    edit(verdict, '"asks":', '"asks":1')
    assert "exit code 9" in started(pack, tmp_path / "v", NEVER).ready[1]
    assert started(pack, tmp_path / "v").status.stamped is False


def test_without_a_good_pack_nothing_is_in_force_and_the_fault_is_said(pack):
    (pack / "rules" / "gates.csv").write_text("P, x\n")
    policies = started(pack)
    assert policies.ready[0] is False
    with pytest.raises(PolicyUnavailable) as unavailable:
        _ = policies.current
    assert "rules/gates.csv:1: unknown row type `P`" in str(unavailable.value)


def test_a_pack_that_is_mended_after_the_start_comes_into_force(pack):
    gates = pack / "rules" / "gates.csv"
    good = gates.read_text()
    gates.write_text("P, x\n")
    policies = started(pack)
    gates.write_text(good)
    assert swapped(policies)
    assert policies.ready == (True, "")


def test_a_pack_at_fault_leaves_the_last_good_one_in_force_until_it_is_mended(pack):
    policies = started(pack)
    before, gates = policies.current, pack / "rules" / "gates.csv"
    good = gates.read_text()
    gates.write_text(good + "p, G-X-1\n")
    assert not swapped(policies)
    assert policies.status.faults[0].file == "rules/gates.csv"
    assert policies.ready[0] is True and "rules/gates.csv:" in policies.ready[1]
    assert policies.current is before
    assert policies.status.ref == before.ref
    gates.write_text(good + "# mended\n")
    assert swapped(policies)
    assert policies.ready == (True, "")
    assert policies.current.ref.digest != before.ref.digest


BREAKS = {
    "killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "crashed": "raise SystemExit(1)",
    "garbled": "print('no message'); import time; time.sleep(60)",
}


@pytest.mark.parametrize("name", BREAKS)
def test_whatever_becomes_of_the_build_process_the_policy_in_force_stays(pack, name):
    policies = started(pack)
    before = policies.current
    policies._command = (sys.executable, "-c", BREAKS[name])
    edit(pack / "pack.toml", 'version = "0', 'version = "9')
    assert not swapped(policies)
    assert policies.current is before
    assert str(policies.status.faults[0]).startswith("build process:0: ")


def test_a_disagreement_refuses_the_swap_and_names_story_and_row(pack):
    policies = started(pack)
    before = policies.current
    # Production reads one gate otherwise than its file says: a fault of the product.
    policies._command = (
        sys.executable,
        "-c",
        "from sidecar.authoring import build, bundle\n"
        "compiled = bundle.compile_bundle\n"
        "def wrong(read, *given):\n"
        "    name = 'rules/gates.csv'\n"
        "    text = read.files[name].replace('!r.authentication.mfa &&', 'r.authentication.mfa &&', 1)\n"
        "    return compiled(bundle.Bundle(read.pack, {**read.files, name: text}, read.digest), *given)\n"
        "bundle.compile_bundle = wrong; build.main()",
    )
    edit(pack / "rules" / "gates.csv", "# The device", "# the device")
    assert not swapped(policies)
    assert policies.current is before
    said = [str(fault) for fault in policies.status.faults if "PyCasbin disagrees: row G-AUTH-1" in fault.text]
    assert said
    assert said[0].startswith("tests/authentication.yaml:")
    assert "ask " in said[0] and "(rules/gates.csv:12, rules/gates.csv:13)" in said[0]


def test_a_folder_is_built_once_it_moved_and_came_to_rest(pack):
    policies = started(pack)
    assert [policies.moved() for _ in range(3)] == [False, False, False]
    edit(pack / "pack.toml", 'version = "0', 'version = "9')
    assert [policies.moved() for _ in range(3)] == [False, True, True]
    assert swapped(policies)
    assert [policies.moved() for _ in range(2)] == [False, False]


def test_a_folder_delivered_by_a_link_is_followed_to_where_it_leads_now(pack, tmp_path):
    other = Path(shutil.copytree(pack, tmp_path / "next"))
    edit(other / "pack.toml", 'version = "0', 'version = "9')
    (tmp_path / "current").symlink_to(pack)
    policies = started(tmp_path / "current")
    (tmp_path / "switch").symlink_to(other)
    (tmp_path / "switch").rename(tmp_path / "current")
    assert [policies.moved() for _ in range(2)] == [False, True]
    assert swapped(policies)
    assert policies.current.pack.pack.version.startswith("9")


def test_stories_alone_that_change_are_judged_and_swap_nothing(pack):
    policies = started(pack)
    before = policies.current
    story = pack / "tests" / "authentication.yaml"
    story.write_text(story.read_text() + "# nothing new\n")
    assert not swapped(policies)
    assert policies.status.faults == ()
    assert policies.current is before


def test_a_decision_keeps_the_policy_set_it_started_with(pack):
    policies = started(pack)
    held = policies.current
    edit(pack / "pack.toml", 'version = "0', 'version = "9')
    assert swapped(policies)
    assert held.pack.pack.version != policies.current.pack.pack.version


def test_a_replaced_policy_is_let_go_of(pack):
    policies = started(pack)
    gone = weakref.ref(policies.current)
    edit(pack / "pack.toml", 'version = "0', 'version = "9')
    assert swapped(policies)
    policies.let_go(pause=0)
    gc.collect()
    assert gone() is None


def test_what_is_handed_over_is_what_was_judged(pack, tmp_path):
    handed = builder.build(Work(str(pack), str(tmp_path / "v"), 1), Bounds(60), lambda *_: None, lambda: False)
    made, read = live.restored(handed.parts, (), 0), bundle.read_folder(pack)
    assert made.ref.digest == read.digest == handed.built.digest
    assert made.pack == bundle.compile_bundle(read).pack


def test_a_restored_policy_is_ready_for_the_questions_that_were_asked_before(pack):
    policies = started(pack)
    asked = ("medecin", "cr", "read", "soins")
    assert policies.current.compiled.slice(*asked)
    edit(pack / "pack.toml", 'version = "0', 'version = "9')
    assert swapped(policies)
    assert policies.current.compiled.met == (asked,)


def test_letting_go_of_a_replaced_policy_leaves_it_whole_for_a_decision_that_goes_on(pack):
    policies = started(pack)
    held = policies.current
    asked = ("medecin", "cr", "read", "soins")
    rows = len(held.compiled.index.rows)
    edit(pack / "pack.toml", 'version = "0', 'version = "9')
    assert swapped(policies)
    policies.let_go(pause=0)
    assert len(held.compiled.index.rows) == rows
    assert held.compiled.slice(*asked).grounds.rows
