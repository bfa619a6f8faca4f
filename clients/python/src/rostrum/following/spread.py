"""Spreads channels over as many connections as the present way needs."""

import asyncio
from typing import Never

from rostrum.following.crew import Crew
from rostrum.following.followed import Followed
from rostrum.following.inbox import Inbox
from rostrum.following.line import Line, Surroundings
from rostrum.following.lot import Lot
from rostrum.ways.way import Changed, Way


class Spread:
    """All channels of a follower. Each is in a lot, or waits to be put into one."""

    def __init__(self, ways: dict[str, Way], inbox: Inbox, around: Surroundings) -> None:
        self._ways = ways
        self._inbox = inbox
        self._around = around
        self._lots: list[Lot] = []
        self._waiting: dict[str, Followed] = {}
        self._is_waited_for = asyncio.Event()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is followed."""
        return not self._waiting and not any(self._lots)

    def follow(self, followed: Followed) -> None:
        """Follow a channel; one that is followed begins anew."""
        self._inbox.drop(followed.channel)
        for lot in self._lots:
            if lot.replace(followed):
                return
        self._waiting[followed.channel] = followed
        self._is_waited_for.set()

    def leave(self, channel: str) -> None:
        """Follow it no more: nothing of it comes from now on."""
        self._waiting.pop(channel, None)
        for lot in self._lots:
            lot.remove(channel)
        self._inbox.drop(channel)

    async def run(self) -> Never:
        """Listen by the best way that can be had. Raises `Refused` and `SignedOut`."""
        while True:
            try:
                await self._listen(self._ways[self._around.choice.way])
            except Changed:
                self._gather()

    async def _listen(self, way: Way) -> None:
        async with Crew() as crew:
            crew.start(self._seek_better())
            crew.start(self._place_all(crew, way))
            await crew.until_one_fails()

    async def _place_all(self, crew: Crew, way: Way) -> Never:
        while True:
            for lot in self._place(way.most):
                crew.start(self._live(lot, way))
            self._is_waited_for.clear()
            await self._is_waited_for.wait()

    async def _live(self, lot: Lot, way: Way) -> None:
        await Line(way, lot, self._around).live()
        self._lots.remove(lot)

    async def _seek_better(self) -> None:
        choice = self._around.choice
        while choice.better:
            await asyncio.sleep(choice.better_after_s)
            for name in choice.better:
                if await self._can_open(name):
                    self._around.counts.changes += 1
                    choice.rise(name)
                    raise Changed
            choice.wait_longer()

    async def _can_open(self, name: str) -> bool:
        lot = next(filter(None, self._lots), None)
        return lot is not None and await self._ways[name].can_open(lot)

    def _place(self, most: int) -> list[Lot]:
        """Put those that wait into lots of `most` channels. Returns the lots that are new."""
        made = []
        for followed in self._waiting.values():
            lot = next((each for each in self._lots if len(each) < most), None)
            if lot is None:
                lot = Lot(self._inbox, self._around.counts, self._around.again)
                self._lots.append(lot)
                made.append(lot)
            lot.add(followed)
        self._waiting.clear()
        return made

    def _gather(self) -> None:
        """All wait to be put into lots anew."""
        for lot in self._lots:
            self._waiting.update(lot.give_all())
        self._lots.clear()
