"""Other engines with the same rules: stock PyCasbin, and Cedar with a policy written to answer alike.

Both are handed what the product works out: whether the subject is of the care team, whether the patient masked the
object, and so on. Only the rules are theirs.
"""

import json
from collections.abc import Callable, Iterable

import casbin
import cedarpy
from casbin.core_enforcer import EnforceContext
from casbin.persist.adapters.string_adapter import StringAdapter

from sidecar.core.instants import DAY
from sidecar.core.vocabulary import NOUNS
from tests.bench import engine_pack
from tests.bench.engine_questions import Asked, cells

Engine = Callable[[Asked], bool]
GROUNDS, MATRIX = EnforceContext("r", "p", "e", "m"), EnforceContext("r", "p3", "e", "m3")


# ---- PyCasbin


class Noun:
    """A noun whose words answer as the question says."""

    def __init__(self, name: str, asked: Asked, **given: str) -> None:
        for word, what in NOUNS.get(name, {}).items():
            answer = f"{name}.{word}" in asked.holds
            if word == "left_unit_less_than":
                self.left_unit_less_than = lambda days: asked.left is not None and asked.left < days * DAY
            else:
                setattr(self, word, answer if what.args is None else lambda *_, answer=answer: answer)
        for word, value in given.items():
            setattr(self, word, value)


def enforcer(model: str, rows: Iterable[str]) -> casbin.Enforcer:
    """Stock PyCasbin with these rows, as its users load it."""
    found = casbin.Enforcer.new_model(text=model)
    return casbin.Enforcer(found, StringAdapter("\n".join(rows)))


def pycasbin(files: dict[str, str]) -> Engine:
    """A generated pack in PyCasbin: some ground and no gate, and some cell."""
    rows = [
        line
        for name, text in files.items()
        if name.endswith(".csv")
        for line in text.split("\n")
        if line and not line.startswith("#")
    ]
    judge = enforcer(files["model.conf"], rows)

    def enforce(asked: Asked) -> bool:
        request = asked.request
        nouns = {name: Noun(name, asked) for name in ("authentication", "device", "caller", "patient", "context")}
        said = (
            Noun("subject", asked, profile=request.subject.profile), nouns["authentication"], nouns["device"],
            nouns["caller"], request.action, Noun("resource", asked, category=request.resource.category),
            request.purpose, nouns["patient"], nouns["context"],
        )  # fmt: skip
        return bool(judge.enforce(GROUNDS, *said) and judge.enforce(MATRIX, *said))

    return enforce


# ---- Cedar


CELLS = {
    "True": "",
    "!r.resource.sensitive": " && !context.sensitive",
    "!r.resource.sensitive || r.subject.is_author": " && (!context.sensitive || context.is_author)",
    "!r.resource.sensitive || r.subject.in_tag_unit": " && (!context.sensitive || context.in_tag_unit)",
}
FORBIDDEN = (
    "forbid(principal, action, resource) when { !context.active };",
    'forbid(principal in Profile::"humain", action, resource in Category::"protege") when { !context.mfa };',
    "forbid(principal, action, resource) when { !context.purpose_allowed };",
    'forbid(principal, action, resource in Category::"masquable") when { context.blocked_subject };',
    'forbid(principal, action in Action::"acces", resource in Category::"masquable") when'
    " { context.masked_for_subject && !context.is_author && !context.in_producing_unit && !context.vital_override };",
)
PERMITTED = (
    'permit(principal in Profile::"{profile}", action in Action::"usage", resource in Category::"{category}") when'
    ' {{ context.purpose in Purpose::"prise_en_charge" && ((context.in_care_team && (context.named_in_care'
    ' || !context.protected_record)) || (action in Action::"lecture" && context.left < {left}'
    " && (context.created_before_leaving || context.signed_request_for) && !context.protected_record)){cell} }};"
)
SAID = (
    "subject.active", "authentication.mfa", "subject.purpose_allowed", "patient.blocked_subject",
    "resource.masked_for_subject", "subject.is_author", "subject.in_producing_unit", "context.vital_override",
    "subject.in_care_team", "subject.named_in_care", "patient.protected_record", "resource.created_before_leaving",
    "subject.signed_request_for", "resource.sensitive", "subject.in_tag_unit",
)  # fmt: skip
SECTIONS = {"g": "Profile", "g2": "Category", "g3": "Action", "g4": "Purpose"}
LONG_AGO = 1 << 60


class Cedar:
    """Cedar with policies and entities parsed once; `own_us` is what it says an answer took, without Python."""

    def __init__(self, policies: Iterable[str], entities: list[dict[str, object]]) -> None:
        self.policies = cedarpy.PolicySet.from_str("\n".join(policies))
        self.entities = cedarpy.Entities.from_json_str(json.dumps(entities))
        self.own_us = 0

    def allows(self, principal: str, action: str, resource: str, context: dict[str, object]) -> bool:
        """Whether Cedar allows it; raises AssertionError when a policy could not be evaluated."""
        request = {"principal": principal, "action": action, "resource": resource, "context": context}
        answer = cedarpy.is_authorized(request, self.policies, self.entities)
        assert not answer.diagnostics.errors, answer.diagnostics.errors
        self.own_us = answer.metrics["authz_duration_micros"]
        return answer.allowed


def shaped(rules: int) -> tuple[Cedar, Engine]:
    """`engine_pack.shaped(rules)` in Cedar, without the rows of a last profession that is not whole."""
    permits = [
        PERMITTED.format(
            profile=engine_pack.profession(who),
            category=engine_pack.category(about),
            left=engine_pack.days(who) * DAY,
            cell=CELLS[engine_pack.cell(who, about)],
        )
        for who, about in cells(rules)
    ]
    return _hospital(permits, engine_pack.shaped(rules))


def crowded(rules: int) -> tuple[Cedar, Engine]:
    """`engine_pack.crowded(rules)` in Cedar: one permit for each number of days."""
    names = {"profile": engine_pack.profession(0), "category": engine_pack.category(0), "cell": ""}
    permits = [PERMITTED.format(left=within * DAY, **names) for within in range(1, rules - len(FORBIDDEN))]
    return _hospital(permits, engine_pack.crowded(rules))


def _hospital(permits: list[str], files: dict[str, str]) -> tuple[Cedar, Engine]:
    """Cedar with these permits under the gates."""
    policies = [*FORBIDDEN, *permits]
    engine = Cedar(policies, entities(files["roles.csv"]))

    def allows(asked: Asked) -> bool:
        request = asked.request
        context: dict[str, object] = {word.partition(".")[2]: word in asked.holds for word in SAID}
        context["purpose"] = {"__entity": {"type": "Purpose", "id": request.purpose}}
        context["left"] = LONG_AGO if asked.left is None else asked.left
        return engine.allows(
            f'Profile::"{request.subject.profile}"',
            f'Action::"{request.action}"',
            f'Category::"{request.resource.category}"',
            context,
        )

    return engine, allows


def entities(roles: str) -> list[dict[str, object]]:
    """The groups of roles.csv as Cedar's hierarchy."""
    parents: dict[tuple[str, str], list[dict[str, str]]] = {}
    for line in roles.split("\n"):
        if line and not line.startswith("#"):
            section, member, group = (part.strip() for part in line.split(","))
            kind = SECTIONS[section]
            parents.setdefault((kind, member), []).append({"type": kind, "id": group})
            parents.setdefault((kind, group), [])
    return [{"uid": {"type": kind, "id": name}, "attrs": {}, "parents": up} for (kind, name), up in parents.items()]
