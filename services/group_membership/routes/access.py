"""The internal route that every read and post of the suite relies on."""

from fastapi import APIRouter, Request, Response

from libs.runtime.web import FromService, packed, unpacked
from libs.wire import api
from libs.wire.api import AccessAnswer, AccessQuestion
from libs.wire.codes import Refused

from ..access import Desk


def access_routes(desk: Desk) -> APIRouter:
    """Who may do what, in batches."""
    router = APIRouter()

    @router.post(api.ACCESS, include_in_schema=False)
    async def access(request: Request, caller: FromService) -> Response:
        question = await unpacked(request, AccessQuestion)
        if len(question.pairs) > api.PAIRS_MAX:
            raise Refused("field_invalid", f"ask for at most {api.PAIRS_MAX} pairs", field="pairs")
        return packed(AccessAnswer(await desk.answer(question.pairs)))

    return router
