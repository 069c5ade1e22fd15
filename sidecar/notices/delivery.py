"""Delivers notices to the addresses of the settings, from one thread, until each has been taken.

At least once: a notice is noted delivered after it was taken, so a stop in between sends it again, under the same id.
In order: of one grant and one address, a notice leaves only after the one before it was taken. One address that does
not answer holds up nobody else, and no grant ever waits for any of this.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import Protocol

import msgspec
from msgspec import Struct

from sidecar.core import instants
from sidecar.core.instants import SECOND
from sidecar.core.notices import Notice
from sidecar.errors import SidecarError
from sidecar.notices.post import Reply, post
from sidecar.notices.signing import headers

log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 1 * SECOND, 300 * SECOND
AT_ONCE = 8  # notices of one address in one round, each of another grant
PAGE = 200
GLANCE = 0.1  # seconds between two looks whether to stop
# What says that this one notice is not wanted; anything else says that the address does not work.
REFUSES_THIS_ONE = frozenset((400, 409, 413, 415, 422))


class Address(Struct, frozen=True):
    """Who is told: where, signed with what, of whose notices, for which audiences; nothing named is all of them."""

    name: str
    url: str
    secrets: tuple[bytes, ...]
    tenant: str = "default"
    controllers: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    seconds: float = 10.0
    ca: str = ""

    def wants(self, notice: Notice) -> bool:
        """Whether this notice goes to this address."""
        return (not self.controllers or notice.controller_id in self.controllers) and (
            not self.audiences or notice.audience in self.audiences
        )


class Outbox(Protocol):
    """What delivery needs of the store. Every method raises SidecarError."""

    def undelivered(self, tenant: str, after: int, limit: int) -> Sequence[Notice]:
        """The tenant's notices that nobody has taken, in the order they were written, behind sequence `after`."""

    def tried(self, tenant: str, notice_id: str, taken: bool, now: int) -> None:
        """Note an attempt, and whether it was taken."""


class _Wait(Struct):
    """How often in a row something failed, and until when it is left alone."""

    failures: int = 0
    until: int = 0

    def lasts(self, now: int) -> bool:
        """Whether it is left alone still; a clock that moved back makes nobody wait longer."""
        return 0 < self.until - now <= LONGEST_WAIT


def wait_after(failures: int, chance: float) -> int:
    """Microseconds until the next attempt: doubled with each failure up to five minutes, of that a half to the whole.

    `chance` is in [0, 1): addresses that came back must not be called by every sidecar in the same instant.
    """
    longest = min(LONGEST_WAIT, FIRST_WAIT << min(failures - 1, 20))
    return longest // 2 + int(longest / 2 * chance)


def body_of(notice: Notice) -> bytes:
    """What is sent: references and times. Who, whom and why stay where they are asked for by name, and recorded."""
    data = {
        "notice": notice.id,
        "grant": notice.grant_id,
        "audience": notice.audience,
        "controller": notice.controller_id,
    }
    if notice.due is not None:
        data["due"] = instants.text(notice.due)
    message = {"type": f"break_glass.{notice.what}", "timestamp": instants.text(notice.at), "data": data}
    return msgspec.json.encode(message)


