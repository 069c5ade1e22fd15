"""What a stop, a full disk or a lost file leaves behind."""

import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sidecar.core.reading import FactsQuery
from sidecar.errors import ConfigFault, FactsUnavailable
from sidecar.facts.room import FactsRoom, open_room
from tests.facts.naive import a_change, a_leaf, a_room, a_stay, an_assignment, keep
from tests.facts.writer import settle

ROOT = Path(__file__).parents[2]


def killed_after(data: Path, ledger: Path, acknowledged: int, dice: random.Random) -> int:
    """Kill a writer some time after it acknowledged so many changes; gives the last one it told of."""
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.facts.writer", str(data), str(ledger)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert writer.stdout is not None
    told = [writer.stdout.readline() for _ in range(acknowledged)]
    # The writer goes on meanwhile: the signal finds it anywhere in a change.
    time.sleep(dice.random() / 100)
    os.kill(writer.pid, signal.SIGKILL)
    told += writer.stdout.readlines()
    writer.stdout.close()
    writer.wait()
    return int([line for line in told if line.endswith(b"\n")][-1])


def units_and_versions(room: FactsRoom) -> tuple[set[str], int]:
    """The units that what stands names, beside the stays that are never replaced, and how many of those there are."""
    snapshot = room.snapshot("t1", "C1", "P1")
    assert snapshot.patient is not None
    units = {known.fact.assignment.unit for known in snapshot.tenant.assignments["dr-jour"] if known.fact.assignment}
    stays = {known.fact.id: known.fact.stay for known in snapshot.patient.stays}
    replaced = stays.pop("s1")
    assert replaced is not None
    return units | {replaced.unit}, len(stays)


def test_a_killed_process_leaves_whole_changes_and_every_acknowledged_one(tmp_path: Path) -> None:
    data, ledger, dice = tmp_path / "data", tmp_path / "ledger", random.Random(3)
    for turn in range(6):
        told = killed_after(data, ledger, 3 + turn % 3, dice)
        room = open_room(data, {})
        waiting = len(room.pending())
        seen = room.tenant_facts("t1").seq
        assert seen >= told and waiting <= 1
        assert units_and_versions(room) == ({f"U{seen}"}, seen)
        settle(room, ledger)
        assert units_and_versions(room) == ({f"U{seen + waiting}"}, seen + waiting)
        # The ledger names every change once, in order, and none that the store does not have.
        leaves = ledger.read_text().splitlines()
        assert [int(leaf.split(" ")[0]) for leaf in leaves] == list(range(1, seen + waiting + 1))
        room.close()


def test_a_second_process_on_the_same_folder_is_refused_with_a_sentence(tmp_path: Path) -> None:
    room = a_room(tmp_path)
    code = "import sys, pathlib; from sidecar.facts.room import open_room; open_room(pathlib.Path(sys.argv[1]), {})"
    second = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, check=False)
    assert second.returncode != 0
    assert f"is in use by another sidecar (process {os.getpid()})" in second.stderr.decode()
    keep(room, a_change(1, a_stay("s1", "P1")))
    room.close()
    a_room(tmp_path).close()


