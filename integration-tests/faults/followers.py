"""Readers: by long-poll, on at another gateway when theirs fails; and by pages, from anywhere."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from faults.clients import Person, World
from faults.gateway import Answer, Gateway
from faults.notes import Notes
from faults.pause import pause

# A gateway that stands still is noticed after this together.
WAIT_S, GRACE_S = 3, 1.5
PAGE_TIMEOUT_S = 4.0
BETWEEN_WALKS_S = 2.0
WALK_BACK = 250


@dataclass
class Follower:
    """One device that follows every channel from the beginning."""

    name: str
    person: Person
    world: World
    notes: Notes
    first: Gateway
    cursors: dict[str, str] = field(default_factory=dict)

    async def follow(self, channel: str) -> None:
        """Poll for ever."""
        gateway, failures = self.first, 0
        self.cursors[channel] = "1-0"
        self._resume(channel)
        while True:
            answer = await self._poll(gateway, channel)
            if answer.status == 200 and "drain" not in answer.body:
                self._take(channel, answer.body)
                failures = 0
                continue
            failures += 1
            if answer.status in (200, 0) or failures > 1:
                gateway = self.world.other(gateway)
            self._resume(channel)
            if answer.status != 200:
                await pause(self.world.backoff_s(failures, answer))

    async def _poll(self, gateway: Gateway, channel: str) -> Answer:
        path = f"/v1/channels/{channel}/poll?after={self.cursors[channel]}&wait={WAIT_S}"
        return await gateway.ask("GET", path, self.person.token, timeout_s=WAIT_S + GRACE_S)

    def _resume(self, channel: str) -> None:
        cursor, user = self.cursors[channel], self.person.id
        self.notes.resume(self.name, self.name, channel, cursor, user=user)

    def _take(self, channel: str, answer: Mapping[str, Any]) -> None:
        self.notes.took(self.name, self.name, answer)
        self.cursors[channel] = answer["cursor"]

    def is_at(self, heads: Mapping[str, int]) -> bool:
        """Whether it has seen all these."""
        return all(int(self.cursors[each].split("-")[1]) >= head for each, head in heads.items())


@dataclass
class Walker:
    """Reads pages from near the end on, again and again, as whoever opens a channel does."""

    name: str
    world: World
    notes: Notes

    async def walk(self, heads: Mapping[str, int]) -> None:
        """Walk for ever; `heads` are where channels end, about."""
        walks = 0
        while True:
            await pause(BETWEEN_WALKS_S)
            walks += 1
            dice = self.world.dice
            channel = dice.choice(self.world.order.channels)
            start = max(heads.get(channel, 0) - dice.randrange(WALK_BACK), 0)
            await self._one(f"walk{walks}", channel, dice.choice(self.world.gateways), start)

    async def _one(self, session: str, channel: str, gateway: Gateway, start: int) -> None:
        person = self.world.people[0]
        self.notes.resume(self.name, session, channel, f"1-{start}", user=person.id)
        more = True
        while more:
            path = f"/v1/channels/{channel}/messages?after={start}"
            answer = await gateway.ask("GET", path, person.token, timeout_s=PAGE_TIMEOUT_S)
            if answer.status != 200:
                return
            entries = answer.body["entries"]
            self.notes.deliver(self.name, session, channel, entries, via="page")
            start, more = (entries[-1]["id"] if entries else start), answer.body["more"]


async def all_read(followers: list[Follower], heads: Mapping[str, int], within_s: float) -> bool:
    """Wait until every follower has seen every channel to its head."""
    until_s = asyncio.get_running_loop().time() + within_s
    while not all(each.is_at(heads) for each in followers):
        if asyncio.get_running_loop().time() > until_s:
            return False
        await pause(0.1)
    return True
