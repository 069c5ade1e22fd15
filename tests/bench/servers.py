"""The servers that are measured, each a process of its own: the sidecar, an empty handler on each of its transports,
and the bare libraries under them.

`python -m tests.bench.servers KIND FOLDER` prints its addresses as one JSON line and serves until its input closes.
"""

import hashlib
import json
import subprocess
import sys
from concurrent import futures
from pathlib import Path
from threading import Thread

import grpc
from pygrpc_native import EVENT_CALL, NativeGrpcFront

from sidecar import config
from sidecar.api.callers import CallerConfig, Callers
from sidecar.api.grpcio_server import GrpcioServer
from sidecar.api.methods import Method
from sidecar.api.native_server import NativeServer
from sidecar.api.one_processor import OneProcessor, processors
from sidecar.server import Sidecar
from tests.bench import first_rows
from tests.judged import judged

ROOT = Path(__file__).parent.parent.parent
HOSPITAL = ROOT / "policies/hospital"
CHECK = "/sidecar.v1.AccessService/CheckAccess"
TOKEN = "jeton-du-banc"
CONTROLLER = "330000001"


class Server:
    """A server process and where it answers: {"native": address, "grpcio": address}."""

    def __init__(self, kind: str, folder: Path, module: str = "tests.bench.servers") -> None:
        self.kind = kind
        command = [sys.executable, "-m", module, kind, str(folder)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the {kind} server did not start")
        self.addresses: dict[str, str] = json.loads(line)

    def stop(self) -> None:
        """Close its input and wait for it."""
        self.process.stdin.close()
        self.process.wait(30)


def settings(folder: Path, mode: str = "written", pack: Path = HOSPITAL) -> config.Config:
    """A sidecar on both transports whose one caller may do everything, with what the mix needs complete."""
    from tests.bench.mix import KINDS, SOURCE

    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    return config.Config(
        data=str(folder / "data"),
        policy=judged(pack),
        facts=config.FactsSettings(dict.fromkeys(KINDS, (SOURCE,))),
        callers=(
            config.CallerSettings(
                "banc", token_sha256=digest, roles=("dpi", "feed"), controllers=(CONTROLLER,), hds="certified",
                may_assert=("identity",),
            ),
        ),
        listen=config.Listen(f"unix:{folder}/native/s.sock", f"unix:{folder}/grpcio/s.sock", "127.0.0.1:0"),
        ledger=config.LedgerSettings(mode=mode),
        log=config.LogSettings(level="error"),
    )  # fmt: skip


def _sidecar(folder: Path) -> None:
    answer(Sidecar(settings(folder)))


def _first_rows(folder: Path) -> None:
    """The same with the hospital's first rows alone."""
    own = folder / "first"
    own.mkdir()
    answer(Sidecar(settings(own, pack=first_rows.write(own / "pack"))))


def answer(sidecar: Sidecar) -> None:
    """Say where this sidecar answers, until the input closes."""
    sidecar.start()
    native, grpcio = sidecar.addresses
    _serve({"native": native, "grpcio": grpcio})
    sidecar.stop()


def _empty(folder: Path) -> None:
    """The product's two transports with a handler that gives back the same 300 bytes at once."""
    answer = bytes(300)
    table = {CHECK: Method(lambda incoming: [answer for _ in incoming], frozenset({"dpi"}), 65_536)}
    callers = Callers(
        [CallerConfig(name="banc", roles=("dpi",), token_sha256=hashlib.sha256(TOKEN.encode()).hexdigest())]
    )
    one = OneProcessor(processors)
    one.start()
    native = NativeServer(f"unix:{folder}/native/e.sock", table, callers, lambda reason: None, processor=one)
    grpcio = GrpcioServer(f"unix:{folder}/grpcio/e.sock", table, callers, lambda reason: None, processor=one)
    native.start()
    grpcio.start()
    _serve({"native": native.address, "grpcio": grpcio.address})
    native.stop(1)
    grpcio.stop(1)


def _bare(folder: Path) -> None:
    """The libraries alone, with the same 300 bytes: no caller to prove, no queue to bound, nothing to drain."""
    answer = bytes(300)
    for name in ("native", "grpcio"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    native, grpcio = f"unix:{folder}/native/b.sock", f"unix:{folder}/grpcio/b.sock"
    front = NativeGrpcFront(native, [(CHECK, False)])
    front.start()

    def echo() -> None:
        while (events := front.recv_batch(64)) is not None:
            for kind, call, *_ in events:
                if kind == EVENT_CALL:
                    front.respond(call, answer)

    Thread(target=echo, daemon=True).start()
    server = grpc.server(futures.ThreadPoolExecutor(64))
    handler = grpc.unary_unary_rpc_method_handler(lambda request, context: answer)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("sidecar.v1.AccessService", {"CheckAccess": handler}),)
    )
    server.add_insecure_port(grpcio)
    server.start()
    _serve({"native": native, "grpcio": grpcio})
    server.stop(0)
    front.close()


def _serve(addresses: dict[str, str]) -> None:
    print(json.dumps(addresses), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    {"sidecar": _sidecar, "first_rows": _first_rows, "empty": _empty, "bare": _bare}[sys.argv[1]](Path(sys.argv[2]))
