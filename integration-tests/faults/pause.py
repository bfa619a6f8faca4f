"""Waits of clients: a pace, a backoff. What should become true is waited for by `eventually`."""

import asyncio


async def until(moment_s: float) -> None:
    """Wait until the loop's clock shows so much."""
    loop = asyncio.get_running_loop()
    arrived = loop.create_future()
    timer = loop.call_at(moment_s, arrived.set_result, None)
    try:
        await arrived
    finally:
        timer.cancel()


async def pause(seconds: float) -> None:
    """Wait so long."""
    await until(asyncio.get_running_loop().time() + seconds)
