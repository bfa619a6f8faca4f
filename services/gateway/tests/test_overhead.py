"""What a message costs over a WebSocket in msgpack beyond its payload, from real frames."""

import asyncio

import pytest

from libs.wire.entries import Entry, rfc3339
from libs.wire.frames import Appended, Snapshot
from libs.wire.ids import derived
from libs.wire.streams import PACKED_PROTOCOL
from services.gateway.tests.edge import CHANNEL, Edge, edge
from services.gateway.tests.talkers import Frame, Talker, open_talk

BYTES_MAX = 20
HEAD = 5_000_000
SENDER, CLIENT_ID = derived("sender"), derived("client")
DAY_MS = 24 * 60 * 60 * 1000
# Entries and time since the gateway began with the channel: at once, and as long as times fit.
NEW, OLD = (1, 1), (1_000_000, 49 * DAY_MS)


@pytest.mark.parametrize("chars", [100, 1_000])
@pytest.mark.parametrize("since", [NEW, OLD], ids=["new", "old"])
async def test_a_packed_message_costs_at_most_20_bytes_beyond_its_payload(
    chars: int, since: tuple[int, int], figures: list[str]
) -> None:
    async with edge() as it, open_talk(it, PACKED_PROTOCOL) as talker:
        it.channel(head=HEAD, first=HEAD - 9)
        await talker.watch(**{CHANNEL: None})
        watched = await talker.hear()
        assert (watched["type"], watched["base_id"]) == ("watched", HEAD)
        entries, ms = since
        message = Entry(
            id=HEAD + entries,
            type="message",
            sender=SENDER,
            client_id=CLIENT_ID,
            at=rfc3339(watched["base_ms"] + ms),
            text="x" * chars,
        )
        raw = await sent(it, talker, message)
        assert talker.read(raw)["entries"] == [said(message)]
        cost = len(raw) + header_bytes(raw) - len(SENDER + CLIENT_ID) - chars
        figures.append(
            f"{cost} bytes beyond the payload of a packed message of {chars} characters,"
            f" entry {entries} and day {ms // DAY_MS} since its channel was opened"
        )
        assert cost <= BYTES_MAX


async def sent(it: Edge, talker: Talker, message: Entry) -> bytes:
    """The frame in which a message comes to who has read all before it."""
    before = message.id - 1
    if before > HEAD:
        # Time passes, and with it so many entries that the client is told to jump.
        await it.relay.send(Snapshot(CHANNEL, 1, before, HEAD - 9, ()))
        assert (await talker.hear())["cursor"] == f"1-{before}"
    await it.relay.send(Appended(CHANNEL, 1, (message,)))
    async with asyncio.timeout(10):
        raw = await talker.link.recv()
        # After so many entries the alias begins anew.
        while talker.read(raw)["type"] == "watched":
            raw = await talker.link.recv()
    assert isinstance(raw, bytes)
    return raw


def said(message: Entry) -> Frame:
    """As clients see it."""
    return {
        "id": message.id,
        "type": "message",
        "from": SENDER,
        "client_id": CLIENT_ID,
        "at": message.at,
        "text": message.text,
    }


def header_bytes(payload: bytes) -> int:
    """Bytes before a server's frame (RFC 6455, 5.2: it is not masked)."""
    if len(payload) <= 125:
        return 2
    return 4 if len(payload) <= 65_535 else 10
