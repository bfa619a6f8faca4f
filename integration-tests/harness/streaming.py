"""Clients that stream: WebSocket in either form, and server-sent events."""

import asyncio
import json
from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from harness.listeners import NO_TOKEN, Away, Listener, http_client
from harness.packed import Unpacker
from libs.wire.codec import pack
from libs.wire.codes import CODES
from libs.wire.streams import CLOSE_INTERNAL, CLOSE_TOKEN, JSON_PROTOCOL, PACKED_PROTOCOL

Frame = dict[str, Any]
# A hundred entries of the longest texts.
FRAME_BYTES_MAX = 8 << 20
# Codes below are of the protocol itself: something on the way ended the connection.
CLOSE_OURS = 4000


class Stream(Listener):
    """What frames mean, however they come."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.is_watching = asyncio.Event()

    async def frame(self, http: httpx.AsyncClient, frame: Frame) -> None:
        """One frame. Raises `Away`."""
        match frame["type"]:
            case "entries":
                self.notes.take(frame["channel"], frame["entries"], frame["cursor"])
            case "watched":
                self.notes.here(frame["channel"], frame["cursor"])
                self.is_watching.set()
            case "unwatched":
                self.refused(frame, frame["channel"])
            case "jump":
                await self.jump(http, frame["channel"], frame["cursor"])
            case "reset":
                self.notes.told["reset"] += 1
                self.notes.reset(frame["channel"], frame["cursor"])
            case "behind":
                self.notes.told["behind"] += 1
                self.notes.here(frame["channel"], frame["cursor"])
                await self.behind(http, frame)
            case "drain":
                self.move(frame["reconnect_after_ms"])
            case "error":
                self.error(frame)
            case "welcome" | "beat":
                self.notes.told[frame["type"]] += 1
            case _:
                self.notes.fault(f"{self.way}: the frame {frame}")

    @abstractmethod
    async def behind(self, http: httpx.AsyncClient, frame: Frame) -> None:
        """The channel is followed no more."""

    def error(self, frame: Frame) -> None:
        """Something could not be done; here only a session that ended."""
        if CODES[frame["code"]].status == NO_TOKEN:
            self.notes.end_all(frame["code"])
        else:
            self.notes.told[frame["code"]] += 1


class Socket(Stream):
    """`GET /v1/ws`. Who was welcome once comes again with its ticket."""

    way = "WebSocket, JSON"
    protocol = JSON_PROTOCOL

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._ticket = ""
        self._link: ClientConnection | None = None

    async def connected(self, gateway: str) -> None:
        try:
            async with (
                http_client(gateway, self.headers) as http,
                connect(
                    gateway.replace("http", "ws", 1) + "/v1/ws",
                    subprotocols=[Subprotocol(self.protocol)],
                    max_size=FRAME_BYTES_MAX,
                    compression=None,
                    proxy=None,
                    ping_interval=None,
                ) as link,
            ):
                await self._converse(http, link)
        except ConnectionClosed as closed:
            self._closed(closed)
        except InvalidStatus as denied:
            reply = denied.response
            again = reply.headers.get("retry-after")
            self.refused(json.loads(reply.body or b"{}"), None, again)

    async def behind(self, http: httpx.AsyncClient, frame: Frame) -> None:
        await self.pull(http, frame["channel"], frame["head"])
        await self._say("watch", cursors={frame["channel"]: self.notes.cursors[frame["channel"]]})

    async def _converse(self, http: httpx.AsyncClient, link: ClientConnection) -> None:
        self._link = link
        unpacker = Unpacker()
        who = {"ticket": self._ticket} if self._ticket else {"token": self.person.token}
        try:
            await self._say("hello", **who)
            await self._say("watch", cursors=self.notes.cursors)
            while True:
                await self.awake.wait()
                frame = unpacker.frame(await link.recv())
                if frame["type"] == "welcome":
                    self._ticket = frame["ticket"]
                await self.frame(http, frame)
        except asyncio.CancelledError:
            # As a network breaks: without a word.
            link.transport.abort()
            raise

    async def _say(self, kind: str, **fields: Any) -> None:
        assert self._link is not None
        frame = {"type": kind, **fields}
        is_json = self.protocol == JSON_PROTOCOL
        await self._link.send(json.dumps(frame) if is_json else pack(frame))

    def _closed(self, closed: ConnectionClosed) -> None:
        code = closed.rcvd.code if closed.rcvd is not None else 0
        self.notes.told[f"close {code}"] += 1
        if CLOSE_OURS <= code < CLOSE_INTERNAL and code != CLOSE_TOKEN:
            self.notes.fault(f"{self.way}: closed with {closed.rcvd}")
        raise Away(0) from closed


class PackedSocket(Socket):
    """The same in msgpack."""

    way = "WebSocket, msgpack"
    protocol = PACKED_PROTOCOL


class Events(Stream):
    """`GET /v1/stream`. The id of the last event brings it back."""

    way = "server-sent events"

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._last_id = ""

    async def connected(self, gateway: str) -> None:
        cursors = self.notes.cursors
        places = ",".join(f"{channel}={cursor}" for channel, cursor in cursors.items())
        query = {"channels": ",".join(cursors)}
        headers = {"last-event-id": self._last_id or places}
        async with (
            http_client(gateway, self.headers) as http,
            http.stream("GET", "/v1/stream", params=query, headers=headers) as reply,
        ):
            if not reply.is_success:
                await reply.aread()
                self.read(reply)
            async for name, data in self._events(reply):
                # An event counts when its data was taken.
                await self.frame(http, json.loads(data))
                self._last_id = name

    async def behind(self, http: httpx.AsyncClient, frame: Frame) -> None:
        raise Away(0)

    async def jump(self, http: httpx.AsyncClient, channel: str, cursor: str) -> None:
        # A break amid the pages leaves the client where no event was.
        self._last_id = ""
        await super().jump(http, channel, cursor)

    async def _events(self, reply: httpx.Response) -> AsyncIterator[tuple[str, str]]:
        name = data = ""
        async for line in reply.aiter_lines():
            field, _, value = line.partition(": ")
            if field == "id":
                name = value
            elif field == "data":
                data += value
            elif not line:
                yield name, data
                data = ""
                await self.awake.wait()
