"""A conversation over WebSocket: before hello a `Greeting`, after it a `Talk`."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from rostrum.following.crew import until_one_ends
from rostrum.following.lot import Lot
from rostrum.following.patience import Patience
from rostrum.http import Http
from rostrum.ways.link import Link
from rostrum.ways.renewal import newer_token, until_renewal_s
from rostrum.ways.way import Drained, Gone, heard
from rostrum.wire import (
    Auth,
    Drain,
    Fault,
    FromGateway,
    Hello,
    OfChannel,
    Renewed,
    Unwatch,
    Watch,
    Welcome,
)

# From the `error` that ends a stream to its close, which comes right after.
FAULT_S = 2.0


@dataclass(frozen=True)
class Desk:
    """What all talks of a follower share. `keep` is given each ticket that comes."""

    http: Http
    patience: Patience
    keep: Callable[[str], None]


class Greeting:
    """A connection on which nobody has said yet who listens."""

    def __init__(self, link: Link, desk: Desk) -> None:
        self._link = link
        self._desk = desk

    async def say_hello(self, token: str, ticket: str | None) -> "Talk":
        """Say who listens, by the ticket if there is one, and wait to be let in."""
        self._link.token = None if ticket else token
        await self._link.say(Hello(token=self._link.token, ticket=ticket))
        open_s = self._desk.patience.open_s
        try:
            async with asyncio.timeout(open_s):
                welcome = await self._welcome(open_s)
        except TimeoutError:
            raise Gone(f"no welcome came in {open_s:g} s") from None
        self._desk.keep(welcome.ticket)
        return Talk(self._link, self._desk, welcome, token)

    async def _welcome(self, within_s: float) -> Welcome:
        while not isinstance(frame := await self._link.hear(within_s), Welcome):
            _of_stream(self._link, frame)
        return frame


class Talk:
    """A connection that was let in."""

    def __init__(self, link: Link, desk: Desk, welcome: Welcome, token: str) -> None:
        self.watches_max = welcome.watches_max
        self._link = link
        self._desk = desk
        # The newest one that we know of, also for who came with a ticket.
        self._token = token
        self._expires_in = welcome.expires_in
        self._is_renewed = asyncio.Event()

    async def follow(self, lot: Lot) -> None:
        """Until nothing is followed any more. Raises how the connection ended."""
        await until_one_ends(self._hear(lot), self._ask(lot), self._renew())

    async def _hear(self, lot: Lot) -> None:
        while True:
            # Once an `error` came nothing else does but the close.
            is_over = self._link.fault is not None
            frame = await self._link.hear(FAULT_S if is_over else self._desk.patience.silence_s)
            if isinstance(frame, OfChannel):
                await lot.inbox.room()
                heard(lot, frame)
            elif isinstance(frame, Renewed):
                self._desk.keep(frame.ticket)
                self._expires_in = frame.expires_in
                self._is_renewed.set()
            else:
                _of_stream(self._link, frame)

    async def _ask(self, lot: Lot) -> None:
        while lot:
            if left := lot.left():
                await self._link.say(Unwatch(left))
            if due := lot.due():
                await self._link.say(Watch(due))
            await lot.changes()

    async def _renew(self) -> None:
        desk = self._desk
        while True:
            self._is_renewed.clear()
            await asyncio.sleep(until_renewal_s(self._expires_in, desk.patience))
            self._token = await newer_token(desk.http, self._token)
            await self._link.say(Auth(self._token))
            # One that is not taken ends the connection.
            await self._is_renewed.wait()


def _of_stream(link: Link, frame: FromGateway) -> None:
    """What is said of the connection as a whole. Raises `Drained`."""
    match frame:
        case Drain():
            raise Drained(frame.reconnect_after_ms / 1000)
        case Fault(ref=None):
            link.fault = frame
