"""What must hold of the parsers of hostile input whatever comes: for hypothesis, which makes up
bytes, and for `guided.py`, which looks which code they reach."""

import asyncio
from collections.abc import Callable, Mapping

from libs.runtime.listener import MESSAGE_BYTES_MAX
from services.gateway.http_line import HEAD_BYTES_MAX, PIECE_BYTES
from services.gateway.tests.judged_line import live
from services.gateway.tests.lines import Client
from services.gateway.ws_frames import CONTROL_BYTES_MAX, Broken, Incoming, Kind

# Where bytes are cut into what comes at once: no request has these.
CUT = b"\x00\x01"
# As it stands among what comes: a poll that is parked is answered, as one of very many or not.
ANSWERED, WOKEN = b"\x00A", b"\x00W"
TURNS = 30


def line(data: bytes) -> None:
    """A connection of HTTP: see `judged_line`."""
    asyncio.run(live(data))


def polls(data: bytes) -> None:
    """Polls of a connection that go on, alone or as of very many: nothing is raised, nothing is
    written after the end, and when it has ended nobody holds it."""
    asyncio.run(_polls(data))


async def _polls(data: bytes) -> None:
    client = Client()
    for piece in data.split(CUT):
        if client.lane.parked and piece[:2] == ANSWERED:
            client.lane.answer()
        elif client.lane.parked and piece[:2] == WOKEN:
            client.lane.is_busy = True
            client.lane.wake()
        await client.send(piece.removeprefix(ANSWERED).removeprefix(WOKEN))
        assert len(client.protocol.headers or ()) <= HEAD_BYTES_MAX + PIECE_BYTES
        assert len(client.protocol._kept) <= len(data)
        assert len(client.lane.parked) <= 1, "one poll of a connection at a time"
    client.lane.let_in()
    for _ in range(TURNS):
        await client.turn()
        if client.lane.parked:
            client.lane.answer()
    client.hang_up()
    assert (client.lane.parked, client.state.connections) == ([], set())
    assert len(client.protocol.idle) == 0


def frames(data: bytes) -> None:
    """Frames of a WebSocket: messages of bounded sizes, or it is broken and says why."""
    incoming = Incoming()
    broken: Broken | None = None
    for piece in data.split(CUT):
        incoming.add(piece)
        try:
            while (message := incoming.next()) is not None:
                is_control = message.kind in {Kind.CLOSE, Kind.PING, Kind.PONG}
                most = CONTROL_BYTES_MAX if is_control else MESSAGE_BYTES_MAX
                assert len(message.payload) <= most
        except Broken as fault:
            broken = fault
            break
    assert broken is None or (1_000 <= broken.code < 5_000 and broken.reason)


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "line": line,
    "polls": polls,
    "frames": frames,
}
