"""A recorded decision with all it was taken from: what is needed to take it again."""

from msgspec import Struct

from sidecar.core.bundle import Snapshot
from sidecar.core.record import Checked


class Found(Struct, frozen=True):
    """A recorded decision and where it stands in the ledger."""

    decision_id: str
    index: int
    recorded_at: int
    checked: Checked


class Recalled(Struct, frozen=True):
    """A recorded decision and the facts as they stood at the sequence it was decided on.

    `snapshot` holds the patient whole, the grants the question could use, and of the tenant's staff whoever the
    question or those facts name: all that any word can ask for.
    """

    origin: str
    found: Found
    controller_id: str
    snapshot: Snapshot

    @property
    def judged_at(self) -> int:
        """The instant the policy was asked at: not the record's when an opening was asked a second time."""
        return self.found.checked.opening_at or self.found.recorded_at


def about(checked: Checked) -> tuple[str, str]:
    """The controller a question was about, resolved, and the patient who was looked up for it, empty for nobody."""
    caller, resource = checked.caller, checked.request.resource
    controller_id = resource.controller_id or (caller.controllers[0] if len(caller.controllers) == 1 else "")
    # As the corridors do: another controller's patient is never read (G-DEV-2).
    return controller_id, resource.patient_id if controller_id in caller.controllers else ""
