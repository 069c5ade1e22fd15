"""One question, and what is known, as the words of the rules ask it."""

from typing import Self

from msgspec.structs import replace

from sidecar.core import care, delegations, instants, lifecycle, wills
from sidecar.core.evidence import Evidence
from sidecar.core.model import Grant
from sidecar.core.once import once
from sidecar.core.standing import Standing

LIFECYCLES = frozenset(("brouillon", "actif", "archive", "gele", "expire", "invalide"))
OUT_OF_USE = frozenset(("archive", "gele", "expire", "invalide"))


class Situation(Evidence):
    """What the words are asked of. What several of them need is worked out once, when first asked.

    The collectors are those of `Evidence`.
    """

    @once
    def in_team(self) -> bool | None:
        """Whether the subject is in the patient's care team."""
        return care.in_team(self, self.request.subject.id, self.units)

    @once
    def left(self) -> int | None:
        """When the subject and the patient were last in a unit together; NEVER, or None when it is not known."""
        return care.left(self, self.request.subject.id)

    @once
    def acted_for(self) -> tuple[str, bool | None]:
        """Who delegated and may do this now, as `delegations.delegator`."""
        return delegations.delegator(self)

    @property
    def standing(self) -> Standing:
        """What the record's states say together."""
        return lifecycle.standing(self)

    @property
    def lifecycles(self) -> frozenset[str]:
        """What the record is known to be."""
        return lifecycle.lifecycles(self, self.standing)

    @once
    def in_use(self) -> bool:
        """Whether object and record are known to be neither expired, nor archived, frozen or invalidated."""
        stated = self.request.resource.lifecycle
        if self.bundle is None or stated not in LIFECYCLES or stated in OUT_OF_USE:
            return False
        return not self.stated or self.lifecycles.isdisjoint(OUT_OF_USE)

    @once
    def unmarked(self) -> bool:
        """Whether no death is known, and no flag on the record, and the feeds vouch that there is none."""
        if self.stated and (self.standing.deaths or self.standing.flags):
            return False
        return self.absent("record_state") is False

    @once
    def unwilled(self) -> bool:
        """Whether nothing is known of the patient's will, and the feeds vouch that there is nothing."""
        return self.undirected and self.absent("directive") is False

    @once
    def untold(self) -> tuple[Grant, ...]:
        """The grants of late on this record of which nobody confirmed yet that the patient knows (S-131)."""
        audience = self.pack.break_glass.holder_audience
        return tuple(
            grant
            for grant in self.tenant.grants.values()
            if grant.patient_id in self.names
            and grant.controller_id == self.controller_id
            and audience not in grant.known_to
        )

    def without_will(self, tags: bool = True) -> Self:
        """The same with the patient's directives and visibility values taken away, nothing relied on yet (3.0.4).

        Without `tags`, what makes the object sensitive is taken away too.
        """
        request = self.request
        if request.resource.tags and not tags:
            request = replace(request, resource=replace(request.resource, tags=()))
        other = type(self)(request, self.speaker, self.controller_id, self.snapshot, self.now, self.pack, self.lenient)
        other.will, other.delegate = False, self.delegate
        # Read as where no directive is known: what is looked at, and so `valid_until`, must not tell there is one.
        other.undirected = other.bundle is not None
        self.read_alike()
        return other

    def without_delegators(self) -> Self | None:
        """The same without will and without the delegators it refuses; None where it refuses none of them.

        3.0.4: the subject sees the refusal of somebody with no delegation.
        """
        if not self.delegations(self.request.subject.id):
            return None
        refused = wills.refused_delegators(self)
        if not refused:
            return None
        other = self.without_will()
        other.unheard = refused
        return other

    def read_alike(self) -> None:
        """Read what the patient's will may be held against, so that what is read tells nobody whether there is one."""
        wills.read_alike(self)

    def value(self, name: str) -> str:
        """What `obligations.FILLED` stands for here, instants in RFC 3339; empty when there is none."""
        if name == "delegator":
            return self.acted_for[0]
        if name == "senior":
            return self.request.subject.supervised_by
        if name == "until":
            return instants.text(self.open_grant.until) if self.open_grant is not None else ""
        if not self.untold:
            return ""
        return str(len(self.untold)) if name == "untold" else instants.text(min(g.opened_at for g in self.untold))
