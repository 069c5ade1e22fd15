"""Callers that ask without pause and keep what they were told."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import grpc

from sidecar.v1 import access_pb2
from tests.server.client import Client
from tests.server.process import Running, until
from tests.server.world import a_check

PAUSE = 0.002  # leaves the sidecar its share of a small machine


class Asked:
    """What became of the checks of one run: ids of permits and refusals, and how the other calls ended."""

    def __init__(self) -> None:
        self.permits: list[str] = []
        self.denied: list[str] = []
        self.ends: Counter[grpc.StatusCode] = Counter()

    def given(self, answer: access_pb2.CheckAccessResponse) -> None:
        """Keep an answer."""
        permitted = answer.effect == access_pb2.EFFECT_PERMIT
        (self.permits if permitted else self.denied).append(answer.decision_id)

    def until_permitted_again(self) -> None:
        """Wait for a permit that is not there yet."""
        before = len(self.permits)
        assert until(lambda: len(self.permits) > before), self.ends

    def until_failing_again(self) -> None:
        """Wait for a call that gets no answer and has not failed yet."""
        before = self.ends.total()
        assert until(lambda: self.ends.total() > before)


@contextmanager
def asking(sidecar: Running, *transports: str) -> Iterator[Asked]:
    """One caller on each transport asks as fast as it is answered, for the length of the block."""
    asked, stop = Asked(), threading.Event()
    threads = [
        threading.Thread(target=_ask, args=(sidecar.client("dpi", transport), asked, stop.is_set))
        for transport in transports
    ]
    for thread in threads:
        thread.start()
    try:
        yield asked
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _ask(client: Client, asked: Asked, stopped: Callable[[], bool]) -> None:
    question = a_check()
    while not stopped():
        try:
            asked.given(client.call("CheckAccess", question))
        except grpc.RpcError as error:
            asked.ends[error.code()] += 1
        time.sleep(PAUSE)
