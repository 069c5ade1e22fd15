"""Every exception of the product.

SidecarError
├── InvalidRequest      the caller's message is malformed: `field` and what was expected
├── CallerRefused       who calls is unknown, or may not call this method
│   ├── Unauthenticated
│   └── PermissionDenied
├── NotFound            a grant or a record that is not there for this caller
├── RecordClosed        a record that stands and cannot be opened: its month's keys are gone, or are not its own
├── Unavailable         no answer can be given now: nothing is permitted
│   ├── FactsUnavailable    the facts store cannot be read
│   ├── FactsTooOld         not as fresh as the consistency token asks, within the deadline
│   ├── LedgerUnavailable   the record cannot be kept
│   └── PolicyUnavailable   no verified policy is loaded
├── Overloaded          shed at once: too many calls wait
├── MessageTooLarge     longer than its method admits
├── PolicyFault         a pack that cannot be loaded: `faults`, each with file and line
├── EvaluationFault     a rule cannot be evaluated for this request: nothing is permitted
├── ConfigFault         a setting that cannot be used
└── InputFault          a file given to a command that cannot be read
    └── CheckpointFault     a signed note or a key text that is garbled or not signed by a known key
"""

from collections.abc import Sequence


class SidecarError(Exception):
    """Root of the product's exceptions; `reason` is a stable word for logs and metrics."""

    reason = "INTERNAL"


class InvalidRequest(SidecarError):
    """A message is malformed. `field` is the path of the field, as in `resource.category`."""

    reason = "INVALID_REQUEST"

    def __init__(self, field: str, description: str) -> None:
        super().__init__(f"{field}: {description}")
        self.field = field
        self.description = description


class CallerRefused(SidecarError):
    """The caller may not make this call."""


class Unauthenticated(CallerRefused):
    """No caller of the configuration is proven by this connection."""

    reason = "UNAUTHENTICATED"


class PermissionDenied(CallerRefused):
    """The caller is known and has no role that admits this method."""

    reason = "PERMISSION_DENIED"


class NotFound(SidecarError):
    """Nothing of this name for this caller."""

    reason = "NOT_FOUND"


class RecordClosed(SidecarError):
    """A record stands and cannot be opened: the keys of its month are gone, or it was not sealed with them."""

    reason = "RECORD_CLOSED"


class Unavailable(SidecarError):
    """No answer can be given now."""

    reason = "UNAVAILABLE"


class FactsUnavailable(Unavailable):
    """The facts store cannot be read or written."""

    reason = "FACTS_UNAVAILABLE"


class FactsTooOld(Unavailable):
    """The facts are not yet as fresh as the consistency token asks."""

    reason = "FACTS_TOO_OLD"


class LedgerUnavailable(Unavailable):
    """The ledger cannot take the record, so there is no answer."""

    reason = "LEDGER_UNAVAILABLE"


class PolicyUnavailable(Unavailable):
    """No verified policy is loaded."""

    reason = "POLICY_UNAVAILABLE"


class Overloaded(SidecarError):
    """Too many calls wait; this one was shed at once."""

    reason = "OVERLOADED"


class MessageTooLarge(SidecarError):
    """A message is longer than its method admits."""

    reason = "MESSAGE_TOO_LARGE"


class Fault:
    """One thing wrong in a file: where, what, and the next step."""

    __slots__ = ("file", "line", "text")

    def __init__(self, file: str, line: int, text: str) -> None:
        self.file, self.line, self.text = file, line, text

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fault) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


class PolicyFault(SidecarError):
    """A pack that cannot be loaded: every fault found, each with file and line."""

    reason = "POLICY_FAULT"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


class EvaluationFault(SidecarError):
    """A rule cannot be evaluated for this request, so nothing is permitted: where the rule stands, and why."""

    reason = "POLICY_ERROR"


class ConfigFault(SidecarError):
    """A setting that cannot be used: its name, what is wrong, the next step."""

    reason = "CONFIG_FAULT"


class InputFault(SidecarError):
    """A file given to a command cannot be read: file, line where known, what is wrong."""

    reason = "INPUT_FAULT"


class CheckpointFault(InputFault):
    """A signed note, or the text of a key, is garbled, changed, or signed by no known key."""

    reason = "CHECKPOINT_FAULT"
