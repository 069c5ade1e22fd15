"""One message to one address: TLS verified, no proxy, no redirect, and an end whatever the other side does."""

import asyncio
import re
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from msgspec import Struct

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: |\r|$)")
LONGEST_HEAD = 16_384  # bytes


class Reply(Struct, frozen=True):
    """What came of a message: an HTTP status, or 0 and why there is none. `wait` is how many seconds it asks for."""

    status: int
    why: str = ""
    wait: int = 0

    @property
    def taken(self) -> bool:
        """Whether the other side has it."""
        return 200 <= self.status < 300


async def post(url: str, headers: Mapping[str, str], body: bytes, tls: ssl.SSLContext | None, seconds: float) -> Reply:
    """Send, and wait `seconds` at most for the head of an answer. Never raises: what goes wrong is the reply."""
    try:
        return await asyncio.wait_for(_exchange(url, headers, body, tls), seconds)
    except TimeoutError:
        return Reply(0, "no answer in time")
    except ssl.SSLCertVerificationError as fault:
        return Reply(0, f"certificate: {fault.verify_message}")
    except ssl.SSLError as fault:
        return Reply(0, f"TLS: {fault.reason}")
    except OSError as fault:
        return Reply(0, fault.strerror or type(fault).__name__)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return Reply(0, "no HTTP answer")


async def _exchange(url: str, headers: Mapping[str, str], body: bytes, tls: ssl.SSLContext | None) -> Reply:
    parts = urlsplit(url)
    port = parts.port or (80 if tls is None else 443)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=tls, limit=LONGEST_HEAD)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"POST {target} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}", "", ""]
        writer.write("\r\n".join(lines).encode("ascii") + body)
        await writer.drain()
        return _reply(await reader.readuntil(b"\r\n\r\n"))
    finally:
        writer.transport.abort()  # a polite end would wait for the other side


def _reply(head: bytes) -> Reply:
    found = STATUS.match(head)
    if found is None:
        return Reply(0, "no HTTP answer")
    wait = re.search(rb"\r\nretry-after: *(\d{1,5})\r\n", head, re.IGNORECASE)
    return Reply(int(found[1]), wait=int(wait[1]) if wait else 0)
