"""Opening Redis: the one place that knows the driver."""

from typing import TypeAlias

from fakeredis import FakeAsyncRedis
from redis.asyncio import Redis as _Redis
from redis.asyncio.client import Pipeline as Pipeline
from redis.exceptions import RedisError as StoreUnavailable
from redis.exceptions import WatchError as WatchError

Redis: TypeAlias = _Redis

# A view's call takes well under a millisecond; whoever waits longer than this waits for a dead one.
ANSWER_S_MAX = 2.0


def open_store(url: str) -> Redis:
    """The Redis at `url` (`redis://...`), or an embedded one that ends with the process (empty).

    Nothing is connected yet; commands raise `StoreUnavailable` when Redis does not answer.
    """
    if not url:
        return FakeAsyncRedis()
    return _Redis.from_url(url, socket_timeout=ANSWER_S_MAX, socket_connect_timeout=ANSWER_S_MAX)


__all__ = ["Pipeline", "Redis", "StoreUnavailable", "WatchError", "open_store"]
