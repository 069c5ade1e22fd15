"""The one thing that would turn a refusal: tried on the very question, and told only when it holds."""

from collections.abc import Callable, Iterable

from sidecar.authoring.explain import changes
from sidecar.authoring.explain.candidates import candidates, purposes
from sidecar.authoring.explain.changes import Change
from sidecar.authoring.explain.rows import Met, Row
from sidecar.authoring.explain.ruling import Heard, Why, hear, opening_gates
from sidecar.authoring.explain.texts import MISSING, say
from sidecar.authoring.explain.values import Missing, RowSeen, Step
from sidecar.authoring.explain.walk import NEVER, Asked, Key, Readings, Words, decide, distance, keys
from sidecar.core.model import Decision, Effect, Known
from sidecar.core.policy import PolicySet

TRIED = 80  # changes tried at most
TOLD = 5  # changes told at most
LIFTING = 2  # and of those that lift one gate alone

# The words that say what an opening asks for beside its gates (3.0.6).
TERMS_OF_OPENING = (Key("authentication", "younger_than", None), Key("context", "justified", None))

Tried = tuple[Change, Decision]
Show = Callable[[Row, Words], RowSeen]


def missing(policies: PolicySet, readings: Readings, heard: Heard, show: Show, language: str) -> Missing | None:
    """What one change would do about this refusal; None where nothing of the kind can be said."""
    asked, met = readings.asked, heard.met
    if met is not None and asked.opening is not None:
        met = Met(opening_gates(readings, met), (), (), (), ())
    if met is None or heard.truth.why is Why.RAISED:
        return None
    if asked.snapshot.patient is None and asked.request.resource.patient_id:
        return Missing(say(MISSING, "unreadable", language), None, (), ())
    ground = nearest(met, heard.rest)
    tried = list(_tried(policies, readings, _pool(readings, heard, met)))
    permits = [(change, decision) for change, decision in tried if decision.effect is Effect.PERMIT]
    if permits:
        best = hear(Readings(readings.rules, changes.changed(readings.rules, asked, permits[0][0])))
        if ground is not None and best.truth.deciding in met.grounds:
            ground = best.truth.deciding
        code, steps = "one", permits[:TOLD]
    else:
        steps = [] if ground is None else [each for each in tried if _holds(readings, ground, each[0])]
        code = "ground_only" if steps else "none"
    steps = steps[:TOLD] + _lifting(readings, heard, [each for each in tried if each not in steps])
    return Missing(
        text=say(MISSING, code, language),
        row=None if ground is None else show(ground, heard.rest),
        astray=() if ground is None else tuple(word.name for word in heard.rest.astray(ground.node) if word != NEVER),
        steps=tuple(_step(change, decision, asked, language) for change, decision in steps),
    )


def nearest(met: Met, words: Words) -> Row | None:
    """The ground fewest words away from holding, the higher ranked of two; None when one holds or none is written."""
    away = [(distance(words.astray(row.node)), row) for row in met.grounds]
    if not away or min(steps for steps, _ in away) == 0:
        return None
    return min(away, key=lambda each: each[0])[1]


def _pool(readings: Readings, heard: Heard, met: Met) -> list[Change]:
    """Changes that may turn what stands in the way: gates that do not pass, cells, then grounds from the nearest."""
    words: list[Key] = []
    relied: list[Known] = []
    for row in (*met.gates, *met.forbidden):
        asked = heard.words_for(row)
        if asked.value(row.node) is not False:
            words += keys(row.node)
            relied += (known for word in keys(row.node) for known in asked.ask(word).relied)
    for rows in (met.cells, met.grounds):
        away = [(distance(heard.rest.astray(row.node)), row) for row in rows]
        if all(steps for steps, _ in away):
            words += (word for _, row in sorted(away, key=lambda each: each[0]) for word in keys(row.node))
    if heard.truth.why is Why.OPENING:
        words += TERMS_OF_OPENING
    wanted = tuple(dict.fromkeys(words))
    made = candidates(readings.asked, readings.rules.pack, wanted, tuple(relied))
    if heard.truth.why is Why.NO_GROUND_ROWS:
        made += purposes(readings.asked, readings.rules.pack)
    if heard.truth.why is Why.GATE:
        made.sort(key=lambda change: change.kind != "taken")  # what forbids comes first, then ways round it
    return made[:TRIED]


def _tried(policies: PolicySet, readings: Readings, pool: Iterable[Change]) -> Iterable[Tried]:
    """Each change, and what the policy set says then."""
    for change in pool:
        other = changes.changed(readings.rules, readings.asked, change)
        if other != readings.asked:
            yield change, decide(policies, other)


def _holds(readings: Readings, ground: Row, change: Change) -> bool:
    other = changes.changed(readings.rules, readings.asked, change)
    return hear(Readings(readings.rules, other)).rest.value(ground.node) is True


def _lifting(readings: Readings, heard: Heard, tried: list[Tried]) -> list[Tried]:
    """Changes that lift the gate which refused, and nothing more: the answer is then another refusal."""
    row = heard.truth.deciding
    if row is None or row.kind != "gate":
        return []
    lifting = []
    for change, decision in tried:
        other = hear(Readings(readings.rules, changes.changed(readings.rules, readings.asked, change)))
        if decision.effect is Effect.DENY and other.truth.deciding != row:
            lifting.append((change, decision))
    return lifting[:LIFTING]


def _step(change: Change, decision: Decision, asked: Asked, language: str) -> Step:
    return Step(
        kind=change.kind,
        text=changes.text(change, asked, language),
        body=changes.body(change),
        effect=decision.effect,
        reason=decision.reason,
    )
