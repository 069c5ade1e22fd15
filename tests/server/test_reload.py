"""A running sidecar takes a new policy from its folder: recorded, whole, and without an answer that is neither's."""

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
import pytest
from msgspec.structs import replace

from sidecar.core.leaf import ChangeLeaf
from tests.judged import judged
from tests.reload.packs import a_pack
from tests.server.client import Client
from tests.server.process import Running, recorded, running, settings, until
from tests.server.world import a_batch, a_check, a_subject, a_write, told

WATCHED = 0.05
# Under the first the chart opens by ALLOW_CARE_TEAM; under the second nobody reads this category any more.
OPEN, SHUT = "lettres, usage, !r.resource.sensitive", "lettres, ecriture, !r.resource.sensitive"
EXPECTED = {OPEN: "ALLOW_CARE_TEAM", SHUT: "PROFILE_CATEGORY"}
CATEGORIES = ("cr",) * 8


class Folder:
    """A pack that is edited while a sidecar watches it."""

    def __init__(self, path: Path) -> None:
        self.path = a_pack(path)  # no stories: what is judged is tried elsewhere
        self.matrix = path / "rules" / "matrix.csv"
        self.now = OPEN

    def turn(self) -> None:
        """The other of the two policies."""
        other = SHUT if self.now == OPEN else OPEN
        self.write(self.matrix.read_text().replace(f"medecin, {self.now}", f"medecin, {other}"))
        self.now = other

    def write(self, text: str) -> None:
        """The matrix, replaced as a whole."""
        beside = self.path.parent / "matrix.new"
        beside.write_text(text)
        beside.replace(self.matrix)


@pytest.fixture
def short() -> Iterator[Path]:
    with TemporaryDirectory(prefix="sc-") as folder:
        yield Path(folder)


@contextmanager
def reloading(short: Path, watch: float = WATCHED, weakening: str = "") -> Iterator[tuple[Running, Folder]]:
    pack = Folder(short / "pack")
    policy = replace(judged(pack.path), watch_seconds=watch, idle_seconds=0)
    with running(short, settings(short, policy=policy), weakening) as sidecar:
        sidecar.client("feed").call("WriteFacts", a_write("w1", told(), complete=True))
        yield sidecar, pack


def digest(sidecar: Running) -> str:
    return str(sidecar.client("auditor").call("GetStatus").policy.digest)


def detail(sidecar: Running) -> str:
    rooms = sidecar.client("auditor").call("GetStatus").rooms
    return next(room.detail for room in rooms if room.name == "policy")


def metric(sidecar: Running, name: str) -> float:
    lines = sidecar.admin("/metrics")[1].splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def events(sidecar: Running) -> list[str]:
    return [json.loads(line)["event"] for line in sidecar.said().splitlines()]


def swap(sidecar: Running, pack: Folder) -> None:
    """Turn the policy, and wait until it is in force."""
    before = digest(sidecar)
    pack.turn()
    assert until(lambda: digest(sidecar) != before), sidecar.said()


def test_a_policy_that_changes_in_its_folder_comes_into_force_and_the_swap_is_recorded(short):
    with reloading(short) as (sidecar, pack):
        first, client = digest(sidecar), sidecar.client()
        assert client.call("CheckAccess", a_check()).reason == EXPECTED[OPEN]
        swap(sidecar, pack)
        answer = client.call("CheckAccess", a_check())
        assert (answer.reason, answer.policy.digest) == (EXPECTED[SHUT], digest(sidecar))
        assert metric(sidecar, 'sidecar_policy_reloads_total{outcome="swapped"}') == 1
        assert metric(sidecar, f'sidecar_policy_info{{digest="{answer.policy.digest}"') == 1
        records = sidecar.client("auditor").call("ShowRecords", limit=100).records
        [shown] = [each for each in map(json.loads, records) if each.get("what") == "swap_policy"]
        assert first in json.dumps(shown) and answer.policy.digest in json.dumps(shown)
    swaps = [leaf for leaf in recorded(short / "data").values() if getattr(leaf, "what", "") == "swap_policy"]
    assert [type(leaf) for leaf in swaps] == [ChangeLeaf]


def test_a_pack_at_fault_is_named_everywhere_and_the_policy_in_force_stays(short):
    with reloading(short) as (sidecar, pack):
        first, good = digest(sidecar), pack.matrix.read_text()
        line = good.count("\n") + 1
        pack.write(good + "p3, M-X, medecin, cr, lecture, r.subject.nobody, allow, -, L-7\n")
        assert until(lambda: detail(sidecar))
        assert f"rules/matrix.csv:{line}: unknown word `r.subject.nobody`" in detail(sidecar)
        assert f"rules/matrix.csv:{line}" in sidecar.said()
        assert digest(sidecar) == first
        assert sidecar.client().call("CheckAccess", a_check()).reason == EXPECTED[OPEN]
        assert sidecar.admin("/ready")[0] == 200
        assert metric(sidecar, "sidecar_policy_refused") == 1
        assert metric(sidecar, 'sidecar_policy_reloads_total{outcome="refused"}') == 1
        pack.write(good)
        assert until(lambda: not detail(sidecar))
        assert metric(sidecar, "sidecar_policy_refused") == 0
        assert digest(sidecar) == first


