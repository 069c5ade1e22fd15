"""Which objects answer which request: a report says what it is based on, a document what it is related to.

FHIR R4 has no reference the other way: a ServiceRequest names none of its results.
"""

from collections.abc import Callable

from sidecar.facts.feeds.resources import Reference, Result, ServiceRequest


class Answers:
    """The requests of an import and what names them, by every way to name one."""

    def __init__(self) -> None:
        self._requests: dict[str, str] = {}  # way to point at a request → its name; empty when it points at two
        self._found: list[tuple[str, Result]] = []
        self._answers: dict[tuple[str, str], list[str]] = {}  # (name of a request, patient id) → ids of objects

    def asked(self, name: str, request: ServiceRequest, full_url: str) -> None:
        """Remember a request. `name` is its identity, as in `ServiceRequest/17`."""
        ways = [f"ServiceRequest/{request.id}" if request.id else "", full_url]
        ways += [_by_identifier(identifier.key) for identifier in request.identifier if identifier.value]
        for way in filter(None, ways):
            self._requests[way] = name if self._requests.get(way, name) == name else ""

    def given(self, object_id: str, result: Result) -> None:
        """Remember an object that says what it answers."""
        if result.based_on or result.context.related:
            self._found.append((object_id, result))

    def settle(self, patient: Callable[[Reference | None], str]) -> None:
        """Tie objects to requests; `patient` gives the id of the patient a reference names, or empty."""
        for object_id, result in self._found:
            for reference in (*result.based_on, *result.context.related):
                if name := self._requests.get(_way(reference), ""):
                    self._answers.setdefault((name, patient(result.subject)), []).append(object_id)
        self._found.clear()

    def to(self, name: str, patient_id: str) -> tuple[str, ...]:
        """The ids of the objects of this patient that answer the request of this name."""
        return tuple(dict.fromkeys(self._answers.get((name, patient_id), ())))


def _way(reference: Reference) -> str:
    """How a reference points: literally, or by an identifier."""
    if reference.reference or reference.identifier is None or not reference.identifier.value:
        return reference.reference.partition("/_history/")[0]
    return _by_identifier(reference.identifier.key)


def _by_identifier(key: str) -> str:
    return f"ServiceRequest?identifier={key}"
