"""The threads that need the interpreter keep to one processor, and leave it when others want it more."""

import os
import threading
from contextlib import suppress
from pathlib import Path

import grpc
import pytest

from sidecar.api.grpcio_server import GrpcioServer
from sidecar.api.methods import Method
from sidecar.api.native_server import NativeServer
from sidecar.api.one_processor import OneProcessor, Reading, better, processors
from tests.api.corridor import TOKENS, callers

ECHO = "/sidecar.v1.AccessService/CheckAccess"


def thread_line(user, system):
    return f"7 (a (strange) name) S {' '.join(['0'] * 10)} {user} {system} 0 0\n"


class Kernel:
    """A folder like /proc: who worked how many ticks."""

    def __init__(self, folder):
        self.folder = folder

    def tell(self, busy, ours=(), names=()):
        lines = [f"cpu{cpu} {ticks} 0 0 999 5 0 0 0 0 0" for cpu, ticks in busy.items()]
        (self.folder / "stat").write_text("\n".join(["cpu  1 2 3 4 5 6 7 8 9 10", *lines, "intr 1 2 3"]))
        for thread, ticks in dict(ours).items():
            task = self.folder / "self" / "task" / str(thread)
            task.mkdir(parents=True, exist_ok=True)
            (task / "stat").write_text(thread_line(ticks, 0))
        for thread, name in dict(names).items():
            task = self.folder / "self" / "task" / str(thread)
            task.mkdir(parents=True, exist_ok=True)
            (task / "comm").write_text(f"{name}\n")


@pytest.mark.parametrize(
    ("held", "others", "ours", "best"),
    [
        (0, {0: 90, 1: 10}, 80, 0),  # what keeps it busy is us
        (0, {0: 90, 1: 10}, 0, 1),
        (0, {0: 35, 1: 10}, 0, 0),  # not by so much that moving is worth it
        (0, {0: 36, 1: 10}, 0, 1),
        (1, {0: 10, 1: 60, 2: 5}, 0, 2),
        (0, {1: 10, 2: 5}, 0, 2),  # the one we were on is no longer ours to use
        (0, {}, 0, 0),
    ],
)
def test_the_threads_move_when_others_keep_their_processor_busier_than_another(held, others, ours, best):
    before = Reading(dict.fromkeys(others, 1000), 500)
    after = Reading({cpu: 1_000 + busy for cpu, busy in others.items()}, 500 + ours)
    assert better(held, before, after, 100.0) == best


def test_a_thread_that_joined_is_moved_and_its_own_work_does_not_move_it(tmp_path):
    kernel, placed = Kernel(tmp_path), []
    one = OneProcessor(lambda: (3, 5), tmp_path, place=lambda thread, cpus: placed.append((thread, cpus)))
    held, other = one.held, {3: 5, 5: 3}[one.held]
    one.join()
    us = threading.get_native_id()
    assert placed == [(us, {held})]
    placed.clear()
    kernel.tell({held: 0, other: 0}, {us: 0})
    before = one.look(Reading({held: 0, other: 0}, 0), 100.0)
    kernel.tell({held: 95, other: 5}, {us: 95})
    before = one.look(before, 100.0)
    assert placed == []
    kernel.tell({held: 190, other: 10}, {us: 100})
    one.look(before, 100.0)
    assert placed == [(us, {other})]


@pytest.mark.parametrize("kept", [True, False])
def test_a_thread_in_the_background_does_not_take_the_processor_from_who_runs(kept):
    one, found = OneProcessor(lambda: (0, 1) if kept else (0,), place=lambda thread, cpus: None), []

    def work():
        one.join_in_background()
        found.append(os.sched_getscheduler(0))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [os.SCHED_BATCH if kept else os.SCHED_OTHER]


def test_the_threads_of_a_library_keep_off_the_processor_wherever_it_is(tmp_path):
    kernel, placed = Kernel(tmp_path), []
    one = OneProcessor(lambda: (3, 5, 8), tmp_path, place=lambda thread, cpus: placed.append((thread, cpus)))
    held, still = one.held, {3: 0, 5: 0, 8: 0}
    kernel.tell(still, names={70: "python", 71: "io-1"})
    one.keep_off("io")
    assert placed == [(71, {3, 5, 8} - {held})]
    kernel.tell(still, names={72: "io-2"})
    before = one.look(Reading(still, 0), 100.0)
    assert placed[1:] == [(72, {3, 5, 8} - {held})]
    placed.clear()
    kernel.tell({**still, held: 100})
    one.look(before, 100.0)
    assert one.held != held
    assert sorted(placed) == [(71, {3, 5, 8} - {one.held}), (72, {3, 5, 8} - {one.held})]


