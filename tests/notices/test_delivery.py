"""Notices are delivered at least once, none lost, in order per grant, whatever the receiver does."""

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.core.instants import SECOND
from sidecar.notices.delivery import LONGEST_WAIT, wait_after
from tests.facts.naive import MINUTE
from tests.notices.boxes import Box, a_box, to
from tests.notices.receiver import Receiver, a_free_port, genuine, receiving

HOUR = 60 * MINUTE


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with a_box(tmp_path) as box:
        yield box


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def test_a_notice_is_delivered_once_where_nothing_goes_wrong(box: Box, receiver: Receiver) -> None:
    [notice] = box.open("g1")
    delivery = box.delivery(to(receiver))
    assert box.rounds(delivery, 3) == 1
    assert receiver.taken == [notice]
    assert box.owed() == []


def test_the_message_says_which_notice_of_which_grant_and_nobody_s_name(box: Box, receiver: Receiver) -> None:
    box.open("g1", "patient")
    box.delivery(to(receiver)).round()
    assert receiver.messages == [
        {
            "notice": "n1-patient",
            "grant": "g1",
            "audience": "patient",
            "controller": "C1",
            "due": "2026-03-02T11:00:00Z",
        }
    ]
    [body] = receiver.bodies
    for identity in ("dr-nuit", "P1", "seul en service", "URGENCE", "clinicien"):
        assert identity.encode() not in body


def test_every_message_is_signed_over_its_own_bytes(box: Box, receiver: Receiver) -> None:
    box.open("g1", "patient", "reviewer")
    box.rounds(box.delivery(to(receiver)), 3)
    assert len(receiver.bodies) == 2
    for headers, body in zip(receiver.headers, receiver.bodies, strict=True):
        assert genuine(headers, body)
        assert not genuine(headers, body.replace(b"g1", b"g2"))
        assert not genuine(headers, body, b"another secret, of the same length")
        assert not genuine(headers | {"webhook-id": "n9"}, body)
        assert not genuine(headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}, body)
        assert headers["webhook-id"].encode() in body


def test_the_timestamp_is_that_of_the_attempt_so_that_a_late_one_is_no_replay(box: Box, receiver: Receiver) -> None:
    receiver.status = lambda message: 503
    box.open("g1")
    delivery = box.delivery(to(receiver))
    box.rounds(delivery, 2, HOUR)
    first, second = (int(headers["webhook-timestamp"]) for headers in receiver.headers)
    assert second - first == 3600


def test_while_a_secret_is_replaced_both_are_good(box: Box, receiver: Receiver) -> None:
    old, new = b"o" * 32, b"n" * 32
    box.open("g1")
    box.delivery(to(receiver, secrets=(old, new))).round()
    [headers], [body] = receiver.headers, receiver.bodies
    assert genuine(headers, body, old)
    assert genuine(headers, body, new)


def test_a_receiver_down_for_an_hour_gets_everything_in_order_when_it_is_back(box: Box) -> None:
    port = a_free_port()
    sent = [box.open(f"g{n % 3}", what=what)[0] for n, what in enumerate(("open_grant", "close_grant") * 6)]
    delivery = box.delivery(to(f"http://127.0.0.1:{port}/notices"))
    attempts = sum(1 for _ in range(3600) if (box.rounds(delivery, 1, SECOND), box.told and box.told.pop())[1])
    assert box.owed() == sent
    assert 10 < attempts < 30, "it is tried, and left alone in between"
    with receiving(port) as receiver:
        box.rounds(delivery, 20, LONGEST_WAIT)
        assert box.owed() == []
        assert sorted(receiver.taken) == sorted(sent)
        assert in_order(receiver)


def test_a_receiver_that_answers_500_gets_it_again_until_it_takes_it(box: Box, receiver: Receiver) -> None:
    answers = iter((500, 502, 301, 429, 204))
    receiver.status = lambda message: next(answers)
    box.open("g1")
    delivery = box.delivery(to(receiver))
    assert box.rounds(delivery, 12, LONGEST_WAIT) == 1
    assert receiver.answered == [500, 502, 301, 429, 204]
    assert box.room.grants.notices("t1", "g1")[0].attempts == 5


def test_a_receiver_that_answers_twice_is_heard_once(box: Box, receiver: Receiver) -> None:
    receiver.answers = 2
    sent = [*box.open("g1"), *box.open("g1", what="close_grant")]
    box.rounds(box.delivery(to(receiver)), 3)
    assert receiver.taken == sent


def test_a_slow_receiver_gets_it_again_and_holds_up_no_other(box: Box, receiver: Receiver) -> None:
    with receiving() as slow:
        slow.delay = 0.5
        box.open("g1", "patient", "reviewer")
        addresses = (
            to(slow, "slow", audiences=("patient",), seconds=0.1),
            to(receiver, "quick", audiences=("reviewer",)),
        )
        delivery = box.delivery(*addresses)
        assert box.rounds(delivery, 2, LONGEST_WAIT) == 1
        assert (receiver.taken, box.owed()) == (["n1-reviewer"], ["n1-patient"])
        slow.delay = 0.0
        box.rounds(delivery, 1)
        assert box.owed() == []
        # What was taken and not answered in time came again under the same id: that is how the receiver knows it.
        assert {headers["webhook-id"] for headers in slow.headers} == {"n1-patient"}


