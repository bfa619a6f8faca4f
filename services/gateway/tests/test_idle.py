"""Connections whose polls are answered: kept for a while, and not for longer."""

import pytest

from libs.testing.eventually import eventually
from services.gateway import http_polled
from services.gateway.tests.lines import Client
from services.gateway.tests.test_http_again import SHARED, poll

SOON_S = 0.01
WITHIN_S = 10.0


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_polled, "SWEEP_S", SOON_S)


async def answered(keep_s: float) -> Client:
    """A client that was parked and is told."""
    client = Client()
    client.protocol.timeout_keep_alive = keep_s  # type: ignore[assignment]
    await client.send(poll())
    assert len(client.protocol.idle) == 0
    client.lane.answer()
    assert len(client.protocol.idle) == 1
    return client


async def test_who_says_nothing_is_closed_after_a_while() -> None:
    client = await answered(SOON_S)
    await eventually(lambda: client.line.is_closed, within_s=WITHIN_S, what="it is closed")
    assert len(client.protocol.idle) == 0


async def test_those_who_were_answered_later_are_kept_longer() -> None:
    first, second = await answered(SOON_S), Client()
    second.protocol.idle.add(second.protocol)
    second.protocol.idle.add(second.protocol)
    await eventually(lambda: first.line.is_closed, within_s=WITHIN_S, what="it is closed")
    assert not second.line.is_closed
    assert len(second.protocol.idle) == 1


@pytest.mark.parametrize("said", [poll(cursor=2), b"GET /v1/ch", b"\r\n"])
async def test_who_says_something_is_idle_no_more(said: bytes) -> None:
    client = await answered(WITHIN_S)
    await client.send(said)
    assert len(client.protocol.idle) == 0


async def test_who_is_gone_is_forgotten() -> None:
    client = await answered(WITHIN_S)
    client.hang_up()
    assert len(client.protocol.idle) == 0


async def test_what_ends_with_its_answer_is_not_kept() -> None:
    client = Client()
    await client.send(poll(more=b"connection: close\r\n"))
    client.lane.answer()
    await client.turn()
    assert (client.line.is_closed, len(client.protocol.idle)) == (True, 0)


async def test_one_of_very_many_is_idle_when_its_place_is_given_away_and_it_says_nothing() -> None:
    client = Client()
    await client.send(poll())
    ((woken, _),) = client.lane.parked
    client.lane.wake()
    assert len(client.protocol.idle) == 0
    woken.left()
    assert len(client.protocol.idle) == 1


async def test_one_of_very_many_that_polls_on_or_is_gone_is_not_idle() -> None:
    for is_gone in (False, True):
        client = Client()
        await client.send(poll(more=SHARED))
        ((woken, _),) = client.lane.parked
        client.lane.is_busy = True
        client.lane.wake()
        if is_gone:
            client.hang_up()
        else:
            await client.send(poll(cursor=2, more=SHARED))
        woken.left()
        assert len(client.protocol.idle) == 0
