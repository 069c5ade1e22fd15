"""A real sidecar with the hospital pack, whose clock a test sets."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import grpc

from sidecar.cli.connect import Connection, open_channel
from sidecar.config import CallerSettings, Config, FactsSettings, Listen, LogSettings
from sidecar.core import instants
from sidecar.server import Sidecar
from sidecar.v1 import facts_pb2
from sidecar.v1.facts_pb2_grpc import FactsServiceStub
from tests.judged import judged

TOKEN = "a-caller-token-for-tests-alone"
PACK = Path(__file__).parents[2] / "policies" / "hospital"
BY_FHIR, BY_DPI = ("assignment", "record_state", "relation", "stay"), ("alias", "directive")


class Clock:
    """The instant it was last set to."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@contextmanager
def a_sidecar(folder: Path, clock: Clock) -> Iterator[tuple[Connection, str]]:
    """A running sidecar with the hospital pack, a connection of its one caller, and its address."""
    caller = CallerSettings(
        "dpi",
        token_sha256=hashlib.sha256(TOKEN.encode()).hexdigest(),
        roles=("dpi", "feed"),
        controllers=("330000001",),
        hds="certified",
        may_assert=("identity",),
    )
    required = dict.fromkeys(BY_FHIR, ("fhir",)) | dict.fromkeys(BY_DPI, ("dpi",))
    config = Config(
        str(folder / "data"),
        judged(PACK),
        FactsSettings(required),
        (caller,),
        Listen(grpc="127.0.0.1:0", admin="127.0.0.1:0"),
        log=LogSettings(level="error"),
    )
    token = folder / "token"
    token.write_text(TOKEN)
    sidecar = Sidecar(config, clock)
    sidecar.start()
    try:
        channel, metadata = open_channel(sidecar.addresses[0], str(token), None, None, None)
        with channel:
            grpc.channel_ready_future(channel).result(timeout=30)
            yield Connection(channel, metadata, 60.0), sidecar.addresses[0]
    finally:
        sidecar.stop()


def moment(instant: int) -> datetime:
    return datetime.fromisoformat(instants.text(instant))


def vouch(connection: Connection, now: int) -> None:
    """Both feeds say that they have told everything until now."""
    marks = [
        facts_pb2.Watermark(source=source, kinds=kinds, complete_until=moment(now))
        for source, kinds in (("fhir", BY_FHIR), ("dpi", BY_DPI))
    ]
    request = facts_pb2.WriteFactsRequest(request_id=f"vouch-{now}", watermarks=marks)
    connection.call(FactsServiceStub(connection.channel).WriteFacts, request)
