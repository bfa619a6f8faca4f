"""A Redis that is far away, does not answer, forgets everything, or comes back as it was."""

from typing import Any

from fakeredis import FakeAsyncRedis, FakeServer
from fakeredis import FakeRedis as Inside
from fakeredis.aioredis import FakeAsyncRedisConnection

from libs.store import Redis

from .network import Network


class Server:
    """The one Redis of a world. What the processes have are connections to it."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._server = FakeServer()
        self._inside = Inside(server=self._server)
        self._copy: dict[bytes, bytes] = {}

    def client(self) -> Redis:
        """For one process."""
        network = self._network

        class Connection(FakeAsyncRedisConnection):
            async def send_packed_command(self, *command: Any, **more: Any) -> None:
                await self._travel()
                await super().send_packed_command(*command, **more)

            async def read_response(self, *how: Any, **more: Any) -> Any:
                await self._travel()
                return await super().read_response(*how, **more)

            async def _travel(self) -> None:
                try:
                    await network.travel()
                except BaseException:
                    # As the driver does: half an answer must not be the next command's.
                    await self.disconnect(nowait=True)
                    raise

        return FakeAsyncRedis(server=self._server, connection_class=Connection)

    def leave(self) -> None:
        """Answer nobody, until `come_back`."""
        self._server.connected = False

    def come_back(self) -> None:
        """Answer again."""
        self._server.connected = True

    def flush(self) -> None:
        """Forget everything."""
        self._inside.flushall()

    def copy(self) -> None:
        """What a replica has that lags from now on."""
        keys = [key for key in self._inside.keys("*") if isinstance(key, bytes)]
        self._copy = {key: self._inside.dump(key) or b"" for key in keys}

    def fail_over(self) -> None:
        """Be that replica."""
        self._inside.flushall()
        for key, value in self._copy.items():
            self._inside.restore(key, 0, value)

    def items(self, key: str) -> list[bytes]:
        """A list, as it is now."""
        return [item for item in self._inside.lrange(key, 0, -1) if isinstance(item, bytes)]
