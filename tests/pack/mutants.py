"""Which faults of the hospital pack its stories notice: `python -m tests.pack.mutants` prints the table.

A mutant is killed when some story is told otherwise by the pack with that one fault in it. Only the asks are told
that meet the faulty row, before or after, and every opening, closing and write around them; slices are built from
the rows as the loader would read them, the loader's own refusals left out, so that stories have to notice alone.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from time import perf_counter
from zlib import crc32

from msgspec import Struct
from msgspec.structs import replace

from sidecar.authoring.bundle import compile_bundle
from sidecar.authoring.core_asker import CoreAsker, with_settings
from sidecar.authoring.stories import tell
from sidecar.authoring.story import Batch, Story
from sidecar.authoring.story_facts import StoryFacts
from sidecar.core import casbin_text, groups
from sidecar.core.bundle import Snapshot
from sidecar.core.casbin_text import LINKS, Link, Rows
from sidecar.core.compiled import Compiled, flat_pack, ordered
from sidecar.core.groups import Members
from sidecar.core.index import Place
from sidecar.core.loading import domains
from sidecar.core.model import Request
from sidecar.core.pack import Pack
from sidecar.core.policy import PolicySet
from sidecar.core.situation import Situation
from sidecar.core.vocabulary import NOUNS
from sidecar.core.words import WORDS
from tests.pack.mutations import DELETED, OPERATORS, WIDENED, Mutant, Row, mutants
from tests.pack.reach import Bits, Reach, Telling, place_of
from tests.stories import hospital

WORKERS = 2
Settings = tuple[tuple[str, bool | int | str], ...]


class Met(Struct, frozen=True):
    """Where a story was when it asked: the step, and the names of a question, its delegator's or its grant's."""

    story: int
    step: int


class KeptFacts(StoryFacts):
    """The facts of a story; a snapshot is made once for what is known, however many mutants ask for it."""

    def __init__(self, story: Story, kept: dict[object, Snapshot]) -> None:
        super().__init__(story)
        self.kept = kept

    def snapshot(self, tenant: str, controller_id: str, patient_id: str, now: int) -> Snapshot:
        key = (self._seq, tuple(self._grants.values()), tenant, controller_id, patient_id, now)
        if key not in self.kept:
            self.kept[key] = super().snapshot(tenant, controller_id, patient_id, now)
        return self.kept[key]


class Watched(Compiled):
    """Rows that note the names they are looked up by."""

    places: list[Place]

    def slice(self, profile: str, category: str, action: str, purpose: str):  # type: ignore[no-untyped-def]
        rules = self.pack.break_glass
        # What a refusal offers is read from the grounds of an emergency.
        self.places += [(profile, category, action, purpose), (profile, category, action, rules.purpose)]
        return super().slice(profile, category, action, purpose)

    def opening_slice(self, profile: str):  # type: ignore[no-untyped-def]
        rules = self.pack.break_glass
        scope = rules.eligible.get(profile, self.pack.vocabulary.clinical)
        for category in self.members["g2"].get(scope, frozenset({scope})):
            self.places.append((profile, category, rules.action, rules.purpose))
        return super().opening_slice(profile)


class Judge:
    """Tells the stories of the hospital pack to packs with one fault in them."""

    def __init__(self) -> None:
        bundle, self.stories = hospital.pack(), hospital.stories()
        self.whole, self.pack = compile_bundle(bundle), bundle.pack
        csv = {name: text for name, text in bundle.files.items() if name.endswith(".csv")}
        self.rows, _ = casbin_text.read_rows(csv, NOUNS, domains(bundle.pack))
        self.files = bundle.files
        self.members = self.whole.compiled.members
        self.kept: list[dict[object, Snapshot]] = [{} for _ in self.stories]
        self.met: dict[Place, set[Met]] = defaultdict(set)
        self.rules: list[frozenset[str]] = []
        self.codes: dict[tuple[str, ...], object] = {}
        self._tell_as_written()
        self.reach = Reach(self.members, list(self.met))
        self.telling = Telling(self.whole.pack, self.rows, self.members)

    def _tell_as_written(self) -> None:
        """Tell every story to the pack as it is, and note which names each step is looked up by."""
        for place, story in enumerate(self.stories):
            policies = self.policies(self.rows, self.pack, story, kind=Watched)
            compiled = policies.compiled
            assert isinstance(compiled, Watched)
            asker = CoreAsker(policies, KeptFacts(story, self.kept[place]))
            told: set[str] = set()
            for step in story.steps:
                compiled.places = []
                before = [earlier for earlier in story.steps if earlier is step]
                one = tell(replace(story, steps=tuple(before)), asker)
                told |= one.rules
                for names in compiled.places:
                    self.met[names].add(Met(place, step.index))
            self.rules.append(frozenset(told))

    def mutants(self) -> list[Mutant]:
        """Every mutant that some question could tell."""
        every = mutants(self.pack, self.rows, self.files)
        return [mutant for mutant in every if mutant.operator != WIDENED or self.telling.tells(mutant)]

    def killed(self, mutant: Mutant) -> str:
        """The first story that is told otherwise, and how; empty for a survivor."""
        rows, pack = mutant.rows(self.rows), mutant.pack(self.pack)
        made: dict[Settings, PolicySet] = {}
        for place, steps in self.touched(mutant):
            story = self.stories[place]
            key = tuple(sorted(story.settings.items()))
            if key not in made:
                made[key] = self.policies(rows, pack, story)
            failures = tell(shortened(story, steps), CoreAsker(made[key], KeptFacts(story, self.kept[place]))).failures
            if failures:
                return str(failures[0])
        return ""

    def touched(self, mutant: Mutant) -> Iterator[tuple[int, set[int] | None]]:
        """The stories that could notice a mutant, the likeliest first, and those of their steps; None for all."""
        if not isinstance(mutant.before, Row):
            word = mutant.before.member if isinstance(mutant.before, Link) else ""
            everywhere = sorted(range(len(self.stories)), key=lambda place: self._unlikely(place, word))
            yield from ((place, None) for place in everywhere)
            return
        steps: dict[int, set[int]] = defaultdict(set)
        widened = mutant.after is not None and place_of(mutant.after) != place_of(mutant.before)
        for row in (mutant.before, mutant.after) if widened else (mutant.before,):
            for names in self.reach.met(row) if row is not None else ():
                for each in self.met[names]:
                    steps[each.story].add(each.step)
        rule = mutant.before.rule
        yield from sorted(steps.items(), key=lambda each: (rule not in self.rules[each[0]], len(each[1])))

    def _unlikely(self, place: int, word: str) -> tuple[bool, int]:
        return word not in said(self.stories[place]), len(self.stories[place].steps)

    def policies(self, rows: Rows, pack: Pack, story: Story, kind: type[Compiled] = Compiled) -> PolicySet:
        """The policy set of these rows and parameters, under a story's settings."""
        members = self.members
        if rows.links is not self.rows.links:
            members = {section: flat(rows, section) for section in LINKS}
        compiled = kind(flat_pack(with_settings(pack, story.settings), members), members, WORDS)
        compiled.codes = self.codes  # type: ignore[assignment]
        compiled.index = Bits(members)  # type: ignore[assignment]
        compiled.index.add(ordered(pack, rows))
        return PolicySet(compiled, self.whole.ref, self.whole.sentences, Situation)


