"""Names what is wrong in each file of the tree, beside the hashes that the signed root vouches for."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from sidecar.core.tiles import ENTRIES, WIDTH
from sidecar.ledger import verify_files as files
from sidecar.ledger.verify_files import LogFolder, Part
from sidecar.ledger.verify_places import DUPLICATED, MISSING, MODIFIED, TRUNCATED, Elsewhere, Place, places, runs
from sidecar.ledger.verify_scan import Scan, exact_bundle, exact_tile
from sidecar.ledger.verify_truth import Truth, proven

UNSIGNED: Final = "unsigned"
UNEXPECTED: Final = "unexpected"

MOST_STRANGE = 1 << 16  # hashes out of place that are looked for in the whole log

_SAYS = {
    "modified": "changed",
    "missing": "left out",
    "truncated": "cut off: the file ends before",
}


class Finding(Struct, frozen=True):
    """One thing wrong: what, in which file, a sentence, and the records concerned (None: none in particular)."""

    what: str
    file: str
    sentence: str
    first: int | None = None
    last: int | None = None


class Lowest(Struct, frozen=True):
    """A bundle and its hash tile as they are found, and the leaf hashes known to be true, if they still are."""

    base: int
    width: int
    bundle: Part | None
    tile: Part | None
    by_entries: list[bytes]
    by_tile: list[bytes]
    known: list[bytes] | None


def blame(folder: LogFolder, scan: Scan, truth: Truth) -> Iterator[Finding]:
    """What is wrong, bundles and their tiles first, then the tiles above. Nothing for a file that is as signed."""
    size = scan.counts[0]
    suspects = {*scan.suspects, *_unproven(scan, truth)}
    if size % WIDTH and not (scan.levels[0].agreed and None not in truth.levels[0]):
        suspects.add(size // WIDTH)
    entries_elsewhere, hashes_elsewhere = _elsewhere(folder, truth, suspects, size)
    for n in sorted(suspects):
        found = _lowest(folder, truth, n, min(WIDTH, size - n * WIDTH))
        yield from _absent(folder, found, n)
        if found.known is None:
            yield from _undecided(folder, found)
            continue
        for part, told, elsewhere in (
            (found.bundle, found.by_entries, entries_elsewhere),
            (found.tile, found.by_tile, hashes_elsewhere),
        ):
            if part is not None:
                yield from _compared(folder, part, told, found.known, found.base, 1, elsewhere)
    for level in range(1, len(scan.levels)):
        yield from _above(folder, scan, truth, level)


def _unproven(scan: Scan, truth: Truth) -> Iterator[int]:
    """Full bundles whose entries are not those the root vouches for, though their tile may agree with them."""
    if len(scan.levels) > 1:
        for n, (found, true) in enumerate(zip(scan.levels[1].by_entries, truth.levels[1], strict=True)):
            if true is not None and found != true:
                yield n


def _lowest(folder: LogFolder, truth: Truth, n: int, width: int) -> Lowest:
    bundle, tile = folder.part(ENTRIES, n, width), folder.part(0, n, width)
    by_entries = files.entry_hashes(bundle) if bundle else []
    by_tile = files.hashes(tile) if tile else []
    if width == WIDTH:
        known = proven([by_tile, by_entries], truth.of_bundle(n))
    else:
        edge = [node for node in truth.levels[0] if node is not None]
        known = edge if len(edge) == width else None
    return Lowest(n * WIDTH, width, bundle, tile, by_entries, by_tile, known)


def _as_signed(folder: LogFolder, n: int, width: int) -> Lowest:
    """A bundle and its tile that were found to agree with each other: the tile tells both."""
    tile = folder.part(0, n, width)
    told = files.hashes(tile)[:width] if tile else []
    return Lowest(n * WIDTH, width, None, tile, told, told, told)


def _absent(folder: LogFolder, found: Lowest, n: int) -> Iterator[Finding]:
    last = found.base + found.width - 1
    for level, part in ((ENTRIES, found.bundle), (0, found.tile)):
        if part is None:
            text = "the file is missing: " + ("" if level == ENTRIES else "the hashes of ") + records(found.base, last)
            yield Finding(MISSING, folder.prefix + files.tile_file(level, n, found.width), text, found.base, last)


def _undecided(folder: LogFolder, found: Lowest) -> Iterator[Finding]:
    """No file leads to the signed root here: say what differs, and that it cannot be told which is right."""
    whole = True
    for part, told, exact in ((found.bundle, found.by_entries, exact_bundle), (found.tile, found.by_tile, exact_tile)):
        if part is not None and not exact(part):
            whole, at = False, found.base + min(len(told), part.width)
            what = MODIFIED if len(told) > part.width else TRUNCATED
            yield Finding(what, folder.prefix + part.file, f"the file is not as long as its name says, by {at}", at, at)
    differ: list[int] = []
    if found.bundle is not None and found.tile is not None:
        pairs = zip(found.by_entries[: found.width], found.by_tile[: found.width], strict=False)
        differ = [found.base + n for n, (ours, theirs) in enumerate(pairs) if ours != theirs]
        for first, last in runs(differ):
            text = f"{records(first, last)}: an entry and its hash in `{folder.prefix}{found.tile.file}` differ, and"
            text += " nothing leads to the signed root any more to tell which was changed"
            yield Finding(MODIFIED, folder.prefix + found.bundle.file, text, first, last)
    left = found.bundle or found.tile
    if left is not None and whole and not differ:
        last = found.base + found.width - 1
        text = f"{records(found.base, last)}: what is left does not lead to the signed root"
        yield Finding(MODIFIED, folder.prefix + left.file, text, found.base, last)


def _above(folder: LogFolder, scan: Scan, truth: Truth, level: int) -> Iterator[Finding]:
    """What is wrong with the tiles of a level above the lowest."""
    here, size, each = scan.levels[level], scan.counts[0], WIDTH**level
    for n, at in enumerate(range(0, scan.counts[level], WIDTH)):
        end = min(at + WIDTH, scan.counts[level])
        stored, true = here.stored[at:end], [node for node in truth.levels[level][at:end] if node is not None]
        above = truth.levels[level + 1] if level + 1 < len(truth.levels) else []
        signed = n < len(above) and above[n] is not None  # then it is known what these hashes should lead to
        if stored == truth.levels[level][at:end] or (
            len(true) < end - at and stored == here.by_tiles[at:end] and not signed
        ):
            continue
        part, first, last = folder.part(level, n, end - at), at * each, min(size, end * each) - 1
        if part is None:
            text = f"the file is missing: the hashes over {records(first, last)}"
            yield Finding(MISSING, folder.prefix + files.tile_file(level, n, end - at), text, first, last)
        elif len(true) == end - at:
            yield from _compared(folder, part, files.hashes(part), true, at, each, Elsewhere())
        else:
            text = f"the hashes over {records(first, last)}: what is left does not lead to the signed root"
            yield Finding(MODIFIED, folder.prefix + part.file, text, first, last)


def _compared(
    folder: LogFolder,
    part: Part,
    told: list[bytes],
    known: Sequence[bytes],
    base: int,
    each: int,
    elsewhere: Elsewhere,
) -> Iterator[Finding]:
    """Findings of one file that holds `told` where `known` belong; each place stands for `each` records."""
    shown = told[: len(known)] if part.width > len(known) else told
    exact = exact_bundle(part) if part.file.startswith(f"tile/{ENTRIES}/") else exact_tile(part)
    found = places(shown, known, base, elsewhere)
    for place in found:
        first, last = (base + place.first) * each, (base + place.last + 1) * each - 1
        yield Finding(place.what, folder.prefix + part.file, _sentence(place, first, last, each), first, last)
    if not found and not exact and part.width == len(known):
        at = base * each + len(known) * each
        yield Finding(MODIFIED, folder.prefix + part.file, f"bytes were added after record {at - 1}", at - 1, at - 1)


def _sentence(place: Place, first: int, last: int, each: int) -> str:
    about = records(first, last) if each == 1 else f"the hashes over {records(first, last)}"
    if place.other is None:
        return f"{_SAYS[place.what]} {about}" if place.what == TRUNCATED else f"{about}: {_SAYS[place.what]}"
    other = place.other if each == 1 else place.other * each
    belongs = records(other, other + last - first)
    return f"{about}: {belongs} stand{'s' * (first == last)} here{' again' * (place.what == DUPLICATED)}"


def records(first: int, last: int) -> str:
    """One record or a run of them, in words."""
    return f"record {first}" if first == last else f"records {first} to {last}"


def _elsewhere(folder: LogFolder, truth: Truth, suspects: set[int], size: int) -> tuple[Elsewhere, Elsewhere]:
    """Where the hashes that are out of place in bundles, and in tiles, belong: any place of the log."""
    strange = _strange(folder, truth, suspects, size)
    home: dict[bytes, int] = {}
    kept: tuple[set[int], set[int]] = set(), set()
    for n in range((size + WIDTH - 1) // WIDTH) if strange else ():
        width = min(WIDTH, size - n * WIDTH)
        each = _lowest(folder, truth, n, width) if n in suspects else _as_signed(folder, n, width)
        for place, true in enumerate(each.known or ()):
            if true in strange:
                home[true] = at = n * WIDTH + place
                for told, still in zip((each.by_entries, each.by_tile), kept, strict=True):
                    if place < len(told) and told[place] == true:
                        still.add(at)
    return Elsewhere(home, kept[0]), Elsewhere(home, kept[1])


def _strange(folder: LogFolder, truth: Truth, suspects: set[int], size: int) -> set[bytes]:
    """Hashes that are not where they belong. Of a log that is changed all over, only the first."""
    strange: set[bytes] = set()
    for n in sorted(suspects):
        each = _lowest(folder, truth, n, min(WIDTH, size - n * WIDTH))
        if each.known is not None:
            strange.update({*each.by_entries, *each.by_tile}.difference(each.known))
        if len(strange) > MOST_STRANGE:
            break
    return strange
