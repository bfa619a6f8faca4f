"""Nobody beats in what the gateway follows: it says so, asks again, and trusts nobody for long."""

import pytest

from libs.runtime.changes import SILENT_S
from libs.wire.codes import OutcomeUnknown
from libs.wire.topics import ACCESS_CHANGES, REVOCATIONS, Topic
from services.gateway.access import DOUBTED_KEPT_S, DOUBTED_S
from services.gateway.metrics import CHANGES_SILENT
from services.gateway.tests.edge import CHANNEL, edge


@pytest.mark.parametrize("topic", [ACCESS_CHANGES, REVOCATIONS], ids=lambda topic: str(topic.name))
async def test_a_silent_feed_is_told_and_makes_no_gateway_not_ready(
    topic: Topic, capsys: pytest.CaptureFixture[str]
) -> None:
    """All gateways hear the same silence: none would be left to serve."""
    async with edge() as it:
        it.owners[topic].hush()
        await it.soon(lambda: silent_s(topic) >= SILENT_S, "it is silent")
        await it.soon(lambda: "changes are silent" in capsys.readouterr().out, "it is told")
        assert it.running.lacks() == []
        it.owners[topic].silent = set()
        await it.soon(lambda: silent_s(topic) < SILENT_S, "it is heard again")


async def test_a_ban_that_nobody_announces_counts_ten_seconds_later() -> None:
    async with edge() as it:
        it.channel(head=30)
        assert (await it.poll(after="1-20")).status_code == 200
        it.owners[ACCESS_CHANGES].hush()
        it.members.refusals["ann", CHANNEL] = "banned"
        began_s = it.clock.monotonic()
        assert (await it.poll(after="1-20")).status_code == 200
        await it.soon(lambda: silent_s(ACCESS_CHANGES) >= SILENT_S, "it is silent")
        it.clock.advance(DOUBTED_S)
        assert (await it.poll(after="1-20")).json()["code"] == "banned"
        assert it.clock.monotonic() - began_s <= SILENT_S + DOUBTED_S + 1


async def test_in_silence_whoever_cannot_be_asked_about_reads_for_a_minute() -> None:
    async with edge() as it:
        it.channel(head=30)
        asked_s = it.clock.monotonic()
        assert (await it.poll(after="1-20")).status_code == 200
        it.owners[ACCESS_CHANGES].hush()
        it.members.is_away = True
        await it.soon(lambda: silent_s(ACCESS_CHANGES) >= SILENT_S, "it is silent")
        it.clock.advance(asked_s + DOUBTED_KEPT_S - 1 - it.clock.monotonic())
        assert (await it.poll(after="1-20")).status_code == 200
        it.clock.advance(1)
        refused = await it.poll(after="1-20")
        assert (refused.status_code, refused.json()["code"]) == (503, "rebuilding")


async def test_in_silence_and_with_a_store_away_who_is_parked_is_served() -> None:
    """As when Redis dies: nobody announces, and whoever is asked answers as a POST that may have
    changed something."""
    async with edge() as it:
        it.channel(head=30)
        assert (await it.poll(after="1-20")).status_code == 200
        it.owners[ACCESS_CHANGES].hush()
        it.members.away = OutcomeUnknown("outcome_unknown", "its store does not answer")
        it.members.is_away = True
        await it.soon(lambda: silent_s(ACCESS_CHANGES) >= SILENT_S, "it is silent")
        for number in range(3):
            poll = it.polling(f"1-{30 + number}")
            await it.parked(1)
            await it.relay.append(CHANNEL)
            reply = await it.ended(poll)
            assert (reply.status_code, reply.json().get("cursor")) == (200, f"1-{31 + number}")


def silent_s(topic: Topic) -> float:
    """As operators see it."""
    return float(CHANGES_SILENT.labels(topic.name)._value.get())
