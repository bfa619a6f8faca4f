"""The demo, from its first account to its last delivery."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from demo.crowd import crowd_of
from demo.follower import Order
from demo.people import signed_up, tokens
from demo.posting import Paced, import_sample
from demo.verdict import Verdict, judged
from rostrum import Channel, Client

# In turn: half of the followers by each.
WAYS = ("websocket", "poll")
TITLE = "An imported chat"
PROGRESS = "import.progress"
TOLD_EVERY = 100


@dataclass(frozen=True)
class Wanted:
    """So many `followers`, at most so many `messages` of the chat, `per_s` posts a second for at
    most so many `seconds`."""

    followers: int
    messages: int
    per_s: float
    seconds: float


def run(url: str, folder: Path, wanted: Wanted, say: Callable[[str], None]) -> Verdict:
    """Play it at the deployment at `url`; `folder` is for what the import remembers. Raises
    `RostrumError`, `Stopped` and `NotOpen`."""
    return asyncio.run(_run(url, folder, wanted, say))


async def _run(url: str, folder: Path, wanted: Wanted, say: Callable[[str], None]) -> Verdict:
    began = time.monotonic()

    def told(text: str) -> None:
        say(f"{time.monotonic() - began:6.1f} s  {text}")

    keys = await tokens(url, wanted.followers)
    told(f"{len(keys)} followers have an account and are signed in")
    async with Client(url) as owner:
        author = await signed_up(owner, "owner")
        channel = await owner.create_channel(TITLE, visibility="public")
        # What blocks in here blocks nobody: the loop has nothing to do but the import.
        with crowd_of(_orders(url, channel, keys)) as crowd:
            crowd.wait_until_open()
            told("all of them follow, a process each")
            door = Paced(owner, wanted.per_s, lambda count: _tell(told, count))
            await import_sample(
                door,
                channel,
                author,
                progress=folder / PROGRESS,
                most=wanted.messages,
                within_s=wanted.seconds,
            )
            told(f"{len(door.posted):,} posts are acknowledged, {door.rate:.0f} a second")
            gots = crowd.end(max(door.posted))
            told("all followers have told what they got")
    return judged(door.posted, gots)


def _orders(url: str, channel: Channel, keys: Sequence[str]) -> list[Order]:
    pairs = zip(keys, cycle(WAYS), strict=False)
    return [Order(url, key, channel.id, channel.cursor, way) for key, way in pairs]


def _tell(told: Callable[[str], None], count: int) -> None:
    if count % TOLD_EVERY == 0:
        told(f"{count:,} posts are acknowledged")
