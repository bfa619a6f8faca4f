"""Redis under watch: what it was asked in which pipeline, and that it fails or hangs when told."""

import asyncio
from typing import Any, cast

from libs.store import Redis, StoreUnavailable, open_store


class WatchedRedis:
    """An embedded Redis. `trips` has one list of commands for each pipeline that was sent."""

    def __init__(self) -> None:
        self.inner = open_store("")
        self.trips: list[list[str]] = []
        self.probes = 0
        self.is_away = False
        self.go = asyncio.Event()
        self.go.set()

    def as_redis(self) -> Redis:
        return cast(Redis, self)

    async def keys(self) -> dict[str, str]:
        """All that is in there."""
        found = cast(list[bytes], await self.inner.keys())
        return {key.decode(): cast(bytes, await self.inner.get(key)).decode() for key in found}

    async def get(self, key: str) -> bytes | None:
        self.probes += 1
        await self.answers()
        return cast(bytes | None, await self.inner.get(key))

    def pipeline(self, *, transaction: bool) -> "_WatchedPipeline":
        return _WatchedPipeline(self, self.inner.pipeline(transaction=transaction))

    async def answers(self) -> None:
        """Return when it would answer."""
        await self.go.wait()
        if self.is_away:
            raise StoreUnavailable("no route to Redis")


class _WatchedPipeline:
    def __init__(self, redis: WatchedRedis, inner: Any) -> None:
        self._redis = redis
        self._inner = inner
        self._commands: list[str] = []

    async def __aenter__(self) -> "_WatchedPipeline":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._inner.reset()

    def __getattr__(self, name: str) -> Any:
        self._commands.append(name)
        return getattr(self._inner, name)

    async def execute(self) -> list[Any]:
        self._redis.trips.append(self._commands)
        await self._redis.answers()
        return cast(list[Any], await self._inner.execute())
