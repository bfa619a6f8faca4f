"""What those who listen are told of one channel, as the answer that a plain request would get."""

import json
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from harness.people import Answer, Person
from libs.wire.codes import CODES
from libs.wire.streams import JSON_PROTOCOL

Frame = dict[str, Any]


async def listened(asker: Person, method: str, path: str, body: Any) -> Answer:
    """The answer of a route that may say several things of several channels."""
    route = f"{method} {urlsplit(path).path}"
    if route == "GET /v1/ws":
        return await _socket(asker, urlsplit(path).query)
    if route == "GET /v1/stream":
        return await _events(asker, path)
    answer = await asker.ask(method, path, body)
    if route != "POST /v1/poll" or answer.status != 200:
        return answer
    (told,) = answer.body["channels"]
    problem = told.get("problem")
    return answer if problem is None else Answer(problem["status"], problem)


async def _events(asker: Person, path: str) -> Answer:
    """Follow by events until the channel is spoken of."""
    async with asker.opened(path) as reply:
        if reply.status_code != 200:
            return Answer(reply.status_code, json.loads(await reply.aread()))
        async for line in reply.aiter_lines():
            name, _, value = line.partition(": ")
            answer = _said(json.loads(value)) if name == "data" else None
            if answer is not None:
                return answer
    return Answer(None, None)


async def _socket(asker: Person, channel: str) -> Answer:
    """Say hello, watch the channel, and hear what becomes of it."""
    url = asker.url.replace("http", "ws", 1) + "/v1/ws"
    async with connect(url, subprotocols=[Subprotocol(JSON_PROTOCOL)], proxy=None) as link:
        await link.send(json.dumps({"type": "hello", "token": asker.token}))
        await link.send(json.dumps({"type": "watch", "cursors": {channel: None}}))
        async for raw in link:
            answer = _said(json.loads(raw))
            if answer is not None:
                return answer
    return Answer(None, None)


def _said(frame: Frame) -> Answer | None:
    match frame["type"]:
        case "watched":
            return Answer(200, frame)
        case "unwatched" | "error":
            return Answer(CODES[frame["code"]].status, frame)
        case _:
            return None
