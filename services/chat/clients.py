"""What chat asks of other services."""

from libs.runtime.service import Ports
from libs.wire import api
from libs.wire.api import Access, AccessAnswer, AccessQuestion, Pair
from libs.wire.services import GROUP_MEMBERSHIP


async def access(ports: Ports, user: str, channel: str, *, deadline_s: float) -> Access:
    """What `user` may do in `channel`, as of now. Raises `Problem` when nobody can say."""
    question = AccessQuestion((Pair(user, channel),))
    reply = await ports.calls.ask(
        GROUP_MEMBERSHIP, api.ACCESS, question, AccessAnswer, deadline_s=deadline_s
    )
    return reply.answers[0]
