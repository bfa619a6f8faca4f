"""`python -m bench.floors.bare PORT CONTROL_PORT`: what `floor.c` does, on asyncio with uvloop.

One `transport.write` of the same bytes for each connection, and no logic: the floor of whatever is
written in Python. The two speak the same way to their clients and on the control port.
"""

import asyncio
import resource
import sys
from typing import cast

import uvloop

# As the gateway's.
BACKLOG = 4_096
# Answers the key that the client always sends, so that nothing has to be hashed.
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n"
)
STREAMS = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-store\r\ntransfer-encoding: chunked\r\n\r\n"
)

Parked = dict["Client", None]


class Client(asyncio.Protocol):
    """A connection that waits in `parked`."""

    __slots__ = ("_parked", "_transport", "polls")

    def __init__(self, parked: Parked) -> None:
        self._parked = parked
        self.polls = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """A request, whole; what a stream says later is not heard."""
        if self in self._parked:
            return
        if data.startswith(b"GET /ws"):
            self._transport.write(SWITCHED)
        elif data.startswith(b"GET /sse"):
            self._transport.write(STREAMS)
        else:
            self.polls = True
        self._parked[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._parked.pop(self, None)

    def tell(self, body: bytes) -> None:
        """The floor itself."""
        self._transport.write(body)


class Control(asyncio.Protocol):
    """GET tells how many wait; the body of a POST is written to each of them."""

    def __init__(self, parked: Parked) -> None:
        self._parked = parked
        self._bytes = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._bytes += data
        head, found, body = self._bytes.partition(b"\r\n\r\n")
        if not found:
            return
        if head.startswith(b"GET "):
            self._answer(b"parked %d\n" % len(self._parked))
            self._transport.close()
        elif len(body) == _length(head):
            self._bytes = b""
            self._wake(body)

    def _wake(self, body: bytes) -> None:
        woken = list(self._parked)
        for client in woken:
            client.tell(body)
        for client in woken:
            if client.polls:
                self._parked.pop(client, None)
        self._answer(b"woken %d\n" % len(woken))

    def _answer(self, text: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(text)
        self._transport.write(head + text)


def _length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))


async def serve(port: int, control_port: int) -> None:
    """Serve until killed."""
    parked: Parked = {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Client(parked), "127.0.0.1", port, backlog=BACKLOG)
    await loop.create_server(lambda: Control(parked), "127.0.0.1", control_port)
    print(f"floor ready on port {port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(serve(*map(int, sys.argv[1:])))
