"""One question read word by word: each word asked on its own, so that what it rests on is its own too."""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from sidecar.authoring.explain.rows import Met, Row, Rulebook
from sidecar.core.bundle import Snapshot
from sidecar.core.expression import Both, Constant, Either, Node, Term
from sidecar.core.model import Caller, Context, Decision, Known, Opening, Request, Resource
from sidecar.core.policy import PolicySet
from sidecar.core.situation import Situation
from sidecar.core.words import answer

GRANT_OPEN = Term("context", "grant_open", None, False)


class Asked(Struct, frozen=True):
    """A question with everything its answer is taken from. `opening` is set when a grant is asked for."""

    request: Request
    caller: Caller
    controller_id: str
    snapshot: Snapshot
    now: int
    opening: Opening | None = None


class Said(Struct, frozen=True):
    """What a word answers, the facts and the sidecar's own counts it rests on, and until when it stays so."""

    value: bool | None
    relied: tuple[Known, ...]
    ends: int
    unknown: tuple[str, ...]
    counts: Mapping[str, int]


class Key(NamedTuple):
    """A word with its arguments, whatever stands before it."""

    noun: str
    word: str
    args: tuple[tuple[str, str], ...] | None

    @property
    def term(self) -> Term:
        """As an expression has it."""
        return Term(self.noun, self.word, self.args, negated=False)

    @property
    def name(self) -> str:
        """As a rule writes it."""
        inside = ", ".join(f'"{text}"' if kind == "str" else text for kind, text in self.args or ())
        return f"r.{self.noun}.{self.word}" + ("" if self.args is None else f"({inside})")


class Delegated(Struct, frozen=True):
    """What somebody who delegated may do themselves, and the rows that say so; no rows where no rule may speak."""

    asked: Asked
    may: bool | None
    met: Met | None
    words: "Words"


def key(term: Term) -> Key:
    """The word of a term."""
    return Key(term.noun, term.word, term.args)


def keys(node: Node) -> Iterator[Key]:
    """Every word of a condition, in the order it is written."""
    if isinstance(node, Term):
        yield key(node)
    elif isinstance(node, Both | Either):
        for part in node.parts:
            yield from keys(part)


def decide(policies: PolicySet, asked: Asked) -> Decision:
    """What the policy in force says; the explanation only says why."""
    if asked.opening is not None:
        return policies.evaluate_open(asked.opening, asked.caller, asked.controller_id, asked.snapshot, asked.now)[0]
    return policies.evaluate(asked.request, asked.caller, asked.controller_id, asked.snapshot, asked.now)


def opening_request(rules: Rulebook, opening: Opening) -> Request:
    """The question an opening puts to the gates (3.0.6)."""
    given = rules.pack.break_glass
    return Request(
        subject=opening.subject,
        action=given.action,
        resource=Resource(
            category=given.eligible.get(opening.subject.profile, rules.pack.vocabulary.clinical),
            patient_id=opening.patient_id,
            controller_id=opening.controller_id,
        ),
        purpose=given.purpose,
        authentication=opening.authentication,
        device=opening.device,
        context=Context(
            motive=opening.motive,
            justification=opening.justification,
            request_id=opening.request_id,
            language=opening.language,
        ),
    )


class Words:
    """The words of one reading of a question."""

    def __init__(self, situation: Callable[[], Situation]) -> None:
        """`situation` makes the nouns anew, nothing asked of them yet."""
        self._situation = situation
        self.said: dict[Key, Said] = {}

    def ask(self, word: Key) -> Said:
        """What this word answers. Raises what the word raises."""
        if word not in self.said:
            situation = self._situation()
            value = answer(situation, word.term)
            self.said[word] = Said(
                value, tuple(situation.relied), situation.ends, tuple(situation.unknown), situation.counts
            )
        return self.said[word]

    def value(self, node: Node) -> bool | None:
        """What a condition answers, in Kleene's logic; the words after one that decides are not asked."""
        if isinstance(node, Constant):
            return node.value
        if isinstance(node, Term):
            said = self.ask(key(node)).value
            return said if said is None or not node.negated else not said
        decisive = isinstance(node, Either)
        value: bool | None = not decisive
        for part in node.parts:
            said = self.value(part)
            if said is decisive:
                return decisive
            if said is None:
                value = None
        return value

    def astray(self, node: Node, wanted: bool = True) -> tuple[Key, ...]:
        """The fewest words that keep a condition from being `wanted`; empty when it is."""
        if isinstance(node, Constant):
            return () if node.value is wanted else (NEVER,)
        if isinstance(node, Term):
            said = self.ask(key(node)).value
            return () if said is (wanted is not node.negated) else (key(node),)
        each = [self.astray(part, wanted) for part in node.parts]
        if isinstance(node, Both) is wanted:
            return tuple(dict.fromkeys(word for words in each for word in words))
        return min(each, key=distance)


