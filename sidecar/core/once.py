"""Properties that are worked out once, when first asked."""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")
R = TypeVar("R")


class once(Generic[T, R]):  # noqa: N801 - read as the decorator it is
    """A property worked out when first asked, then a plain attribute of the instance.

    `functools.cached_property` takes a lock on Python 3.11, four times the price; a decision has one thread. It is set
    as an attribute: who asks an instance for its `__dict__` makes all its attributes slower from then on.
    """

    def __init__(self, make: Callable[[T], R]) -> None:
        self.make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, holder: None, owner: type) -> Self: ...
    @overload
    def __get__(self, holder: T, owner: type) -> R: ...
    def __get__(self, holder: Any, owner: type) -> Any:
        if holder is None:
            return self
        value = self.make(holder)
        setattr(holder, self.name, value)
        return value
