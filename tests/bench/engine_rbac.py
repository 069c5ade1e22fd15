"""Plain RBAC in the shape of Casbin's own benchmarks: of eleven rules one is a role's permission, ten are its users."""

import random
from collections.abc import Callable

from sidecar.core.casbin_enforcer_load import load
from tests.bench.engine_peers import Cedar, enforcer

MODEL = """[request_definition]
r = sub, obj, act

[policy_definition]
p = sub, obj, act

[role_definition]
g = _, _

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
"""
USERS = 10  # of each role
Values = tuple[str, str, str]
Engine = Callable[[Values], bool]


def policy(rules: int) -> str:
    """The text of a policy of `rules` rules."""
    return "\n".join(
        f"p, group{n // (USERS + 1)}, data{n // (USERS + 1)}, read"
        if n % (USERS + 1) == 0
        else f"g, user{n // (USERS + 1)}-{n % (USERS + 1) - 1}, group{n // (USERS + 1)}"
        for n in range(rules)
    )


def questions(rules: int, count: int, seed: int = 20_261_122) -> list[tuple[Values, bool]]:
    """Users who read what their role may, or what another one may, or write; with the answer each must get."""
    chance, made = random.Random(seed), []
    groups = max(1, rules // (USERS + 1))
    for _ in range(count):
        group = chance.randrange(groups)
        own = chance.random() < 0.5
        action = "read" if own or groups > 1 else "write"
        data = group if own or groups == 1 else (group + 1 + chance.randrange(groups - 1)) % groups
        made.append(((f"user{group}-{chance.randrange(min(USERS, rules - 1))}", f"data{data}", action), own))
    return made


def sidecar(rules: int) -> Engine:
    """The policy as the product compiles any Casbin model."""
    compiled = load(MODEL, policy(rules), "model.conf", "policy.csv")
    return lambda values: compiled.enforce(values).allow


def pycasbin(rules: int) -> Engine:
    """The policy in stock PyCasbin."""
    judge = enforcer(MODEL, policy(rules).split("\n"))
    return lambda values: bool(judge.enforce(*values))


def cedar(rules: int) -> tuple[Cedar, Engine]:
    """The policy in Cedar: a permit for each permission, users in their roles."""
    rows = [[part.strip() for part in line.split(",")] for line in policy(rules).split("\n")]
    permits = [
        f'permit(principal in Role::"{sub}", action == Action::"{act}", resource == Data::"{obj}");'
        for kind, sub, obj, act in (row for row in rows if row[0] == "p")
    ]
    people = [
        {"uid": {"type": "User", "id": row[1]}, "attrs": {}, "parents": [{"type": "Role", "id": row[2]}]}
        for row in rows
        if row[0] == "g"
    ]
    engine = Cedar(permits, people)
    return engine, lambda values: engine.allows(
        f'User::"{values[0]}"', f'Action::"{values[2]}"', f'Data::"{values[1]}"', {}
    )
