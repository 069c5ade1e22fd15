"""The work of an answer does not grow with the rules: calls are counted, so a busy machine changes nothing."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from sidecar.core.casbin_enforcer_load import load
from tests.casbin.examples import AND_DENY, RBAC, model

SIZES = (10, 100_000)


def work(asked: Callable[[], object]) -> int:
    """How many functions are called, Python's own among them."""
    count = 0

    def counted(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        asked()
    finally:
        sys.setprofile(None)
    return count


def roles(rules: int) -> tuple[str, str, list]:
    rows = "".join(f"p, role{n}, data{n // 10}, read\n" for n in range(rules))
    links = "".join(f"g, user{n}, role{n}\n" for n in range(rules))
    return model(RBAC, roles=["_, _"]), rows + links, [f"user{rules // 2}", f"data{rules // 20}", "read"]


def acl(rules: int) -> tuple[str, str, list]:
    text = model("r.sub == p.sub && r.obj == p.obj", "sub, obj", "sub, obj, eft", effect=AND_DENY)
    rows = "".join(f"p, user{n}, data{n % 7}, {'deny' if n % 9 == 8 else 'allow'}\n" for n in range(rules))
    return text, rows, ["user5", "data5"]


def domains(rules: int) -> tuple[str, str, list]:
    matcher = "g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj"
    text = model(matcher, "sub, dom, obj", "sub, dom, obj", ["_, _, _"])
    rows = "".join(f"p, admin, house{n}, data\ng, user{n}, admin, house{n}\n" for n in range(rules))
    return text, rows, [f"user{rules - 1}", f"house{rules - 1}", "data"]


def wildcards(rules: int) -> tuple[str, str, list]:
    text = model('g(r.sub, p.sub) && (r.obj == p.obj || p.obj == "*")', "sub, obj", "sub, obj", ["_, _"])
    rows = "".join(f"p, user{n}, data{n}\n" for n in range(rules)) + "p, chief, *\ng, user1, chief\n"
    return text, rows, ["user1", "data7"]


def rules(rules: int) -> tuple[str, str, list]:
    text = model("r.obj == p.obj && eval(p.rule)", "sub, obj", "rule, obj")
    rows = "".join(f"p, r.sub.age > {n % 50}, data{n}\n" for n in range(rules))
    return text, rows, [{"age": 60}, "data7"]


@pytest.mark.parametrize("made", [roles, acl, domains, wildcards, rules])
def test_the_work_of_an_answer_is_the_same_at_ten_and_at_a_hundred_thousand_rules(made):
    counts = {}
    for size in SIZES:
        text, policy, request = made(size)
        loaded = load(text, policy)
        assert loaded.enforce(request).allow, size
        counts[size] = work(lambda asked=loaded, request=request: asked.enforce(request))
    print(f"\n{made.__name__}: {counts} calls")
    assert max(counts.values()) <= 2 * min(counts.values())


def test_a_conjunct_that_is_no_equality_is_asked_of_every_row_left():
    """The twin: without an index the work grows with the rows, and the count shows it."""
    text = model("!(r.sub != p.sub)", "sub", "sub")
    counts = []
    for size in (10, 1_000):
        loaded = load(text, "".join(f"p, user{n}\n" for n in range(size)))
        counts.append(work(lambda asked=loaded, size=size: asked.enforce([f"user{size - 1}"])))
    assert counts[1] > 20 * counts[0]


def test_a_name_with_many_roles_meets_the_rows_of_its_place_alone():
    """Ten thousand roles, two rows for the place: the rows are gone through, not the roles."""
    links = "".join(f"g, chief, role{n}\n" for n in range(10_000))
    loaded = load(model(RBAC, roles=["_, _"]), f"p, role7, data, read\np, role8, data, read\n{links}")
    few = load(model(RBAC, roles=["_, _"]), "p, role7, data, read\np, role8, data, read\ng, chief, role7\n")
    request = ["chief", "data", "read"]
    assert loaded.enforce(request).allow
    assert work(lambda: loaded.enforce(request)) <= 2 * work(lambda: few.enforce(request))


def test_unknown_names_leave_nothing_behind():
    """PyCasbin keeps every name it is asked about."""
    text, policy, _ = roles(100)
    loaded = load(text, policy)
    before = sum(map(sys.getsizeof, _reached(loaded)))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: loaded.enforce([f"nobody{n}", f"nothing{n}", "read"]).allow, range(5_000)))
    assert not any(answers)
    assert sum(map(sys.getsizeof, _reached(loaded))) == before


def _reached(thing: object) -> list[object]:
    """Every dictionary, tuple, set and object of ours that a policy holds."""
    found, waiting, seen = [], [thing], set()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, dict):
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, list | tuple | set | frozenset):
            waiting += each
        elif hasattr(each, "__struct_fields__"):
            waiting += [getattr(each, name) for name in each.__struct_fields__]
        elif hasattr(each, "__dict__") and type(each).__module__.startswith("sidecar"):
            waiting.append(each.__dict__)
        else:
            continue
        found.append(each)
    return found
