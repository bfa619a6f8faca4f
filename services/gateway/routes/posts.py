"""`POST /v1/channels/{channel}/messages`: into a lane to chat, which alone reads the body."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from libs.runtime.calls import PROBLEM_TYPE

from ..posting import Posting
from ..settings import Settings
from ..tokens import Tokens
from .forward import JSON, body_of

PATH = "/v1/channels/{channel}/messages"
ERROR = 400


def add_post_route(app: Starlette, tokens: Tokens, posting: Posting, settings: Settings) -> None:
    """Serve posts in `app`. A plain route: what the framework would parse here is chat's to read,
    and chat describes it in the merged document."""

    async def post(request: Request) -> Response:
        person = await tokens.person(request.headers.get("authorization"))
        body = await body_of(request, settings.body_bytes_max)
        reply = await posting.post(person, request.path_params["channel"], body)
        after = reply.retry_after_s
        return Response(
            reply.body,
            reply.status,
            headers={} if after is None else {"retry-after": str(after)},
            media_type=PROBLEM_TYPE if reply.status >= ERROR else JSON,
        )

    app.add_route(PATH, post, methods=["POST"], include_in_schema=False)
