"""Casbin models, policies and requests drawn so that most requests mean something: every value has a type, a
matcher compares like with like, and most requests are made from a row that they ought to meet."""

from dataclasses import dataclass
from random import Random

from casbin.util import builtin_operators

NAMES = ["alice", "bob", "carol", "root"]
ROLES = ["admin", "staff", "night"]
DATA = ["data1", "data2", "data3"]
KINDS = ["paper", "film"]
ACTIONS = ["read", "write", "delete"]
DOMAINS = ["north", "south"]
PATHS = ["/a/1", "/a/2/b", "/a", "/b/1/b/1", "/b/1/b/2", "/c.d", "/a/1?x=2"]
ADDRESSES = ["10.0.0.7", "10.0.1.7", "192.168.2.1", "::1"]
PATTERNS = {
    "keyMatch": ["/a/*", "/a", "*", "/b/1*"],
    "keyMatch2": ["/a/:id", "/a/:id/b", "/a/*", "*", "/b/:x/b/:y"],
    "keyMatch3": ["/a/{id}", "/b/{x}/b/{y}", "/a/*", "/{any}"],
    "keyMatch4": ["/b/{x}/b/{x}", "/a/{id}", "/b/{x}/b/{y}"],
    "keyMatch5": ["/a/{id}", "/a/*", "/a/1"],
    "regexMatch": ["^/a/[0-9]+$", "/a", "^(/a|/b).*$", ".*[.]d", "^/b/(?:1|2)/b$", "/a/.?"],
    "globMatch": ["/a/*", "/a/**", "/?", "/[ab]/*", "/[!a]/**", "**/b", "/*.d"],
    "ipMatch": ["10.0.0.0/24", "192.168.2.1", "::/96", "10.0.0.7/16"],
}
ASKED = {
    name: getattr(builtin_operators, "".join(f"_{c.lower()}" if c.isupper() else c for c in name)) for name in PATTERNS
}
ACTION_PATTERNS = ["read", "(read)|(write)", "^r.*d$", "^(?:write|delete)$", "[dw].*"]


@dataclass(frozen=True)
class Field:
    """A field of the row: what may stand there, and how a request is made that meets it."""

    name: str
    values: list[str]
    asks: str  # the field of the request it is compared with
    function: str  # the function that compares, if one does


@dataclass(frozen=True)
class Case:
    """A model, its rows by line, and the requests."""

    model: str
    rows: list[str]
    links: list[str]
    requests: list[list[object]]
    denies: bool
    fields: tuple[str, ...]

    @property
    def policy(self) -> str:
        return "\n".join(self.rows + self.links) + "\n"


def case(random: Random, requests: int) -> Case:
    made = _Maker(random)
    return made.case(requests)


