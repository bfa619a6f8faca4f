"""The way into a gateway under test: what its protocol takes by a real socket, all else straight
into its app."""

import asyncio

import httpx

from libs.runtime.listener import Server, listening
from libs.runtime.service import Running
from libs.runtime.tasks import Tasks
from libs.testing.eventually import eventually

HOST = "127.0.0.1"
SOON_S = 10.0


class Door(httpx.AsyncBaseTransport):
    """A transport of httpx. The gateway listens from the first poll on, by the server of the
    product and the protocol that its service names. Headers go out as the test wrote them."""

    def __init__(self, running: Running, tasks: Tasks) -> None:
        self._running = running
        self._tasks = tasks
        self._listener = listening(HOST, 0)
        self._app = httpx.ASGITransport(running.app, raise_app_exceptions=False)
        self._server = Server(running.app, self._listener, running.http)
        self._serving: asyncio.Task[None] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "GET" or not request.url.path.endswith(("/poll", "/v1/stream")):
            return await self._app.handle_async_request(request)
        port = self._listener.getsockname()[1]
        if self._serving is None:
            self._serving = self._tasks.spawn(self._server.live(), name="listener")
        await eventually(lambda: self._server.started, within_s=SOON_S, what="a server")
        reader, writer = await asyncio.open_connection(HOST, port)
        try:
            writer.write(_head(request))
            return await _answer(reader)
        finally:
            writer.close()

    async def aclose(self) -> None:
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
        self._listener.close()


def _head(request: httpx.Request) -> bytes:
    lines = [b"%b: %b\r\n" % header for header in request.headers.raw]
    return b"".join((b"GET %b HTTP/1.1\r\n" % request.url.raw_path, *lines, b"\r\n"))


async def _answer(reader: asyncio.StreamReader) -> httpx.Response:
    begin, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
    fields = [line.partition(b": ") for line in lines]
    headers = httpx.Headers([(name, value) for name, _, value in fields])
    body = await reader.readexactly(int(headers["content-length"]))
    return httpx.Response(int(begin.split()[1]), headers=headers, content=body)
