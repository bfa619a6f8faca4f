"""A connection's bytes, read on their way."""

import asyncio

from bench.tests.in_thread import InThread


class Tap(InThread):
    """Hands on what comes to `address` to the server at `target`, and back, keeping what the server
    says. For one connection."""

    def __init__(self, target: str) -> None:
        super().__init__()
        host, _, port = target.rpartition(":")
        self._target = host, int(port)
        self._kept = b""

    def forget(self) -> None:
        """Keep only what comes from now on."""
        self._kept = b""

    def heard(self) -> bytes:
        """What the server said since then."""
        return self._kept

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """See `InThread`."""
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        back = asyncio.gather(self._hand_back(far_reader, writer))
        try:
            while data := await _read(reader):
                far_writer.write(data)
        finally:
            back.cancel()
            far_writer.close()
            writer.close()

    def leave(self) -> None:
        """See `InThread`: its one connection ends by itself, as its task does."""

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