class _Maker:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.pick, self.chance = random.choice, lambda share: random.random() < share
        self.request: dict[str, list[object]] = {}
        self.fields: list[Field] = []
        self.parts: list[str] = []
        self.roles: dict[str, str] = {}
        self.links: list[str] = []

    def case(self, count: int) -> Case:
        subject = self.pick([self.plain_subject, self.roles_of_subject, self.roles_in_domains, self.attributes])
        subject()
        self.pick([self.plain_object, self.matched_object, self.matched_object, self.roles_of_object, self.owner])()
        self.pick([self.plain_action, self.action_pattern, self.action_list, self.action_any])()
        for extra in (self.address, self.numbers, self.unlike, self.captured):
            if self.chance(0.15):
                extra()
        self.random.shuffle(self.parts)
        denies = self.chance(0.6)
        drawn = [self.row(denies) for _ in range(self.random.randint(1, 8))]
        if self.chance(0.2):
            drawn.append(self.pick(drawn))
        model = self.model(denies)
        made = [self.asked(self.pick(drawn)) for _ in range(count)]
        rows = [", ".join(["p", *values]) for values in drawn]
        return Case(model, rows, self.links, made, denies, tuple(field.name for field in self.fields))

    def model(self, denies: bool) -> str:
        matcher = " && ".join(self.parts)
        if self.chance(0.15) and "sub" in self.request:
            matcher += ' || r.sub == "root"'
        if self.chance(0.1):
            matcher = f'({matcher}) && !(r.act == "never")'
        effect = "some(where (p.eft == allow))" + " && !some(where (p.eft == deny))" * denies
        roles = "".join(f"{name} = {shape}\n" for name, shape in self.roles.items())
        names = ", ".join(field.name for field in self.fields) + ", eft" * denies
        return (
            f"[request_definition]\nr = {', '.join(self.request)}\n[policy_definition]\np = {names}\n"
            + (f"[role_definition]\n{roles}" if roles else "")
            + f"[policy_effect]\ne = {effect}\n[matchers]\nm = {matcher}\n"
        )

    def add(
        self, name: str, values: list[str], asks: str, part: str, *, given: list[object], function: str = ""
    ) -> None:
        self.request.setdefault(asks, given)
        self.fields.append(Field(name, values, asks, function))
        self.parts.append(part)

    # What is asked of a subject.

    def plain_subject(self) -> None:
        sides = ["r.sub", "p.sub"]
        self.random.shuffle(sides)
        self.add("sub", NAMES, "sub", " == ".join(sides), given=NAMES)

    def roles_of_subject(self) -> None:
        self.roles["g"] = "_, _"
        self.add("sub", NAMES[:2] + ROLES, "sub", "g(r.sub, p.sub)", given=NAMES)
        self.link("g", NAMES, "")

    def roles_in_domains(self) -> None:
        self.roles["g"] = "_, _, _"
        domain = self.pick(["r.dom", "r.dom", "p.dom"])
        self.add("sub", NAMES[:2] + ROLES, "sub", f"g(r.sub, p.sub, {domain})", given=NAMES)
        same = self.pick(["r.dom == p.dom", '(r.dom == p.dom || p.dom == "*")'])
        self.add("dom", [*DOMAINS, "*"], "dom", same, given=DOMAINS)
        for domain in DOMAINS:
            self.link("g", NAMES, f", {domain}")

    def link(self, role: str, members: list[str], domain: str) -> None:
        self.links += [f"{role}, {member}, {self.pick(ROLES)}{domain}" for member in members if self.chance(0.5)]
        if self.chance(0.5):
            self.links.append(f"{role}, {ROLES[0]}, {ROLES[1]}{domain}")
        if self.chance(0.5):
            self.links.append(f"{role}, {ROLES[1]}, {ROLES[2]}{domain}")

    def attributes(self) -> None:
        people = [self.person() for _ in range(5)]
        self.request["who"] = people
        self.fields.append(Field("rule", [self.rule(2) for _ in range(6)], "who", ""))
        self.parts.append("eval(p.rule)")

    def person(self) -> dict[str, object]:
        made: dict[str, object] = {
            "Age": self.random.randint(10, 70),
            "Name": self.pick(NAMES),
            "Role": self.pick(ROLES),
            "Wards": self.random.sample(DOMAINS, self.random.randint(0, 2)),
            "Home": {"City": self.pick(DOMAINS)},
            "Active": self.chance(0.7),
            "Score": self.random.randint(0, 4) / 2,
        }
        if self.chance(0.08):
            del made[self.pick(list(made))]
        return made

    def rule(self, depth: int) -> str:
        kind = self.random.randint(0, 2 if depth else 0)
        if kind == 1:
            return f"({self.rule(depth - 1)} {self.pick(['&&', '||'])} {self.rule(depth - 1)})"
        if kind == 2:
            return f"!({self.rule(depth - 1)})"
        return self.pick(
            [
                f"r.who.Age {self.pick(['<', '<=', '>', '>=', '==', '!='])} {self.random.randint(10, 70)}",
                f'r.who.Name == "{self.pick(NAMES)}"',
                f"r.who.Role in [\"{self.pick(ROLES)}\", '{self.pick(ROLES)}']",
                f'"{self.pick(DOMAINS)}" in r.who.Wards',
                f"r.who.Home.City == '{self.pick(DOMAINS)}'",
                "r.who.Active",
                "r.who.Active == True",
                f"r.who.Score * 2 + 1 > {self.random.randint(0, 6)}",
                f"r.who.Age % 2 == {self.random.randint(0, 1)}",
                f"-r.who.Score / 2 < {self.random.randint(-1, 1) / 2}",
                "r.who.Home.City in r.who.Wards",
            ]
        )

    # What is asked of a resource.

    def plain_object(self) -> None:
        self.add("obj", DATA, "obj", "r.obj == p.obj", given=DATA)

    def matched_object(self) -> None:
        function = self.pick([name for name in PATTERNS if name != "ipMatch"])
        part = f"{function}(r.path, p.path)"
        if self.chance(0.2):
            part = f'({part} || p.path == "/")'
        self.add("path", PATTERNS[function], "path", part, given=PATHS, function=function)

    def roles_of_object(self) -> None:
        name = f"g{len(self.roles) + 1}" if self.roles else "g"
        self.roles[name] = "_, _"
        turned = self.chance(0.2)
        self.add(
            "obj",
            DATA + ROLES,
            "obj",
            f"{name}(p.obj, r.obj)" if turned else f"{name}(r.obj, p.obj)",
            given=DATA + ROLES,
        )
        self.link(name, DATA, "")

    def owner(self) -> None:
        things = [
            {"Owner": self.pick(NAMES), "Kind": self.pick(KINDS), "Price": self.random.randint(1, 9)} for _ in "123"
        ]
        self.add("kind", KINDS, "thing", "r.thing.Kind == p.kind", given=things)
        if "sub" in self.request and self.chance(0.5):
            self.parts.append("r.sub == r.thing.Owner")

    # What is asked of an action, and beside.

    def plain_action(self) -> None:
        self.add("act", ACTIONS, "act", "r.act == p.act", given=ACTIONS)

    def action_pattern(self) -> None:
        self.add("act", ACTION_PATTERNS, "act", "regexMatch(r.act, p.act)", given=ACTIONS, function="regexMatch")

    def action_list(self) -> None:
        self.request.setdefault("act", ACTIONS)
        self.parts.append(self.pick(['r.act in ("read", "write")', "r.act in ['read']", 'r.act == "read"']))

    def action_any(self) -> None:
        self.add("act", [*ACTIONS, "*"], "act", '(p.act == "*" || r.act == p.act)', given=ACTIONS)

    def address(self) -> None:
        self.add("net", PATTERNS["ipMatch"], "ip", "ipMatch(r.ip, p.net)", given=ADDRESSES, function="ipMatch")

    def numbers(self) -> None:
        self.request["level"] = [0, 1, 2, 2.5, True]
        self.parts.append(self.pick(["r.level >= 1", "r.level + 1 < 3", "r.level == 1", "!(r.level == 2)"]))

    def unlike(self) -> None:
        self.parts.append(self.pick(['r.act != "delete"', '!(r.act == "delete")', '"e" in r.act']))

    def captured(self) -> None:
        self.add("part", ["1", "2", "b"], "path", 'keyGet2(r.path, "/a/:id", "id") == p.part', given=PATHS)

    def row(self, denies: bool) -> list[str]:
        values = [self.pick(field.values) for field in self.fields]
        return [*values, self.pick(["allow", "allow", "deny"])] if denies else values

    def asked(self, row: list[str]) -> list[object]:
        """A request: eight times in ten a value that meets the row's field, else any of the right type."""
        meets: dict[str, list[object]] = {}
        for field, value in zip(self.fields, row, strict=False):
            pool = self.request[field.asks]
            meets[field.asks] = [each for each in pool if self.meets(field, each, value)]
        return [
            self.pick(meets[name]) if meets.get(name) and self.chance(0.8) else self.pick(pool)
            for name, pool in self.request.items()
        ]

    def meets(self, field: Field, asked: object, value: str) -> bool:
        if field.function:
            return bool(ASKED[field.function](asked, value))
        if field.asks == "thing":
            return asked["Kind"] == value
        return asked == value or any(link.split(", ")[1:3] == [asked, value] for link in self.links)
