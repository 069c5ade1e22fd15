"""What the ledger keeps: an answered question, a refused call, a change, a reading (core/leaf.py has the bytes)."""

from msgspec import Struct

from sidecar.core.model import Caller, Decision, PolicyRef, Request


class Checked(Struct, frozen=True):
    """One answered question, as it is recorded."""

    request: Request
    caller: Caller
    decision: Decision
    policy: PolicyRef
    facts_seq: int
    elapsed_us: int = 0
    opening_at: int = 0  # of the opening of a grant, the instant it was judged at; 0 for a plain question
    legal_basis: str = ""  # of art. 6 GDPR: the request's own, else its purpose's; empty in records made without one


class CheckedBatch(Struct, frozen=True):
    """One answered batch: the items that were evaluated, in order, and those that were malformed."""

    items: tuple[Checked, ...]
    malformed: tuple[tuple[int, str], ...] = ()  # (index of the item, field)


class Refused(Struct, frozen=True):
    """A call that was refused before it was a question: who called, what, and the field at fault."""

    caller_id: str
    tenant: str
    method: str
    field: str
    reason: str


class Changed(Struct, frozen=True):
    """A change of what the sidecar knows. `change_id` is unique: start-up appends a change that lacks its leaf."""

    change_id: str
    caller: Caller
    what: str  # write_facts, open_grant, close_grant, swap_policy, require_sources, rotate_key, retire_month
    request_id: str
    controller_id: str
    digest: str  # SHA-256 of the canonical bytes of the request, hexadecimal
    facts_seq: int
    counts: tuple[int, int, int] = (0, 0, 0)  # changed, unchanged, retracted
    subject_id: str = ""
    patient_id: str = ""
    grant_id: str = ""
    detail: str = ""  # sealed free text, such as a justification


class Consulted(Struct, frozen=True):
    """Somebody read the ledger: the filter they used, and how many leaves they were shown."""

    caller: Caller
    filter: str
    shown: int


Entry = Checked | CheckedBatch | Refused | Changed | Consulted


class Recorded(Struct, frozen=True):
    """Where an entry stands: its id and its index in this origin's ledger."""

    id: str
    index: int


def item_id(batch_id: str, position: int) -> str:
    """The decision id of the item at `position` of a recorded batch."""
    return f"{batch_id}.{position}"
