"""The long form of the campaigns: with SOAK=1 every property is tried many times more (`make soak`)."""

import os

import hypothesis
import pytest

LONGER = 25


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Raise the number of examples of each property, whatever it asks for in the short form."""
    if not os.environ.get("SOAK"):
        return
    for item in items:
        function = getattr(item, "obj", None)
        short = getattr(function, "_hypothesis_internal_use_settings", None)
        if short is not None:
            long = hypothesis.settings(short, max_examples=short.max_examples * LONGER)
            function._hypothesis_internal_use_settings = long
