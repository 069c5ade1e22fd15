"""Wiring: builds every room from the settings, starts and stops them in order."""

import gc
import math
import os
import random
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import msgspec
from prometheus_client import Counter

from sidecar import __version__, logs
from sidecar.addresses import addresses
from sidecar.admin import AdminServer
from sidecar.api.callers import CallerConfig, Callers
from sidecar.api.grpcio_server import GrpcioServer, TlsFiles
from sidecar.api.methods import method_table
from sidecar.api.native_server import NativeServer
from sidecar.api.one_processor import OneProcessor, processors
from sidecar.authoring.builder import Bounds
from sidecar.authoring.live import Live
from sidecar.breaking_glass import BreakingGlass
from sidecar.changes import Changes
from sidecar.config import Config
from sidecar.core.bundle import NEVER
from sidecar.core.model import Caller, Effect
from sidecar.core.reading import (
    FactsPage,
    FactsQuery,
    FeedStatus,
    RecordsPage,
    RecordsQuery,
    Retirement,
    RoomStatus,
    Rotation,
    Status,
)
from sidecar.core.recall import Recalled, about
from sidecar.core.record import Checked, Consulted
from sidecar.emergencies import Emergencies
from sidecar.emergency_counts import EmergencyCounts
from sidecar.errors import CallerRefused, FactsUnavailable, NotFound, SidecarError
from sidecar.facts.room import open_room
from sidecar.ledger.room import LedgerRoom
from sidecar.metrics import Metrics
from sidecar.notices.delivery import Delivery
from sidecar.notices.post import Reply
from sidecar.pdp import Pdp
from sidecar.reloading import Reloading
from sidecar.steady import Steady

WATCH_SECONDS = 0.25
STAND_SECONDS = 2.0


def wall_clock() -> int:
    """Now, in microseconds since the epoch."""
    return time.time_ns() // 1000


