"""A bridge: what a webhook sends becomes a message, each delivery once.

    python bridge_webhook.py http://localhost:8080 bridge <channel id> <folder>

It listens on port 8000 (or on one that is named last) and takes `POST /hook` with

    X-Delivery: an id, the same one when the same is sent again
    X-Signature: sha256=<HMAC-SHA256 of the body under the secret in the folder's file `secret`>
    {"text": "build 7 is green"}

A sender that heard no answer sends the delivery again. The post has the delivery's id as its name,
and so it is written once.
"""

import hashlib
import hmac
import sys
from collections.abc import AsyncIterator
from getpass import getpass
from pathlib import Path

from aiohttp import web

from rostrum import Client, FileSessions, NotPosted, Refused

BODY_BYTES_MAX = 64 << 10
# Senders give up after some 10 s; what is not posted by then is sent again.
POSTED_S = 8.0


class Bridge:
    """Posts to one channel what is signed with one secret."""

    def __init__(self, client: Client, channel: str, secret: bytes) -> None:
        self._client = client
        self._channel = channel
        self._secret = secret

    async def take(self, request: web.Request) -> web.Response:
        """One delivery. 401: not signed, 400: not a delivery, 422: not to be posted, 503: send it
        again."""
        body = await request.read()
        signature = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        given = request.headers.get("X-Signature", "")
        if not hmac.compare_digest(given.encode(), f"sha256={signature}".encode()):
            raise web.HTTPUnauthorized(text="the signature is not of this body and secret")
        try:
            delivery, text = request.headers["X-Delivery"], str((await request.json())["text"])
        except (KeyError, TypeError, ValueError):
            raise web.HTTPBadRequest(text="send X-Delivery, and JSON with a text") from None
        return await self._post(delivery, text)

    async def _post(self, delivery: str, text: str) -> web.Response:
        # An id of any form and length becomes one that a post may have.
        name = hashlib.sha256(delivery.encode()).hexdigest()
        try:
            posted = await self._client.post(self._channel, text, client_id=name, within_s=POSTED_S)
        except Refused as why:
            raise web.HTTPUnprocessableEntity(text=str(why)) from why
        except NotPosted as why:
            raise web.HTTPServiceUnavailable(text=str(why), headers={"Retry-After": "5"}) from why
        return web.json_response({"id": posted.id}, status=200 if posted.is_repeat else 201)


async def application(url: str, handle: str, channel: str, folder: Path) -> web.Application:
    """The bridge as an application of aiohttp, signed in."""
    secret = (folder / "secret").read_bytes().strip()
    client = Client(url, sessions=FileSessions(folder / "session.json"))
    app = web.Application(client_max_size=BODY_BYTES_MAX)

    async def signed_in(_: web.Application) -> AsyncIterator[None]:
        async with client:
            if not client.is_signed_in:
                await client.sign_in(handle, getpass(f"Password of {handle}: "))
            yield

    app.cleanup_ctx.append(signed_in)
    app.router.add_post("/hook", Bridge(client, channel, secret).take)
    return app


if __name__ == "__main__":
    gateway, name, place, home, *port = sys.argv[1:]
    bridge = application(gateway, name, place, Path(home))
    web.run_app(bridge, port=int(port[0]) if port else 8000)
