"""`POST .../messages`: what the gateway refuses itself, and what it hands on and back."""

from collections.abc import AsyncIterator

import httpx
import pytest

from libs.runtime.identity import Identity
from libs.wire.api import PostReply
from services.gateway.tests.edge import CHANNEL, Edge, edge
from services.gateway.tests.fakes import ident

POST = f"/v1/channels/{CHANNEL}/messages"
MOST = 65_536
JSON = {"content-type": "application/json"}


async def post(it: Edge, body: bytes | AsyncIterator[bytes], **headers: str) -> httpx.Response:
    return await it.client.post(POST, content=body, headers={**it.bearer(), **JSON, **headers})


async def test_a_post_is_handed_on_with_its_author_and_its_bytes() -> None:
    async with edge() as it:
        reply = await post(it, b'{"text": "hi"}')
        assert (reply.status_code, reply.content) == (201, b'{"id":1}')
        assert reply.headers["content-type"] == "application/json"
        (heard,) = it.chat.heard
        assert (heard.channel, heard.user, heard.body) == (CHANNEL, ident("ann"), b'{"text": "hi"}')
        assert heard.trace
        assert it.chat.callers == [Identity("gateway")]


async def test_a_problem_of_chat_comes_back_as_it_is() -> None:
    async with edge() as it:
        it.chat.reply = PostReply(503, b'{"code":"outcome_unknown"}', 1)
        reply = await post(it, b"{}")
        assert (reply.status_code, reply.content) == (503, it.chat.reply.body)
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.headers["retry-after"] == "1"


@pytest.mark.parametrize("size", [MOST, MOST + 1])
@pytest.mark.parametrize("is_chunked", [False, True], ids=["whole", "chunked"])
async def test_a_post_over_the_limit_is_too_large(size: int, is_chunked: bool) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, size, 10_000):
            yield bytes(min(10_000, size - start))

    async with edge() as it:
        reply = await post(it, chunks() if is_chunked else bytes(size))
        if size <= MOST:
            assert len(it.chat.heard[0].body) == size
        else:
            assert (reply.status_code, reply.json()["code"]) == (413, "body_too_large")
            assert it.chat.heard == []


async def test_what_chat_need_not_see_is_refused_here() -> None:
    async with edge() as it:
        unsigned = await it.client.post(POST, content=b"{}", headers=JSON)
        assert (unsigned.status_code, unsigned.json()["code"]) == (401, "token_missing")
        typed = await post(it, b"{}", **{"content-type": "text/plain"})
        assert (typed.status_code, typed.json()["code"]) == (415, "media_type_unknown")
        path = POST.replace(CHANNEL, "no-channel")
        unknown = await it.client.post(path, content=b"{}", headers={**it.bearer(), **JSON})
        assert (unknown.status_code, unknown.json()["code"]) == (404, "channel_unknown")
        assert it.chat.heard == []


async def test_without_chat_a_post_is_told_so() -> None:
    async with edge(is_attached=False) as it:
        it.ports.calls.attach("session", it.session.app)
        it.ports.calls.attach("group-membership", it.members.app)
        reply = await post(it, b"{}")
        assert (reply.status_code, reply.json()["code"]) == (503, "service_away")
        assert reply.headers["retry-after"] == "1"
