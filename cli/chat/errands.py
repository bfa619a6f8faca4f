"""What the person asks of the server with a command."""

import re

from cli.chat.words import Add, Create, Join, Leave, Me, Word
from rostrum import Channel, Client, RostrumError

_HANDLE = re.compile(r"[a-z][a-z0-9_]{2,31}")


class NoSuchChannel(RostrumError):
    """There is no channel of that name that one may see."""


class Errands:
    """Does them one by one. All methods raise `RostrumError` and `ValueError`, for people."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def find(self, name: str) -> Channel:
        """A channel by its handle or id."""
        if _HANDLE.fullmatch(name) is None:
            return await self._client.channel(name)
        found = await self._client.find_channel(name)
        if found is None:
            raise NoSuchChannel(f"there is no channel {name} that you may see: ask for its id")
        return found

    async def run(self, word: Word, channel: str | None) -> Channel | str | None:
        """Returns the channel that is to be shown, or what is to be said."""
        match word:
            case Join(name):
                found = await self.find(name)
                await self._client.join(found.id)
                return found
            case Create(title, handle):
                visibility = "private" if handle is None else "public"
                return await self._client.create_channel(
                    title, visibility=visibility, handle=handle
                )
            case Me():
                user = await self._client.me()
                return f"you are @{user.handle}, {user.name}, with the id {user.id}"
            case Add(user_id) if channel is not None:
                await self._client.add_member(channel, user_id)
                return f"{user_id} is a member now"
            case Leave() if channel is not None:
                await self._client.leave(channel)
        return None