class _Lane:
    """One address: what it is owed next, and how it has answered lately."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.tls = ssl.create_default_context(cafile=address.ca or None) if address.url.startswith("https:") else None
        self.wait = _Wait()
        self.grants: dict[str, _Wait] = {}  # those whose next notice was refused
        # INVARIANT: this address is owed nothing up to here. Others' notices would be read again each time.
        self.floor = 0

    def next(self, outbox: Outbox, now: int) -> list[Notice]:
        """What may leave now: the first notice of each of some grants."""
        found: dict[str, Notice] = {}
        seen: set[str] = set()
        after = self.floor
        most = 1 if self.wait.failures else AT_ONCE  # one is enough to find out whether it is back
        while not self.wait.lasts(now) and len(found) < most:
            page = outbox.undelivered(self.address.tenant, after, PAGE)
            for notice in page:
                if not self.address.wants(notice):
                    if not seen:
                        self.floor = notice.seq
                    continue
                if notice.grant_id in seen:
                    continue
                seen.add(notice.grant_id)
                held = self.grants.get(notice.grant_id)
                if (held is None or not held.lasts(now)) and len(found) < most:
                    found[notice.grant_id] = notice
            if len(page) < PAGE:
                # What is refused and waits no more was delivered elsewhere, or is gone: the page was the last.
                self.grants = {grant: held for grant, held in self.grants.items() if grant in seen}
                break
            after = page[-1].seq
        return list(found.values())


class Delivery:
    """The notices of every address, until `stop`."""

    def __init__(
        self,
        outbox: Outbox,
        addresses: Sequence[Address],
        clock: Callable[[], int],
        chance: Callable[[], float],
        told: Callable[[str, Reply], None],
        seconds: float = 0.5,
    ) -> None:
        """`told` gets the address's name and each reply; `seconds` is how long it looks away when there is nothing.

        Raises OSError when the authorities of an address cannot be read.
        """
        self._outbox, self._clock, self._chance, self._told, self._seconds = outbox, clock, chance, told, seconds
        self._lanes = [_Lane(address) for address in addresses]
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="notices", daemon=True)

    def start(self) -> None:
        """Deliver from now on; nothing to do without an address."""
        if self._lanes:
            self._thread.start()

    def stop(self) -> None:
        """Stop at once; what was not taken is sent at the next start."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def round(self) -> int:
        """Send what may leave now, all addresses at once; gives how many were taken. Raises SidecarError."""
        now = self._clock()
        owed = [(lane, notice) for lane in self._lanes for notice in lane.next(self._outbox, now)]
        return asyncio.run(self._send(owed)) if owed else 0

    async def _send(self, owed: Sequence[tuple[_Lane, Notice]]) -> int:
        taken = 0
        sending = {asyncio.ensure_future(self._post(lane, notice)) for lane, notice in owed}
        while sending and not self._stopped.is_set():
            done, sending = await asyncio.wait(sending, timeout=GLANCE, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                lane, notice, reply = each.result()
                now = self._clock()
                self._outbox.tried(lane.address.tenant, notice.id, reply.taken, now)
                self._judge(lane, notice, reply, now)
                self._told(lane.address.name, reply)
                taken += reply.taken
        return taken  # a stop ends what is still being sent: it is sent again, under the same id

    async def _post(self, lane: _Lane, notice: Notice) -> tuple[_Lane, Notice, Reply]:
        body = body_of(notice)
        signed = headers(lane.address.secrets, notice.id, self._clock() // SECOND, body)
        return lane, notice, await post(lane.address.url, signed, body, lane.tls, lane.address.seconds)

    def _judge(self, lane: _Lane, notice: Notice, reply: Reply, now: int) -> None:
        """Who is left alone, and until when."""
        if reply.taken:
            lane.wait = _Wait()
            lane.grants.pop(notice.grant_id, None)
            return
        refused = reply.status in REFUSES_THIS_ONE
        wait = lane.grants.setdefault(notice.grant_id, _Wait()) if refused else lane.wait
        if wait.lasts(now):
            return  # another notice of this round has counted the same failure
        wait.failures += 1
        asked = min(reply.wait * SECOND, LONGEST_WAIT)
        wait.until = now + max(wait_after(wait.failures, self._chance()), asked)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                taken = self.round()
            except SidecarError:
                taken = 0  # the store says itself that it cannot be used; what is owed stays owed
            except Exception as error:  # the thread outlives whatever it meets: nobody else would deliver
                taken = 0
                log.error("the delivery of notices failed", extra={"error": type(error).__name__})
            if not taken:
                self._stopped.wait(self._seconds)
