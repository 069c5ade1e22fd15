"""Casbin's own examples: our answers are those its test suites state, and PyCasbin's, row told included."""

import pytest

from sidecar.core.casbin_enforcer_load import load
from tests.casbin.examples import EXAMPLES
from tests.casbin.stock import Stock


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_of_casbin_answers_as_its_own_tests_say(name):
    example = EXAMPLES[name]
    policy = load(example.model, example.policy)
    assert [request for request in example.allowed if not policy.enforce(request).allow] == []
    assert [request for request in example.denied if policy.enforce(request).allow] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_of_casbin_answers_and_tells_as_pycasbin_does(name):
    example = EXAMPLES[name]
    policy, stock = load(example.model, example.policy), Stock(example.model, example.policy)
    for request in example.allowed + example.denied:
        ours = policy.enforce(request)
        assert (ours.allow, ours.explain) == stock.enforce(request), request
