"""`python -m tests.feeds.dies ADDRESS TOKEN_FILE WRITES NOW FILE…`: an import that is killed in mid-write."""

import os
import signal
import sys
from pathlib import Path

from sidecar.cli.connect import Connection, open_channel
from sidecar.cli.importing import import_files
from sidecar.facts.feeds.reading import Feed
from tests.feeds.hospital_by_hand import FAMILY_DOCTOR, PARIS


class Dying(Connection):
    """A connection whose process is killed once it has begun its last write."""

    left = 0

    def begin(self, method, message):
        begun = super().begin(method, message)
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
        return begun


def main() -> None:
    address, token, writes, now, *files = sys.argv[1:]
    channel, metadata = open_channel(address, token, None, None, None)
    dying = Dying(channel, metadata, 60.0)
    dying.left = int(writes)
    feed = Feed(int(now), PARIS, profiles=FAMILY_DOCTOR)
    import_files(dying, [Path(file) for file in files], feed, complete=True, quiet=True)


if __name__ == "__main__":
    main()
