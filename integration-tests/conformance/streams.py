"""Streams as a scenario plays them: what is common to WebSocket and server-sent events."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from conformance.logs import Frame
from conformance.scenarios import Step
from conformance.script import SESSION, USER, NotSo, Script, check_places

# Within this a client has to do what it is waited for, or to leave when it has to.
STEP_S = 5.0
WATCHES_MAX = 1_000
# What a watch is answered with: once a script did, nobody else does.
ANSWERS = frozenset({"watched", "unwatched", "jump", "reset", "behind"})


class Cut(Exception):
    """The connection breaks here."""


class Ends(Exception):
    """The connection ends here, with a close code."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class Left(Exception):
    """The client left."""


class Playing(ABC):
    """One connection after its opening: `watched` is where each channel that is followed is."""

    way: ClassVar[str]

    def __init__(self, script: Script, opens: Mapping[str, Any]) -> None:
        self.script = script
        self.opens = opens
        self.watched: dict[str, str | None] = {}
        # Those that were not answered yet.
        self.asked: list[str] = []
        # What is played now; empty at the end, when all is honest and the client may leave.
        self.at = "its opening"

    async def play(self, steps: Sequence[Step]) -> None:
        """All steps, then what is honest. Raises `Cut`, `Ends`, `Left` and `NotSo`."""
        for step in steps:
            self.at = str(step)
            ((verb, what),) = step.items()
            await getattr(self, verb)(what)
        self.at = ""
        await self.answer()
        await self.until_left(answers=True)

    async def tells(self, frames: Frame | list[Frame]) -> None:
        """Say something."""
        for frame in frames if isinstance(frames, list) else [frames]:
            for whole in self.script.logs.whole(frame):
                if whole.get("type") in ANSWERS and whole["channel"] in self.asked:
                    self.asked.remove(whole["channel"])
                await self.say(whole)

    async def serves(self, _: bool) -> None:
        """Answer honestly what was asked for, once something was."""
        await self.answer()

    async def answer(self) -> None:
        """Answer honestly what was asked for."""
        asked, self.asked = self.asked, []
        for channel in asked:
            for frame in self.script.logs.told(channel, self.watched[channel]):
                await self.say(frame)

    async def appends(self, more: Mapping[str, int]) -> None:
        """The channels grow; those that are followed are told."""
        for name, count in more.items():
            channel = self.script.logs[name]
            before = channel.head
            await channel.grow(count)
            if channel.ident in self.watched:
                for frame in channel.said(before):
                    await self.say(frame)

    async def grows(self, more: Mapping[str, int]) -> None:
        """The channels grow, and nobody is told."""
        await self.script.logs.grow(more)

    async def closes(self, code: int) -> None:
        """The end, with a code."""
        raise Ends(code)

    async def breaks(self, _: bool) -> None:
        """The end, without a word."""
        raise Cut

    async def says_nothing(self, _: bool) -> None:
        """Until the client has enough of it."""
        self.at = ""
        try:
            async with asyncio.timeout(STEP_S):
                await self.until_left(answers=False)
        except TimeoutError:
            raise NotSo(f"stayed for {STEP_S:g} s although nothing came") from None

    async def waits_ms(self, wait_ms: float) -> None:
        """Some time goes by, in which the client stays."""
        try:
            async with asyncio.timeout(wait_ms / 1000):
                await self.until_left(answers=False)
        except TimeoutError:
            return

    def placed(self, cursors: Mapping[str, str | None]) -> None:
        """What is followed when it is opened. Raises `NotSo`."""
        self.watched.update(cursors)
        self.asked.extend(cursors)
        check_places(self.watched, self.script.places(self.opens))

    def welcome(self) -> Frame:
        """The first frame."""
        tokens = self.script.tokens
        return {
            "type": "welcome",
            "user": USER,
            "session": SESSION,
            "expires_in": tokens.expires_in,
            "ticket": tokens.ticket(),
            "watches_max": self.opens.get("watches_max", WATCHES_MAX),
        }

    @abstractmethod
    async def begin(self) -> None:
        """Let the client in, as `opens` says. Raises as `play` does."""

    @abstractmethod
    async def say(self, frame: Frame) -> None:
        """One whole frame. Raises `Left`."""

    @abstractmethod
    async def until_left(self, *, answers: bool) -> None:
        """Hear what the client asks for, and answer it, until it leaves: raises `Left`."""
