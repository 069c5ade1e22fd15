"""A server of its own process that decides slowly, so that calls pile up: what it holds is its own memory.

    python -m tests.api.overloaded TRANSPORT ADDRESS IN_FLIGHT

It says `ready`, serves until its input ends, and says its peak resident memory in KiB.
"""

import resource
import sys
import time
from collections.abc import Sequence

from sidecar.core.model import Answer
from sidecar.core.record import Refused
from sidecar.errors import SidecarError
from sidecar.pdp import Call
from tests.api.corridor import Corridor, served

SECONDS_A_BURST = 0.01


class Slow(Corridor):
    """Takes its time for each burst."""

    def check(self, calls: Sequence[Call | Refused]) -> Sequence[Answer | SidecarError]:
        time.sleep(SECONDS_A_BURST)
        return super().check(calls)


def main() -> None:
    transport, address, in_flight = sys.argv[1:]
    with served(transport, address, Slow(), in_flight=int(in_flight)):
        print("ready", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
        sys.stdin.read()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)


if __name__ == "__main__":
    main()
