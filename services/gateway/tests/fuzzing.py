"""What must hold of the parsers of hostile input whatever comes: for hypothesis, which makes up
bytes, and for `guided.py`, which looks which code they reach."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from libs.runtime.listener import MESSAGE_BYTES_MAX
from services.gateway.http_line import HEAD_BYTES_MAX, PIECE_BYTES
from services.gateway.tests.judged_line import live
from services.gateway.tests.judged_socket import one_ground
from services.gateway.tests.lines import Client, FakeLane
from services.gateway.ws_frames import CONTROL_BYTES_MAX, Broken, Incoming, Kind

# Where bytes are cut into what comes at once: no request has these.
CUT = b"\x00\x01"
# As it stands among what comes: a poll that is parked is answered, alone or as one of very many,
# for whom there is time or not; and they are let in.
ANSWERED, WOKEN, HASTED, LET_IN = b"\x00A", b"\x00W", b"\x00H", b"\x00L"
MARKS = (ANSWERED, WOKEN, HASTED, LET_IN)
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
        mark = next((each for each in MARKS if piece.startswith(each)), b"")
        _happen(client.lane, mark)
        await client.send(piece.removeprefix(mark))
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


def _happen(lane: FakeLane, mark: bytes) -> None:
    if mark == LET_IN:
        lane.let_in()
    elif mark == ANSWERED and lane.parked:
        lane.answer()
    elif mark and lane.parked:
        lane.is_busy, lane.is_behind = True, mark == HASTED
        lane.wake()


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
# At one gateway: see `judged_socket`.
SOCKETS = "sockets"


@contextmanager
def opened(name: str) -> Iterator[Callable[[bytes], None]]:
    """The target of this name."""
    if name == SOCKETS:
        with one_ground() as live:
            yield live
    else:
        yield TARGETS[name]
