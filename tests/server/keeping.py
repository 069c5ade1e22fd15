"""A client for a process of its own: asks and writes without pause and keeps, in a file, what was acknowledged.

It appends a line for each acknowledgement: `check ID`, `fact ID ...`, `grant ID`, until the sidecar does not answer
any more. What it wrote outlives the sidecar.
"""

import os
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

import grpc

from sidecar.v1 import access_pb2
from tests.server.client import METHODS, OPTIONS, TOKEN, Client
from tests.server.world import a_check, a_write, an_opening, told

IN_FLIGHT = 8
CHECKS_A_SECOND = 650  # at most: unpaced, they would leave the writes no share of a small machine
WRITERS = 2


def main(native: str, grpcio: str, run: str, kept: str) -> None:
    """Asks on the address `native` and writes on `grpcio` until nobody answers; `run` makes its names its own."""
    file = os.open(kept, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def keep(line: str) -> None:
        os.write(file, f"{line}\n".encode())

    work: list[Callable[[], None]] = [lambda: _ask(native, keep), lambda: _open(native, run, keep)]
    work += [lambda n=n: _write(grpcio, f"{run}-{n}", keep) for n in range(WRITERS)]  # type: ignore[misc]
    threads = [threading.Thread(target=each) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _ask(address: str, keep: Callable[[str], None]) -> None:
    """Checks, IN_FLIGHT at a time and at most CHECKS_A_SECOND."""
    channel = grpc.insecure_channel(address, OPTIONS)
    method = channel.unary_unary(METHODS["CheckAccess"][0], None, None)
    payload = a_check().SerializeToString()
    metadata = (("authorization", f"Bearer {TOKEN}dpi"),)
    answered: SimpleQueue[grpc.Future] = SimpleQueue()
    for _ in range(IN_FLIGHT):
        method.future(payload, timeout=10, metadata=metadata).add_done_callback(answered.put)
    next_at = time.monotonic()
    while True:
        try:
            answer = access_pb2.CheckAccessResponse.FromString(answered.get().result())
        except grpc.RpcError:
            return
        keep(f"check {answer.decision_id}")
        next_at = max(next_at + 1 / CHECKS_A_SECOND, time.monotonic())
        time.sleep(max(next_at - time.monotonic(), 0))
        method.future(payload, timeout=10, metadata=metadata).add_done_callback(answered.put)


def _write(address: str, name: str, keep: Callable[[str], None]) -> None:
    """Facts, a patient and a physician at a time."""
    feed, n = Client.local(address, "feed"), 0
    while True:
        n += 1
        facts = told(f"P-{name}-{n}", f"dr-{name}-{n}")
        try:
            feed.call("WriteFacts", a_write(f"w-{name}-{n}", facts))
        except grpc.RpcError:
            return
        keep(" ".join(["fact", *(fact.id for fact in facts)]))


def _open(address: str, run: str, keep: Callable[[str], None]) -> None:
    """Grants."""
    dpi, n = Client.local(address, "dpi"), 0
    while True:
        n += 1
        try:
            opened = dpi.call("Open", an_opening(f"Q-{run}-{n}", request_id=f"o-{run}-{n}"))
        except grpc.RpcError:
            return
        keep(f"grant {opened.grant.id}")
