"""A campaign: many cases asked of production, oracle and PyCasbin; what they answered, and where they differ."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from random import Random

from sidecar.core.policy import PolicySet
from tests.differential.chance import CONTROLLER, Setting, setting_of
from tests.differential.compare import at_its_edges, disagreements, smallest
from tests.differential.hospital import a_service, at_work, the_hospital
from tests.differential.packs import Written, a_pack
from tests.differential.pycasbin import Row
from tests.differential.vocabulary import ACTIONS, CATEGORIES, PEOPLE, PROFILES, PURPOSES
from tests.differential.worlds import Case, Maker
from tests.oracle import rules
from tests.oracle.rules import value
from tests.oracle.words import Words

Asked = tuple[rules.Row, bool | None, bool | None]  # a row, what the oracle says of it, what PyCasbin does


class Judges:
    """The three readings of one pack. `production` makes the policy set; a test of the judges gives a broken one.

    Of the rows that a question does not meet, PyCasbin is asked one in `sparse`, others for each question.
    """

    def __init__(
        self, written: Written, production: Callable[[Written], PolicySet] = Written.compiled, sparse: int = 1
    ) -> None:
        self.sparse, self.turn = sparse, 0
        self.written, self.policy, self.oracle = written, production(written), written.read()
        assert [row.text for row in self.oracle.rows] == written.rules
        self._rows: dict[str, Row] = {}

    def differences(self, case: Case) -> tuple[str, list[str]]:
        """The oracle's true reason, and how the judges differ."""
        plain, found = disagreements(self.policy, self.oracle, case)
        if case.opening is None:
            found += self.rows_differ(case, plain.effect)
        return plain.true_reason, found

    def rows_differ(self, case: Case, effect: str) -> Iterator[str]:
        """Where PyCasbin, row by row, says otherwise than the oracle; and the effect that follows from its rows."""
        question = (case.request, case.caller, CONTROLLER, case.world, case.now)
        readings = [self.oracle.readings(*question)]
        if effect == "PERMIT":  # it may be in one's own right, under no delegation
            readings.append(self.oracle.readings(*question, acting=False))
        followed = []
        for strict, loose in readings:
            verdicts = []
            for row, plain, said in self.rows_asked(case, strict, loose):
                verdicts.append((row, said))
                if said is not plain:
                    yield f"row `{row.text}`: oracle {plain}, PyCasbin {said}"
            followed.append(follows(verdicts))
        if effect not in followed:
            yield f"effect: oracle {effect}, PyCasbin's rows {' or '.join(followed)}"

    def rows_asked(self, case: Case, strict: Words, loose: Words) -> Iterator[Asked]:
        """Every row with what the oracle and what PyCasbin say of it."""
        subject, resource = case.request.subject, case.request.resource
        names = subject.profile, resource.category, case.request.action, case.request.purpose
        met = set(map(id, self.oracle.met(names)))
        self.turn += 1
        for place, row in enumerate(self.oracle.rows):
            if id(row) not in met and (place + self.turn) % self.sparse:
                continue
            reading = strict if row.kind == "p2" or self.oracle.firm(row) else loose
            plain = value(row.when, reading.ask) if id(row) in met else False
            yield row, plain, self._row(row.text).matches(names, reading.ask)

    def _row(self, text: str) -> Row:
        if text not in self._rows:
            self._rows[text] = Row(self.written, text)
        return self._rows[text]


def follows(verdicts: list[tuple[rules.Row, bool | None]]) -> str:
    """The effect that follows from what the rows say."""
    denied = any(said is not False for row, said in verdicts if row.denies)
    granted = any(said is True for row, said in verdicts if row.kind == "p" and not row.denies)
    listed = any(said is True for row, said in verdicts if row.kind == "p3" and not row.denies)
    return "PERMIT" if granted and listed and not denied else "DENY"


class Tally:
    """What a campaign saw: the oracle's reasons, and the first differences in full."""

    def __init__(self) -> None:
        self.questions, self.openings, self.differing = 0, 0, 0
        self.reasons: Counter[str] = Counter()
        self.texts: list[str] = []

    def ask(self, judges: Judges, case: Case, name: str) -> None:
        """Put one case to the judges."""
        reason, found = judges.differences(case)
        opened = case.opening is not None
        self.openings, self.questions = self.openings + opened, self.questions + (not opened)
        self.reasons[("open: " if opened else "") + reason] += 1
        if found:
            self.differing += 1
            if len(self.texts) < 3:
                self.texts.append(f"{name}\n  " + "\n  ".join([*found, *self.smallest(judges, case)]))

    def add(self, other: "Tally") -> None:
        """Count another tally's cases too."""
        self.questions, self.openings = self.questions + other.questions, self.openings + other.openings
        self.differing, self.reasons = self.differing + other.differing, self.reasons + other.reasons
        self.texts = (self.texts + other.texts)[:3]

    @staticmethod
    def smallest(judges: Judges, case: Case) -> Iterator[str]:
        """The smallest world in which the judges still differ, and the question."""
        small = smallest(case, lambda less: bool(judges.differences(less)[1]))
        yield from judges.differences(small)[1]
        yield f"now {small.now}"
        yield repr(small.opening or small.request)
        yield repr(small.caller)
        yield repr(small.world)

    def shares(self) -> str:
        """Which share of the cases got which reason."""
        every = sum(self.reasons.values())
        lines = [f"{count / every:7.2%}  {reason}" for reason, count in self.reasons.most_common()]
        return f"{self.questions} questions, {self.openings} openings\n" + "\n".join(lines)


def small_packs(seeds: Iterable[int], each: int) -> Iterator[tuple[int, Written, Iterator[Case]]]:
    """Small packs with `each` cases, one in eleven the opening of a grant."""
    for seed in seeds:
        random = Random(seed)
        written = a_pack(random)
        # Few names at a time: PyCasbin need not be asked twice about the same row, names and answers.
        setting = setting_of(
            written.parameters,
            "medecin",
            profiles=random.sample((*PEOPLE, *PEOPLE, PROFILES[-1]), 2),
            categories=random.sample(CATEGORIES, 2),
            actions=random.sample(ACTIONS, 2),
            purposes=random.sample(PURPOSES, 2),
        )
        yield seed, written, cases(random, setting, each)


def cases(random: Random, setting: Setting, each: int) -> Iterator[Case]:
    """Cases from one source of chance."""
    maker = Maker(random, setting)
    for place in range(each):
        yield maker.case(opening=place % 11 == 10)


def moved(judges: Judges, case: Case, place: int) -> Case:
    """The case; every third one at one of the next instants at which something turns."""
    edges = at_its_edges(judges.oracle, case, 4) if place % 3 == 2 else []
    return edges[place % len(edges)] if edges else case


def run_small(seeds: range, each: int) -> Tally:
    """The three judges over small packs."""
    tally = Tally()
    for seed, written, asked in small_packs(seeds, each):
        judges = Judges(written)
        for place, case in enumerate(asked):
            tally.ask(judges, moved(judges, case, place), f"pack {seed} case {place}")
    return tally


def run_hospital(seeds: range, each: int) -> Tally:
    """The three judges over the hospital pack, each seed one profile at work."""
    tally, written = Tally(), the_hospital()
    judges = Judges(written, sparse=12)
    work = at_work(judges.oracle)
    for seed in seeds:
        random = Random(seed)
        for place, case in enumerate(cases(random, a_service(judges.oracle, work, random), each)):
            tally.ask(judges, moved(judges, case, place), f"hospital {seed} case {place}")
    return tally
