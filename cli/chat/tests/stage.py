"""A network that is told what happens, and records what is wanted."""

import asyncio
from collections.abc import Callable
from itertools import count

from textual.widgets import OptionList, Static

from cli.chat.app import ChatApp
from cli.chat.compose import Compose
from cli.chat.history_view import HistoryView
from cli.chat.model import Chat
from cli.chat.tests.entries import ADA, channel, page
from cli.chat.wants import Load, Send, Want
from rostrum import Refused, SignedOut, User

PASSWORD = "correct horse"


class FakeNetwork:
    """Ada's. `rooms` are found when it begins to live; `end` is what ends it."""

    def __init__(self, *, me: User | None = ADA, rooms: dict[str, int] | None = None) -> None:
        self.address = "http://stage"
        self.me = me
        self.wants: list[Want] = []
        self.end: asyncio.Future[None] | None = None
        self.attempts: list[tuple[str, str, bool]] = []
        self._rooms = rooms or {}

    async def sign_in(self, handle: str, password: str, *, is_new: bool) -> None:
        self.attempts.append((handle, password, is_new))
        if password != PASSWORD:
            raise Refused("credentials_wrong", "handle or password is wrong")
        self.me = ADA

    def want(self, want: Want) -> None:
        self.wants.append(want)

    async def live(self, chat: Chat, changed: Callable[[], None]) -> None:
        for at, (ident, head) in enumerate(self._rooms.items()):
            chat.found(channel(head, ident=ident, title=f"Room {at}"))
        chat.step(0)
        changed()
        self.end = asyncio.get_running_loop().create_future()
        await self.end

    def sign_out(self) -> None:
        self.me = None
        assert self.end is not None
        self.end.set_exception(SignedOut("sign in again"))


class Stage:
    """A chat of Ada's on a fake network."""

    def __init__(self, *, me: User | None = ADA, rooms: dict[str, int] | None = None) -> None:
        self.network = FakeNetwork(me=me, rooms=rooms)
        numbers = count(1)
        self.app = ChatApp(self.network, lambda: f"c{next(numbers)}")

    @property
    def chat(self) -> Chat:
        return self.app.main.chat

    @property
    def history(self) -> HistoryView:
        return self.app.main.query_one(HistoryView)

    @property
    def box(self) -> Compose:
        return self.app.main.query_one(Compose)

    @property
    def keys(self) -> list[str]:
        """The rows that are shown, by their keys."""
        return [option.id or "" for option in self.history.options]

    @property
    def channels(self) -> list[str]:
        """The list of channels, as it reads."""
        options = self.app.main.query_one("#channels", OptionList).options
        return [str(option.prompt) for option in options]

    def text(self, place: str) -> str:
        """What a line says; nothing when it is not shown."""
        line = self.app.screen.query_one(f"#{place}", Static)
        return str(line.content) if line.display else ""

    def row(self, key: str) -> str:
        """How a row reads."""
        return str(self.history.get_option(key).prompt)

    @property
    def sent(self) -> list[tuple[str, str]]:
        """Channel and text of all posts that were wanted."""
        posts = [want for want in self.network.wants if isinstance(want, Send)]
        return [(each.channel, each.post.text) for each in posts]

    def loads(self) -> list[Load]:
        """The pages that are wanted and were not looked at."""
        found = [want for want in self.network.wants if isinstance(want, Load)]
        self.network.wants = [want for want in self.network.wants if want not in found]
        return found

    def answer(self, first: int, last: int, *, head: int) -> None:
        """Answer the one page that is wanted."""
        (load,) = self.loads()
        self.chat.paged(load, page(first, last, head=head))
        self.app.main.draw()
