"""The build process: what it does, and that whatever becomes of it is a sentence."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sidecar.authoring import build, builder, bundle
from sidecar.authoring.build import Work, send
from sidecar.authoring.builder import Bounds
from sidecar.authoring.live import Live
from sidecar.authoring.stamp import Verdicts
from sidecar.errors import PolicyFault
from tests.reload.packs import a_pack

ENOUGH = Bounds(60)
NOW = 1_772_000_000_000_000


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return a_pack(tmp_path_factory.mktemp("pack") / "hospital", "authentication")


def handed(pack, verdicts, command=builder.COMMAND, bounds=ENOUGH, told=lambda *_: None, stopped=lambda: False):
    return builder.build(Work(str(pack), str(verdicts), NOW), bounds, told, stopped, command)


def built(*given, **more):
    return handed(*given, **more).built


def refused(*given, **more) -> str:
    with pytest.raises(PolicyFault) as fault:
        built(*given, **more)
    return str(fault.value)


def saying(program: str) -> tuple[str, ...]:
    """A process that is none of ours."""
    return (sys.executable, "-c", program)


def test_a_candidate_is_judged_once_and_then_believed(pack, tmp_path):
    heard: list[tuple[int, int]] = []
    first = built(pack, tmp_path / "v", told=lambda done, total: heard.append((done, total)))
    again = built(pack, tmp_path / "v", told=lambda done, total: heard.append((done, total)))
    assert (first.stamped, again.stamped) == (False, True)
    assert heard == [(1, 1)]
    assert (first.stories, first.digest) == (1, again.digest)
    assert first.asks > 5 and first.rows > 90
    assert first.digest == bundle.read_folder(pack).digest


def test_a_policy_that_is_in_force_already_is_not_sent_again(pack, tmp_path):
    first = handed(pack, tmp_path / "v")
    same = builder.build(
        Work(str(pack), str(tmp_path / "v"), NOW, force=first.built.digest), Bounds(60), lambda *_: None, lambda: False
    )
    assert same.built.digest == first.built.digest
    assert first.parts and not same.parts


def test_another_story_is_another_verdict(pack, tmp_path):
    copy = Path(shutil.copytree(pack, tmp_path / "copy"))
    built(copy, tmp_path / "v")
    story = copy / "tests" / "authentication.yaml"
    story.write_text(story.read_text().replace("reason: MFA_REQUIRED", "reason: DEVICE_COMPROMISED", 1))
    said = refused(copy, tmp_path / "v")
    assert "tests/authentication.yaml:" in said
    assert "expected reason DEVICE_COMPROMISED, got MFA_REQUIRED" in said


def test_faults_of_the_loader_come_with_file_and_line(pack, tmp_path):
    copy = Path(shutil.copytree(pack, tmp_path / "copy"))
    gates = copy / "rules" / "gates.csv"
    lines = gates.read_text().count("\n")
    gates.write_text(gates.read_text() + "p, G-X-1\nP, G-X-2\n")
    said = refused(copy, tmp_path / "v")
    assert f"rules/gates.csv:{lines + 1}: `p` has 10 fields" in said
    assert f"rules/gates.csv:{lines + 2}: unknown row type `P`" in said


def test_a_story_that_cannot_be_read_is_a_fault_with_its_line(pack, tmp_path):
    copy = Path(shutil.copytree(pack, tmp_path / "copy"))
    (copy / "tests" / "more.yaml").write_text("story: x\npack: hospital\nnow: yesterday\nask: []\n")
    assert "tests/more.yaml:3:" in refused(copy, tmp_path / "v")


def test_a_folder_that_is_not_there_is_a_fault(tmp_path):
    assert "there is no folder" in refused(tmp_path / "none", tmp_path / "v")


BROKEN = {
    "killed": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "killed (SIGKILL); if nobody did, memory"),
    "crashed": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "killed by SIGSEGV"),
    "left with a code": ("import sys; sys.exit(7)", "ended with exit code 7 and no verdict"),
    "left with success and no word": ("pass", "ended with exit code 0 and no verdict"),
    "said something else": ("print('hello'); import time; time.sleep(60)", "said something that is no message"),
    "said half a message": ("import os; os.write(1, bytes([0, 0, 0, 9, 1]))", "ended with exit code 0 and no verdict"),
    "said a message of no kind": (
        "import os, time; os.write(1, bytes([0, 0, 0, 1, 0x80])); time.sleep(60)",
        "said something that is no message",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_build_process_that_breaks_is_a_sentence(pack, tmp_path, name):
    program, sentence = BROKEN[name]
    said = refused(pack, tmp_path / "v", saying(program))
    assert said.startswith("build process:0: ")
    assert sentence in said


def test_a_build_process_that_hangs_is_ended(pack, tmp_path):
    program = f"import os; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); import time; time.sleep(600)"
    said = refused(pack, tmp_path / "v", saying(program), Bounds(0.5))
    assert "not done within policy.build_seconds (0.5)" in said
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()


def test_a_build_process_ends_when_the_sidecar_is_told_to_stop(pack, tmp_path):
    assert "stopped with the sidecar" in refused(
        pack, tmp_path / "v", saying("import time; time.sleep(600)"), stopped=lambda: True
    )


def test_a_build_that_outgrows_its_memory_is_a_sentence(pack, tmp_path):
    said = refused(pack, tmp_path / "v", bounds=Bounds(60, 24 << 20))
    assert said.startswith(("build process:0: killed by SIG", "pack.toml:1: the build needs more"))
    assert "policy.build_bytes" in said
    assert not list((tmp_path / "v").glob("*.json"))


def test_a_build_that_runs_out_of_memory_while_judging_says_which_bound_it_met(pack, tmp_path):
    program = (
        "from sidecar.authoring import build\n"
        "def greedy(*given):\n    raise MemoryError\n"
        "build.work = greedy; build.main()"
    )
    said = refused(pack, tmp_path / "v", saying(program), Bounds(60, 1 << 32))
    assert "the build needs more than policy.build_bytes (4294967296); raise it, or split the pack" in said


def test_a_build_process_does_not_outlive_the_sidecar(tmp_path):
    """Its input ends when the sidecar does, however that one ended."""
    process = subprocess.Popen(builder.COMMAND, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    changing = tmp_path / "pack"
    changing.mkdir()
    assert process.stdin is not None
    send(process.stdin, Work(str(changing), str(tmp_path), NOW))
    process.stdin.close()
    assert process.wait(30) in (0, 3)


def test_what_a_library_prints_is_no_message(pack, tmp_path):
    program = (
        "import sys; from sidecar.authoring import build; work = build.work\n"
        "def loud(*given):\n    print('a library prints this', flush=True); return work(*given)\n"
        "build.work = loud; build.main()"
    )
    assert built(pack, tmp_path / "v", saying(program)).asks > 5


def test_a_folder_that_changes_while_it_is_read_is_read_again(pack, tmp_path, monkeypatch):
    copy, read = Path(shutil.copytree(pack, tmp_path / "copy")), bundle.read_folder
    gates = copy / "rules" / "gates.csv"
    times = []

    def meanwhile(path):
        found = read(path)
        times.append(found.digest)
        if len(times) == 1:  # the copy goes on after the first half was read
            gates.write_text(gates.read_text() + "# the second half\n")
        return found

    monkeypatch.setattr(bundle, "read_folder", meanwhile)
    monkeypatch.setattr(build, "LOOK_SECONDS", 0.001)
    assert build.read_candidate(copy).bundle.digest == times[-1] != times[0]


def test_a_folder_that_never_rests_is_a_fault(pack, tmp_path, monkeypatch):
    copy, read = Path(shutil.copytree(pack, tmp_path / "copy")), bundle.read_folder

    def meanwhile(path):
        found = read(path)
        (copy / "tests" / f"story-{time.monotonic_ns()}.yaml").touch()
        return found

    monkeypatch.setattr(bundle, "read_folder", meanwhile)
    monkeypatch.setattr(build, "LOOK_SECONDS", 0.001)
    with pytest.raises(PolicyFault, match="changes all the time"):
        build.read_candidate(copy)


def test_half_of_a_copied_pack_would_be_judged_were_it_not_looked_at_twice(pack, tmp_path, monkeypatch):
    """The twin: with one look, what is judged is what no author ever wrote."""
    copy, read = Path(shutil.copytree(pack, tmp_path / "copy")), bundle.read_folder
    gates, wrong = copy / "rules" / "gates.csv", 0
    whole = gates.read_text()
    gates.write_text("".join(whole.splitlines(keepends=True)[:20]))

    def meanwhile(path):
        found = read(path)
        gates.write_text(whole)
        return found

    monkeypatch.setattr(bundle, "read_folder", meanwhile)
    monkeypatch.setattr(build, "look", lambda path: ())
    judged = build.read_candidate(copy).bundle.files["rules/gates.csv"]
    wrong += "G-WILL-1" in whole and "G-WILL-1" not in judged
    assert wrong == 1


def test_a_verdict_that_cannot_be_kept_is_a_sentence(pack, tmp_path):
    (tmp_path / "v").write_text("a file stands where the folder should")
    assert "the verdict cannot be kept in" in refused(pack, tmp_path / "v")


def test_every_verdict_is_about_the_texts_that_were_judged(pack, tmp_path):
    found = built(pack, tmp_path / "v")
    candidate = build.read_candidate(pack)
    assert candidate.bundle.digest == found.digest
    assert Verdicts(tmp_path / "v").believed(candidate.subject)
    assert os.listdir(tmp_path / "v")


def test_the_process_that_answers_never_loads_pycasbin():
    program = (
        "import sys, sidecar.server, sidecar.cli; from pathlib import Path\n"
        "from sidecar.authoring.live import Live\n"
        "Live(Path('/nowhere'), Path('/nowhere')).start()\n"
        "print(sorted(name for name in sys.modules if name.startswith(('casbin', 'simpleeval'))))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_a_build_that_finds_no_idle_processor_begins_anew_at_a_low_priority(pack, tmp_path):
    told = tmp_path / "priorities"
    program = (
        "import os, time; from sidecar.authoring import build\n"
        "def slow(asked, told, work=build.work):\n"
        f"    open({str(told)!r}, 'a').write(f'{{asked.priority}} {{os.sched_getscheduler(0)}} {{os.nice(0)}}\\n')\n"
        "    if asked.priority == 'idle':\n        time.sleep(600)\n"
        "    return work(asked, told)\n"
        "build.work = slow; build.main()"
    )
    policies = Live(pack, tmp_path / "v", Bounds(60, idle=3), command=saying(program))
    assert policies.candidate() is not None
    *first, last = told.read_text().splitlines()
    assert last == f"low {os.SCHED_OTHER} {os.nice(0) + build.NICENESS}"
    assert first in ([f"idle {os.SCHED_IDLE} {os.nice(0)}"], [])  # none: it was ended before it could say so


def test_a_build_before_anything_is_answered_has_the_priority_of_everybody(pack, tmp_path):
    told = tmp_path / "priority"
    program = (
        "from sidecar.authoring import build\n"
        "def say(asked, told, work=build.work):\n"
        f"    open({str(told)!r}, 'w').write(asked.priority)\n    return work(asked, told)\n"
        "build.work = say; build.main()"
    )
    assert Live(pack, tmp_path / "v", Bounds(60), command=saying(program)).start().ref
    assert told.read_text() == "normal"
