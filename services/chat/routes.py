"""The public route of chat."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from libs.runtime.web import Asker
from libs.wire.cursor import ID_MAX

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
        outcome = await posts.post(
            Post(
                channel=channel,
                author=asker.user,
                client_id=body.client_id,
                text=body.text,
                reply_to=body.reply_to,
                retry=body.retry,
            )
        )
        response.status_code = CREATED if outcome.is_new else REPEATED
        return Posted(id=outcome.cursor.id, cursor=str(outcome.cursor), at=outcome.at)

    return router
