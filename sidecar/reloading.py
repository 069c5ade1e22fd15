"""Keeps the policy in force the one in its folder: looks, has it built and judged, records the swap, swaps."""

from collections.abc import Callable, Sequence
from threading import Event, Thread

from sidecar import logs
from sidecar.authoring.live import Live
from sidecar.changes import Changes
from sidecar.errors import SidecarError
from sidecar.logs import Log
from sidecar.metrics import Metrics

PROGRESS_SECONDS = 2.0


class Reloading:
    """One thread that builds candidates. Nothing it does decides: the answering threads see one reference change."""

    def __init__(
        self,
        policies: Live,
        metrics: Metrics,
        log: Log,
        clock: Callable[[], int],
        watch_seconds: float,
        tenants: Sequence[str],
    ) -> None:
        """Looks every `watch_seconds` (0: only when asked); a swap is recorded once for each of the tenants."""
        self._policies, self._metrics, self._log, self._clock = policies, metrics, log, clock
        self._seconds, self._tenants = watch_seconds, tenants
        self._changes: Changes | None = None
        self._asked, self._stopped = Event(), Event()
        self._thread = Thread(target=self._run, name="policy", daemon=True)
        self._told_at = 0

    def load(self) -> None:
        """Put the pack in force before anything is answered; without a verdict on disk this asks both judges."""
        self._policies.start(self._progress)
        self._report("loaded")

    def start(self, changes: Changes) -> None:
        """Watch from now on; swaps go through `changes`."""
        self._changes = changes
        self._thread.start()

    def ask(self) -> None:
        """Have the folder built now, whether it moved or not."""
        self._policies.again()
        self._asked.set()

    def stop(self) -> None:
        """Stop watching; a build that goes on is ended."""
        self._stopped.set()
        self._asked.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while True:
            asked = self._asked.wait(self._seconds or None)
            if self._stopped.is_set():
                return
            self._asked.clear()
            try:
                if asked or self._policies.moved():
                    self._reload()
            except Exception as error:  # the policy in force stays, and the next look tries again
                self._policies.again()
                self._metrics.policy_reloads.labels("failed").inc()
                self._log.error("the policy could not be reloaded", error=type(error).__name__, where=logs.where(error))

    def _reload(self) -> None:
        self._log.info("building a candidate policy")
        made = self._policies.candidate(self._progress, self._stopped.is_set)
        if self._stopped.is_set() or self._changes is None:
            return
        if made is None:
            self._report("refused" if self._policies.status.faults else "unchanged")
            return
        try:
            self._changes.swap_policy(made, self._tenants)
        except SidecarError as error:
            # No record, no swap.
            self._policies.again()
            self._metrics.policy_reloads.labels("failed").inc()
            self._log.error("the policy was not swapped: the swap cannot be recorded", error=error.reason)
            return
        self._report("swapped")
        self._policies.let_go()

    def _report(self, outcome: str) -> None:
        status, metrics = self._policies.status, self._metrics
        metrics.policy_reloads.labels(outcome).inc()
        metrics.policy_build.set(status.seconds)
        metrics.policy_refused.set(bool(status.faults))
        if status.faults:
            self._log.error("the policy is at fault", faults=[str(fault) for fault in status.faults])
        if status.ref is None or outcome in ("refused", "unchanged"):
            return
        ref = status.ref
        metrics.policy.info({"pack": ref.pack, "revision": ref.revision, "digest": ref.digest})
        metrics.policy_loaded.set(self._clock() / 1e6)
        self._log.info(
            "policy in force",
            pack=ref.pack,
            revision=ref.revision,
            digest=ref.digest,
            seconds=round(status.seconds, 2),
            detail="the verdict was on disk" if status.stamped else f"judged by PyCasbin: {status.asks} asks agree",
        )

    def _progress(self, done: int, total: int) -> None:
        now = self._clock()
        if now - self._told_at >= PROGRESS_SECONDS * 1e6 or done == total:
            self._told_at = now
            self._log.info("judging the policy", count=done, detail=f"{done} of {total} stories")
