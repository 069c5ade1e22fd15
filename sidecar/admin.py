"""The admin port: /metrics for Prometheus, /ready and /live for whoever watches the process.

On loopback it is plain HTTP. On any other address it speaks TLS and /metrics asks for the bearer token of a
caller with the role `metrics`.
"""

import ipaddress
import ssl
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import make_wsgi_app

from sidecar.config import Tls
from sidecar.errors import ConfigFault
from sidecar.metrics import Metrics

Ready = Callable[[], tuple[bool, str]]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 32


class _Silent(WSGIRequestHandler):
    timeout = 10

    def log_message(self, *_: object) -> None:
        """Scrapes are not worth a line."""


class AdminServer:
    """Serves the admin port from a thread of its own."""

    def __init__(
        self, address: str, metrics: Metrics, ready: Ready, tls: Tls | None, may_scrape: Callable[[str], bool]
    ) -> None:
        """`may_scrape` judges an Authorization header, on an address that is not loopback."""
        self._host, self._port = _split(address)
        self._open = _is_loopback(self._host)
        if not self._open and tls is None:
            raise ConfigFault(f"listen.admin: `{address}` is not loopback, so it needs [listen.tls]")
        self._tls, self._ready, self._may_scrape = tls, ready, may_scrape
        self._metrics = make_wsgi_app(metrics.registry)
        self._server: WSGIServer | None = None

    def start(self) -> None:
        """Bind and serve. Raises ConfigFault when the address cannot be bound."""
        try:
            server = make_server(self._host, self._port, self._app, _Server, _Silent)
        except OSError as fault:
            raise ConfigFault(f"listen.admin: `{self._host}:{self._port}` cannot be bound: {fault.strerror}") from None
        if not self._open and self._tls is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(self._tls.certificate, self._tls.key)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self._server = server
        Thread(target=server.serve_forever, name="admin", daemon=True).start()

    @property
    def address(self) -> str:
        """Host and port really bound."""
        if self._server is None:
            return f"{self._host}:{self._port}"
        return f"{self._host}:{self._server.server_port}"

    def stop(self) -> None:
        """Close the port."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _app(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO")
        if path == "/live":
            return _text(start, "200 OK", "live\n")
        if path == "/ready":
            ready, detail = self._ready()
            return _text(start, "200 OK" if ready else "503 Service Unavailable", "ready\n" if ready else detail + "\n")
        if path == "/metrics":
            if not self._open and not self._may_scrape(environ.get("HTTP_AUTHORIZATION", "")):
                return _text(start, "401 Unauthorized", "a caller with the role `metrics` may read this\n")
            answered: Iterable[bytes] = self._metrics(environ, start)
            return answered
        return _text(start, "404 Not Found", "try /metrics, /ready or /live\n")


def _text(start: StartResponse, status: str, body: str) -> list[bytes]:
    start(status, [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")])
    return [body.encode()]


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigFault(f"listen.admin: `{address}` is not host:port")
    return host.strip("[]"), int(port)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
