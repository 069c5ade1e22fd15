"""What would have permitted an emergency without a grant, as far as is known by now (A-BG-9)."""

from sidecar.core import judgement
from sidecar.core.bundle import Snapshot
from sidecar.core.model import Caller, Context, Grant, Request, Resource, Subject
from sidecar.core.policy import PolicySet

READ = "read"


def grounds(policies: PolicySet, grant: Grant, snapshot: Snapshot) -> tuple[str, ...]:
    """The reasons of the grounds on which this subject might have read something the grant opened, at its opening.

    Facts that arrived since count for the instant they speak of: that is how a missing feed shows.
    """
    rules = policies.pack.break_glass
    subject = grant.opener or Subject(grant.subject_id, "", grant.profile, units=grant.units)
    caller = Caller(grant.caller_id, tenant=grant.tenant, controllers=(grant.controller_id,),
                    may_assert=frozenset(("identity",)))  # fmt: skip
    found: dict[str, None] = {}
    for category in sorted(policies.compiled.members["g2"].get(grant.scope, frozenset((grant.scope,)))):
        asked = policies.compiled.slice(grant.profile, category, READ, rules.purpose)
        if asked is None:
            continue
        resource = Resource(category, grant.patient_id, tags=(), controller_id=grant.controller_id)
        request = Request(subject, READ, resource, rules.purpose, context=Context())
        situation = policies.book.situations(
            request, caller, grant.controller_id, snapshot, grant.opened_at, policies.pack, True
        )
        settled, _, _ = judgement.merits(asked, situation)
        if settled.permit:
            found.update(dict.fromkeys((settled.reason, *settled.also)))
    return tuple(sorted(found))
