"""Checks of grpcio that wait at the same time are decided together, and nobody waits for a thread that is no more."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from sidecar.api.callers import NOBODY
from sidecar.api.grpcio_server import NOT_WANTED, Together
from sidecar.api.methods import Incoming, Method
from sidecar.api.native_server import share

PATIENCE = 10.0


def incoming(payload=b"?"):
    return Incoming(payload, NOBODY)


def yes():
    return True


def test_what_waits_is_decided_with_one_call_and_each_gets_its_own_answer():
    entered, go_on, bursts = threading.Event(), threading.Event(), []

    def handler(calls):
        bursts.append(len(calls))
        entered.set()
        go_on.wait(PATIENCE)
        return [call.payload * 2 for call in calls]

    together = Together(Method(handler, frozenset({"dpi"}), 100))
    with ThreadPoolExecutor(6) as pool:
        answers = [pool.submit(together.answer, incoming(b"0"), yes)]
        assert entered.wait(PATIENCE)
        answers += [pool.submit(together.answer, incoming(b"%d" % n), yes) for n in range(1, 6)]
        while together._waiting.qsize() < 5:
            threading.Event().wait(0.001)
        go_on.set()
        assert [answer.result(PATIENCE) for answer in answers] == [b"%d%d" % (n, n) for n in range(6)]
    assert bursts == [1, 5]
    together.close()


@pytest.mark.parametrize(("waiting", "together"), [(1, 8), (8, 8), (16, 8), (17, 8), (40, 20), (128, 64), (4096, 64)])
def test_the_fast_transport_answers_half_of_what_waits_and_never_much(waiting, together):
    assert share(waiting) == together


def test_who_comes_after_the_end_is_told_so_at_once():
    together = Together(Method(lambda calls: [b"!"] * len(calls), frozenset({"dpi"}), 100))
    assert together.answer(incoming(), yes) == b"!"
    together.close()
    with ThreadPoolExecutor(20) as pool:
        late = [pool.submit(together.answer, incoming(), yes) for _ in range(20)]
        said = [each.result(PATIENCE) for each in late]
    assert set(said) <= {b"!", NOT_WANTED}
    assert together.answer(incoming(), yes) is NOT_WANTED


def test_a_thread_that_dies_leaves_nobody_waiting(monkeypatch):
    died = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda _: died.set())
    together = Together(Method(lambda calls: [b"!"] * len(calls), frozenset({"dpi"}), 100))

    def broken():
        raise RuntimeError("the transport lost this call")

    with ThreadPoolExecutor(2) as pool:
        assert pool.submit(together.answer, incoming(), broken).result(PATIENCE) is NOT_WANTED
        assert pool.submit(together.answer, incoming(), yes).result(PATIENCE) is NOT_WANTED
    assert died.wait(PATIENCE)
