"""How nouns answer: each word once per decision, an unknown noted and, where a grant says so, read as absent."""

from collections.abc import Callable
from functools import wraps
from typing import ClassVar, Concatenate, ParamSpec, TypeVar

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

    def __init__(self, make: Callable[[N], bool | None]) -> None:
        def answer(noun: N) -> bool | None:
            said = make(noun)
            return noun.evidence.unanswered(noun.name, self.name) if said is None else said

        super().__init__(answer)
        self.__doc__ = make.__doc__


def asked(make: Callable[Concatenate[N, P], bool | None]) -> Callable[Concatenate[N, P], bool | None]:
    """A word with arguments, noted when unknown."""

    @wraps(make)
    def answer(noun: N, /, *args: P.args, **kwargs: P.kwargs) -> bool | None:
        said = make(noun, *args, **kwargs)
        return noun.evidence.unanswered(noun.name, make.__name__) if said is None else said

    return answer
