"""The link to a relay: one WebSocket for all channels that somebody here listens to.

Register first, then the snapshot: a channel's first watch is answered with its newest entries, and
what is appended follows. Only the entry after the head is taken; anything else is a gap, and the
channel is watched anew from its head. After a break every channel is, at whichever relay answers.
"""

import asyncio
import random
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Literal, Protocol

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from libs.runtime import identity
from libs.runtime.logging import logger
from libs.runtime.service import Ports
from libs.wire import api, frames
from libs.wire.api import Access
from libs.wire.codec import Malformed
from libs.wire.codes import TryAgain, problem
from libs.wire.frames import Appended, Beat, Snapshot, Unwatch, Unwatched, Watch
from libs.wire.services import RELAY
from libs.wire.streams import Origin

from .answers import Reset, Writer
from .hub import Hub, Room
from .metrics import DELIVERY_LAG, FEED_BREAKS, GAPS
from .settings import Settings
from .wake import Waker

# A relay beats once a second; three missed beats are a dead link.
SILENT_S = 3.5
# One that cannot be reached does not answer a handshake and no goodbye either: by default either
# is waited for ten seconds, while another relay would serve.
OPEN_S = 2.0
CLOSE_S = 0.5
RETRY_S_MIN, RETRY_S_MAX = 0.05, 1.0
NEWEST = -1
FRAME_BYTES_MAX = 16 << 20

_log = logger("gateway.feed")


class Wire(Protocol):
    """One message is one frame. Both raise `ConnectionClosed`."""

    async def send(self, message: bytes) -> None: ...

    async def recv(self, decode: Literal[False]) -> bytes: ...


class _Silent(Exception):
    """The relay stopped beating."""


