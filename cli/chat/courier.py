"""Carries between the model and a deployment, over any number of sign-ins."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from cli.chat.mail import Mail
from cli.chat.marks import Marks
from cli.chat.model import Chat
from cli.chat.round import Over, Round
from cli.chat.wants import Keep, Want
from rostrum import Client, SignedOut, User

# What is wanted and not begun yet: far above what a person can want in a moment. More of it is a
# fault of ours, and is raised.
WANTS_MAX = 1_000
OUTBOX, CURSORS = "outbox.db", "cursors.json"
DEVICE = "rostrum chat"


class Courier:
    """See `Network`. `client` is entered already, `state` is the folder of what outlives the
    program, and `channels` are handles or ids; none: all that the person is a member of. Raises
    `ValueError` when the marks in `state` cannot be read."""

    def __init__(
        self, client: Client, *, address: str, state: Path, channels: Sequence[str] = ()
    ) -> None:
        self.address = address
        self.me: User | None = client.session.user if client.is_signed_in else None
        self._client = client
        self._named = channels
        self._outbox = state / OUTBOX
        self._marks = Marks(state / CURSORS)
        self._wants: asyncio.Queue[Want] = asyncio.Queue(WANTS_MAX)

    async def sign_in(self, handle: str, password: str, *, is_new: bool) -> None:
        """See `Network`."""
        if is_new:
            await self._client.sign_up(handle, password, name=handle)
        session = await self._client.sign_in(handle, password, device=DEVICE)
        self.me = session.user

    def want(self, want: Want) -> None:
        """See `Network`. Raises `OverflowError`."""
        if isinstance(want, Keep):
            self._marks.note(want.channel, want.cursor)
        elif self._wants.full():
            raise OverflowError(f"{WANTS_MAX} wants wait, and nobody does them")
        else:
            self._wants.put_nowait(want)

    async def live(self, chat: Chat, changed: Callable[[], None]) -> None:
        """See `Network`. Raises `OutboxClosed` too, when another program uses the same folder."""
        try:
            await self._live(chat, changed)
        except BaseExceptionGroup as faults:
            fault = _first(faults)
            if isinstance(fault, SignedOut):
                self.me = None
            if not isinstance(fault, Over):
                raise fault from None
        finally:
            self._marks.save()

    async def _live(self, chat: Chat, changed: Callable[[], None]) -> None:
        async with self._client.outbox(self._outbox) as outbox, asyncio.TaskGroup() as group:
            mail = Mail(outbox, chat, changed)
            one = Round(self._client, chat, changed, marks=self._marks, mail=mail)
            group.create_task(self._marks.run())
            group.create_task(one.run(self._named, self._wants))


def _first(faults: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that came first, out of groups in groups."""
    fault: BaseException = faults
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    return fault
