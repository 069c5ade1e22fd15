"""A compiled policy set as bytes, to hand from the process that built it to the one that serves.

Trusted bytes only: they come from a process of our own through a pipe, and hold code. They come in parts, each
worked off in well under a millisecond, so that whoever restores can let questions pass in between.
"""

import marshal
import pickle
from collections.abc import Iterable, Iterator
from itertools import islice

from sidecar.core.compiled import Compiled
from sidecar.core.policy import PolicySet
from sidecar.core.slices import Situations
from sidecar.core.words import Words

ROWS_IN_A_PART = 20


def dump(policies: PolicySet) -> Iterator[bytes]:
    """The parts of a policy set: what it is, then its rows, then its generated code."""
    compiled = policies.compiled
    yield pickle.dumps((policies.ref, policies.sentences, compiled.pack, compiled.members))
    placed = compiled.index.placed()
    while rows := list(islice(placed, ROWS_IN_A_PART)):
        yield b"r" + pickle.dumps(rows)
    for texts, code in compiled.codes.items():
        yield b"c" + marshal.dumps((texts, code))


def restore(parts: Iterable[bytes], words: Words, situations: Situations) -> PolicySet:
    """The policy set of these parts, by the same Python that dumped it."""
    coming = iter(parts)
    ref, sentences, pack, members = pickle.loads(next(coming))  # noqa: S301 - our own process wrote it
    compiled = Compiled(pack, members, words)
    for part in coming:
        if part[:1] == b"r":
            compiled.index.add(pickle.loads(part[1:]))  # noqa: S301 - as above
        else:
            texts, code = marshal.loads(part[1:])  # noqa: S302 - as above
            compiled.codes[texts] = code
    return PolicySet(compiled, ref, sentences, situations)