def test_a_notice_that_is_refused_holds_up_its_own_grant_alone(box: Box, receiver: Receiver) -> None:
    receiver.status = lambda message: 422 if message["notice"] == "n1-patient" else 204
    box.open("g1")
    box.open("g1", what="close_grant")
    box.open("g2")
    box.rounds(box.delivery(to(receiver)), 3, LONGEST_WAIT)
    assert receiver.taken == ["n3-patient"]
    assert box.owed() == ["n1-patient", "n2-patient"]


def test_each_audience_is_told_at_its_own_address_and_what_nobody_wants_stays(box: Box, receiver: Receiver) -> None:
    with receiving() as other:
        box.open("g1", "patient", "reviewer", "banner")
        box.open("g2", "reviewer", controller="C2")
        delivery = box.delivery(
            to(receiver, "patients", audiences=("patient",)),
            to(other, "reviewers", audiences=("reviewer",), controllers=("C1",)),
        )
        box.rounds(delivery, 3)
        assert (receiver.taken, other.taken) == (["n1-patient"], ["n1-reviewer"])
        assert box.owed() == ["n1-banner", "n2-reviewer"]


def test_what_nobody_wants_is_not_read_over_and_over(box: Box, receiver: Receiver) -> None:
    for _ in range(5):
        box.open("g1", "banner")
    delivery = box.delivery(to(receiver, audiences=("patient",)))
    box.rounds(delivery, 1)
    read = box.room.grants.undelivered("t1", delivery._lanes[0].floor, 1000)
    assert read == []
    box.open("g1", "patient")
    assert box.rounds(delivery, 1) == 1


def test_a_stop_between_delivery_and_its_note_sends_it_again_and_loses_nothing(tmp_path: Path) -> None:
    with receiving() as receiver:
        with a_box(tmp_path) as box:
            box.open("g1")
            delivery = box.delivery(to(receiver))
            box.room.grants.tried = lambda *given: 1 / 0  # type: ignore[method-assign,assignment]
            with pytest.raises(ZeroDivisionError):
                delivery.round()
        with a_box(tmp_path) as again:
            assert again.owed() == ["n1-patient"]
            again.rounds(again.delivery(to(receiver)), 2)
            assert again.owed() == []
        assert receiver.taken == ["n1-patient", "n1-patient"]


def test_the_thread_delivers_by_itself_and_a_stop_waits_for_no_receiver(box: Box, receiver: Receiver) -> None:
    taken = threading.Event()
    receiver.status = lambda message: (taken.set(), 204)[1]
    delivery = box.delivery(to(receiver))
    delivery.start()
    box.open("g1")
    assert taken.wait(30)
    receiver.delay = 60.0
    taken.clear()
    box.open("g1", what="close_grant")
    assert taken.wait(30)
    delivery.stop()
    assert not delivery._thread.is_alive()
    assert box.owed() == ["n2-patient"]


def test_waits_grow_to_five_minutes_and_are_never_the_same_for_all() -> None:
    dice = random.Random(7)
    waits = [wait_after(failures, dice.random()) for failures in range(1, 40)]
    assert all(
        min(LONGEST_WAIT, SECOND << min(n, 20)) / 2 <= wait <= min(LONGEST_WAIT, SECOND << min(n, 20))
        for n, wait in enumerate(waits)
    )
    assert len(set(waits)) > 30
    assert wait_after(3, 0.25) == wait_after(3, 0.25)


def test_an_address_that_asks_for_time_is_given_it(box: Box, receiver: Receiver) -> None:
    receiver.status, receiver.wait = (lambda message: 503), 120
    box.open("g1")
    delivery = box.delivery(to(receiver))
    box.rounds(delivery, 1, 119 * SECOND)
    box.rounds(delivery, 1, SECOND)
    assert len(receiver.answered) == 1
    box.rounds(delivery, 1)
    assert len(receiver.answered) == 2


def test_a_clock_that_moved_back_delays_nothing(box: Box, receiver: Receiver) -> None:
    receiver.status = lambda message: 500
    box.open("g1")
    delivery = box.delivery(to(receiver))
    box.rounds(delivery, 1, -10 * HOUR)
    receiver.status = lambda message: 204
    assert box.rounds(delivery, 1) == 1


def in_order(receiver: Receiver) -> bool:
    """Whether the notices of each grant came in the order they were written."""
    by_grant: dict[str, list[int]] = {}
    for message in receiver.messages:
        by_grant.setdefault(message["grant"], []).append(int(message["notice"][1:].split("-")[0]))
    return all(numbers == sorted(numbers) for numbers in by_grant.values())


def test_without_waiting_for_the_one_before_the_order_of_a_grant_would_be_lost(
    box: Box, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: every notice is taken for a grant of its own."""
    failing = iter((500, 500))
    receiver.status = lambda message: next(failing, 204) if message["notice"] == "n1-patient" else 204
    box.open("g1")
    box.open("g1", what="close_grant")
    undelivered = box.room.grants.undelivered

    def parted(tenant: str, after: int, limit: int) -> list[object]:
        from msgspec.structs import replace

        return [replace(notice, grant_id=notice.id) for notice in undelivered(tenant, after, limit)]

    monkeypatch.setattr(box.room.grants, "undelivered", parted)
    box.rounds(box.delivery(to(receiver)), 4, LONGEST_WAIT)
    assert receiver.taken == ["n2-patient", "n1-patient"], "the protection off, a closing overtakes its opening"
