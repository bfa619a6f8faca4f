"""A post, from whoever sent it to chat's reply: what the route and a stream's frame both call."""

from libs.runtime import trace
from libs.runtime.web import Person
from libs.wire.api import PostItem, PostReply
from libs.wire.codes import Problem, Refused
from libs.wire.ids import is_id

from .access import AccessMemory
from .lanes import PostLanes
from .limits import Limits

# Who answers for a channel may fill it.
RULERS = ("owner", "admin")


class Posting:
    """Takes posts within the limits to chat, which alone reads their bodies."""

    def __init__(self, access: AccessMemory, lanes: PostLanes, limits: Limits) -> None:
        self._access = access
        self._lanes = lanes
        self._limits = limits

    async def post(self, person: Person, channel: str, body: bytes) -> PostReply:
        """What chat replies. Raises `Refused` (`channel_unknown`), `TryAgain` when the post was not
        sent (`limit_hit` among others), `OutcomeUnknown`."""
        if not is_id(channel):
            raise Refused("channel_unknown", "there is no channel with this id")
        user = person.user
        # The role is asked for only by whom it helps: others never cost a question.
        is_needed = self._limits.needs_role(user, channel)
        is_ruler = is_needed and await self._is_ruler(user, channel)
        self._limits.post(user, channel, is_ruler=is_ruler)
        return await self._lanes.post(PostItem(channel, user, trace.current(), body))

    async def _is_ruler(self, user: str, channel: str) -> bool:
        """By what is remembered, or one question; not while nobody can say."""
        try:
            grant = await self._access.grant(user, channel)
        except Problem:
            return False
        return grant.access.role in RULERS
