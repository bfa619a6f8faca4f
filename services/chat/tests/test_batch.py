"""Batches: each post is answered as the public route would, in order, whatever others meet."""

import json
from typing import Any

import httpx
import pytest

from libs.log.port import Log
from libs.runtime import trace
from libs.runtime.service import Running
from libs.runtime.web import api
from libs.wire.api import POSTS, POSTS_MAX, PostBatch, PostItem, PostReply
from libs.wire.codec import pack
from libs.wire.cursor import Cursor
from libs.wire.services import CHAT
from services.chat.flights import Outcome
from services.chat.handlers import Posts
from services.chat.model import Post
from services.chat.routes import CREATED, REPEATED, post_routes
from services.chat.tests.instance import (
    ANNA,
    BEN,
    CHANNEL,
    CLOCK,
    SIGNER,
    Instance,
    entries,
    item,
)

TRACE = "0123456789abcdef" * 2
OTHER = "f" * 32


def _body(reply: PostReply) -> Any:
    return json.loads(reply.body)


async def test_replies_come_in_order_for_one_question_about_access(
    chat: Instance, log: Log
) -> None:
    replies = await chat.batch(*(item(f"t{n}", f"c{n}", who=(ANNA, BEN)[n % 2]) for n in range(50)))
    assert [reply.status for reply in replies] == [CREATED] * 50
    assert [_body(reply)["id"] for reply in replies] == list(range(1, 51))
    assert [entry.text for entry in await entries(log)] == [f"t{n}" for n in range(50)]
    assert chat.members.asked == 1


async def test_a_reply_says_what_the_public_route_says(chat: Instance) -> None:
    (created,) = await chat.batch(item())
    (repeated,) = await chat.batch(item())
    public = await chat.post()
    assert (created.status, repeated.status) == (CREATED, REPEATED)
    assert _body(created) == _body(repeated) == public.json()


BODIES = [
    b"",
    b"{",
    b"\xff",
    b"null",
    b"[]",
    b'"text"',
    b"{}",
    b'{"client_id": "c1", "text": ""}',
    b'{"client_id": "c1", "text": "\\ud800"}',
    b'{"client_id": "c1", "text": "t", "retry": 1}',
    b'{"client_id": "c1", "text": "t", "reply_to": NaN}',
    b'{"client_id": "c1", "text": "t", "more": 1}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_a_refusal_is_the_public_routes_document(chat: Instance, body: bytes) -> None:
    public = await chat.send(body)
    (reply,) = await chat.batch(PostItem(CHANNEL, ANNA, TRACE, body))
    assert public.json()["code"] in {"json_malformed", "field_invalid"}
    assert reply.status == public.status_code
    assert _body(reply) == public.json() | {"trace_id": TRACE}


class Crashing(Posts):
    """Posts nothing, and crashes when it is told to."""

    def __init__(self) -> None:
        self.traces: list[str] = []

    async def post(self, post: Post) -> Outcome:
        self.traces.append(trace.current())
        if post.text == "crash":
            raise RuntimeError("crash")
        return Outcome(Cursor(1, 1), "at", is_new=True)


async def test_a_crash_is_internal_for_one_post_alone() -> None:
    posts = Crashing()
    app = api(CHAT, signer=SIGNER, clock=CLOCK)
    app.include_router(post_routes(posts))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://chat"
    ) as http:
        first, crashed, last = await Instance(Running(app), http).batch(
            item("a", "c1", trace=TRACE), item("crash", "c2", trace=OTHER), item("b", "c3")
        )
    assert (first.status, last.status) == (CREATED, CREATED)
    assert (crashed.status, _body(crashed)["code"]) == (500, "internal")
    assert _body(crashed)["trace_id"] == OTHER
    assert posts.traces[:2] == [TRACE, OTHER]


async def test_a_problem_brings_its_seconds(chat: Instance) -> None:
    chat.members.away = True
    (reply,) = await chat.batch(item())
    assert (reply.status, _body(reply)["code"]) == (503, "service_away")


async def test_batches_are_for_services_and_bounded(chat: Instance) -> None:
    assert (await chat.http.post(POSTS, content=pack(PostBatch(())))).status_code == 401
    assert await chat.batch() == ()
    with pytest.raises(AssertionError, match="field_invalid"):
        await chat.batch(*[item()] * (POSTS_MAX + 1))
