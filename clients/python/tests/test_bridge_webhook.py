"""The bridge posts each delivery once, and only what is signed."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

from clients.python.examples.bridge_webhook import application
from clients.python.tests.programs import ended, example
from clients.python.tests.stage import WITHIN_S, channel_for, messages
from harness.ports import free_port
from libs.testing.eventually import eventually

SECRET = b"a secret"


def signature(body: bytes, secret: bytes = SECRET) -> str:
    return f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"


def body_of(text: str) -> bytes:
    return json.dumps({"text": text}).encode()


async def deliver(hook: str, body: bytes, **headers: str) -> int:
    """Send a delivery as a signed one, but for other `headers` (X_Delivery and such). Returns the
    status; 0: nobody listens."""
    given = {"X-Signature": signature(body), "X-Delivery": "one"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    async with aiohttp.ClientSession() as client:
        try:
            async with client.post(hook, data=body, headers=given) as answer:
                return answer.status
        except aiohttp.ClientConnectionError:
            return 0


async def test_each_delivery_is_posted_once_also_over_a_kill_of_the_bridge(
    url: str, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(SECRET + b"\n")
    port = free_port(lambda first: [first])
    hook = f"http://127.0.0.1:{port}/hook"
    async with channel_for("bridge", url, tmp_path) as (owner, channel):
        for expected in (201, 200):
            words = (url, "bridge", channel, str(tmp_path), str(port))
            bridge = await example("bridge_webhook", *words)
            try:
                await eventually(
                    lambda: deliver(hook, b"", X_Signature=""),
                    within_s=WITHIN_S,
                    what="the bridge listens",
                )
                assert await deliver(hook, body_of("build 7"), X_Delivery="7") == expected
                assert await deliver(hook, body_of("build 7"), X_Delivery="7") == 200
                assert await deliver(hook, body_of("build 8"), X_Delivery="8") == expected
            finally:
                await ended(bridge)
        assert [one.text for one in await messages(owner, channel)] == ["build 7", "build 8"]


@asynccontextmanager
async def bridged(url: str, channel: str, folder: Path) -> AsyncIterator[str]:
    """The address of a bridge in this process."""
    (folder / "secret").write_bytes(SECRET)
    runner = web.AppRunner(await application(url, "gate", channel, folder))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    finally:
        await runner.cleanup()


async def test_what_is_no_signed_delivery_is_refused(url: str, tmp_path: Path) -> None:
    body = body_of("hello")
    async with (
        channel_for("gate", url, tmp_path) as (owner, channel),
        bridged(url, channel, tmp_path) as hook,
    ):
        assert await deliver(hook, body, X_Signature="") == 401
        assert await deliver(hook, body, X_Signature="sha256=0000") == 401
        assert await deliver(hook, body, X_Signature="sha256=\u00fc") == 401
        assert await deliver(hook, body, X_Signature=signature(body, b"another")) == 401
        assert await deliver(hook, body_of("other"), X_Signature=signature(body)) == 401
        assert await deliver(hook, b"[]") == 400
        assert await deliver(hook, b"no JSON") == 400
        assert await deliver(hook, body_of("")) == 422
        assert await deliver(hook, body_of("x" * 100_000)) == 413
        assert await messages(owner, channel) == []
        assert await deliver(hook, body) == 201
        # The same delivery with another text is a mistake of the sender.
        assert await deliver(hook, body_of("other")) == 422