class Feed:
    """Opens rooms and keeps them in step with a relay."""

    def __init__(self, ports: Ports, hub: Hub, waker: Waker, settings: Settings) -> None:
        self._ports = ports
        self._hub = hub
        self._waker = waker
        self._settings = settings
        self._opening: dict[str, asyncio.Future[Room]] = {}
        self._claims: dict[str, int] = {}
        # One frame per channel: a later wish replaces an earlier one, so rooms bound this queue.
        self._wishes: dict[str, Watch | Unwatch] = {}
        self._has_wishes = asyncio.Event()
        self._is_linked = False

    def lacks(self) -> list[str]:
        """Why nothing would be delivered now."""
        return [] if self._is_linked else ["feed: no relay answers"]

    async def room(self, access: Access) -> Room:
        """The channel's room, watched from now on. Raises `Problem` when no relay answers."""
        room = self._hub.room(access.channel)
        if room is not None:
            return room
        opening = self._opening.get(access.channel)
        if opening is None:
            opening = asyncio.get_running_loop().create_future()
            self._opening[access.channel] = opening
            self._claims[access.channel] = access.claim_offset
            self._wish(Watch(access.channel, access.claim_offset, NEWEST))
        try:
            async with asyncio.timeout(self._settings.relay_s):
                return await asyncio.shield(opening)
        except TimeoutError as fault:
            raise TryAgain(
                "service_away", "no relay answers; try again", retry_after_s=1
            ) from fault

    def watch_again(self, room: Room) -> None:
        """Ask for what comes after the room's head, and for the true head."""
        self._wish(Watch(room.channel, room.claim_offset, room.head))

    def unwatch(self, room: Room) -> None:
        """Nobody listens any more."""
        self._claims.pop(room.channel, None)
        self._wish(Unwatch(room.channel))

    async def run(self) -> None:
        """Keep a link for ever; wait a jittered moment after each break."""
        relay = ""
        while True:
            # Another relay after each break, where there are several.
            known = self._ports.calls.addresses(RELAY)
            relay = next((each for each in known if each != relay), known[0])
            address = relay.replace("http", "ws", 1) + api.FEED
            try:
                async with self.dial(address) as link:
                    await self._converse(link)
            except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as fault:
                _log.info("no relay", address=address, fault=str(fault))
            except (ConnectionClosed, Malformed, _Silent) as fault:
                FEED_BREAKS.inc()
                _log.warning("feed broke", fault=f"{type(fault).__name__}: {fault}")
            self._is_linked = False
            await self._ports.clock.sleep(random.uniform(RETRY_S_MIN, RETRY_S_MAX))

    def dial(self, address: str) -> AbstractAsyncContextManager[Wire]:
        """A connection to a relay. Raises `OSError`, `TimeoutError` or an error of websockets."""
        return connect(
            address,
            additional_headers={identity.HEADER: self._ports.calls.signed()},
            compression=None,
            # Not through the environment's proxy: a relay is ours and nearby.
            proxy=None,
            ping_interval=None,
            open_timeout=OPEN_S,
            close_timeout=CLOSE_S,
            max_size=FRAME_BYTES_MAX,
        )

    async def _converse(self, link: Wire) -> None:
        for channel in self._opening:
            self._wish(Watch(channel, self._claims[channel], NEWEST))
        for room in self._hub.rooms.values():
            self.watch_again(room)
        sender = self._ports.tasks.spawn(self._send(link), name="gateway.feed.send")
        try:
            while True:
                self._hear(await _next(link))
                self._is_linked = True
        finally:
            sender.cancel()

    async def _send(self, link: Wire) -> None:
        try:
            while True:
                await self._has_wishes.wait()
                self._has_wishes.clear()
                while self._wishes:
                    channel = next(iter(self._wishes))
                    await link.send(frames.encode(self._wishes.pop(channel)))
        except ConnectionClosed:
            return

    def _wish(self, frame: Watch | Unwatch) -> None:
        self._wishes[frame.channel] = frame
        self._has_wishes.set()

    def _hear(self, raw: bytes) -> None:
        match frames.to_gateway(raw):
            case Appended() as frame:
                self._append(frame)
            case Snapshot() as frame:
                self._snapshot(frame)
            case Unwatched() as frame:
                self._unwatched(frame)
            case Beat():
                pass

    def _append(self, frame: Appended) -> None:
        room = self._hub.rooms.get(frame.channel)
        if room is None:
            return
        if frame.epoch != room.epoch or not room.take(frame.entries):
            GAPS.inc()
            self.watch_again(room)
        if frame.entries:
            self._note_lag(frame.entries[-1].at)
        self._waker.wake(room)

    def _snapshot(self, frame: Snapshot) -> None:
        room = self._hub.rooms.get(frame.channel)
        if room is None and frame.channel not in self._opening:
            # It crossed our `Unwatch`: a room of it would never hear of anything again.
            return
        if room is not None and room.epoch == frame.epoch:
            room.first = max(room.first, frame.first)
            if not room.take(frame.entries) or room.head < frame.head:
                room.restart(frame.entries, frame.head)
            self._waker.wake(room)
            return
        fresh = self._room(frame)
        self._hub.add(fresh)
        if room is not None:
            self._reset(room, fresh)
        opening = self._opening.pop(frame.channel, None)
        if opening is not None and not opening.done():
            opening.set_result(fresh)

    def _room(self, frame: Snapshot) -> Room:
        # Ids and times count from here, so that they stay small on the wire.
        base = Origin(self._hub.aliases.take(), frame.head, self._ports.clock.now_ms())
        writer = Writer(
            frame.channel,
            base,
            epoch=frame.epoch,
            poll_after_ms=self._settings.poll_after_ms,
        )
        claim_offset = self._claims.get(frame.channel, -1)
        room = Room(frame.channel, first=frame.first, claim_offset=claim_offset, writer=writer)
        room.restart(frame.entries, frame.head)
        return room

    def _reset(self, room: Room, fresh: Room) -> None:
        for waiter in room.waiting():
            if waiter.stays:
                self._waker.astray(room, waiter)
            else:
                self._hub.leave(waiter)
                fresh.say(waiter, Reset(fresh.head, fresh.first))

    def _unwatched(self, frame: Unwatched) -> None:
        refused = problem(frame.code, "the relay cannot serve this channel now")
        opening = self._opening.pop(frame.channel, None)
        if opening is not None and not opening.done():
            opening.set_exception(refused)
            opening.exception()
        self._claims.pop(frame.channel, None)
        room = self._hub.remove(frame.channel)
        for waiter in room.waiting() if room is not None else ():
            self._hub.leave(waiter)
            waiter.refuse(refused)

    def _note_lag(self, at: str) -> None:
        appended_ms = datetime.fromisoformat(at).timestamp() * 1000
        DELIVERY_LAG.observe(max(0.0, self._ports.clock.now_ms() - appended_ms) / 1000)


async def _next(link: Wire) -> bytes:
    try:
        async with asyncio.timeout(SILENT_S):
            return await link.recv(decode=False)
    except TimeoutError as fault:
        raise _Silent(f"nothing heard for {SILENT_S} s") from fault
