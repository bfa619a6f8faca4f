"""Twenty readers from random cursors hold one sequence, by pages and polls, over a killed relay."""

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.cluster import Cluster, Servers
from harness.people import People, Person
from libs.testing.eventually import eventually
from libs.wire.services import RELAY

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900), pytest.mark.long]

READERS = 20
HISTORY = 10_000
MORE = 1_000
IN_FLIGHT = 24
SEED = 20_261_121
READ_S = 60.0


class Reader:
    """Reads on from `start`, and keeps what it read: id and text."""

    def __init__(self, person: Person, channel: str, start: int) -> None:
        self.person = person
        self.channel = channel
        self.start = start
        self.read: list[tuple[int, str]] = []

    @property
    def last(self) -> int:
        return self.read[-1][0] if self.read else self.start

    async def read_pages(self) -> None:
        more = True
        while more:
            path = f"/v1/channels/{self.channel}/messages?after={self.last}"
            page = await self._surely(path)
            self.take(page["entries"])
            more = page["more"]

    async def poll_to(self, last: int) -> None:
        while self.last < last:
            path = f"/v1/channels/{self.channel}/poll?after=1-{self.last}&wait=5"
            answer = await self._surely(path)
            assert "jump" not in answer, "a reader that keeps up must not be told to jump"
            self.take(answer["entries"])

    def take(self, entries: Sequence[dict[str, object]]) -> None:
        for entry in entries:
            assert entry["id"] == self.last + 1, f"{entry['id']} after {self.last}"
            self.read.append((self.last + 1, str(entry["text"])))

    async def _surely(self, path: str) -> dict[str, Any]:
        async def attempt() -> dict[str, Any] | None:
            answer = await self.person.ask("GET", path)
            assert answer.status in {200, 503, None}, answer
            body: dict[str, Any] = answer.body
            return body if answer.status == 200 else None

        body = await eventually(attempt, within_s=READ_S, what=path)
        assert isinstance(body, dict)
        return body


@pytest.mark.law("L8")
async def test_twenty_readers_hold_the_same_sequence_with_a_relay_killed(
    servers: Servers, tmp_path: Path, figures: list[str]
) -> None:
    """10,000 entries by pages, 1,000 more by polls while they come; one of two relays dies."""
    dice = random.Random(SEED)
    async with (
        Cluster(tmp_path / "cluster", servers, instances=2) as cluster,
        People(cluster.url) as people,
    ):
        ada = await people.person("ada_of_readers")
        channel = (await ada.create("history", visibility="public"))["id"]
        await _post(ada, channel, range(HISTORY))
        readers = [Reader(ada, channel, dice.randrange(HISTORY)) for _ in range(READERS)]
        await asyncio.gather(*(reader.read_pages() for reader in readers))
        assert {reader.last for reader in readers} == {HISTORY}
        polling = [asyncio.ensure_future(each.poll_to(HISTORY + MORE)) for each in readers]
        await _post(ada, channel, range(HISTORY, HISTORY + MORE // 2))
        await cluster.kill(RELAY, dice.randrange(2))
        await _post(ada, channel, range(HISTORY + MORE // 2, HISTORY + MORE))
        await asyncio.gather(*polling)
    whole = max(readers, key=lambda reader: len(reader.read)).read
    assert all(reader.read == whole[-len(reader.read) :] for reader in readers)
    figures.append(f"{READERS} readers, {HISTORY} + {MORE} entries, a relay killed: one sequence")


async def _post(ada: Person, channel: str, numbers: range) -> None:
    left = iter(numbers)

    async def post_some() -> None:
        for number in left:
            await ada.post_surely(channel, f"entry {number}", f"entry-{number}")

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(post_some())
