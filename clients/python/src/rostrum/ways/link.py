"""A WebSocket that carries frames, and why it ended."""

import aiohttp
from aiohttp import WSMsgType

from rostrum import wire
from rostrum.errors import Refused, RostrumError
from rostrum.packed import Unpacker
from rostrum.ways.way import Drained, Gone, Silent, TokenRefused, ending, problem_of_frame
from rostrum.wire import PACKED_PROTOCOL, Fault, FromGateway, Malformed, ToGateway

# A hundred entries of the longest texts, escaped, twice.
FRAME_BYTES_MAX = 8 << 20
# Codes of `docs/protocol.md`, "The end of a stream".
OURS = range(4400, 4600)
CHANGE_FIRST = range(4400, 4500)
TOKEN, NO_HELLO, DRAIN = 4401, 4408, 4503


class Link:
    """One connection. `fault` is the `error` that came, whose close comes right after; `token` is
    who we said to be, None for who came with a ticket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.token: str | None = None
        self.fault: Fault | None = None
        self._socket = socket
        self._is_packed = socket.protocol == PACKED_PROTOCOL
        self._unpacker = Unpacker()

    async def say(self, frame: ToGateway) -> None:
        """Send it. That the connection has ended is for `hear` to find out, which knows why."""
        try:
            if self._is_packed:
                await self._socket.send_bytes(wire.packed_of(frame))
            else:
                await self._socket.send_str(wire.text_of(frame))
        except (aiohttp.ClientError, OSError):
            return

    async def hear(self, within_s: float) -> FromGateway:
        """The next frame. Raises what the end of the connection comes to."""
        try:
            message = await self._socket.receive(timeout=within_s)
        except TimeoutError:
            why = f"nothing came for {within_s:g} s"
            raise (Silent(why) if self.fault is None else self._end(None)) from None
        try:
            if message.type is WSMsgType.BINARY:
                return self._unpacker.frame_of(message.data)
            if message.type is WSMsgType.TEXT:
                return wire.frame_of(message.data)
        except Malformed as fault:
            raise Gone(str(fault)) from fault
        raise self._end(self._socket.close_code)

    def _end(self, code: int | None) -> RostrumError | Gone:
        """What to raise for a close code, and the `error` before."""
        said = self.fault
        after_s = 0.0 if said is None else said.retry_after_s or 0.0
        why = f"closed with code {code}" if said is None else said.detail
        if code not in OURS:
            return Gone(why) if said is None else ending(problem_of_frame(said), self.token)
        if code == TOKEN:
            return TokenRefused(why, self.token)
        if code == DRAIN:
            return Drained(after_s)
        if code in CHANGE_FIRST and code != NO_HELLO:
            return Refused(f"closed_{code}" if said is None else said.code, why)
        return Gone(why, after_s=after_s, is_told=True)
