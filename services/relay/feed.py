"""One gateway's link: frames in, frames out, without the socket.

A watch is answered by a worker, so that one channel that takes long to read holds up nobody. The
worker registers the link and puts the snapshot in one step, with nothing in between: what is
appended before is in the snapshot, what is appended after follows it.
"""

import asyncio

from libs.runtime.tasks import Tasks
from libs.wire import frames
from libs.wire.codec import Malformed
from libs.wire.codes import Problem, Refused
from libs.wire.frames import Beat, Unwatch, Unwatched, Watch

from .hub import MALFORMED, Hub, Outbox
from .rings import Rings
from .settings import Settings


class Link:
    """A gateway that is linked, until its outbox is closed."""

    def __init__(self, rings: Rings, hub: Hub, tasks: Tasks, settings: Settings) -> None:
        self._rings = rings
        self._hub = hub
        self._tasks = tasks
        self._settings = settings
        self._changed = asyncio.Event()
        self._taken = asyncio.Event()
        self._closed = asyncio.Event()
        self.outbox = Outbox(settings.link_frames, settings.link_bytes, self._note_change)
        # One watch per channel: the last one counts. Those without an answer wait in the second.
        self._wanted: dict[str, Watch] = {}
        self._waiting: dict[str, Watch] = {}
        self._at_work = 0
        hub.join(self.outbox)

    def hear(self, raw: bytes) -> None:
        """A frame of the gateway; a malformed one closes the link."""
        try:
            frame = frames.to_relay(raw)
        except Malformed:
            self.close(MALFORMED)
            return
        match frame:
            case Watch():
                self._watch(frame)
            case Unwatch():
                self._unwatch(frame.channel)

    def beat(self, reconciled_ms: int) -> None:
        """Say that we live."""
        self.outbox.put(frames.encode(Beat(reconciled_ms)))

    async def next_frame(self) -> bytes | None:
        """What to send next, waiting for it; None when the link is closed."""
        while self.outbox.code is None:
            frame = self.outbox.take()
            if frame is not None:
                self._taken.set()
                return frame
            self._changed.clear()
            await self._changed.wait()
        return None

    async def closed(self) -> None:
        """Return when the link is closed, by whom ever."""
        await self._closed.wait()

    def close(self, code: int) -> None:
        """End the link for this reason, unless it has ended for another."""
        self.outbox.close(code)

    def leave(self) -> None:
        """The gateway is gone."""
        self._hub.leave(self.outbox, self._wanted)
        self._wanted.clear()
        self._waiting.clear()
        self._taken.set()

    def _note_change(self) -> None:
        self._changed.set()
        if self.outbox.code is not None:
            self._closed.set()
            self._taken.set()

    def _watch(self, frame: Watch) -> None:
        channel = frame.channel
        if channel not in self._wanted and len(self._wanted) >= self._settings.watches_per_link:
            self.outbox.put(frames.encode(Unwatched(channel, "limit_hit")))
            return
        self._wanted[channel] = self._waiting[channel] = frame
        if self._at_work < self._settings.watchers_per_link:
            self._at_work += 1
            self._tasks.spawn(self._work(), name="relay.watch")

    def _unwatch(self, channel: str) -> None:
        self._wanted.pop(channel, None)
        self._waiting.pop(channel, None)
        self._hub.unwatch(self.outbox, channel)

    async def _work(self) -> None:
        try:
            while self._waiting and self.outbox.code is None:
                if self.outbox.is_roomy():
                    frame = self._waiting.pop(next(iter(self._waiting)))
                    await self._answer(frame)
                else:
                    # Snapshots can wait for a slow gateway; they do not close its link.
                    self._taken.clear()
                    await self._taken.wait()
        finally:
            self._at_work -= 1

    async def _answer(self, frame: Watch) -> None:
        channel = frame.channel
        try:
            ring = await self._rings.ring(channel, frame.claim_offset)
        except Problem as refused:
            if self._wanted.get(channel) is frame:
                self._unwatch(channel)
                code = refused.code.name if isinstance(refused, Refused) else "service_away"
                self.outbox.put(frames.encode(Unwatched(channel, code)))
            return
        if self._wanted.get(channel) is frame:
            self._hub.watch(self.outbox, channel)
            self._rings.adopt(ring)
            self.outbox.put(self._rings.snapshot(ring, frame.after))
