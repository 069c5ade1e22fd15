"""How much one person asks: distinct patients an hour, refusals in ten minutes (A-30, S-96, S-195).

What was counted goes into the snapshot a question is decided from, so that a decision stays a value of what it is
given, and into its record, so that it can be taken again.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable

from msgspec import Struct

from sidecar.core.instants import SECOND
from sidecar.core.model import Relied

PATIENTS_WINDOW = 3600 * SECOND
DENIALS_WINDOW = 600 * SECOND
_FOREVER = 1 << 62
KEPT = 200_000  # patients and refusals remembered in all; whoever was quiet longest is forgotten first

SOURCE = "sidecar"  # of what the sidecar counted itself, among the facts a decision rested on
PATIENTS, DENIALS = "patients_per_hour", "denials_per_ten_minutes"


class Usage(Struct, frozen=True):
    """What the sidecar counted of the subject of a question, before it was answered.

    `patients` are the distinct ones opened in the last hour, the one asked about included; `denials` the refusals of
    the last ten minutes.
    """

    patients: int = 0
    denials: int = 0


UNCOUNTED = Usage()


def recorded(relied: Iterable[Relied]) -> Usage:
    """What had been counted when this decision was taken, as far as it rested on it."""
    counts = {each.id: each.seq for each in relied if each.source == SOURCE}
    return Usage(counts.get(PATIENTS, 0), counts.get(DENIALS, 0))


class _Person:
    __slots__ = ("denials", "patients", "whole_until")

    def __init__(self) -> None:
        self.patients: OrderedDict[str, int] = OrderedDict()  # patient → when last opened, the latest last
        self.denials: deque[int] = deque()
        self.whole_until = _FOREVER  # nothing leaves its window before

    def forget(self, now: int) -> int:
        """Drops what has left its window; how many entries that were."""
        if now < self.whole_until:
            return 0
        patients, denials, dropped = self.patients, self.denials, 0
        while denials and denials[0] <= now - DENIALS_WINDOW:
            denials.popleft()
            dropped += 1
        while patients and next(iter(patients.values())) <= now - PATIENTS_WINDOW:
            patients.popitem(last=False)
            dropped += 1
        self.whole_until = min(
            denials[0] + DENIALS_WINDOW if denials else _FOREVER,
            next(iter(patients.values())) + PATIENTS_WINDOW if patients else _FOREVER,
        )
        return dropped

    def opened(self, patient_id: str, now: int) -> int:
        """Adds a patient; how many entries more that makes."""
        more = self.patients.pop(patient_id, None) is None
        self.patients[patient_id] = now
        if now + PATIENTS_WINDOW < self.whole_until:
            self.whole_until = now + PATIENTS_WINDOW
        return more

    def refused(self, now: int) -> int:
        """Adds a refusal; how many entries more that makes."""
        self.denials.append(now)
        if now + DENIALS_WINDOW < self.whole_until:
            self.whole_until = now + DENIALS_WINDOW
        return 1


class Counters:
    """Counts by tenant and subject, in memory: a restart begins again at zero. One thread at a time may use it."""

    def __init__(self, kept: int = KEPT) -> None:
        """`kept` bounds what is remembered of everybody together."""
        self._people: OrderedDict[tuple[str, str], _Person] = OrderedDict()
        self._kept, self._held = kept, 0

    def usage(self, tenant: str, subject_id: str, patient_id: str, now: int) -> Usage:
        """What was counted of this subject up to `now`, with the patient asked about; empty for none."""
        person = self._people.get((tenant, subject_id))
        if person is None:
            return Usage(1 if patient_id else 0)
        self._held -= person.forget(now)
        more = 1 if patient_id and patient_id not in person.patients else 0
        return Usage(len(person.patients) + more, len(person.denials))

    def note(self, tenant: str, subject_id: str, patient_id: str, permitted: bool, now: int) -> None:
        """Count an answer: a patient opened, or a refusal."""
        if permitted and not patient_id:
            return
        key = tenant, subject_id
        person = self._people.get(key)
        if person is None:
            person = self._people[key] = _Person()
        self._people.move_to_end(key)
        self._held += person.opened(patient_id, now) if permitted else person.refused(now)
        while self._held > self._kept:
            _, quiet = self._people.popitem(last=False)
            self._held -= len(quiet.patients) + len(quiet.denials)
