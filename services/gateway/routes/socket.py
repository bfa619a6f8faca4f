"""`GET /v1/ws`: a stream over WebSocket, of either subprotocol."""

import asyncio
from contextlib import suppress

from fastapi import FastAPI
from starlette.websockets import WebSocket, WebSocketDisconnect

from libs.runtime.tasks import until_one_ends
from libs.runtime.web import answer
from libs.wire.codes import Problem, Refused
from libs.wire.streams import JSON_PROTOCOL, PACKED_PROTOCOL, error_of

from ..answers import Form, framed
from ..limits import Limits
from ..seats import Seat
from ..streams.closing import GONE, NO_HELLO, Closing, closing_of
from ..streams.talk import Desk, Greeting, Talk
from ..tokens import Checked, bearer
from .streaming import GOODBYE_S, address_of, admit

PATH = "/v1/ws"
FORMS = {JSON_PROTOCOL: Form.JSON, PACKED_PROTOCOL: Form.PACKED}
# A client that does not say who it is is not waited for.
HELLO_S = 10.0


def add_socket_route(app: FastAPI, desk: Desk, limits: Limits) -> None:
    """Serve WebSockets in `app`."""

    async def socket(websocket: WebSocket) -> None:
        await _Connection(websocket, desk, limits).live()

    app.router.add_websocket_route(PATH, socket)


class _Connection:
    """One WebSocket, from its handshake to its close."""

    def __init__(self, websocket: WebSocket, desk: Desk, limits: Limits) -> None:
        self._socket = websocket
        self._desk = desk
        self._limits = limits
        self._form = Form.JSON

    async def live(self) -> None:
        """Until either side closes."""
        try:
            protocol, header, seat = await self._entry()
        except Problem as refused:
            await self._socket.send_denial_response(answer(refused))
            return
        try:
            await self._socket.accept(protocol)
            talk = await self._greet(header, seat)
            if talk is not None:
                await self._converse(talk)
        except WebSocketDisconnect:
            return
        finally:
            seat.leave()

    async def _entry(self) -> tuple[str, Checked | None, Seat]:
        """What is known before the socket is accepted. Raises `Problem`."""
        offered = self._socket.scope["subprotocols"]
        protocol = next((name for name in offered if name in FORMS), None)
        if protocol is None:
            raise Refused(
                "protocol_unknown",
                f"offer one of these in Sec-WebSocket-Protocol: {', '.join(FORMS)}",
            )
        self._form = FORMS[protocol]
        admit(self._desk, self._limits)
        authorization = self._socket.headers.get("authorization")
        header = None
        if authorization is not None:
            header = await self._desk.tokens.checked(bearer(authorization))
        seat = self._limits.connect(address_of(self._socket))
        return protocol, header, seat

    async def _greet(self, header: Checked | None, seat: Seat) -> Talk | None:
        greeting = Greeting(self._desk, self._form, header)
        try:
            async with asyncio.timeout(HELLO_S):
                raw = await self._frame()
            return await greeting.hear(raw, seat.take)
        except TimeoutError:
            await self._close(NO_HELLO)
        except Problem as refused:
            await self._send(framed(self._form, error_of(refused)))
            await self._close(closing_of(refused))
        return None

    async def _converse(self, talk: Talk) -> None:
        stream = talk.stream
        talk.welcome()

        async def hear() -> None:
            try:
                while True:
                    await talk.hear(await self._frame())
                    # Thousands of frames may have come at once: others have their turn in between.
                    await asyncio.sleep(0)
            except WebSocketDisconnect:
                stream.close(GONE)

        async def ends() -> None:
            await asyncio.shield(stream.ends)

        try:
            await until_one_ends(
                hear(), stream.outbox.drain(self._send), ends(), name="gateway.socket"
            )
        finally:
            self._desk.registry.leave(stream)
        if stream.ends.result() is not GONE:
            await self._goodbye(talk)

    async def _goodbye(self, talk: Talk) -> None:
        closing = talk.stream.ends.result()
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await talk.stream.outbox.flush(self._send)
        await self._close(closing)

    async def _frame(self) -> str | bytes:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"], message.get("reason"))
        text: str | None = message.get("text")
        return message["bytes"] if text is None else text

    async def _send(self, body: bytes) -> None:
        if self._form is Form.JSON:
            await self._socket.send({"type": "websocket.send", "text": body.decode()})
        else:
            await self._socket.send({"type": "websocket.send", "bytes": body})

    async def _close(self, closing: Closing) -> None:
        # `RuntimeError`: the client was quicker. One that takes nothing does not take this either:
        # its connection ends without a code, when the listener has waited long enough.
        with suppress(RuntimeError, TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await self._socket.close(closing.code, closing.reason)
