"""Is a log what its checkpoint says? Told from the public key and the files alone: what is wrong is named.

Three questions, in this order: is the checkpoint signed; do the files agree with each other and with it
(verify_scan.py); and if not, which file, which record, and what happened to it (verify_truth.py, verify_blame.py).
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from sidecar.core import checkpoint
from sidecar.core.checkpoint import Checkpoint, VerifierKey
from sidecar.core.tiles import CHECKPOINT, ENTRIES, WIDTH
from sidecar.errors import CheckpointFault
from sidecar.ledger import verify_files as files
from sidecar.ledger.verify_blame import UNEXPECTED, UNSIGNED, Finding, blame
from sidecar.ledger.verify_files import LogFolder, Part, TileName
from sidecar.ledger.verify_journal import journal
from sidecar.ledger.verify_places import MISSING, MODIFIED, TRUNCATED
from sidecar.ledger.verify_scan import Scan, exact_bundle, exact_tile, scan
from sidecar.ledger.verify_truth import entries_root, truth

DRAFT = ".new"  # a file the writer had not finished when it stopped


class Report(Struct, frozen=True):
    """What was found. All is well when `findings` is empty."""

    findings: tuple[Finding, ...]
    notices: tuple[str, ...] = ()  # worth knowing, and nothing wrong
    checkpoint: Checkpoint | None = None
    signed_at: int | None = None  # seconds since the epoch: when the log said that this was its newest checkpoint
    unsigned: int = 0  # records in the journal that no checkpoint speaks of yet


def verify(
    path: Path,
    keys: Sequence[VerifierKey],
    *,
    jobs: int = 1,
    progress: Callable[[int, int], None] = lambda _done, _size: None,
) -> Report:
    """Check a ledger's folder, or a copy of its tree, against its checkpoint and these keys.

    `progress` is told how many of how many records were read. Memory: under one byte a record. Raises InputFault
    for a folder that holds no log, OSError for a file that cannot be read.
    """
    folder = LogFolder(path)
    told, signed_at, findings = _checkpoint(folder, keys)
    if told is None:
        return Report(tuple(findings))
    found = scan(folder, told.size, jobs, lambda done: progress(done, told.size))
    findings += _tree(folder, found, told.root)
    findings += _large(folder, found)
    blamed = {finding.file for finding in findings}
    strays, notices = _others(folder, told.size, blamed)
    tail = journal(folder, told.size, blamed)
    findings += [*strays, *tail.findings]
    return Report(tuple(findings), tuple(notices + tail.notices), told, signed_at, tail.end - told.size)


def _checkpoint(folder: LogFolder, keys: Sequence[VerifierKey]) -> tuple[Checkpoint | None, int | None, list[Finding]]:
    """What the checkpoint says, also when nobody known signed it: then the rest is looked at all the same."""
    file, data = folder.prefix + CHECKPOINT, folder.checkpoint()
    if data is None:
        return None, None, [Finding(MISSING, file, "the file is missing: nothing here is signed")]
    try:
        told = checkpoint.read(data)
    except CheckpointFault as fault:
        what = TRUNCATED if data[-1:] >= b" " or not data else MODIFIED
        return None, None, [Finding(what, file, f"{fault}: nothing here is signed")]
    try:
        found = checkpoint.signatures(data, keys)
    except CheckpointFault as fault:
        return told, None, [Finding(UNSIGNED, file, str(fault))]
    signed_at = max((each.at for each in found if each.at is not None), default=None)
    if told.origin not in {key.name for key in keys}:
        return told, signed_at, [Finding(UNSIGNED, file, f"the key given does not speak for the log `{told.origin}`")]
    # A log's key signs twice, the text and the text with a time. Who takes one line away is seen by the other.
    timed, plain = ({each.key for each in found if (each.at is None) is not with_time} for with_time in (True, False))
    if timed != plain:
        return told, signed_at, [Finding(MODIFIED, file, "one of the two signature lines of the log's key is gone")]
    return told, signed_at, []


def _tree(folder: LogFolder, found: Scan, root: bytes) -> list[Finding]:
    whole = entries_root(found)
    if found.agreed and whole == root:
        return []
    findings = list(blame(folder, found, truth(found, root)))
    if findings and not found.agreed:
        return findings
    said = whole.hex() if whole else "none"
    text = (
        f"the files agree with each other on the root {said}, and {root.hex()} is signed: they are not what was signed"
    )
    return [*findings, Finding(MODIFIED, folder.prefix + CHECKPOINT, text)]


def _large(folder: LogFolder, found: Scan) -> Iterator[Finding]:
    """Large records whose bytes are not those their entry names."""
    for index, digest, length in found.large:
        path = folder.large(digest)
        file = folder.prefix + path.relative_to(folder.tree).as_posix()
        try:
            with path.open("rb") as data:
                seen = hashlib.file_digest(data, "sha256").digest()
                size = data.tell()
        except FileNotFoundError:
            yield Finding(MISSING, file, f"the file is missing: record {index}", index, index)
            continue
        if seen != digest:
            what = TRUNCATED if size < length else MODIFIED
            yield Finding(what, file, f"record {index}: changed, {size} bytes of {length}", index, index)


def _others(folder: LogFolder, size: int, blamed: set[str]) -> tuple[list[Finding], list[str]]:
    """What else lies in the tree's folder: earlier partial tiles, tiles not yet signed, and what does not belong.

    A tile that is blamed already is nothing to compare an earlier one with.
    """
    findings: list[Finding] = []
    ahead = drafts = 0
    for file in folder.tree_files():
        named = files.parsed_name(file)
        if named is not None:
            count = size if named.level == ENTRIES else size // WIDTH ** int(named.level)
            now = min(WIDTH, count - named.n * WIDTH)
            if now < named.width:
                ahead += 1
            elif now > named.width:
                findings += _earlier(folder, file, named, now, blamed)
        elif file.endswith(DRAFT):
            drafts += 1
        elif file != CHECKPOINT and not _is_large(file):
            findings.append(Finding(UNEXPECTED, folder.prefix + file, "no log has a file of this name"))
    notices = [f"{ahead} files of the tree are newer than its checkpoint"] if ahead else []
    return findings, notices + ([f"{drafts} files of the tree were never finished"] if drafts else [])


def _earlier(folder: LogFolder, file: str, named: TileName, now: int, blamed: set[str]) -> Iterator[Finding]:
    """A partial tile of an earlier checkpoint, when it is not how the tile of today begins."""
    data, today = folder.read(file), folder.part(named.level, named.n, now)
    if data is None or today is None or folder.prefix + today.file in blamed:
        return
    here = Part(file, data, named.width)
    whole = exact_bundle(here) if named.level == ENTRIES else exact_tile(here)
    there = len(files.spans(data)[0] if named.level == ENTRIES else files.hashes(here))
    if not whole or not today.data.startswith(data):
        what = TRUNCATED if there < named.width and today.data.startswith(data) else MODIFIED
        yield Finding(what, folder.prefix + file, f"this is not how `{folder.prefix}{today.file}` begins")


def _is_large(file: str) -> bool:
    digest = file.removeprefix("large/")
    return len(digest) == 64 and set(digest) <= set("0123456789abcdef")
