"""Clients of streams, over real sockets: WebSocket in either form, and server-sent events."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from libs.testing.served import served
from libs.wire.codec import from_json, pack, to_json, unpack
from libs.wire.entries import MESSAGE, rfc3339
from libs.wire.streams import JSON_PROTOCOL, PACKED_PROTOCOL
from services.gateway.tests.edge import Edge

ANSWER_S = 10.0
FORMS = (JSON_PROTOCOL, PACKED_PROTOCOL)

Frame = dict[str, Any]


class Talker:
    """A WebSocket client. Frames come as maps in either form; entries get their ids back."""

    def __init__(self, link: ClientConnection) -> None:
        self.link = link
        self._aliases: dict[int, Frame] = {}

    async def say(self, kind: str, **fields: Any) -> None:
        frame = {"type": kind, **fields}
        is_json = self.link.subprotocol == JSON_PROTOCOL
        await self.link.send(to_json(frame).decode() if is_json else pack(frame))

    async def hear(self) -> Frame:
        """The next frame that is no beat."""
        while True:
            async with asyncio.timeout(ANSWER_S):
                raw = await self.link.recv()
            frame = self.read(raw)
            if frame["type"] != "beat":
                return frame

    async def greet(self, token: str) -> Frame:
        await self.say("hello", token=token)
        return await self.hear()

    async def watch(self, **cursors: str | None) -> None:
        await self.say("watch", cursors=cursors)

    async def closed(self) -> int:
        """The close code, once all that was sent is read."""
        async with asyncio.timeout(ANSWER_S):
            await self.link.wait_closed()
        code = self.link.close_code
        assert code is not None
        return code

    def learn(self, watched: Frame) -> None:
        """What an alias stands for."""
        self._aliases[watched["alias"]] = watched

    def read(self, raw: str | bytes) -> Frame:
        """A frame as a map."""
        if isinstance(raw, str):
            return from_json(raw.encode(), dict[str, Any])
        found: Any = unpack(raw, object)
        if isinstance(found, list):
            return self._entries(found)
        frame: Frame = found
        if frame["type"] == "watched":
            self.learn(frame)
        return frame

    def _entries(self, frame: list[Any]) -> Frame:
        alias = self._aliases[frame[0]]
        first = alias["base_id"] + frame[1]
        rows = [_entry(first + at, alias["base_ms"], row) for at, row in enumerate(frame[2:])]
        epoch = alias["cursor"].partition("-")[0]
        return {
            "type": "entries",
            "channel": alias["channel"],
            "entries": rows,
            "cursor": f"{epoch}-{rows[-1]['id']}",
        }


def _entry(ident: int, base_ms: int, row: list[Any]) -> Frame:
    """An entry as it is in JSON."""
    if len(row) == 4:
        sender, client_id, at_ms, text = row
        said = {"type": MESSAGE, "from": sender, "client_id": client_id, "text": text}
    else:
        kind, at_ms, rest = row
        said = {"type": kind, **rest}
    return {"id": ident, "at": rfc3339(base_ms + at_ms), **said}


@asynccontextmanager
async def talking(
    address: str,
    form: str = JSON_PROTOCOL,
    *,
    headers: Mapping[str, str] | None = None,
    sock: socket.socket | None = None,
) -> AsyncIterator[Talker]:
    """A connection that has not said hello, over `sock` if it is given."""
    url = address.replace("http", "ws", 1) + "/v1/ws"
    async with connect(
        url,
        subprotocols=[Subprotocol(form)],
        additional_headers=dict(headers or {}),
        compression=None,
        proxy=None,
        ping_interval=None,
        sock=sock,
    ) as link:
        yield Talker(link)


@asynccontextmanager
async def open_talk(
    it: Edge, form: str = JSON_PROTOCOL, *, user: str = "ann"
) -> AsyncIterator[Talker]:
    """A connection that is welcome."""
    async with (
        served(it.running.app, http=it.running.http) as address,
        talking(address, form) as talker,
    ):
        assert (await talker.greet(it.session.token(user)))["type"] == "welcome"
        yield talker


class Events:
    """Server-sent events as they come: `hear` gives id and data of the next one."""

    def __init__(self, reply: httpx.Response) -> None:
        self.reply = reply
        self._lines = reply.aiter_lines()
        self.last_id = ""

    async def hear(self) -> Frame:
        """The next frame that is no beat."""
        while True:
            async with asyncio.timeout(ANSWER_S):
                event = await self._event()
            self.last_id = event["id"]
            frame: Frame = json.loads(event["data"])
            if frame["type"] != "beat":
                return frame

    async def _event(self) -> dict[str, str]:
        """Its fields. Raises `EOFError` at the end of the stream."""
        fields: dict[str, str] = {}
        async for line in self._lines:
            if not line:
                return fields
            name, _, value = line.partition(": ")
            fields[name] = value
        raise EOFError


@asynccontextmanager
async def events(
    it: Edge, address: str, channels: str, *, last_id: str = "", user: str = "ann"
) -> AsyncIterator[Events]:
    """A stream of events."""
    headers = {**it.bearer(user), "last-event-id": last_id}
    async with (
        httpx.AsyncClient(base_url=address, timeout=None) as client,
        client.stream("GET", "/v1/stream", params={"channels": channels}, headers=headers) as reply,
    ):
        yield Events(reply)
