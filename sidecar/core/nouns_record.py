"""`r.resource` and `r.patient`: the object asked about, the record it is in, and what the patient wants."""

from sidecar.core import care, wills
from sidecar.core.bundle import NEVER
from sidecar.core.civil import midnight, retention
from sidecar.core.evidence import Evidence
from sidecar.core.once import once
from sidecar.core.words import Noun, asked, word

LIFECYCLES = frozenset(("brouillon", "actif", "archive", "gele", "expire", "invalide"))
LITIGATION = "litige"


class Resource(Noun):
    """The object asked about."""

    name = "resource"

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.asked = evidence.request.resource
        self.category = evidence.request.resource.category

    @word
    def expired(self) -> bool | None:
        """Past its retention."""
        return self._is("expire")

    @word
    def archived(self) -> bool | None:
        """Kept, and no longer in use."""
        return self._is("archive")

    @word
    def frozen(self) -> bool | None:
        """Not to be written."""
        return self._is("gele")

    @word
    def invalidated(self) -> bool | None:
        """Declared wrong."""
        return self._is("invalide")

    @property
    def draft(self) -> bool:
        """Not yet validated (A-09)."""
        return self.asked.lifecycle == "brouillon"

    @word
    def created_before_leaving(self) -> bool | None:
        """Made before the subject and the patient were last in a unit together (REL_POST)."""
        left = care.left(self.evidence, self.evidence.request.subject.id)
        return None if left is None else self.asked.created_at is not None and self.asked.created_at < left

    @word
    def sensitive(self) -> bool | None:
        """Carries a tag; one the pack does not know counts too (3.0.1)."""
        return None if self.asked.tags is None else bool(self.asked.tags)

    @asked
    def tagged(self, tag: str) -> bool | None:
        """Carries this tag."""
        return None if self.asked.tags is None else tag in self.asked.tags

    def only_tagged(self, *tags: str) -> bool:
        """Every tag is one of these, and what the tags are is known."""
        return self.asked.tags is not None and all(tag in tags for tag in self.asked.tags)

    @word
    def masked_for_subject(self) -> bool | None:
        """A mask covers this subject, or those the subject acts for, and this object."""
        return wills.judged(self.evidence, wills.masked)

    def _is(self, state: str) -> bool | None:
        stated = self.asked.lifecycle
        if stated == state or state in self._record_states:
            return True
        if stated in LIFECYCLES and self.evidence.bundle is not None:
            return False
        return self.evidence.absent("record_state")

    @once
    def _record_states(self) -> set[str]:
        """What the record as a whole is known to be: what its controller says, and where its retention stands."""
        evidence = self.evidence
        found = set()
        last_care, born, died = NEVER, "", ""
        for known, state in evidence.states:
            evidence.rest_on(known)
            found.add(state.lifecycle)
            # Where feeds differ the later date counts: nothing falls due while one of them says it is kept.
            if state.last_care is not None and state.last_care > last_care:
                last_care = state.last_care
            born, died = max(born, state.birth_date), max(died, state.death_date)
        if last_care > NEVER:
            past, due = retention(last_care, born, died)
            evidence.edge(past)
            evidence.edge(due)
            if evidence.now >= due:
                found.add("archive" if in_litigation(evidence) else "expire")
            elif evidence.now >= past:
                found.add("archive")
        return found


class Patient(Noun):
    """The patient, and their record as a whole."""

    name = "patient"

    @word
    def blocked_subject(self) -> bool | None:
        """Blocked this subject, or those the subject acts for."""
        return wills.judged(self.evidence, wills.blocked)

    @word
    def opposed_to_subject(self) -> bool | None:
        """Opposed sharing with this subject, or with those the subject acts for."""
        return wills.judged(self.evidence, wills.opposed)

    @word
    def deceased(self) -> bool | None:
        """A death is recorded."""
        return True if self._deaths else self.evidence.absent("record_state")

    @asked
    def deceased_since_more_than(self, days: int) -> bool | None:
        """Died more than `days` Paris calendar days ago."""
        if not self._deaths:
            return self.evidence.absent("record_state")
        over = midnight(min(self._deaths), days + 1)
        self.evidence.edge(over)
        return self.evidence.now >= over

    @word
    def in_litigation(self) -> bool | None:
        """A claim suspends expiry."""
        return None if self.evidence.bundle is None else in_litigation(self.evidence)

    @asked
    def flagged(self, flag: str) -> bool | None:
        """The record carries this flag."""
        return True if flag in self._flags else self.evidence.absent("record_state")

    @word
    def protected_record(self) -> bool | None:
        """The record carries a flag that asks for a tie by name (A-14, A-28)."""
        if not self._flags.isdisjoint(self.evidence.pack.vocabulary.protected_flags):
            return True
        return self.evidence.absent("record_state")

    @once
    def _flags(self) -> set[str]:
        flags: set[str] = set()
        for known, state in self.evidence.states:
            if state.flags:
                self.evidence.rest_on(known)
                flags.update(state.flags)
        return flags

    @once
    def _deaths(self) -> set[str]:
        deaths = set()
        for known, state in self.evidence.states:
            if state.death_date:
                self.evidence.rest_on(known)
                deaths.add(state.death_date)
        return deaths


def in_litigation(evidence: Evidence) -> bool:
    """Whether a claim is known that suspends expiry."""
    return any(LITIGATION in state.flags and evidence.supports(known) for known, state in evidence.states)
