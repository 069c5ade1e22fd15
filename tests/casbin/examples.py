"""The example models of PyCasbin and Casbin (Apache-2.0; https://github.com/casbin, `examples/`), with requests whose
answers their own test suites state. Each policy keeps the shape of its example."""

from dataclasses import dataclass, field

OVERRIDE = "some(where (p.eft == allow))"
AND_DENY = "some(where (p.eft == allow)) && !some(where (p.eft == deny))"


def model(matcher: str, request="sub, obj, act", row="sub, obj, act", roles=(), effect=OVERRIDE) -> str:
    defined = "".join(f"g{number if number > 1 else ''} = {shape}\n" for number, shape in enumerate(roles, 1))
    return (
        f"[request_definition]\nr = {request}\n\n[policy_definition]\np = {row}\n\n"
        + (f"[role_definition]\n{defined}\n" if defined else "")
        + f"[policy_effect]\ne = {effect}\n\n[matchers]\nm = {matcher}\n"
    )


@dataclass(frozen=True)
class Example:
    model: str
    policy: str
    allowed: list[tuple] = field(default_factory=list)
    denied: list[tuple] = field(default_factory=list)


def person(name: str, age: int) -> dict:
    return {"name": name, "age": age}


BASIC = "r.sub == p.sub && r.obj == p.obj && r.act == p.act"
RBAC = "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act"
BASIC_ROWS = "p, alice, data1, read\np, bob, data2, write\n"
RBAC_ROWS = BASIC_ROWS + "p, data2_admin, data2, read\np, data2_admin, data2, write\ng, alice, data2_admin\n"
OF_BASIC = {
    "allowed": [("alice", "data1", "read"), ("bob", "data2", "write")],
    "denied": [
        ("alice", "data1", "write"),
        ("alice", "data2", "read"),
        ("bob", "data1", "read"),
        ("bob", "data2", "read"),
    ],
}
OF_RBAC = {
    "allowed": [
        ("alice", "data1", "read"),
        ("alice", "data2", "read"),
        ("alice", "data2", "write"),
        ("bob", "data2", "write"),
    ],
    "denied": [("bob", "data1", "read"), ("bogus", "data2", "write"), ("alice", "data1", "write")],
}

