"""One question, and what is known, as the nouns the rules speak of."""

from typing import Self

from sidecar.core import delegations, instants, wills
from sidecar.core.bundle import Snapshot
from sidecar.core.evidence import Evidence
from sidecar.core.model import Caller, Request
from sidecar.core.nouns_record import Patient, Resource
from sidecar.core.nouns_request import Authentication, Context, Device
from sidecar.core.nouns_request import Caller as CallerNoun
from sidecar.core.nouns_subject import Subject
from sidecar.core.pack import Pack


class Situation(Evidence):
    """The nouns of one question: `subject`, `authentication`, `device`, `caller`, `action`, `resource`, `purpose`,
    `patient`, `context`; their words are worked out when asked. The collectors are those of `Evidence`.
    """

    def __init__(
        self,
        request: Request,
        caller: Caller,
        controller_id: str,
        snapshot: Snapshot,
        now: int,
        pack: Pack,
        lenient: bool = False,
    ) -> None:
        """`controller_id` is the resolved one; `pack` has its groups flattened to names."""
        super().__init__(request, caller, controller_id, snapshot, now, pack, lenient)
        self.action, self.purpose = request.action, request.purpose
        self.subject = Subject(self)
        self.authentication = Authentication(self)
        self.device = Device(self)
        self.caller = CallerNoun(self)
        self.resource = Resource(self)
        self.patient = Patient(self)
        self.context = Context(self)

    def without_will(self) -> Self:
        """The same with the patient's directives and visibility values taken away, and nothing relied on yet (3.0.4).

        Delegators they refuse are left out, so that the subject sees the refusal of somebody with no delegation.
        """
        other = type(self)(
            self.request, self.speaker, self.controller_id, self.snapshot, self.now, self.pack, self.lenient
        )
        other.will, other.delegate = False, self.delegate
        if self.delegations(self.request.subject.id):
            other.unheard = wills.refused_delegators(self)
        return other

    def value(self, name: str) -> str:
        """`delegator`, `senior` or `until` (the end of the open grant, RFC 3339); empty when there is none."""
        if name == "delegator":
            return delegations.delegator(self)[0]
        if name == "senior":
            return self.request.subject.supervised_by
        grant = self.open_grant
        return instants.text(grant.until) if name == "until" and grant is not None else ""
