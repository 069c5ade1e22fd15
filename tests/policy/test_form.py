"""A policy set handed over as bytes answers as the one it was made from, and generates nothing again."""

from sidecar.core import form, generated
from tests.policy.lighthouse import (
    CALLER,
    NOW,
    SHIPPED,
    WORDS,
    Said,
    a_policy,
    a_request,
    a_snapshot,
    an_opening,
    situations,
)

WORLDS = [{}, {"subject.near": True}, {"subject.near": True, "resource.hidden": None}, {"context.grant_open": True}]


def test_a_policy_set_restored_from_its_parts_answers_the_same_and_compiles_nothing(monkeypatch):
    for world in WORLDS:
        made = a_policy(world)
        made.compiled.warm()
        parts = list(form.dump(made))
        with monkeypatch.context() as patched:
            patched.setattr(generated, "code", lambda *_: 1 / 0)
            restored = form.restore(parts, WORDS, situations(Said(world)))
            for category in SHIPPED.pack.vocabulary.categories:
                request = a_request(category=category)
                assert restored.evaluate(request, CALLER, "c1", a_snapshot(), NOW) == made.evaluate(
                    request, CALLER, "c1", a_snapshot(), NOW
                )
            assert restored.evaluate_open(an_opening(), CALLER, "c1", a_snapshot(), NOW) == made.evaluate_open(
                an_opening(), CALLER, "c1", a_snapshot(), NOW
            )
        assert restored.ref == made.ref