def flat(rows: Rows, section: str) -> Members:
    """The members of every group of one section."""
    return groups.flattened(link for link in rows.links if link.section == section)[0]


def shortened(story: Story, steps: set[int] | None) -> Story:
    """The story without the questions that are not among these steps, nor what one of them is compared with."""
    if steps is None:
        return story
    wanted = set(steps)
    for step in reversed(story.steps):
        same = step.expect.same_as if step.expect is not None else None
        if step.index in wanted and same is not None:
            wanted.add(same)
        if same in wanted:
            wanted.add(step.index)
    kept = (step for step in story.steps if step.index in wanted or not isinstance(step.what, Request | Batch))
    return replace(story, steps=tuple(kept))


def said(story: Story) -> set[str]:
    """Profiles, categories, actions and purposes the story asks with."""
    used: set[str] = set()
    for step in story.steps:
        what = step.what
        if isinstance(what, Request):
            used |= {what.subject.profile, what.resource.category, what.action, what.purpose}
        elif isinstance(what, Batch):
            used |= {what.subject.profile, what.purpose, *(item.action for item in what.items)}
            used |= {item.resource.category for item in what.items}
    return used


class Outcome(Struct, frozen=True):
    """One mutant and the story that noticed it; empty for a survivor."""

    operator: str
    name: str
    killer: str


class Campaign(Struct, frozen=True):
    """Every mutant by name, and what became of those that were tried."""

    names: tuple[str, ...]
    outcomes: tuple[Outcome, ...]


def campaign(share: float, seed: int = 6) -> Campaign:
    """Every deletion and this share of the other mutants, the same ones every time, in several processes."""
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as workers:
        shares = list(workers.map(judged, range(WORKERS), [share] * WORKERS, [seed] * WORKERS))
    return Campaign(shares[0].names, tuple(outcome for each in shares for outcome in each.outcomes))


def judged(worker: int, share: float, seed: int) -> Campaign:
    """The part of a campaign that falls to one process."""
    judge = Judge()
    listed = judge.mutants()
    tried = [listed[at] for at in sample(listed, share, seed)[worker::WORKERS]]
    outcomes = tuple(Outcome(mutant.operator, mutant.name, judge.killed(mutant)) for mutant in tried)
    return Campaign(tuple(mutant.name for mutant in listed), outcomes)


def sample(listed: Sequence[Mutant], share: float, seed: int) -> list[int]:
    """The places of every deletion, and of this share of the other mutants, drawn by their names: a row that is added
    draws no other in or out."""
    return [
        place
        for place, mutant in enumerate(listed)
        if mutant.operator == DELETED or crc32(f"{seed} {mutant.name}".encode()) < share * (1 << 32)
    ]


def table(outcomes: Iterable[Outcome]) -> str:
    """Mutants by operator: how many, how many killed, how many survived."""
    listed = list(outcomes)
    every, lived = (
        Counter(each.operator for each in listed),
        Counter(each.operator for each in listed if not each.killer),
    )
    lines = [f"{'':18}{'mutants':>8}{'killed':>8}{'survived':>9}"]
    for name, count, left in [(name, every[name], lived[name]) for name in OPERATORS] + [
        ("all", every.total(), lived.total())
    ]:
        rate = f"{1 - left / count:9.2%}" if count else ""
        lines.append(f"{name:18}{count:8}{count - left:8}{left:9}{rate}")
    return "\n".join(lines)


def main() -> None:
    """Print the table of every mutant, and each survivor."""
    started = perf_counter()
    outcomes = campaign(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0).outcomes
    for outcome in outcomes:
        if not outcome.killer:
            print(f"{outcome.operator:18}{outcome.name}")
    print(f"{table(outcomes)}\n{perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