NEVER = Key("", "", None)  # stands for a condition that no word can turn
FAR = 99


def distance(words: tuple[Key, ...]) -> int:
    """How many words would have to answer otherwise."""
    return FAR if NEVER in words else len(words)


class Reading(Enum):
    """What is taken away from a question before it is read: nothing, or what a refusal must not tell of (3.0.4)."""

    WHOLE = "nothing"
    BARE = "the patient's will and what makes the object sensitive"
    PLAIN = "the patient's will"
    UNHEARD = "the patient's will and the delegators it refuses"


# What is shown of a refusal that may tell: what the first of these refuses for.
TELLING_NOTHING = (Reading.BARE, Reading.PLAIN, Reading.UNHEARD)


class Readings:
    """The readings of one question: as it is, with unknown restrictions read as absent, without the patient's will."""

    def __init__(self, rules: Rulebook, asked: Asked) -> None:
        self.rules, self.asked = rules, asked
        self.delegated: dict[tuple[str, str], Delegated] = {}
        self._made: dict[tuple[bool, Reading, bool], Words] = {}

    def words(self, lenient: bool = False, reading: Reading = Reading.WHOLE, alone: bool = False) -> Words:
        """One reading; always the same object for the same reading. `alone`: the subject acts for nobody."""
        which = lenient, reading, alone
        if which not in self._made:
            self._made[which] = Words(lambda: self._situation(*which))
        return self._made[which]

    def met(self) -> Met | None:
        """The rows of the question, None when a name of it is not in the vocabulary."""
        request = self.asked.request
        if self.asked.opening is not None and request.subject.profile in self.rules.pack.vocabulary.profiles:
            return self.rules.met_by_opening(*_names(request))
        return self.rules.met(*_names(request))

    def _situation(self, lenient: bool, reading: Reading, alone: bool) -> Situation:
        asked = self.asked
        made = Situation(
            asked.request,
            asked.caller,
            asked.controller_id,
            asked.snapshot,
            asked.now,
            self.rules.pack,
            lenient,
        )
        if reading is Reading.UNHEARD:
            made = made.without_delegators() or made.without_will()
        elif reading is not Reading.WHOLE:
            made = made.without_will(tags=reading is not Reading.BARE)
        if not alone:
            made.delegate = lambda outer, request: self._delegator(outer, request, reading is Reading.WHOLE)
        return made

    def _delegator(self, outer: Situation, request: Request, will: bool) -> bool | None:
        """What a delegator may do, by the rows a delegator is asked; its own delegators are not asked (depth one)."""
        asked = replace(self.asked, request=request)

        def inner() -> Situation:
            made = Situation(request, asked.caller, asked.controller_id, asked.snapshot, asked.now, self.rules.pack)
            return made if will else made.without_will()

        met, words = self.rules.met(*_names(request)), Words(inner)
        may = False if met is None else delegator_may(self.rules, met, words)
        for said in words.said.values():
            outer.relied.extend(known for known in said.relied if known not in outer.relied)
            outer.ends = min(outer.ends, said.ends)
        if will:
            self.delegated[request.subject.id, request.subject.profile] = Delegated(asked, may, met, words)
        return may


def delegator_may(rules: Rulebook, met: Met, words: Words) -> bool | None:
    """Whether the gates that concern a delegator, the matrix and the grounds let them; None when it is not known."""
    asked = [row for row in met.gates if row.gate in rules.pack.order.delegator_gates]
    deciding = first_held(asked, words)
    if deciding is not None:
        return False if words.value(deciding.node) is True else None
    forbidden, cells = held(met.forbidden, words), held(met.cells, words)
    if True in forbidden:
        return False
    if None in forbidden or (None in cells and True not in cells):
        return None
    if True not in cells:
        return False
    grounds = held(met.grounds, words)
    if True not in grounds and None not in grounds:
        for row in met.grounds:
            words.value(row.instead_when)  # what the refusal would say is worked out too, and rests on facts
    return True if True in grounds else None if None in grounds else False


def held(rows: tuple[Row, ...], words: Words) -> list[bool | None]:
    """What each row answers."""
    return [words.value(row.node) for row in rows]


def first_held(rows: list[Row], words: Words) -> Row | None:
    """The gate row that decides, by stage, then known before unknown, then as they are read; None when all pass."""
    best: tuple[int, bool] | None = None
    deciding = None
    for row in rows:
        value = words.value(row.node)
        rank = (row.stage, value is None)
        if value is not False and (best is None or rank < best):
            best, deciding = rank, row
    return deciding


def _names(request: Request) -> tuple[str, str, str, str]:
    return request.subject.profile, request.resource.category, request.action, request.purpose