def test_a_thread_that_is_no_more_is_forgotten_and_one_that_may_not_be_placed_stays(tmp_path, caplog):
    kernel, faults = Kernel(tmp_path), [ProcessLookupError(), OSError(22, "Invalid argument"), None]

    def place(thread, cpus):
        if fault := faults.pop(0):
            raise fault

    one = OneProcessor(lambda: (3, 5), tmp_path, place=place)
    one.join()  # forgotten
    one.join()
    assert caplog.text.count("one_processor_refused") == 1
    kernel.tell({3: 0, 5: 0, one.held: 100})
    one.look(Reading({3: 0, 5: 0}, 0), 100.0)
    assert faults == []


def affinity(name, before):
    return {
        frozenset(os.sched_getaffinity(thread.native_id))
        for thread in set(threading.enumerate()) - before
        if thread.name.startswith(name) and thread.native_id is not None
    }


@pytest.mark.parametrize("kept", [True, False])
def test_all_threads_of_the_transport_keep_to_one_processor_unless_told_otherwise(tmp_path, kept):
    before = set(threading.enumerate())
    table = {ECHO: Method(lambda calls: [each.payload for each in calls], frozenset({"dpi"}), 1_000)}
    one = OneProcessor(processors if kept else tuple)
    server = GrpcioServer(f"unix:{tmp_path}/s/g.sock", table, callers(), lambda _: None, processor=one)
    server.start()
    try:
        with grpc.insecure_channel(server.address) as channel:
            echo = channel.unary_unary(ECHO)
            wait = [echo.future(b"?", metadata=(("authorization", f"Bearer {TOKENS['dpi']}"),)) for _ in range(40)]
            assert [each.result(10) for each in wait] == [b"?"] * 40
        found = affinity("grpcio", before)
        assert len(found) == 1
        assert {len(each) for each in found} == ({1} if kept else {len(processors())})
    finally:
        server.stop(1)


def named(name):
    """The threads of this process, also those of libraries, whose name begins so."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            if (task / "comm").read_text().startswith(name):
                found.add(int(task.name))
    return found


@pytest.mark.parametrize("kept", [True, False])
def test_the_threads_of_the_fast_transport_keep_to_it_and_those_of_its_library_off_it(tmp_path, kept):
    before, tasks = set(threading.enumerate()), named("grpc-native-io")
    table = {ECHO: Method(lambda calls: [each.payload for each in calls], frozenset({"dpi"}), 1_000)}
    one = OneProcessor(processors if kept else tuple)
    server = NativeServer(f"unix:{tmp_path}/s/n.sock", table, callers(), lambda _: None, processor=one)
    server.start()
    try:
        with grpc.insecure_channel(server.address) as channel:
            metadata = (("authorization", f"Bearer {TOKENS['dpi']}"),)
            assert channel.unary_unary(ECHO)(b"?", metadata=metadata, timeout=10) == b"?"
        mine = affinity("native", before)
        one.look(Reading({}, 0), 100.0)  # what the library started since is found
        library = {frozenset(os.sched_getaffinity(task)) for task in named("grpc-native-io") - tasks}
        every = frozenset(processors())
        assert mine == ({frozenset({one.held})} if kept else {every})
        assert library == ({every - {one.held} or every} if kept else {every})
    finally:
        server.stop(1)


def test_threads_that_end_while_it_looks_do_not_end_the_looking():
    one, stop = OneProcessor(lambda: (0, 1), place=lambda thread, cpus: None), threading.Event()
    one.keep_off("grpc-native-io")

    def come_and_go():
        while not stop.is_set():
            thread = threading.Thread(target=lambda: None)
            thread.start()
            thread.join()

    crowd = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in crowd:
        thread.start()
    try:
        before = Reading({}, 0)
        for _ in range(300):
            before = one.look(before, 100.0)
    finally:
        stop.set()
        for thread in crowd:
            thread.join()


def test_where_the_kernel_tells_nothing_the_threads_stay_and_calls_go_on(tmp_path, caplog):
    one = OneProcessor(lambda: (0, 1), tmp_path / "nothing", look_s=0.01)
    one.keep_off("grpc-native-io")
    assert caplog.text.count("one_processor_blind") == 1
    one.start()
    for thread in threading.enumerate():
        if thread.name == "one-processor":
            thread.join(10)
    assert caplog.text.count("one_processor_blind") == 2


def test_on_one_processor_nothing_is_placed():
    one = OneProcessor(lambda: (0,))
    one.start()
    one.join()
    assert os.sched_getaffinity(0) == set(processors())
    one.stop()