def test_a_sidecar_that_started_without_a_good_pack_answers_as_soon_as_it_is_mended(short):
    pack = Folder(short / "pack")
    good = pack.matrix.read_text()
    pack.write("P, x\n")
    policy = replace(judged(pack.path), watch_seconds=WATCHED)
    with running(short, settings(short, policy=policy)) as sidecar:
        sidecar.until_ready(False)
        with pytest.raises(grpc.RpcError) as refused:
            sidecar.client().call("CheckAccess", a_check())
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        pack.write(good)
        sidecar.until_ready()
        assert sidecar.client().call("CheckAccess", a_check()).decision_id


def test_a_hangup_has_the_folder_read_at_once_and_watching_can_be_left_to_it(short):
    with reloading(short, watch=0) as (sidecar, pack):
        first = digest(sidecar)
        pack.turn()
        os.kill(sidecar.pid, signal.SIGHUP)
        assert until(lambda: digest(sidecar) != first)
        assert "building a candidate policy" in events(sidecar)


def test_a_restart_with_its_verdict_asks_nobody_again(short):
    with reloading(short) as (sidecar, pack):
        swap(sidecar, pack)
        last = digest(sidecar)
    policy = replace(judged(pack.path), watch_seconds=WATCHED)
    with running(short, settings(short, policy=policy)) as sidecar:
        assert digest(sidecar) == last
        assert "judging the policy" not in events(sidecar)
        assert '"the verdict was on disk"' in sidecar.said()


class Heard:
    """What callers were told while the policy was swapped: (digest, reasons) of each call."""

    def __init__(self) -> None:
        self.checks: Counter[tuple[str, str]] = Counter()
        self.batches: Counter[tuple[frozenset[str], frozenset[str]]] = Counter()
        self.failed: Counter[grpc.StatusCode] = Counter()
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def listen(self, clients: Sequence[Client]) -> None:
        """Ask through each, checks and batches in turn, until `stop`."""
        self._threads = [threading.Thread(target=self._ask, args=(client,)) for client in clients]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask no more."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, client: Client) -> None:
        check, batch = a_check(), a_batch("P1", a_subject(), CATEGORIES)
        while not self._stopped.is_set():
            try:
                answer = client.call("CheckAccess", check)
                self.checks[answer.policy.digest, answer.reason] += 1
                results = [result.answer for result in client.call("CheckAccessBatch", batch).results]
                digests = frozenset(each.policy.digest for each in results)
                self.batches[digests, frozenset(each.reason for each in results)] += 1
            except grpc.RpcError as error:
                self.failed[error.code()] += 1


def heard_during_swaps(short: Path, weakening: str = "", swaps: int = 4) -> tuple[Heard, dict[str, str]]:
    """What was heard during some swaps, and the reason each policy gives, by digest."""
    reasons: dict[str, str] = {}
    with reloading(short, weakening=weakening) as (sidecar, pack):
        heard = Heard()
        heard.listen([sidecar.client("dpi", transport) for transport in ("native", "native", "grpc")])
        reasons[digest(sidecar)] = EXPECTED[pack.now]
        for _ in range(swaps):
            swap(sidecar, pack)
            reasons[digest(sidecar)] = EXPECTED[pack.now]
        heard.stop()
    return heard, reasons


def wrong(heard: Heard, reasons: dict[str, str]) -> int:
    """Answers that are neither policy's: named by one and given by the other, or a batch by both."""
    checks = sum(count for (named, reason), count in heard.checks.items() if reasons.get(named) != reason)
    mixed = sum(
        count
        for (named, said), count in heard.batches.items()
        if len(named) > 1 or said != {reasons.get(each) for each in named}
    )
    return checks + mixed


def test_swaps_under_load_give_only_answers_of_one_policy_or_the_other(short):
    heard, reasons = heard_during_swaps(short)
    assert len(reasons) == 2
    assert not heard.failed
    assert {reason for _, reason in heard.checks} == set(EXPECTED.values())
    assert wrong(heard, reasons) == 0


def test_a_policy_changed_in_place_would_answer_by_one_and_name_the_other(short):
    """The twin."""
    heard, reasons = heard_during_swaps(short, "changes_the_policy_in_place", swaps=2)
    assert wrong(heard, reasons) > 0
