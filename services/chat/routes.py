"""The routes of posting: one post from its author, or a batch from a gateway."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from libs.runtime import trace
from libs.runtime.web import Asker, FromService, as_problem, packed, parsed, unpacked
from libs.wire import api
from libs.wire.api import PostBatch, PostItem, PostReplies, PostReply
from libs.wire.codec import to_json
from libs.wire.codes import Problem, Refused
from libs.wire.cursor import ID_MAX

from .flights import Outcome
from .handlers import Posts
from .model import CLIENT_ID_PATTERN, TEXT_CHARS_MAX, Post

CREATED = 201
REPEATED = 200

ChannelPath = Annotated[str, Path(description="Id of the channel")]


class NewMessage(BaseModel):
    """A message to be posted."""

    model_config = ConfigDict(extra="forbid", strict=True)

    client_id: str = Field(
        pattern=CLIENT_ID_PATTERN,
        description="Yours, a new one for each message; a retry sends it again",
    )
    text: str = Field(min_length=1, max_length=TEXT_CHARS_MAX)
    reply_to: int | None = Field(
        default=None, ge=1, le=ID_MAX, description="Id of a message of the same channel"
    )
    retry: bool = Field(default=False, description="This was sent before, without an answer")


class Posted(BaseModel):
    """Where the message stands."""

    id: int = Field(description="Its id in the channel")
    cursor: str = Field(description="The place just after it")
    at: str = Field(description="When it was written, UTC")


def post_routes(posts: Posts) -> APIRouter:
    """The routes of posting."""
    router = APIRouter(tags=["post"])

    @router.post(
        "/v1/channels/{channel}/messages",
        summary="Post a message",
        status_code=CREATED,
        responses={REPEATED: {"model": Posted, "description": "It was posted before"}},
    )
    async def post(
        asker: Asker, channel: ChannelPath, body: NewMessage, response: Response
    ) -> Posted:
        outcome = await posts.post(_post(channel, asker.user, body))
        response.status_code = _status(outcome)
        return _posted(outcome)

    @router.post(api.POSTS, include_in_schema=False)
    async def batch(_: FromService, request: Request) -> Response:
        asked = await unpacked(request, PostBatch)
        if len(asked.posts) > api.POSTS_MAX:
            raise Refused("field_invalid", f"posts: at most {api.POSTS_MAX}", field="posts")
        # Tasks begin in the order in which they are made: so do the posts.
        replies = await asyncio.gather(*(_reply(posts, item) for item in asked.posts))
        return packed(PostReplies(tuple(replies)))

    return router


async def _reply(posts: Posts, item: PostItem) -> PostReply:
    """The reply to one post of a batch, whatever happens to it."""
    trace.begin(item.trace)
    try:
        body = parsed(item.body, NewMessage)
        outcome = await posts.post(_post(item.channel, item.user, body))
    except Exception as fault:
        return _refusal(as_problem(fault, path=api.POSTS))
    return PostReply(_status(outcome), to_json(_posted(outcome).model_dump()))


def _refusal(fault: Problem) -> PostReply:
    body = to_json(fault.document(trace.current()))
    return PostReply(fault.code.status, body, fault.retry_after_s)


def _post(channel: str, author: str, body: NewMessage) -> Post:
    return Post(channel=channel, author=author, **body.model_dump())


def _status(outcome: Outcome) -> int:
    return CREATED if outcome.is_new else REPEATED


def _posted(outcome: Outcome) -> Posted:
    return Posted(id=outcome.cursor.id, cursor=str(outcome.cursor), at=outcome.at)
