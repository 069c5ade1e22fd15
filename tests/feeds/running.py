"""A real sidecar with the hospital pack, whose clock a test sets."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
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
FEEDS = dict.fromkeys(BY_FHIR, ("fhir",)) | dict.fromkeys(BY_DPI, ("dpi",))


class Clock:
    """The instant it was last set to."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@contextmanager
def a_sidecar(folder: Path, clock: Clock) -> Iterator[tuple[Connection, str]]:
    """A running sidecar with the hospital pack, a connection of its one caller, and its address."""
    with serving(folder, clock, a_hospital("dpi", "default", "330000001")) as sidecar:
        token = folder / "token"
        token.write_text(TOKEN)
        with connected(sidecar, token) as connection:
            yield connection, sidecar.addresses[0]


@contextmanager
def hospitals(folder: Path, clock: Clock, names: Sequence[str]) -> Iterator[tuple[dict[str, Connection], str]]:
    """A running sidecar: a connection for each of these hospitals, a tenant each, and its address."""
    callers = [a_hospital(name, name, f"33000000{n}", f"{TOKEN}-{name}") for n, name in enumerate(names, 1)]
    with serving(folder, clock, *callers) as sidecar, ExitStack() as open_ones:
        found = {}
        for name in names:
            token = folder / f"{name}.token"
            token.write_text(f"{TOKEN}-{name}")
            found[name] = open_ones.enter_context(connected(sidecar, token))
        yield found, sidecar.addresses[0]


def a_hospital(name: str, tenant: str, controller: str, token: str = TOKEN) -> CallerSettings:
    """The record system of a hospital, which also feeds its facts."""
    return CallerSettings(
        name,
        token_sha256=hashlib.sha256(token.encode()).hexdigest(),
        roles=("dpi", "feed"),
        tenant=tenant,
        controllers=(controller,),
        hds="certified",
        may_assert=("identity",),
    )


@contextmanager
def serving(
    folder: Path, clock: Clock, *callers: CallerSettings, required: Mapping[str, tuple[str, ...]] = FEEDS
) -> Iterator[Sidecar]:
    """A running sidecar with the hospital pack; `required`: the sources that must report each kind of fact."""
    config = Config(
        str(folder / "data"),
        judged(PACK),
        FactsSettings(dict(required)),
        callers,
        Listen(grpc="127.0.0.1:0", admin="127.0.0.1:0"),
        log=LogSettings(level="error"),
    )
    sidecar = Sidecar(config, clock)
    sidecar.start()
    try:
        yield sidecar
    finally:
        sidecar.stop()


@contextmanager
def connected(sidecar: Sidecar, token: Path) -> Iterator[Connection]:
    """A connection that proves itself by the token in this file."""
    channel, metadata = open_channel(sidecar.addresses[0], str(token), None, None, None)
    with channel:
        grpc.channel_ready_future(channel).result(timeout=30)
        yield Connection(channel, metadata, 60.0)


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
