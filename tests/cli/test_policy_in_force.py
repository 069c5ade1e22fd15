"""`policy build` and `policy status`: what comes into force, and why something does not."""

from msgspec.structs import replace

from sidecar.authoring import build
from sidecar.authoring.stamp import Verdicts
from tests.cli.commands import run
from tests.cli.world import CALLERS, World
from tests.judged import judged
from tests.reload.packs import a_pack, shipped
from tests.server.process import running, settings, until


def test_both_judges_are_asked_as_a_sidecar_asks_them_and_the_verdict_is_kept(tmp_path):
    pack = a_pack(tmp_path / "hospital", "authentication", "delegation")
    said = run("policy", "build", pack, "--verdicts", tmp_path / "v")
    assert said.code == 0
    head, line = said.out.splitlines()
    assert head.split() == ["pack", "version", "digest", "stories", "asks", "rows", "seconds"]
    assert line.split()[2:4] == [shipped().digest[:16], "2"]
    assert Verdicts(tmp_path / "v").believed(build.read_candidate(pack).subject)


def test_a_story_that_goes_otherwise_is_named_and_no_verdict_is_kept(tmp_path):
    pack = a_pack(tmp_path / "hospital", "authentication")
    story = pack / "tests" / "authentication.yaml"
    story.write_text(story.read_text().replace("reason: MFA_REQUIRED", "reason: DEVICE_COMPROMISED", 1))
    said = run("policy", "build", pack, "--verdicts", tmp_path / "v")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"{story}:")
    assert "expected reason DEVICE_COMPROMISED, got MFA_REQUIRED" in said.err
    assert not list(tmp_path.glob("v/*.json"))


def test_a_pack_without_stories_is_said_to_be_judged_by_its_rows_alone(tmp_path):
    said = run("policy", "build", a_pack(tmp_path / "hospital"))
    assert said.code == 0
    assert "no stories" in said.err


def test_status_names_the_policy_in_force(world: World):
    said = world.run("policy", "status", caller="auditor")
    assert (said.code, said.err) == (0, "")
    assert said.out.split()[-3:] == ["hospital", "folder", shipped().digest]


def test_status_names_what_keeps_the_pack_in_the_folder_out(short_folder):
    pack = a_pack(short_folder / "pack")
    policy = replace(judged(pack), watch_seconds=0.05)
    with running(short_folder, settings(short_folder, CALLERS, policy=policy)) as sidecar:
        world = World(short_folder, sidecar.addresses["native"])
        gates = pack / "rules" / "gates.csv"
        line = gates.read_text().count("\n") + 1
        gates.write_text(gates.read_text() + "P, x\n")
        assert until(lambda: world.run("policy", "status", caller="auditor").code == 1)
        said = world.run("policy", "status", caller="auditor")
        assert shipped().digest in said.out
        assert f"the pack in the folder is at fault: rules/gates.csv:{line}: unknown row type `P`" in said.err


def test_who_may_not_ask_is_told_so(world: World):
    assert world.run("policy", "status", caller="dpi").code == 5