EXAMPLES = {
    "basic": Example(model(BASIC), BASIC_ROWS, **OF_BASIC),
    "basic without spaces": Example(
        model("r.sub==p.sub && r.obj==p.obj && r.act==p.act", "sub,obj,act", "sub,obj,act"), BASIC_ROWS, **OF_BASIC
    ),
    "basic with a comment": Example(model(f"{BASIC} # who, what, how"), "# rows\n\n" + BASIC_ROWS, **OF_BASIC),
    "basic with root": Example(
        model(f'{BASIC} || r.sub == "root"'),
        BASIC_ROWS,
        [("root", "any", "any"), *OF_BASIC["allowed"]],
        OF_BASIC["denied"],
    ),
    "basic without users": Example(
        model("r.obj == p.obj && r.act == p.act", "obj, act", "obj, act"),
        "p, data1, read\np, data2, write\n",
        [("data1", "read"), ("data2", "write")],
        [("data1", "write"), ("data2", "read")],
    ),
    "basic without resources": Example(
        model("r.sub == p.sub && r.act == p.act", "sub, act", "sub, act"),
        "p, alice, read\np, bob, write\n",
        [("alice", "read"), ("bob", "write")],
        [("alice", "write"), ("bob", "read")],
    ),
    "rbac": Example(model(RBAC, roles=["_, _"]), RBAC_ROWS, **OF_RBAC),
    "rbac over several lines": Example(
        model("r.obj == p.obj && r.act == p.act \\\n  && g(r.sub, p.sub)", roles=["_, _"]), RBAC_ROWS, **OF_RBAC
    ),
    "rbac with deny": Example(
        model(RBAC, row="sub, obj, act, eft", roles=["_, _"], effect=AND_DENY),
        "p, alice, data1, read, allow\np, bob, data2, write, allow\np, data2_admin, data2, read, allow\n"
        "p, data2_admin, data2, write, allow\np, alice, data2, write, deny\ng, alice, data2_admin\n",
        [("alice", "data1", "read"), ("bob", "data2", "write"), ("alice", "data2", "read")],
        [("alice", "data2", "write")],
    ),
    "rbac with domains": Example(
        model(
            "g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act",
            "sub, dom, obj, act",
            "sub, dom, obj, act",
            ["_, _, _"],
        ),
        "p, admin, domain1, data1, read\np, admin, domain1, data1, write\np, admin, domain2, data2, read\n"
        "p, admin, domain2, data2, write\ng, alice, admin, domain1\ng, bob, admin, domain2\n",
        [
            ("alice", "domain1", "data1", "read"),
            ("alice", "domain1", "data1", "write"),
            ("bob", "domain2", "data2", "read"),
        ],
        [
            ("alice", "domain1", "data2", "read"),
            ("bob", "domain2", "data1", "read"),
            ("alice", "domain2", "data2", "read"),
        ],
    ),
    "rbac with domains of roles alone": Example(
        model("g(r.sub, p.sub, r.dom) && r.obj == p.obj && r.act == p.act", "sub, dom, obj, act", roles=["_, _, _"]),
        "# rows know no domain, roles do\n\np, role:reader, data1, read\np, role:writer, data1, write\n"
        "p, alice, data2, read\n\n"
        "g, role:global_admin, role:reader, domain1\ng, role:global_admin, role:writer, domain1\n"
        "\ng, alice, role:global_admin, domain1\n",
        [
            ("alice", "domain1", "data1", "read"),
            ("alice", "domain1", "data1", "write"),
            ("alice", "domain2", "data2", "read"),
        ],
        [("alice", "domain2", "data1", "read"), ("alice", "domain1", "data2", "write")],
    ),
    "rbac with resource roles": Example(
        model("g(r.sub, p.sub) && g2(r.obj, p.obj) && r.act == p.act", roles=["_, _", "_, _"]),
        "p, alice, data1, read\np, bob, data2, write\np, data_group_admin, data_group, write\n"
        "g, alice, data_group_admin\ng2, data1, data_group\ng2, data2, data_group\n",
        [
            ("alice", "data1", "read"),
            ("alice", "data1", "write"),
            ("alice", "data2", "write"),
            ("bob", "data2", "write"),
        ],
        [("alice", "data2", "read"), ("bob", "data1", "read"), ("bob", "data1", "write"), ("bob", "data2", "read")],
    ),
    "rbac in a list of resources": Example(
        model(f"{RBAC} || r.obj in ('data2', 'data3')", roles=["_, _"]),
        RBAC_ROWS,
        [("alice", "data1", "read"), ("alice", "data2", "read"), ("alice", "data3", "read"), ("bob", "data2", "write")],
        [("bob", "data1", "read")],
    ),
    "rbac in a bracketed list of resources": Example(
        model(f"{RBAC} || r.obj in ['data2', 'data3']", roles=["_, _"]),
        RBAC_ROWS,
        [("alice", "data1", "read"), ("alice", "data3", "read")],
        [("bob", "data1", "read")],
    ),
    "rbac with a complex matcher": Example(
        model(
            "(g(r.sub, p.sub, r.dom) || g(r.sub, p.sub, '*')) && (p.dom == '*' || r.dom == p.dom) && r.obj == p.obj"
            " && r.act == p.act",
            "sub, obj, act, dom",
            "sub, obj, act, dom",
            ["_, _, _"],
        ),
        "p, admin, data1, read, domain1\np, any, data2, read, *\ng, alice, admin, domain1\ng, alice, any, *\n",
        [("alice", "data1", "read", "domain1"), ("alice", "data2", "read", "domain9")],
        [("alice", "data1", "read", "domain2"), ("bob", "data2", "read", "domain1")],
    ),
    "abac": Example(
        model("r.sub == r.obj.Owner"),
        "",
        [("alice", {"Owner": "alice", "id": "data1"}, "write")],
        [("bob", {"Owner": "alice", "id": "data1"}, "write")],
    ),
    "abac with a rule": Example(
        model("eval(p.sub_rule) && r.obj == p.obj && r.act == p.act", row="sub_rule, obj, act"),
        "p, r.sub.age > 18, /data1, read\np, r.sub.age < 60, /data2, write\n",
        [(person("bob", 20), "/data1", "read"), (person("alice", 16), "/data2", "write")],
        [(person("alice", 16), "/data1", "read"), (person("alice", 65), "/data2", "write")],
    ),
    "abac with several rules": Example(
        model(
            "eval(p.sub_rule1) && eval(p.sub_rule2) && r.obj == p.obj && r.act == p.act",
            row="sub_rule1, sub_rule2, obj, act",
        ),
        'p, r.sub.age > 18, r.sub.name == "alice", /data1, read\n'
        'p, r.sub.age < 60, r.sub.name == "bob", /data2, write\n',
        [(person("alice", 20), "/data1", "read"), (person("bob", 35), "/data2", "write")],
        [
            (person("alice", 16), "/data1", "read"),
            (person("bob", 65), "/data2", "write"),
            (person("bob", 20), "/data1", "read"),
        ],
    ),
    "attributes of subject and resource": Example(
        model("eval(p.sub_rule) && eval(p.obj_rule) && r.act == p.act", row="sub_rule, obj_rule, act"),
        "p, r.sub.Role == 'admin', r.obj.Type == 'doc', read\np, r.sub.Age >= 18, r.obj.Type == 'video', play\n",
        [({"Role": "admin", "Age": 3}, {"Type": "doc"}, "read"), ({"Role": "x", "Age": 18}, {"Type": "video"}, "play")],
        [({"Role": "x", "Age": 18}, {"Type": "doc"}, "read"), ({"Role": "x", "Age": 17}, {"Type": "video"}, "play")],
    ),
    "levels": Example(
        model(
            '(r.act == "read" && r.sub_level >= r.obj_level) || \\\n  (r.act == "write" && r.sub_level <= r.obj_level)',
            "sub, sub_level, obj, obj_level, act",
        ),
        "",
        [("alice", 3, "data1", 1, "read"), ("bob", 1, "data3", 3, "write")],
        [("bob", 1, "data3", 3, "read"), ("alice", 3, "data1", 1, "write")],
    ),
    "keyMatch": Example(
        model("r.sub == p.sub && keyMatch(r.obj, p.obj) && regexMatch(r.act, p.act)"),
        "p, alice, /alice_data/*, GET\np, alice, /alice_data/resource1, POST\np, bob, /alice_data/resource2, GET\n"
        "p, bob, /bob_data/*, POST\np, cathy, /cathy_data, (GET)|(POST)\n",
        [("alice", "/alice_data/test", "GET"), ("cathy", "/cathy_data", "GET"), ("cathy", "/cathy_data", "POST")],
        [("alice", "/bob_data/test", "GET"), ("cathy", "/cathy_data/12", "POST"), ("cathy", "/cathy_data", "DELETE")],
    ),
    "keyMatch2": Example(
        model("r.sub == p.sub && keyMatch2(r.obj, p.obj) && regexMatch(r.act, p.act)"),
        "p, alice, /alice_data/:resource, GET\np, alice, /alice_data2/:id/using/:resId, GET\n",
        [("alice", "/alice_data/resource", "GET"), ("alice", "/alice_data2/123/using/456", "GET")],
        [("alice", "/alice_data", "GET"), ("alice", "/alice_data2/123/using/", "GET"), ("bob", "/alice_data/x", "GET")],
    ),
    "ipMatch": Example(
        model("ipMatch(r.sub, p.sub) && r.obj == p.obj && r.act == p.act"),
        "p, 192.168.2.0/24, data1, read\np, 10.0.0.0/16, data2, write\n",
        [("192.168.2.1", "data1", "read"), ("10.0.3.4", "data2", "write")],
        [("192.168.3.1", "data1", "read"), ("10.1.0.1", "data2", "write")],
    ),
    "globMatch": Example(
        model("r.sub == p.sub && globMatch(r.obj, p.obj) && regexMatch(r.act, p.act)"),
        "p, alice, /alice_data/*, GET\np, alice, /alice_data/???, POST\n\np, bob, /alice_data/[1-9], GET\n"
        "p, bob, /bob_data/[!1-9], POST\n",
        [
            ("alice", "/alice_data/x", "GET"),
            ("alice", "/alice_data/abc", "POST"),
            ("bob", "/alice_data/1", "GET"),
            ("bob", "/bob_data/a", "POST"),
        ],
        [
            ("alice", "/alice_data/x/y", "GET"),
            ("alice", "/alice_data/ab", "POST"),
            ("bob", "/alice_data/0", "GET"),
            ("bob", "/bob_data/1", "POST"),
        ],
    ),
    "an empty policy of roles": Example(model(RBAC, roles=["_, _"]), "", [], OF_RBAC["allowed"]),
}
