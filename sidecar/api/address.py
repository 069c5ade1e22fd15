"""Where a transport listens, and which addresses may be served without TLS."""

import ipaddress
import stat
from pathlib import Path

from msgspec import Struct

from sidecar.errors import ConfigFault

SOCKET_MODE = 0o770
LONGEST_PATH = 107  # sun_path of unix(7), less its terminating zero


class Address(Struct, frozen=True):
    """A Unix socket (`path`), or a host and a port."""

    path: str = ""
    host: str = ""
    port: int = 0

    @property
    def local(self) -> bool:
        """Whether nobody outside this machine (or pod) can reach it."""
        return bool(self.path) or ipaddress.ip_address(self.host).is_loopback

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse(text: str) -> Address:
    """The address of `unix:/run/x/sidecar.sock`, `127.0.0.1:4443`, `[::1]:4443` or `localhost:4443`.

    Names other than localhost are not resolved: what they mean is for others to change. Raises ConfigFault.
    """
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        path = path.removeprefix("//") if path.startswith("///") else path
        if not path.startswith("/"):
            raise ConfigFault(f"address `{text}`: a socket is named by its whole path, as in unix:/run/sidecar/s.sock")
        if len(path.encode()) > LONGEST_PATH:
            raise ConfigFault(f"address `{text}`: a socket's path has at most {LONGEST_PATH} bytes")
        return Address(path=path)
    host, _, port = text.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(host)
        number = int(port)
    except ValueError:
        raise ConfigFault(f"address `{text}`: expected unix:/path, or an IP address and a port") from None
    if not 0 <= number <= 65535:
        raise ConfigFault(f"address `{text}`: a port is 0 to 65535")
    return Address(host=host, port=number)


def plaintext(text: str) -> Address:
    """The address, if it may be served without TLS. Raises ConfigFault for any other; there is no switch for it."""
    address = parse(text)
    if not address.local:
        raise ConfigFault(
            f"address `{text}`: without TLS only a Unix socket or a loopback address is served; give certificates"
        )
    return address


def prepare_socket(path: Path) -> None:
    """A folder for the socket that only its owner and group enter, and no socket in the way.

    Raises ConfigFault when the folder is open to others, or something else has the name.
    """
    folder = path.parent
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(SOCKET_MODE)
    elif stat.S_IMODE(folder.stat().st_mode) & stat.S_IRWXO:
        raise ConfigFault(
            f"socket folder {folder}: open to every user of the machine; use a folder of mode 0770 "
            "(a folder that does not exist yet is made so)"
        )
    if path.exists() and not path.is_socket():
        raise ConfigFault(f"socket {path}: something else has this name")
    path.unlink(missing_ok=True)
