"""What is known, as one question sees it: the patient's bundle and the tenant's snapshot.

Both are immutable and complete when built. A room builds them; words read them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr

from sidecar.core.model import Grant, Known
from sidecar.core.usage import UNCOUNTED, Usage

NEVER = -(1 << 62)
FOREVER = 1 << 62


class Kept(dict[str, Any]):
    """What was worked out of the facts it is kept with. It says nothing of its own: any two are equal."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kept)

    __hash__ = None


NOTHING_KEPT = Kept()


class PatientFacts(Struct, frozen=True):
    """Every fact that stands about one patient for one controller, aliases folded, fetched whole.

    `aliases` holds the merge and unmerge facts of every name reachable from `patient_id` at any time;
    the facts of all those names are here, and the situation keeps those whose name is this patient's now.
    """

    patient_id: str
    controller_id: str
    seq: int
    stays: tuple[Known, ...] = ()
    relations: tuple[Known, ...] = ()
    directives: tuple[Known, ...] = ()
    record_states: tuple[Known, ...] = ()
    aliases: tuple[Known, ...] = ()
    persons: tuple[Known, ...] = ()  # same_person: `other_id` is this patient's subject id
    calls: tuple[Known, ...] = ()
    kept: Any = NOTHING_KEPT  # a Kept, by name: kept.py

    def __post_init__(self) -> None:
        force_setattr(self, "kept", Kept())


class TenantFacts(Struct, frozen=True):
    """What is known in a whole tenant: staff, references, grants and how complete each feed is."""

    tenant: str
    seq: int
    assignments: Mapping[str, tuple[Known, ...]]  # by subject id
    delegations: Mapping[str, tuple[Known, ...]]  # by the id of who may act (to_subject_id)
    contracts: Mapping[str, tuple[Known, ...]]  # by provider id
    refs: Mapping[str, tuple[Known, ...]]  # relations that carry a `ref`, by that ref
    grants: Mapping[str, Grant]  # by grant id; open ones and those ended within the retention of reasons
    open_grants: Mapping[tuple[str, str], tuple[Grant, ...]]  # by (subject id, patient id)
    watermarks: Mapping[tuple[str, str, str], int]  # (controller, source, kind) → complete_until
    required: Mapping[str, tuple[str, ...]]  # kind → sources that must report it (configuration)
    # Worked out from the two before, for every controller a feed spoke of: (controller, kind) → complete until.
    complete: Mapping[tuple[str, str], int] = MappingProxyType({})
    kept: Kept = NOTHING_KEPT  # by subject, see kept.Assigned

    def __post_init__(self) -> None:
        controllers = {controller for controller, _, _ in self.watermarks}
        told = {
            (controller, kind): min(self.watermarks.get((controller, source, kind), NEVER) for source in sources)
            for controller in controllers
            for kind, sources in self.required.items()
            if sources
        }
        force_setattr(self, "complete", told)
        force_setattr(self, "kept", Kept())

    def complete_until(self, controller_id: str, kind: str) -> int:
        """The instant up to which every source that must report `kind` has told everything.

        NEVER when some source never did, or when the configuration names none: nobody vouches.
        """
        return self.complete.get((controller_id, kind), NEVER)


class Snapshot(Struct, frozen=True):
    """What one decision is taken from. `patient` is None when the store cannot be read.

    A question about no patient (search, technical objects) has an empty PatientFacts. `usage` is what the sidecar
    counted of the subject itself.
    """

    tenant: TenantFacts
    patient: PatientFacts | None
    usage: Usage = UNCOUNTED
