"""Redis, embedded or away."""

import asyncio

import pytest

from libs.store import StoreUnavailable, WatchError, open_store
from libs.store.open import ANSWER_S_MAX


async def test_an_embedded_store_has_transactions_that_watch() -> None:
    store = open_store("")
    await store.set("position", 1)
    async with store.pipeline(transaction=True) as pipe:
        await pipe.watch("position")
        assert await pipe.get("position") == b"1"
        pipe.multi()  # type: ignore[no-untyped-call]
        pipe.rpush("items", "a", "b")
        pipe.set("position", 2)
        await pipe.execute()
    assert await store.mget(["position", "none"]) == [b"2", None]
    assert await store.lrange("items", 0, -1) == [b"a", b"b"]
    await store.aclose()


async def test_a_transaction_writes_nothing_when_what_it_watches_has_moved() -> None:
    store = open_store("")
    async with store.pipeline(transaction=True) as pipe:
        await pipe.watch("position")
        await store.set("position", 9)
        pipe.multi()  # type: ignore[no-untyped-call]
        pipe.set("position", 2)
        with pytest.raises(WatchError):
            await pipe.execute()
    assert await store.get("position") == b"9"
    await store.aclose()


async def test_embedded_stores_are_separate() -> None:
    one, other = open_store(""), open_store("")
    await one.set("k", "v")
    assert await other.get("k") is None
    await one.aclose()
    await other.aclose()


async def test_opening_connects_to_nothing_and_a_dead_redis_is_unavailable() -> None:
    store = open_store(f"redis://127.0.0.1:{await free_port()}/0")
    with pytest.raises(StoreUnavailable):
        await store.get("k")
    with pytest.raises(StoreUnavailable):
        async with store.pipeline(transaction=True) as pipe:
            await pipe.watch("k")
    await store.aclose()


async def free_port() -> int:
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
        return int(server.sockets[0].getsockname()[1])


async def test_a_redis_that_does_not_answer_is_unavailable_after_a_bounded_time() -> None:
    released = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        store = open_store(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
        async with asyncio.timeout(ANSWER_S_MAX * 3):
            with pytest.raises(StoreUnavailable):
                await store.get("k")
        released.set()
        await store.aclose()
