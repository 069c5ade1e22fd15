"""A system that is told of notices: a real HTTP server on this machine, which answers as it is bid."""

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = b"a secret of thirty-two bytes ...."


class Receiver:
    """What came, in order, and how the next ones are answered."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self._server = server
        self.url = f"http://127.0.0.1:{server.server_address[1]}/notices"
        self.status: Callable[[dict[str, Any]], int] = lambda message: 204
        self.delay = 0.0
        self.answers = 1
        self.wait = 0  # seconds it asks for
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.answered: list[int] = []

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What each message says of its notice."""
        return [json.loads(body)["data"] for body in self.bodies]

    @property
    def taken(self) -> list[str]:
        """The notices this receiver has answered that it took, in order, as often as it did."""
        pairs = zip(self.messages, self.answered, strict=False)
        return [message["notice"] for message, status in pairs if 200 <= status < 300]


def genuine(headers: dict[str, str], body: bytes, secret: bytes = SECRET) -> bool:
    """The check of a receiver, by the text of Standard Webhooks alone."""
    signed = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body))
    right = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(one, "v1," + right) for one in headers["webhook-signature"].split(" "))


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """A receiver that listens for the length of a block."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                status = receiver.status(json.loads(body)["data"])
                receiver.headers.append({name.lower(): value for name, value in self.headers.items()})
                receiver.bodies.append(body)
                receiver.answered.append(status)
            time.sleep(receiver.delay)
            with suppress(OSError):
                for _ in range(receiver.answers):
                    wait = f"Retry-After: {receiver.wait}\r\n" if receiver.wait else ""
                    self.wfile.write(f"HTTP/1.1 {status} So\r\n{wait}Content-Length: 0\r\n\r\n".encode())

        def log_message(self, *_: object) -> None:
            """Not on the tests' output."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        allow_reuse_address = True

    server = Server(("127.0.0.1", port), Handler)
    receiver = Receiver(server)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


def a_free_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
