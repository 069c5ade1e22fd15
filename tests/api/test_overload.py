"""Ten thousand calls at once: what there is room for is answered, the rest is told at once, memory stays bounded."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from sidecar.v1 import access_pb2
from tests.api.corridor import CHECK, TRANSPORTS, Client, a_check, socket_in

CALLS, CONNECTIONS, STREAMS = 10_000, 10, 1024
IN_FLIGHT = 256
MESSAGE = 65_536  # limits.check_bytes
PADDING = 8_000


@contextmanager
def overloaded(transport: str, address: str, in_flight: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.api.overloaded", transport, address, str(in_flight)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def flood(transport: str, folder: Path, in_flight: int, number: int) -> tuple[Counter[grpc.StatusCode], int]:
    """How so many calls made at once end, and by how many bytes the server's memory grew."""
    address = socket_in(folder)
    message = a_check("P1")
    message.facts.add(id="x", source="y" * PADDING)  # refused for its length, after it was held
    fat, plain = message.SerializeToString(), a_check("P1").SerializeToString()
    with overloaded(transport, address, in_flight) as process:
        assert process.stdin
        assert process.stdout
        ready, before = process.stdout.readline().split()
        assert ready == "ready"
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
        clients = [Client(grpc.insecure_channel(address, options)) for _ in range(CONNECTIONS)]
        calls = [clients[n % CONNECTIONS].future(CHECK, fat if n % 2 else plain, timeout=100) for n in range(number)]
        ends = Counter(call.code() for call in calls)
        for call, payload in ((call, call.result()) for call in calls if call.code() is grpc.StatusCode.OK):
            assert access_pb2.CheckAccessResponse.FromString(payload).reason == "CARE_TEAM", call
        assert clients[0].check().reason == "CARE_TEAM"
        for client in clients:
            client.channel.close()
        process.stdin.close()
        grown = (int(process.stdout.readline()) - int(before)) * 1024
        assert process.wait(timeout=30) == 0
    return ends, grown


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_ten_thousand_calls_at_once_are_answered_or_shed_and_memory_stays_bounded(
    transport: str, short_folder: Path
) -> None:
    ends, grown = flood(transport, short_folder, IN_FLIGHT, CALLS)
    shed = ends[grpc.StatusCode.RESOURCE_EXHAUSTED]
    answered = ends[grpc.StatusCode.OK] + ends[grpc.StatusCode.INVALID_ARGUMENT]
    assert shed + answered == CALLS, ends
    assert shed > IN_FLIGHT, ends
    assert answered >= IN_FLIGHT, ends
    # docs/transports.md: connections x streams x message.
    assert grown < CONNECTIONS * STREAMS * MESSAGE
    # What is really held: the calls in flight whole, the shed ones as frames on their way through.
    assert grown < IN_FLIGHT * MESSAGE + CALLS * 16_384, grown


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_without_the_limit_nothing_is_shed_and_everything_waits(transport: str, short_folder: Path) -> None:
    ends, _ = flood(transport, short_folder, CALLS, CALLS // 4)
    assert ends[grpc.StatusCode.RESOURCE_EXHAUSTED] == 0, ends
