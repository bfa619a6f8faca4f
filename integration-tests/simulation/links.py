"""Calls between the processes, and the gateways' links to relays, without sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosedError

from libs.runtime.calls import Caller
from libs.runtime.identity import Signer
from libs.wire.codec import Struct
from libs.wire.codes import OutcomeUnknown, TryAgain
from services.gateway.feed import Feed, Wire
from services.relay.feed import Link
from services.relay.hub import GONE

from .network import Network
from .process import ConnectionLost, Process

T = TypeVar("T", bound=Struct)

Answer = Callable[[str, Any], Awaitable[Any]]
Dial = Callable[[str], AbstractAsyncContextManager[Wire]]


class Calls(Caller):
    """Calls of one process. `answer` is the other side: the name of a service or of an
    instance, and a question."""

    def __init__(self, network: Network, answer: Answer, addresses: dict[str, tuple[str, ...]]):
        clock = network.clock
        super().__init__("simulated", signer=Signer(bytes(32)), clock=clock, addresses=addresses)
        self._network = network
        self._answer = answer

    async def ask(
        self, service: str, path: str, question: Struct, answer: type[T], *, deadline_s: float
    ) -> T:
        """See `Caller`."""
        try:
            async with asyncio.timeout(deadline_s):
                await self._network.travel()
                reply = await self._answer(service, question)
                await self._network.travel()
        except (OSError, ConnectionLost) as fault:
            raise TryAgain("service_away", f"{service} does not answer: {fault!r}") from fault
        assert isinstance(reply, answer)
        return reply

    async def hand(
        self,
        service: str,
        path: str,
        order: Struct,
        answer: type[T],
        *,
        deadline_s: float,
        at: str,
    ) -> T:
        """See `Caller`."""
        try:
            async with asyncio.timeout(deadline_s):
                await self._network.travel()
                reply = await self._answer(at, order)
                await self._network.travel()
        except ConnectionRefusedError as fault:
            raise TryAgain("service_away", f"{at} is not there") from fault
        except (TimeoutError, ConnectionLost) as fault:
            raise OutcomeUnknown("outcome_unknown", f"{at} does not answer: {fault!r}") from fault
        assert isinstance(reply, answer)
        return reply


class PipedFeed(Feed):
    """A feed whose wire is a pipe of this world."""

    def __init__(self, *parts: Any, wire: Dial) -> None:
        super().__init__(*parts)
        self._wire = wire

    def dial(self, address: str) -> AbstractAsyncContextManager[Wire]:
        """See `Feed`."""
        return self._wire(str(urlsplit(address).hostname))


class Pipe:
    """A link that is up, until it is cut; or dead without a word, when it was made silent."""

    def __init__(self, link: Link, network: Network) -> None:
        self._link = link
        self._network = network
        self._is_cut = self._is_silent = False

    def cut(self) -> None:
        """Both sides see the end; what is under way is lost."""
        self._is_cut = True
        self._link.close(GONE)

    def silence(self) -> None:
        """Nothing passes any more, and nobody is told."""
        self._is_silent = True

    async def send(self, message: bytes) -> None:
        """See `Wire`."""
        await self._network.travel()
        self._check()
        if not self._is_silent:
            self._link.hear(message)

    async def recv(self, decode: Literal[False]) -> bytes:
        """See `Wire`."""
        while True:
            frame = await self._link.next_frame()
            await self._network.travel()
            self._check()
            if frame is None:
                raise ConnectionClosedError(None, None)
            if not self._is_silent:
                return frame

    def _check(self) -> None:
        if self._is_cut:
            raise ConnectionClosedError(None, None)


class Pipes:
    """All pipes of a world. Who chooses, cuts or silences one of `open`."""

    def __init__(self, network: Network) -> None:
        self.open: dict[Pipe, None] = {}
        self._network = network

    @asynccontextmanager
    async def lay(
        self, relay: Process, new_link: Callable[[], Link], reconciled_ms: Callable[[], int]
    ) -> AsyncIterator[Wire]:
        """A pipe to a relay. Raises `ConnectionRefusedError`."""
        await self._network.travel()
        if not relay.is_alive:
            raise ConnectionRefusedError(relay.name)
        link = new_link()
        pipe = Pipe(link, self._network)
        self.open[pipe] = None
        relay.ends.append(pipe.cut)
        link.beat(reconciled_ms())
        try:
            yield pipe
        finally:
            del self.open[pipe]
            relay.ends.remove(pipe.cut)
            link.leave()
