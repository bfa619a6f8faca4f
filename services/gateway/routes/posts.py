"""`POST /v1/channels/{channel}/messages`: into a lane to chat, which alone reads the body."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from libs.runtime import trace
from libs.runtime.calls import PROBLEM_TYPE
from libs.wire.api import PostItem
from libs.wire.codes import Refused
from libs.wire.ids import is_id

from ..lanes import PostLanes
from ..settings import Settings
from ..tokens import Tokens
from .forward import JSON, body_of

PATH = "/v1/channels/{channel}/messages"
ERROR = 400


def add_post_route(app: Starlette, tokens: Tokens, lanes: PostLanes, settings: Settings) -> None:
    """Serve posts in `app`. A plain route: what the framework would parse here is chat's to read,
    and chat describes it in the merged document."""

    async def post(request: Request) -> Response:
        person = await tokens.person(request.headers.get("authorization"))
        channel = request.path_params["channel"]
        if not is_id(channel):
            raise Refused("channel_unknown", "there is no channel with this id")
        body = await body_of(request, settings.body_bytes_max)
        reply = await lanes.post(PostItem(channel, person.user, trace.current(), body))
        after = reply.retry_after_s
        return Response(
            reply.body,
            reply.status,
            headers={} if after is None else {"retry-after": str(after)},
            media_type=PROBLEM_TYPE if reply.status >= ERROR else JSON,
        )

    app.add_route(PATH, post, methods=["POST"], include_in_schema=False)
