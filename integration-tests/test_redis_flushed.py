"""Redis forgets everything while requests go on: answers are right or `rebuilding`, never wrong."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import httpx
import pytest

from harness.cluster import Cluster
from harness.people import People, Person
from libs.testing.eventually import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180), pytest.mark.long]

FLUSHES = 3
MEMBERS = 5
SETTLED_S = 30.0
# Neither yes nor no: the view is behind, or the instance that was asked has not noticed yet.
WAIT = (503, "rebuilding")


@dataclass
class Watcher:
    """Asks the same again and again; every answer is `right` or `WAIT`."""

    person: Person
    path: str
    right: tuple[int, str | None]
    seen: Counter[tuple[int | None, str | None]] = field(default_factory=Counter)

    async def ask(self) -> bool:
        answer = await self.person.ask("GET", self.path)
        found = (answer.status, answer.body.get("code"))
        self.seen[found] += 1
        return found == self.right

    async def ask_until(self, done: asyncio.Event) -> None:
        while not done.is_set():
            await self.ask()


@pytest.mark.law("L7")
async def test_a_flush_gives_no_wrong_answer(cluster: Cluster, figures: list[str]) -> None:
    """Members stay members, strangers strangers, and a ban holds throughout."""
    async with People(cluster.url) as people:
        ada = await people.person("flush_ada")
        made = (await ada.create("flushed", visibility="public"))["id"]
        hidden = (await ada.create("hidden"))["id"]
        friends = [await people.person(f"flush_friend{n}") for n in range(MEMBERS)]
        eve, banned = await people.person("flush_eve"), await people.person("flush_banned")
        for friend in friends:
            path = f"/v1/channels/{hidden}/members/{friend.id}"
            assert (await ada.ask("PUT", path, {"role": "member"})).status == 200
        ban = await ada.ask("PUT", f"/v1/channels/{made}/bans/{banned.id}")
        assert ban.status == 200, ban
        watchers = [
            *(Watcher(friend, f"/v1/channels/{hidden}", (200, None)) for friend in friends),
            Watcher(eve, f"/v1/channels/{hidden}", (403, "access_denied")),
            Watcher(eve, f"/v1/channels/{made}", (200, None)),
            Watcher(banned, f"/v1/channels/{made}", (403, "banned")),
        ]
        done = asyncio.Event()
        asking = [asyncio.ensure_future(watcher.ask_until(done)) for watcher in watchers]
        for _ in range(FLUSHES):
            cluster.flush_redis()
            await eventually(lambda: _all_right(watchers), within_s=SETTLED_S, what="right again")
        done.set()
        await asyncio.gather(*asking)
    wrong = [(each.path, each.seen) for each in watchers if set(each.seen) - {each.right, WAIT}]
    assert not wrong
    waited = sum(each.seen[WAIT] for each in watchers)
    asked = sum(each.seen.total() for each in watchers)
    assert waited, "no flush was felt: the test did not test"
    figures.append(f"{FLUSHES} flushes of Redis: {asked} questions, {waited} rebuilding, 0 wrong")


async def _all_right(watchers: list[Watcher]) -> bool:
    try:
        return all([await watcher.ask() for watcher in watchers])
    except httpx.HTTPError:
        return False
