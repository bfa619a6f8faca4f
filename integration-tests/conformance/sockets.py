"""A WebSocket as a scenario plays it. Each frame of the client is checked."""

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

from aiohttp import WSMsgType, web

from conformance.logs import Frame, text_of
from conformance.packing import Packer
from conformance.scenarios import WEBSOCKET
from conformance.script import NotSo, Script
from conformance.streams import STEP_S, Left, Playing
from libs.wire.codec import Malformed
from libs.wire.streams import Auth, FromClient, Hello, Ping, Unwatch, Watch, frame_of


class SocketPlaying(Playing):
    """One WebSocket."""

    way: ClassVar[str] = WEBSOCKET

    def __init__(
        self, script: Script, opens: Mapping[str, Any], socket: web.WebSocketResponse
    ) -> None:
        super().__init__(script, opens)
        self._socket = socket
        self._packer = Packer()

    async def begin(self) -> None:
        """Hello, welcome, and the watches that the script waits for."""
        hello = await self._frame()
        if not isinstance(hello, Hello):
            raise NotSo(f"said {hello} before hello")
        self._check_hello(hello)
        refused = self.opens.get("hello_refused")
        if refused is not None:
            await self.say({"type": "error", "detail": "no", "retry": "no", "code": refused})
            await self.closes(4401)
        await self.say(self.welcome())
        wanted = self.script.places(self.opens)
        while wanted is not None and wanted.keys() - self.watched.keys():
            await self._hear()
        self.placed({})

    async def first_watch(self) -> None:
        while not self.watched:
            await self._hear()

    async def hears(self, wanted: Frame) -> None:
        """The next frame of the client is this one."""
        frame = await self._hear()
        said = {"type": type(frame).__name__.lower(), **_fields(frame)}
        wanted = self._with_ids(wanted)
        if {name: said.get(name) for name in wanted} != wanted:
            raise NotSo(f"said {said}, not {wanted}")

    async def say(self, frame: Frame) -> None:
        try:
            if self.script.run.form == "msgpack":
                await self._socket.send_bytes(self._packer.packed(frame))
            else:
                await self._socket.send_str(text_of(frame))
        except ConnectionError:
            raise Left from None

    async def until_left(self, *, answers: bool) -> None:
        while True:
            await self._hear(within_s=None)
            if answers:
                await self.answer()

    async def _hear(self, within_s: float | None = STEP_S) -> FromClient:
        frame = await self._frame(within_s)
        match frame:
            case Watch():
                self.watched.update(frame.cursors)
                self.asked.extend(frame.cursors)
            case Unwatch():
                for channel in frame.channels:
                    self.watched.pop(channel, None)
            case Auth():
                self._check_token(frame.token)
                await self.say(self._renewed())
            case Ping():
                await self.say({"type": "pong", "ref": frame.ref})
            case Hello():
                raise NotSo("said hello a second time")
        return frame

    def _renewed(self) -> Frame:
        tokens = self.script.tokens
        return {"type": "renewed", "expires_in": 600, "ticket": tokens.ticket()}

    async def _frame(self, within_s: float | None = STEP_S) -> FromClient:
        try:
            async with asyncio.timeout(within_s):
                message = await self._socket.receive()
        except TimeoutError:
            raise NotSo(f"said nothing for {within_s} s") from None
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            raise Left
        is_text = message.type is WSMsgType.TEXT
        if is_text != (self.script.run.form == "json"):
            raise NotSo(f"a frame of the other form: {message}")
        try:
            return frame_of(message.data)
        except Malformed as fault:
            raise NotSo(f"no frame: {message.data!r} ({fault})") from fault

    def _check_hello(self, hello: Hello) -> None:
        tickets = self.script.tokens.tickets
        found = {"token"} if hello.ticket is None else {"ticket"}
        if hello.ticket in tickets[-1:]:
            found.add("newest ticket")
        wanted = self.opens.get("with")
        if wanted is not None and wanted not in found:
            raise NotSo(f"came with {hello}, not with a {wanted}")
        if hello.token is not None:
            self._check_token(hello.token)
        elif hello.ticket not in tickets:
            raise NotSo(f"came with {hello}, which is none of {tickets}")

    def _check_token(self, token: str) -> None:
        newest = self.script.tokens.access[-1]
        if token != newest:
            raise NotSo(f"came with {token}, not with {newest}")

    def _with_ids(self, wanted: Frame) -> Frame:
        ident = self.script.logs.ident
        given = dict(wanted)
        if "cursors" in given:
            given["cursors"] = {ident(name): at for name, at in given["cursors"].items()}
        if "channels" in given:
            given["channels"] = [ident(name) for name in given["channels"]]
        return given


def _fields(frame: FromClient) -> Frame:
    fields: Frame = {name: getattr(frame, name) for name in frame.__struct_fields__}
    return {name: list(at) if isinstance(at, tuple) else at for name, at in fields.items()}
