"""A gateway that plays its part of a scenario over real sockets."""

import json
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from aiohttp import web

from conformance import polls
from conformance.events import EventsPlaying, until_left
from conformance.logs import Frame
from conformance.scenarios import EVENTS, POLL, WEBSOCKET, Step
from conformance.script import NotSo, Script, check_places
from conformance.sockets import SocketPlaying
from conformance.streams import Cut, Ends, Left, Playing
from libs.wire.ids import is_id
from libs.wire.streams import JSON_PROTOCOL, PACKED_PROTOCOL

PROBLEM = "application/problem+json"
PROTOCOLS = {"json": JSON_PROTOCOL, "msgpack": PACKED_PROTOCOL}
SOCKET_PATH = "/v1/ws"
HONEST: tuple[Step, ...] = ({"opens": {}},)
TRY_AGAIN = frozenset({429, 500, 503})


class Gateway:
    """Enter it to listen. Several may share a script."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.url = ""
        app = web.Application()
        app.router.add_get(SOCKET_PATH, self._socket)
        app.router.add_get("/v1/stream", self._events)
        app.router.add_post("/v1/poll", self._poll)
        app.router.add_get("/v1/channels/{channel}/messages", self._page)
        app.router.add_post("/v1/sessions/refresh", self._refresh)
        self._runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.1)

    async def __aenter__(self) -> "Gateway":
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        script = self._script
        steps = script.next(WEBSOCKET) or HONEST
        refusal = await self._before(request, steps)
        if refusal is not None:
            script.begun(WEBSOCKET)
            return refusal
        protocol = PROTOCOLS[self._script.run.form]
        if protocol not in request.headers.get("Sec-WebSocket-Protocol", ""):
            script.fault(f"{protocol} was not offered")
        socket = web.WebSocketResponse(protocols=[protocol], compress=False, timeout=0.5)
        await socket.prepare(request)
        opens, *rest = steps
        playing = SocketPlaying(script, opens["opens"], socket)
        code = await self._played(request, playing, rest)
        if code is not None:
            await socket.close(code=code)
        return socket

    async def _events(self, request: web.Request) -> web.StreamResponse:
        script = self._script
        steps = script.next(EVENTS) or HONEST
        refusal = await self._before(request, steps) or self._unknown(request)
        if refusal is not None:
            script.begun(EVENTS)
            return refusal
        opens, *rest = steps
        playing = EventsPlaying(script, opens["opens"], request)
        await self._played(request, playing, rest)
        return playing.response

    async def _played(
        self, request: web.Request, playing: Playing, steps: Sequence[Step]
    ) -> int | None:
        """The code with which the connection ends; None when it is cut or was left."""
        script = self._script
        # One of which nothing is asked may be left as soon as it was made.
        playing.at = "its opening" if steps or playing.opens else ""
        script.open.append(playing)
        script.begun(playing.way)
        try:
            script.check_opening(playing.opens, self.url)
            await playing.begin()
            await playing.play(steps)
        except Ends as ends:
            return ends.code
        except Cut:
            _cut(request)
        except Left:
            if playing.at:
                script.fault(f"{playing.way}: left at {playing.at}")
        except NotSo as fault:
            script.fault(f"{playing.way}: {fault}")
            _cut(request)
        finally:
            script.open.remove(playing)
            script.ended()
        return None

    async def _poll(self, request: web.Request) -> web.StreamResponse:
        script = self._script
        steps = script.next(POLL)
        script.begun(POLL)
        refusal = await self._before(request, steps or HONEST)
        if refusal is not None:
            return refusal
        body = await request.json()
        try:
            cursors = polls.checked(body)
            if steps is None:
                return web.json_response(await polls.honest(script.logs, cursors, body["wait"]))
            return web.json_response(await self._polled(steps, cursors))
        except NotSo as fault:
            script.fault(f"poll: {fault}")
            return _problem({"status": 422, "code": "field_invalid"})
        finally:
            script.ended()

    async def _polled(self, steps: Sequence[Step], cursors: polls.Cursors) -> Frame:
        opens, *between, answers = steps
        for step in between:
            await self._script.logs.grow(step["grows"])
        self._script.check_opening(opens["opens"], self.url)
        check_places(cursors, self._script.places(opens["opens"]))
        return polls.scripted(self._script.logs, answers["answers"], cursors)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        script = self._script
        steps = (script.pages.pop(0),) if script.pages else HONEST
        refusal = await self._before(request, steps)
        if refusal is not None:
            return refusal
        channel = script.logs.get(request.match_info["channel"])
        if channel is None:
            return _problem({"status": 404, "code": "channel_unknown"})
        return web.json_response(channel.page(request.query))

    async def _refresh(self, request: web.Request) -> web.StreamResponse:
        tokens = self._script.tokens
        sent = (await request.json()).get("refresh_token")
        if tokens.is_over or sent != tokens.refresh:
            return _problem({"status": 401, "code": "refresh_invalid"})
        return web.json_response(tokens.refreshed())

    async def _before(
        self, request: web.Request, steps: Sequence[Step]
    ) -> web.StreamResponse | None:
        """What is answered instead of what was asked for; None when it is let in."""
        ((verb, what),) = steps[0].items()
        if verb == "refuses":
            self._script.ended()
            return _problem(what)
        if verb == "breaks":
            _cut(request)
            return web.Response()
        if verb == "holds":
            await until_left(request)
            self._script.ended()
            return web.Response()
        return self._unauthorized(request)

    def _unauthorized(self, request: web.Request) -> web.StreamResponse | None:
        """A WebSocket says in its hello who it is; all others in their header."""
        header = request.headers.get("Authorization", "")
        if request.path == SOCKET_PATH or header == f"Bearer {self._script.tokens.access[-1]}":
            return None
        self._script.fault(f"{request.path} was asked for with {header!r}")
        return _problem({"status": 401, "code": "token_invalid"})

    def _unknown(self, request: web.Request) -> web.StreamResponse | None:
        """A stream is refused as a whole when an id of it is none."""
        channels = request.query.get("channels", "").split(",")
        if all(is_id(channel) for channel in channels):
            return None
        return _problem({"status": 404, "code": "channel_unknown"})


def _problem(what: Mapping[str, Any]) -> web.Response:
    """A problem of a gateway; of something else on the way when it has no code."""
    headers = {"Retry-After": str(what["retry_after_s"])} if "retry_after_s" in what else {}
    if "code" not in what:
        text = what.get("text", "something on the way")
        return web.Response(status=what["status"], text=text, headers=headers)
    status, code = what["status"], what["code"]
    retry = "yes" if status in TRY_AGAIN else "no"
    said = {"status": status, "code": code, "retry": retry, "detail": f"so it is: {code}"}
    body = json.dumps(said).encode()
    return web.Response(status=status, body=body, content_type=PROBLEM, headers=headers)


def _cut(request: web.Request) -> None:
    # Not aborted: what was sent before arrives.
    if request.transport is not None:
        request.transport.close()
