"""The policy set in force: read at start, replaced as a whole, and kept when its successor is at fault."""

from pathlib import Path

from msgspec import Struct

from sidecar.authoring import bundle
from sidecar.core.model import PolicyRef
from sidecar.core.policy import PolicySet
from sidecar.errors import Fault, PolicyFault, PolicyUnavailable


class Status(Struct, frozen=True):
    """The policy in force, None when none is, and what was wrong with the one read last."""

    ref: PolicyRef | None
    faults: tuple[Fault, ...]


class Live:
    """Gives the policy set in force. Any thread may ask; the answer is one reference, replaced as a whole."""

    def __init__(self, path: Path) -> None:
        """Reads the pack in the folder `path`; a fault leaves no policy in force and shows in `status`."""
        self._path = path
        self._current: PolicySet | None = None
        self._status = Status(None, ())
        self.reload()

    @property
    def current(self) -> PolicySet:
        """The policy set in force. Raises PolicyUnavailable, with the faults of the one that was refused."""
        current = self._current
        if current is None:
            raise PolicyUnavailable("\n".join(map(str, self._status.faults)))
        return current

    @property
    def status(self) -> Status:
        """What is in force, and the faults of the pack read last."""
        return self._status

    @property
    def ready(self) -> tuple[bool, str]:
        """Whether a policy is in force, and what is wrong with the pack read last."""
        return self._current is not None, "; ".join(map(str, self._status.faults))

    def reload(self) -> Status:
        """Read the pack again; one at fault changes nothing but `status`."""
        try:
            made = bundle.compile_bundle(bundle.read_folder(self._path))
        except PolicyFault as fault:
            self._status = Status(self._current.ref if self._current else None, fault.faults)
        else:
            self._current = made
            self._status = Status(made.ref, ())
        return self._status
