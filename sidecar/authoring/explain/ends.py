"""Until when an answer may be kept, and which fact, feed, duty or setting ends it."""

from collections.abc import Iterator

from sidecar.authoring.explain import behind
from sidecar.authoring.explain.meanings import MEANINGS
from sidecar.authoring.explain.ruling import Heard
from sidecar.authoring.explain.texts import ENDS, say
from sidecar.authoring.explain.values import Ends
from sidecar.authoring.explain.walk import TELLING_NOTHING, Key, Readings, Words
from sidecar.core import obligations
from sidecar.core.instants import SECOND
from sidecar.core.judgement import CACHE_MAX_AGE, SECONDS
from sidecar.core.model import Decision, Effect, Known
from sidecar.core.pack import Pack
from sidecar.core.question import DOUBTS


def ends(pack: Pack, readings: Readings, heard: Heard, decision: Decision, language: str) -> Ends:
    """What ends the answer at the instant the decision says."""
    at, now = decision.valid_until, readings.asked.now
    if decision.reason in DOUBTS:
        return Ends(at, "doubt", say(ENDS, "doubt", language))
    for duty in decision.obligations:
        length = obligations.seconds(duty.params.get(SECONDS, "")) if duty.id == CACHE_MAX_AGE else None
        if length is not None and now + length * SECOND == at:
            name = f"{duty.id}({duty.params[SECONDS]})"
            return Ends(at, "obligation", say(ENDS, "obligation", language, name=name))
    for words in _readings(readings, heard):
        for word, said in words.said.items():
            if said.ends == at:
                return _of_word(pack, readings, word, said.relied, at, language)
    if readings.asked.opening is not None and decision.effect is Effect.PERMIT:
        return Ends(at, "grant", say(ENDS, "grant", language))
    return Ends(at, "setting", say(ENDS, "setting", language))


def _readings(readings: Readings, heard: Heard) -> Iterator[Words]:
    yield heard.firm
    yield heard.rest
    for reading in TELLING_NOTHING:
        yield readings.words(reading=reading)
    for each in readings.delegated.values():
        yield each.words


def _of_word(pack: Pack, readings: Readings, word: Key, relied: tuple[Known, ...], at: int, language: str) -> Ends:
    """Why a word may answer otherwise at this instant."""
    asked, meaning = readings.asked, MEANINGS[word.noun][word.word]
    looked = {id(known): known for known in (*relied, *behind.about(asked))}.values()
    for known in looked:
        name = behind.ref(known.fact)
        for code, instant in (
            ("fact_ends", known.end),
            ("fact_begins", known.start),
            ("fact_stale", behind.fresh_until(known, asked, pack)),
            *(("fact_window", edge) for edge in _window_edges(pack, known)),
        ):
            if instant == at and known.kind in (*meaning.looks, "alias"):
                return Ends(at, code, say(ENDS, code, language, fact=name), word.name, name)
    for feed in behind.feeds(asked, pack, meaning.feed):
        if feed.vouches_until == at:
            name = f"{feed.kind} {feed.source}".strip()
            return Ends(at, "feed", say(ENDS, "feed", language, fact=name), word.name, name)
    grant = behind.grant_named(asked)
    if grant is not None and "context.grant" in meaning.reads and at in (grant.until, grant.closed_at):
        name = behind.grant_ref(grant)
        return Ends(at, "fact_ends", say(ENDS, "fact_ends", language, fact=name), word.name, name)
    return Ends(
        at, "word", say(ENDS, "word", language, word=word.name, means=meaning.text(language, word.args)), word.name
    )


def _window_edges(pack: Pack, known: Known) -> Iterator[int]:
    """The instants at which a window that the pack adds round a relation, or round a stay, opens or closes."""
    relation, windows = known.fact.relation, pack.vocabulary.relations
    if relation is not None:
        held = [windows[relation.kind]] if relation.kind in windows else []
    else:
        held = [window for window in windows.values() if window.derived and known.fact.stay is not None]
    for window in held:
        yield known.start - window.before * SECOND
        yield known.start + window.after * SECOND
        yield known.end + window.after * SECOND