def test_a_second_room_in_the_same_process_is_refused_too(tmp_path: Path) -> None:
    room = a_room(tmp_path)
    with pytest.raises(ConfigFault):
        a_room(tmp_path)
    room.close()


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """Stands for a full disk: the kernel refuses to let any file of this process grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def known(room: FactsRoom) -> tuple[int, int, list[str]]:
    return (
        len(room.read_facts("t1", ["C1"], FactsQuery(page_size=1000)).facts),
        room.tenant_facts("t1").seq,
        [change_id for change_id, _ in room.pending()],
    )


def test_a_full_disk_refuses_a_change_whole_and_service_resumes_by_itself(tmp_path: Path) -> None:
    room = a_room(tmp_path)
    keep(room, a_change(1, a_stay("s1", "P1")))
    before = known(room)
    many = [a_stay(f"s{n}", f"P{n}", "U" * 300) for n in range(400)]
    with no_file_larger_than((tmp_path / "facts.db-wal").stat().st_size + 20_000):
        with pytest.raises(FactsUnavailable) as fault:
            keep(room, a_change(2, *many, an_assignment("a1", "dr-jour")))
        assert known(room) == before
        assert room.snapshot("t1", "C1", "P300").patient is not None  # what is known can be read still
    assert "P300" not in str(fault.value) and "UUU" not in str(fault.value)
    stored = keep(room, a_change(3, *many[:200], request_id="r2"))
    assert (stored.seq, stored.repeated, known(room)[0]) == (2, False, 200)
    room.close()
    room = a_room(tmp_path)
    assert known(room) == (200, 2, [])
    room.close()


def test_a_full_disk_at_the_acknowledgement_leaves_the_change_pending(tmp_path: Path) -> None:
    room = a_room(tmp_path)
    stored = room.write(a_change(1, a_stay("s1", "P1")), a_leaf)
    with no_file_larger_than(1), pytest.raises(FactsUnavailable):
        room.acknowledge(stored.change_id, 0)
    assert known(room) == (0, 0, ["t1-1"])
    keep(room, a_change(2, a_stay("s2", "P1")))
    assert known(room) == (2, 2, [])
    room.close()


@pytest.mark.parametrize("lost", ["facts.db", "facts.db-wal"])
def test_a_deleted_file_takes_no_more_changes(tmp_path: Path, lost: str) -> None:
    room = a_room(tmp_path)
    keep(room, a_change(1, a_stay("s1", "P1")))
    (tmp_path / lost).unlink()
    with pytest.raises(FactsUnavailable, match="moved, deleted or replaced"):
        keep(room, a_change(2, a_stay("s2", "P1")))
    assert room.pending() == []
    room.close()


def test_a_replaced_folder_takes_no_more_changes(tmp_path: Path) -> None:
    data = tmp_path / "data"
    room = a_room(data)
    data.rename(tmp_path / "moved")
    a_room(data).close()
    with pytest.raises(FactsUnavailable):
        keep(room, a_change(1, a_stay("s1", "P1")))
    room.close()


def test_without_looking_at_its_files_a_store_would_acknowledge_what_is_lost(tmp_path: Path) -> None:
    """The twin of the two above."""
    room = a_room(tmp_path)
    (tmp_path / "facts.db").unlink()
    room._database._files = lambda: room._database._identity  # type: ignore[method-assign]
    acknowledged = keep(room, a_change(1, a_stay("s1", "P1"))).changed
    room.close()
    for left in tmp_path.glob("facts.db*"):
        left.unlink()
    room = a_room(tmp_path)
    assert acknowledged - known(room)[0] > 0
    room.close()


def test_a_garbled_database_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "facts.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(ConfigFault, match="file is not a database; restore it from a backup"):
        a_room(tmp_path)


def test_a_garbled_row_is_an_unavailable_patient_and_not_an_empty_one(tmp_path: Path) -> None:
    room = a_room(tmp_path)
    keep(room, a_change(1, a_stay("s1", "P1"), a_stay("s2", "P2")))
    with room._database.writing() as tx:
        tx.exec_driver_sql("UPDATE facts SET body = substr(body, 1, 20) WHERE patient_id = 'P1'")
    assert room.snapshot("t1", "C1", "P1").patient is None
    assert room.snapshot("t1", "C1", "P2").patient is not None
    room.close()


@contextmanager
def nobody() -> Iterator[None]:
    """A user that file modes bind."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        if user == 0:
            os.seteuid(user)


def test_a_folder_that_cannot_be_written_is_refused_with_a_sentence() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        with nobody(), pytest.raises(ConfigFault, match="cannot be used: Permission denied"):
            a_room(folder)
        folder.chmod(0o755)


def test_what_is_kept_is_for_its_owner_alone(tmp_path: Path) -> None:
    room = a_room(tmp_path / "data")
    keep(room, a_change(1, a_stay("s1", "P1")))
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()}
    room.close()
    assert modes == {
        "facts.db": 0o600,
        "facts.db-shm": 0o600,
        "facts.db-wal": 0o600,
        "facts.lock": 0o600,
        "token.key": 0o600,
    }
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_each_commit_reaches_the_disk_before_it_returns(tmp_path: Path) -> None:
    room = a_room(tmp_path)
    for begin in (room._database.writing, room._database.reading):
        with begin() as connection:
            pragmas = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
            ]
        assert pragmas == ["wal", 2]  # 2 is FULL
    room.close()