class Sidecar:
    """A running sidecar."""

    def __init__(self, config: Config, clock: Callable[[], int] = wall_clock) -> None:
        """Builds and opens the rooms. Raises ConfigFault, LedgerUnavailable."""
        self._config, self._clock = config, clock
        self._log, self.metrics = logs.configure(config.log), Metrics()
        self._stopped, self._watched, self._started_at = Event(), Event(), clock()
        self._ready, self._detail = False, "starting"
        self._seen: tuple[RoomStatus, ...] = ()
        self.metrics.build.info({"version": __version__})
        data = Path(config.data)
        policy = config.policy
        self._policies = Live(
            Path(policy.pack),
            Path(policy.verdicts) if policy.verdicts else data / "policy",
            Bounds(policy.build_seconds, policy.build_bytes, policy.idle_seconds),
            clock,
        )
        tenants = sorted({caller.tenant for caller in config.callers})
        self._reloading = Reloading(self._policies, self.metrics, self._log, clock, policy.watch_seconds, tenants)
        self._reloading.load()
        self._facts = open_room(data, config.facts.required, config.facts.patients)
        self._processor = OneProcessor(processors if config.listen.one_processor else tuple)
        settings = config.ledger
        self._ledger = LedgerRoom(
            data / "ledger",
            settings.origin,
            mode=settings.mode,
            segment_bytes=settings.segment_bytes,
            min_free_bytes=settings.min_free_bytes,
            flush_s=settings.flush_ms / 1000,
            deadline_s=settings.deadline_ms / 1000,
            checkpoint_s=settings.checkpoint_ms / 1000,
            idle_s=settings.idle_seconds,
            unsigned_s=settings.unsigned_seconds,
            clock=clock,
            failed=lambda cause: self.metrics.ledger_failures.labels(cause).inc(),
            moved=self._clock_moved,
            joins=self._processor.join_in_background,
        )
        self._ledger.open(clock())
        for notice in self._ledger.notices:
            self._log.warning("the ledger was mended at start", notice=notice)
        self._log.info("who verifies the ledger needs", vkeys=self._ledger.vkeys)
        self._decisions: dict[tuple[Effect, str], Counter] = {}
        # A clock that a test moves is compared with nothing but itself.
        steady = Steady(clock, time.monotonic_ns if clock is wall_clock else lambda: 0)
        self._glass = BreakingGlass(self._policies, self._facts, self._ledger, steady, lambda: secrets.token_hex(16))
        steady.tell(self._glass.clock_went_back, max(self._facts.latest(), self._ledger.latest))
        stage = {name: self.metrics.stage.labels(name) for name in ("decide", "record")}
        self._pdp = Pdp(
            self._policies,
            self._facts,
            self._ledger,
            steady,
            time.perf_counter_ns,
            lambda name, ns, questions: stage[name].observe(ns / 1e9 / questions),
            self._count,
        )
        self._changes = Changes(self._policies, self._facts, self._ledger, steady, lambda: secrets.token_hex(16))
        self._controllers = _controllers(config)
        self._emergency_counts = EmergencyCounts(self.metrics, config.notices.unit_groups, self._started_at)
        self._stand_at, self._answering = 0.0, dict[str, bool]()
        self._delivery = Delivery(
            self._facts.grants, addresses(config), clock, random.SystemRandom().random, self._sent
        )
        self.emergencies = Emergencies(self._policies, self._facts, self._ledger, clock)
        self._callers = Callers([CallerConfig(**msgspec.structs.asdict(caller)) for caller in config.callers])
        self._fronts = self._build_fronts()
        self.admin = AdminServer(
            config.listen.admin, self.metrics, self._readiness, config.listen.tls, self._may_scrape
        )

    def start(self) -> None:
        """Finish interrupted changes, then answer."""
        self._settle()
        self._processor.start()
        for front in self._fronts:
            front.start()
            self._log.info("listening", address=front.address)
        self.admin.start()
        self._log.info("listening", address=self.admin.address, part="admin")
        self._log.info("started", version=__version__, pid=os.getpid())
        self._watcher = Thread(target=self._watch, name="watch", daemon=True)
        self._watcher.start()
        self._watched.wait()
        self._reloading.start(self._changes)
        self._delivery.start()
        # What is built by now stays: a collection that walks the facts and the policy stops every answer meanwhile.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)

    def stop(self) -> None:
        """Not ready, drain, flush, close. What was acknowledged is on disk."""
        self._stopped.set()
        self._reloading.stop()
        self._delivery.stop()
        self._watcher.join()
        for front in self._fronts:
            front.stop(self._config.limits.drain_seconds)
        self._processor.stop()
        self._ledger.close()
        self._facts.close()
        self.admin.stop()
        self._log.info("stopped", leaves=self._ledger.size)

    def reload_policy(self) -> None:
        """Have the pack's folder built now; the policy in force stays until both judges accept it."""
        self._reloading.ask()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where the sidecar answers, ports really bound."""
        return tuple(front.address for front in self._fronts)

    # What the wire shows of the rooms.

    def read_facts(self, caller: Caller, query: FactsQuery) -> FactsPage:
        """The caller's facts. Raises InvalidRequest, FactsUnavailable."""
        return self._facts.read_facts(caller.tenant, caller.controllers, query)

    def show_records(self, caller: Caller, query: RecordsQuery) -> RecordsPage:
        """The tenant's leaves; the reading is recorded before it is given. Raises LedgerUnavailable."""
        page = self._ledger.show(caller.tenant, query)
        self._ledger.record([Consulted(caller, repr(query), len(page.records))], self._clock())
        return page

    def recall(self, caller: Caller, decision_id: str, index: int | None = None) -> Recalled:
        """What a decision of the tenant was taken from; the reading is recorded before it is given.

        `index` is where its leaf stands, when that is known.

        Raises NotFound, also for a decision about a patient of a controller the caller does not act for;
        RecordClosed, FactsTooOld, FactsUnavailable, LedgerUnavailable.
        """
        found = self._ledger.find(caller.tenant, decision_id, index)
        controller_id, patient_id = about(found.checked)
        if patient_id and controller_id not in caller.controllers:
            raise NotFound("decision_id: no decision of this id")
        checked = found.checked
        snapshot = self._facts.past(caller.tenant, controller_id, patient_id, checked.request, checked.facts_seq)
        self._ledger.record([Consulted(caller, f"recall {found.decision_id}", 1)], self._clock())
        return Recalled(self._ledger.origin, found, controller_id, snapshot)

    @property
    def origin(self) -> str:
        """The name of this sidecar's ledger."""
        return self._ledger.origin

    def rotate_key(self, caller: Caller) -> Rotation:
        """Have a new key sign the ledger. Raises LedgerUnavailable."""
        rotation = self._ledger.rotate(caller, self._clock())
        self._log.info("the signing key was changed", vkeys=self._ledger.vkeys)
        return rotation

    def retire_month(self, caller: Caller, month: str, confirmed: bool) -> Retirement:
        """Make a month of the ledger unreadable, or say what that would close.

        Raises InvalidRequest for a month that cannot be, LedgerUnavailable.
        """
        now = self._clock()
        if not confirmed:
            return self._ledger.retirement(month, now)
        retirement = self._ledger.retire(caller, month, now)
        self._log.warning("the keys of a month were retired", detail=month)
        return retirement

    def status(self, caller: Caller) -> Status:
        """What the sidecar is doing, as far as the caller's tenant goes."""
        known = self._facts.tenant_facts(caller.tenant)
        feeds = tuple(
            FeedStatus(controller, kind, _instant(known.complete_until(controller, kind)), sources)
            for controller in caller.controllers
            for kind, sources in sorted(known.required.items())
        )
        rooms = self._rooms()
        return Status(
            __version__,
            all(room.ready for room in rooms),
            (*rooms, self._emergencies_status(caller)),
            self._policies.status.ref,
            known.seq,
            self._ledger.size,
            self._ledger.origin,
            feeds,
            self._started_at,
        )

    def _emergencies_status(self, caller: Caller) -> RoomStatus:
        """What is late of emergencies: a matter for people, which makes nothing unready."""
        try:
            stand = self._facts.grants.totals(caller.tenant, caller.controllers, self._clock())
        except FactsUnavailable:
            return RoomStatus("emergencies", True)
        late = {"reviews late": stand.overdue, "notices late": stand.notices_overdue}
        return RoomStatus("emergencies", True, ", ".join(f"{count} {what}" for what, count in late.items() if count))

    def _build_fronts(self) -> list[GrpcioServer | NativeServer]:
        listen, limits = self._config.listen, self._config.limits
        table = method_table(
            self._pdp,
            self._changes,
            self._glass,
            self,
            lambda: self._ready,
            self._clock,
            limits.check_bytes,
            limits.write_bytes,
        )
        bounds = {"in_flight": limits.in_flight, "streams": limits.streams, "metadata_bytes": limits.metadata_bytes}
        fronts: list[GrpcioServer | NativeServer] = []
        one = self._processor
        if listen.native:
            fronts.append(NativeServer(listen.native, table, self._callers, self._refused, processor=one, **bounds))
        if listen.grpc:
            files = listen.tls
            tls = TlsFiles(Path(files.certificate), Path(files.key), Path(files.client_ca)) if files else None
            fronts.append(GrpcioServer(listen.grpc, table, self._callers, self._refused, tls, processor=one, **bounds))
        return fronts

    def _rooms(self) -> tuple[RoomStatus, ...]:
        return (
            RoomStatus("policy", *self._policies.ready),
            RoomStatus("facts", *self._facts.ready()),
            RoomStatus("ledger", *self._ledger.ready),
        )

    def _watch(self) -> None:
        """Keep readiness and gauges true, and finish changes that a fault left pending."""
        while True:
            try:
                self._look()
            except Exception as error:  # the watch outlives whatever it sees; what it cannot judge is not ready
                self._ready, self._detail = False, "the watch failed; the log says where"
                self._log.error("the watch failed", error=type(error).__name__, where=logs.where(error))
            self._watched.set()
            if self._stopped.wait(WATCH_SECONDS):
                return

    def _look(self) -> None:
        rooms = self._rooms()
        for room in rooms:
            self.metrics.ready.labels(room.name).set(room.ready)
        if rooms != self._seen:
            for room in rooms:
                self._log.info("readiness", part=room.name, ready=room.ready, detail=room.detail)
        self._seen = rooms
        self._detail = "; ".join(room.detail for room in rooms if not room.ready)
        self._ready = all(room.ready for room in rooms)
        self._measure()
        if self._ready:
            self._settle()

    def _settle(self) -> None:
        try:
            self._changes.settle()
            self._glass.expire(self._clock())
        except SidecarError as error:
            self._log.error("changes wait for their leaf", error=error.reason)

    def _measure(self) -> None:
        now = self._clock()
        self._ledger.look(now, time.monotonic())
        signed, signed_at = self._ledger.signed
        self.metrics.ledger_size.set(self._ledger.size)
        self.metrics.ledger_signed.set(signed)
        self.metrics.ledger_checkpoint.set(signed_at)
        self.metrics.ledger_free.set(self._ledger.free_bytes)
        self._look_at_emergencies(now)
        for caller in self._config.callers:
            known = self._facts.tenant_facts(caller.tenant)
            self.metrics.facts_sequence.labels(caller.tenant).set(known.seq)
            for controller in caller.controllers:
                for kind in known.required:
                    mark = _instant(known.complete_until(controller, kind))
                    age = math.inf if mark is None else (now - mark) / 1e6
                    self.metrics.facts_age.labels(controller, kind).set(age)

    def _look_at_emergencies(self, now: int) -> None:
        for tenant in self._controllers:
            self._emergency_counts.look(self._facts.tenant_facts(tenant))
        if time.monotonic() >= self._stand_at:
            self._stand_at = time.monotonic() + STAND_SECONDS
            with suppress(FactsUnavailable):  # readiness says so; the last numbers stay
                self._emergency_counts.stand(
                    [self._facts.grants.totals(*of_tenant, now) for of_tenant in self._controllers.items()], now
                )

    def _sent(self, address: str, reply: Reply) -> None:
        self.metrics.notices_sent.labels(address, "taken" if reply.taken else "failed").inc()
        if self._answering.get(address, True) != reply.taken:
            said = "an address takes notices again" if reply.taken else "an address does not take notices"
            self._log.warning(said, part=address, detail=reply.why or str(reply.status))
        self._answering[address] = reply.taken

    def _count(self, answered: Sequence[Checked]) -> None:
        counts: dict[tuple[Effect, str], int] = {}
        for checked in answered:
            decision = checked.decision
            if decision.offer.available:
                self._emergency_counts.refused(checked, self._clock())
            key = decision.effect, decision.reason
            counts[key] = counts.get(key, 0) + 1
        for key, count in counts.items():
            counter = self._decisions.get(key)
            if counter is None:
                counter = self._decisions[key] = self.metrics.decisions.labels(*key, "computed")
            counter.inc(count)

    def _clock_moved(self, direction: str) -> None:
        self.metrics.clock_moves.labels(direction).inc()
        self._log.warning("the clock moved", direction=direction)

    def _refused(self, reason: str) -> None:
        self.metrics.refused.labels(reason).inc()

    def _readiness(self) -> tuple[bool, str]:
        return self._ready, self._detail

    def _may_scrape(self, authorization: str) -> bool:
        try:
            return "metrics" in self._callers.by_token(authorization).roles
        except CallerRefused:
            return False


def _controllers(config: Config) -> dict[str, tuple[str, ...]]:
    """Every tenant of the callers, and the controllers they act for."""
    found: dict[str, set[str]] = {}
    for caller in config.callers:
        found.setdefault(caller.tenant, set()).update(caller.controllers)
    return {tenant: tuple(sorted(controllers)) for tenant, controllers in found.items()}


def _instant(mark: int) -> int | None:
    return None if mark == NEVER else mark
