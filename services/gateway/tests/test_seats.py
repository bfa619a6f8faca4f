"""Open connections of a user and of an address."""

import pytest

from libs.testing.clock import VirtualClock
from libs.wire.codes import TryAgain
from services.gateway.limits import Limits
from services.gateway.metrics import LIMITS_HIT
from services.gateway.seats import SEAT_AGAIN_S, Seats
from services.gateway.settings import Settings


def test_an_address_has_so_many_connections_and_another_its_own() -> None:
    limits = Limits(Settings(connections_address_max=3), VirtualClock())
    before = LIMITS_HIT.labels("connections_address")._value.get()
    first, *_ = [limits.connect("a") for _ in range(3)]
    with pytest.raises(TryAgain, match="your address has 3") as refused:
        limits.connect("a")
    assert (refused.value.code.status, refused.value.retry_after_s) == (429, SEAT_AGAIN_S)
    assert LIMITS_HIT.labels("connections_address")._value.get() - before == 1
    limits.connect("b")
    first.leave()
    limits.connect("a")


def test_a_user_has_so_many_connections_from_all_addresses() -> None:
    seats = Seats(most_user=2, most_address=10)
    one, two, three = (seats.seat(address) for address in "abc")
    one.take("ann")
    two.take("ann")
    with pytest.raises(TryAgain, match="you have 2 connections"):
        three.take("ann")
    three.take("bob")
    one.leave()
    seats.seat("d").take("ann")


def test_a_seat_is_counted_once_however_often_it_is_taken_and_left() -> None:
    seats = Seats(most_user=5, most_address=5)
    seat = seats.seat("a")
    seat.take("ann")
    seat.take("ann")
    assert (seats.users, seats.addresses) == ({"ann": 1}, {"a": 1})
    seat.take("bob")
    assert seats.users == {"bob": 1}
    seat.leave()
    seat.leave()
    seat.take("ann")
    assert (seats.users, seats.addresses) == ({}, {})


def test_who_was_refused_is_not_counted() -> None:
    seats = Seats(most_user=1, most_address=2)
    seats.seat("a").take("ann")
    refused = seats.seat("a")
    with pytest.raises(TryAgain):
        refused.take("ann")
    with pytest.raises(TryAgain):
        seats.seat("a")
    assert (seats.users, seats.addresses) == ({"ann": 1}, {"a": 2})
    refused.leave()
    assert (seats.users, seats.addresses) == ({"ann": 1}, {"a": 1})


def test_behind_a_proxy_addresses_are_not_limited() -> None:
    seats = Seats(most_user=1, most_address=0)
    for _ in range(5_000):
        seats.seat("proxy")


def test_nothing_is_remembered_of_those_who_left() -> None:
    seats = Seats(most_user=10, most_address=10)
    for number in range(10_000):
        seat = seats.seat(f"a{number}")
        seat.take(f"u{number}")
        seat.leave()
    assert not seats.users
    assert not seats.addresses
