"""A connection's bytes, read on their way."""

import asyncio
import threading
from types import TracebackType

READY_S = 10.0


class Tap:
    """Hands on what comes to `address` to the server at `target`, and back, keeping what the server
    says. For one connection."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = host, int(port)
        self._kept = b""
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), daemon=True)

    def __enter__(self) -> "Tap":
        self._thread.start()
        assert self._ready.wait(READY_S), "the tap listens"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.join(READY_S)

    def forget(self) -> None:
        """Keep only what comes from now on."""
        self._kept = b""

    def heard(self) -> bytes:
        """What the server said since then."""
        return self._kept

    async def _live(self) -> None:
        over = asyncio.Event()

        async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
            back = asyncio.gather(self._hand_back(far_reader, writer))
            while data := await _read(reader):
                far_writer.write(data)
            back.cancel()
            far_writer.close()
            writer.close()
            over.set()

        server = await asyncio.start_server(meet, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        await over.wait()
        server.close()

    async def _hand_back(self, far: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await _read(far):
            self._kept += data
            writer.write(data)


async def _read(reader: asyncio.StreamReader) -> bytes:
    """What comes next; nothing once the other side has left, however it did."""
    try:
        return await reader.read(1 << 16)
    except ConnectionError:
        return b""
