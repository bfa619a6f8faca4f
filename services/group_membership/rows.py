"""Reads of the view: pairs, handles, pages."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, cast

from libs.log.port import Partition
from libs.runtime.view import View
from libs.store import Pipeline, Redis
from libs.wire.api import Pair
from libs.wire.codes import TryAgain
from libs.wire.records import ChannelSettings, Claim, NameClaim, Role, decode
from libs.wire.topics import CHANNELS, DIRECTORY, GOVERNANCE, MEMBERS, NAMES

from .model import Channel, Standing
from .store import (
    HANDLES,
    channel_key,
    member_id,
    members_key,
    owned_key,
    partition_of,
    partitions_of,
)

# Pairs of one MULTI: Redis answers nobody else while it runs, about a millisecond for so many.
PAIRS_PER_TRIP = 250


class Place(NamedTuple):
    """A place in a list that is ordered by time: after this item."""

    at_ms: int
    item: str


class Found(NamedTuple):
    """What the view has of a pair. `settled`: what it has not is not in the log either."""

    standing: Standing | None
    settled: bool


class Rows:
    """Reads of the view. Positions are read in the same MULTI as what they vouch for."""

    def __init__(self, redis: Redis, view: View) -> None:
        self._redis = redis
        self._view = view

    async def find(self, pairs: Sequence[Pair]) -> list[Found]:
        """What the view has of each pair, in a round trip per `PAIRS_PER_TRIP`."""
        found: list[Found] = []
        for start in range(0, len(pairs), PAIRS_PER_TRIP):
            found += await self._find(pairs[start : start + PAIRS_PER_TRIP])
        return found

    async def handle(self, handle: str) -> NameClaim | None:
        """Who has it. Raises `TryAgain` (`rebuilding`) while nobody can say."""
        async with self._redis.pipeline(transaction=True) as pipe:
            positions = self._ask_positions(pipe, partitions_of(NAMES))
            pipe.hget(HANDLES, handle)
            stored, raw = await pipe.execute()
        if raw is None:
            self._check(positions, stored)
            return None
        return cast(NameClaim, decode(raw))

    async def owned(self, user: str) -> int:
        """How many channels the user created, as far as the view has come."""
        return int(await self._redis.scard(owned_key(user)))

    async def page(self, key: str, after: Place | None, limit: int) -> list[Place]:
        """At most `limit` items of `members_key` or `channels_key`, oldest first. Raises `TryAgain`
        (`rebuilding`) while some may be missing."""
        start = 0 if after is None else await self._rank_after(key, after)
        async with self._redis.pipeline(transaction=True) as pipe:
            positions = self._ask_positions(pipe, partitions_of(DIRECTORY, MEMBERS))
            pipe.zrange(key, start, start + limit - 1, withscores=True)
            stored, items = await pipe.execute()
        self._check(positions, stored)
        return [Place(int(score), item.decode()) for item, score in items]

    async def _rank_after(self, key: str, after: Place) -> int:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zscore(key, after.item)
            pipe.zrank(key, after.item)
            pipe.zcount(key, "-inf", f"({after.at_ms}")
            score, rank, earlier = await pipe.execute()
        # Who left meanwhile has no rank, and who came again has a later one: then the page begins
        # with those of the same millisecond, which may repeat some and misses none.
        return int(rank) + 1 if score == after.at_ms else int(earlier)

    async def _find(self, pairs: Sequence[Pair]) -> list[Found]:
        users: dict[str, list[str]] = {}
        for pair in dict.fromkeys(pairs):
            users.setdefault(pair.channel, []).append(pair.user)
        async with self._redis.pipeline(transaction=True) as pipe:
            positions = self._ask_positions(
                pipe, {part for pair in pairs for part in _needed(pair)}
            )
            for channel, asked in users.items():
                pipe.hmget(channel_key(channel), _fields(asked))
                pipe.zmscore(members_key(channel), asked)
            stored, *rows = await pipe.execute()
        settled = self._settled(positions, stored)
        found = {}
        for (channel, asked), fields, scores in zip(
            users.items(), rows[::2], rows[1::2], strict=True
        ):
            for user, standing in zip(asked, _standings(asked, fields, scores), strict=True):
                pair = Pair(user, channel)
                found[pair] = Found(standing, all(settled[part] for part in _needed(pair)))
        return [found[pair] for pair in pairs]

    def _ask_positions(self, pipe: Pipeline, wanted: Iterable[Partition]) -> list[Partition]:
        partitions = list(wanted)
        pipe.mget([self._view.position_key(partition) for partition in partitions])
        return partitions

    def _settled(
        self, partitions: Sequence[Partition], stored: Sequence[bytes | None]
    ) -> dict[Partition, bool]:
        pairs = zip(partitions, stored, strict=True)
        return {partition: self._view.settled(partition, value) for partition, value in pairs}

    def _check(self, partitions: Sequence[Partition], stored: Sequence[bytes | None]) -> None:
        if not all(self._settled(partitions, stored).values()):
            raise rebuilding()


def rebuilding() -> TryAgain:
    """What is answered instead of a guess."""
    return TryAgain(
        "rebuilding", "memberships are being read from the log; try again", retry_after_s=1
    )


def _needed(pair: Pair) -> tuple[Partition, Partition, Partition]:
    return (
        partition_of(MEMBERS, member_id(pair.channel, pair.user)),
        partition_of(GOVERNANCE, pair.channel),
        partition_of(CHANNELS, pair.channel),
    )


def _fields(users: Sequence[str]) -> list[str]:
    return [
        "claim",
        "settings",
        *(f"role:{user}" for user in users),
        *(f"ban:{user}" for user in users),
    ]


def _standings(
    users: Sequence[str], fields: Sequence[bytes | None], scores: Sequence[float | None]
) -> list[Standing | None]:
    claim, settings, *given = fields
    if claim is None:
        return [None] * len(users)
    channel = Channel(
        cast(Claim, decode(claim)),
        None if settings is None else cast(ChannelSettings, decode(settings)),
    )
    roles, bans = given[: len(users)], given[len(users) :]
    return [
        Standing(
            user=user,
            channel=channel,
            joined=score is not None,
            given=None if role is None else cast(Role, role.decode()),
            banned=ban is not None,
        )
        for user, score, role, ban in zip(users, scores, roles, bans, strict=True)
    ]
