"""A gateway that lies: it acknowledges posts and delivers what it likes, to those who poll."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from libs.testing.served import served
from libs.wire.ids import derived

CHANNEL = derived("channel")
POLL_AFTER_MS = 50
AT = "2026-11-21T08:00:00.000Z"


class Liar:
    """`key` is the id of the key that it says it takes. `loses` posts from the log; what it
    `doubles` is there twice; whose text it `swaps` is not what was posted."""

    def __init__(
        self, key: str, *, loses: bool = False, doubles: bool = False, swaps: bool = False
    ) -> None:
        self._key = key
        self._loses = loses
        self._doubles = doubles
        self._swaps = swaps
        self._entries: list[dict[str, Any]] = []
        self._acknowledged = 0

    def app(self) -> Starlette:
        """What it serves."""
        return Starlette(
            routes=[
                Route("/v1/keys", self._keys),
                Route("/v1/channels", self._create, methods=["POST"]),
                Route("/v1/channels/{channel}/messages", self._post, methods=["POST"]),
                Route("/v1/channels/{channel}/poll", self._poll),
                Route("/v1/poll", self._poll_many, methods=["POST"]),
            ]
        )

    async def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [{"kid": self._key, "kty": "OKP"}]})

    async def _create(self, _: Request) -> Response:
        return JSONResponse({"id": CHANNEL, "kind": "group", "cursor": "1-0", "epoch": 1}, 201)

    async def _post(self, request: Request) -> Response:
        body = await request.json()
        self._acknowledged += 1
        for _ in range(2 if self._doubles else 1):
            self._write(body)
        ident = self._acknowledged if self._loses else len(self._entries)
        return JSONResponse({"id": ident, "cursor": f"1-{ident}", "at": AT}, 201)

    def _write(self, body: dict[str, Any]) -> None:
        if self._loses and self._acknowledged % 2:
            return
        text = "not what was posted" if self._swaps else body["text"]
        head = {"id": len(self._entries) + 1, "type": "message", "from": "u", "at": AT}
        self._entries.append({**head, "client_id": body["client_id"], "text": text})

    async def _poll(self, request: Request) -> Response:
        return JSONResponse(self._answer(request.query_params["after"]))

    async def _poll_many(self, request: Request) -> Response:
        (after,) = (await request.json())["cursors"].values()
        return JSONResponse({"channels": [self._answer(after)], "poll_after_ms": 0})

    def _answer(self, after: str) -> dict[str, Any]:
        start = int(after.partition("-")[2])
        entries = self._entries[start : start + 100]
        last = start + len(entries)
        return {
            "channel": CHANNEL,
            "entries": entries,
            "cursor": f"1-{last}",
            "head": len(self._entries),
            "more": False,
            "poll_after_ms": POLL_AFTER_MS,
        }


@asynccontextmanager
async def lying(liar: Liar) -> AsyncIterator[str]:
    """Its address, while it lies."""
    async with served(liar.app()) as url:
        yield url
