"""Opening Redis: the one place that knows the driver."""

from typing import TypeAlias

from fakeredis import FakeAsyncRedis
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as _Redis
from redis.asyncio.client import Pipeline as Pipeline
from redis.exceptions import RedisError as StoreUnavailable
from redis.exceptions import WatchError as WatchError

Redis: TypeAlias = _Redis

# SET with NX and GET together, which hints are written with, came with it.
VERSION_MIN = (7, 0)
# A view's call takes well under a millisecond; whoever waits longer than this waits for a dead one.
ANSWER_S_MAX = 2.0
# Redis answers one command at a time: more connections only queue there. Who finds none free waits.
CONNECTIONS_MAX = 64
# Embedded, a connection is an object and all services share them; a shortage would look like an
# outage.
EMBEDDED_CONNECTIONS_MAX = 10_000


def open_store(url: str) -> Redis:
    """The Redis at `url` (`redis://...`), or an embedded one that ends with the process (empty).

    Nothing is connected yet; commands raise `StoreUnavailable` when Redis does not answer.
    """
    if not url:
        return FakeAsyncRedis(max_connections=EMBEDDED_CONNECTIONS_MAX)
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS_MAX,
        timeout=ANSWER_S_MAX,
        socket_timeout=ANSWER_S_MAX,
        socket_connect_timeout=ANSWER_S_MAX,
    )
    return _Redis.from_pool(pool)


__all__ = ["VERSION_MIN", "Pipeline", "Redis", "StoreUnavailable", "WatchError", "open_store"]
