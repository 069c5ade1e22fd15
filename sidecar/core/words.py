"""How nouns answer: each word once per decision, an unknown noted and, where a grant says so, read as absent."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

from sidecar.core.evidence import Evidence
from sidecar.core.once import once


class Noun:
    """What a rule may speak of, as `r.<name>`. A word once answered is a plain attribute of the instance."""

    name: ClassVar[str]

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence


N = TypeVar("N", bound=Noun)
P = ParamSpec("P")


class word(once[N, bool | None]):  # noqa: N801 - read as the decorator it is
    """A word without arguments: answered once, noted when unknown."""

    def __get__(self, noun: Any, owner: type) -> Any:
        if noun is None:
            return self
        said = self.make(noun)
        if said is None:
            said = noun.evidence.unanswered(noun.name, self.name)
        noun.__dict__[self.name] = said
        return said


def asked(make: Callable[Concatenate[N, P], bool | None]) -> Callable[Concatenate[N, P], bool | None]:
    """A word with arguments, answered once for each, noted when unknown."""
    name = make.__name__

    @wraps(make)
    def answer(noun: N, /, *args: P.args, **kwargs: P.kwargs) -> bool | None:
        answers, key = noun.evidence.answers, (name, *args)
        if key in answers:
            return answers[key]
        said = make(noun, *args, **kwargs)
        if said is None:
            said = noun.evidence.unanswered(noun.name, name)
        answers[key] = said
        return said

    return answer
