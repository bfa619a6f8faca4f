"""Three gateways restarted one after the other, under posts, with a thousand who listen."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest

from harness.cluster import Cluster
from harness.gateways import cluster_of
from harness.listeners import Listener, listening
from harness.people import People, Person
from harness.polling import LongPoll, PollMany
from harness.poster import Poster, sent_s
from harness.streaming import Events, PackedSocket, Socket
from libs.testing.eventually import eventually
from libs.wire.services import GATEWAY

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600), pytest.mark.long]

GATEWAYS = 3
RATE = 50.0
# What a thousand followers are given a second must fit beside three gateways on two cores: so each
# follows one channel of these.
CHANNELS = 100
FOLLOWERS: dict[type[Listener], int] = {
    LongPoll: 150,
    PollMany: 150,
    Socket: 250,
    PackedSocket: 200,
    Events: 250,
}
READERS = 20
DRAIN_S = 3.0
# Pollers of a crowd are told to pause; whoever polls at once would be most of the load.
POLL_AFTER_MS = 500
# Before, between and after the restarts.
QUIET_POSTS = 250
PARTS = 6
# Of all who are moved; evenly spread, each part has a sixth.
PART_MAX = 0.5
POSTED_S = 60.0
READ_S = 90.0


@dataclass(frozen=True)
class Restart:
    """When a gateway was asked to end, when it had ended and when it was back (monotonic s)."""

    asked: float
    ended: float
    back: float


@pytest.mark.law("L8")
async def test_three_gateways_restarted_in_turn_lose_and_repeat_nothing(
    tmp_path: Path, figures: list[str]
) -> None:
    """1,000 followers, 50 posts a second or what the machine takes: every follower has its whole
    channel, once and in order; how the moves were spread over the drain, and what deliveries took,
    is printed."""
    settings = {"drain_s": str(DRAIN_S), "gateway_poll_after_ms": str(POLL_AFTER_MS)}
    async with (
        cluster_of(tmp_path, gateways=GATEWAYS, **settings) as cluster,
        Everybody(cluster) as everybody,
    ):
        channels, listeners = await _scene(everybody, cluster)
        poster = Poster(everybody.ada)
        async with listening(listeners), asyncio.TaskGroup() as posting:
            # All connect at once; posts begin when that is over.
            await poster.post_all(channels, CHANNELS, at_once=1)
            await _all_have_read(listeners, dict.fromkeys(channels, 1))
            posting.create_task(poster.post_at(RATE, channels))
            began = time.monotonic()
            await _quiet(poster)
            calm = (began, time.monotonic())
            restarts = [await _restart(cluster, poster, at) for at in range(GATEWAYS)]
            rate = (poster.posted - CHANNELS) / (time.monotonic() - began)
            poster.is_over.set()
            plain = await _read_by_all(everybody.ada[0], listeners, poster, channels)
    told = _judged(listeners, plain)
    figures.append(
        f"{len(listeners)} followers (seen: {dict(told)}), {GATEWAYS} gateways restarted in turn "
        f"under {rate:.0f} posts/s, {poster.posted} posts in {CHANNELS} channels: 0 lost, 0 twice; "
        f"delivery in quiet {_lags(listeners, *calm)}"
    )
    figures.extend(_told_of(listeners, restart) for restart in restarts)
    assert all(_is_spread(listeners, restart) for restart in restarts)


class Everybody:
    """Ada, signed in at each gateway, and readers."""

    def __init__(self, cluster: Cluster) -> None:
        self._people = [People(url) for url in cluster.urls]
        self.ada: list[Person] = []
        self.readers: list[Person] = []

    async def __aenter__(self) -> "Everybody":
        self.ada = [await each.person("ada") for each in self._people]
        self.readers = [await self._people[0].person(f"reader{n}") for n in range(READERS)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in self._people:
            await each.__aexit__()


async def _scene(everybody: Everybody, cluster: Cluster) -> tuple[list[str], list[Listener]]:
    """The channels, and followers of each way in each of them."""
    created = [await everybody.ada[0].create(f"c{n}", visibility="public") for n in range(CHANNELS)]
    channels = [each["id"] for each in created]
    ways = [way for way, count in FOLLOWERS.items() for _ in range(count)]
    followers = zip(ways, cycle(channels), cycle(everybody.readers), strict=False)
    listeners = [
        way(person, cluster.urls, {channel: "1-0"}, seed=number)
        for number, (way, channel, person) in enumerate(islice(followers, len(ways)))
    ]
    return channels, listeners


async def _quiet(poster: Poster) -> None:
    """Nothing happens for so many posts."""
    wanted = poster.posted + QUIET_POSTS
    await eventually(
        partial(_has_posted, poster, wanted), within_s=POSTED_S, what=f"{wanted} posts"
    )


def _has_posted(poster: Poster, count: int) -> bool:
    return poster.posted >= count


async def _restart(cluster: Cluster, poster: Poster, instance: int) -> Restart:
    asked = time.monotonic()
    code = await cluster.stop(GATEWAY, instance)
    assert code == 0, cluster.logs()
    ended = time.monotonic()
    await cluster.start_one(GATEWAY, instance)
    back = time.monotonic()
    await _quiet(poster)
    return Restart(asked, ended, back)


async def _read_by_all(
    ada: Person, listeners: Sequence[Listener], poster: Poster, channels: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """The channels as their pages have them, once everybody is there."""
    offered = poster.offered
    await eventually(partial(_has_posted, poster, offered), within_s=POSTED_S, what="all posts")
    plain = {channel: await ada.read(channel) for channel in channels}
    await _all_have_read(listeners, {channel: len(plain[channel]) for channel in channels})
    return plain


async def _all_have_read(listeners: Sequence[Listener], heads: Mapping[str, int]) -> None:
    def all_there() -> bool:
        for each in listeners:
            (channel,) = each.notes
            place = each.notes[channel].place
            assert place.id >= heads[channel], f"{each.way} at {place}: {each.notes.said()}"
        return True

    await eventually(all_there, within_s=READ_S, every_s=0.1, what="all have read everything")


def _judged(listeners: Sequence[Listener], plain: dict[str, list[dict[str, Any]]]) -> Counter[str]:
    told: Counter[str] = Counter()
    for each in listeners:
        (channel,) = each.notes
        assert not each.notes.faults, f"{each.way}: {each.notes.faults}"
        assert each.notes[channel].entries == plain[channel], each.way
        told += each.notes.told
    return told


def _told_of(listeners: Sequence[Listener], restart: Restart) -> str:
    """A restart, for people."""
    away = restart.ended - restart.asked
    return (
        f"  restart: gone after {away:.1f} s, back {restart.back - restart.ended:.1f} s later; "
        f"moved in each {DRAIN_S / PARTS:.1f} s of the drain ({DRAIN_S:.0f} s): streams "
        f"{_parts(_streams(listeners), restart)}, pollers {_parts(_pollers(listeners), restart)}; "
        f"delivery from then on {_lags(listeners, restart.asked, restart.back)}"
    )


def _is_spread(listeners: Sequence[Listener], restart: Restart) -> bool:
    parts = _parts(_streams(listeners), restart)
    return max(parts) <= sum(parts) * PART_MAX


def _parts(listeners: Sequence[Listener], restart: Restart) -> list[int]:
    """How many were moved in each part of the drain; the last one has all that came later."""
    parts = [0] * PARTS
    for move in (move for each in listeners for move in each.moves):
        if restart.asked <= move < restart.back:
            parts[min(int((move - restart.asked) / DRAIN_S * PARTS), PARTS - 1)] += 1
    return parts


def _lags(listeners: Sequence[Listener], since: float, until: float) -> str:
    """From sending a post to its delivery, of those that came in between."""
    return f"streams {_lag(_streams(listeners), since, until)}, " + (
        f"pollers {_lag(_pollers(listeners), since, until)}"
    )


def _lag(listeners: Sequence[Listener], since: float, until: float) -> str:
    arrivals = (arrival for each in listeners for arrival in each.notes.arrivals)
    lags = sorted(at - sent_s(text) for at, text in arrivals if since <= at < until)
    return (
        f"p50 {lags[len(lags) // 2] * 1e3:.0f} ms, p99 {lags[len(lags) * 99 // 100] * 1e3:.0f} ms, "
        f"longest {lags[-1] * 1e3:.0f} ms"
    )


def _streams(listeners: Sequence[Listener]) -> list[Listener]:
    return [each for each in listeners if not isinstance(each, LongPoll | PollMany)]


def _pollers(listeners: Sequence[Listener]) -> list[Listener]:
    return [each for each in listeners if isinstance(each, LongPoll | PollMany)]
