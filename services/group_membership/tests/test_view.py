"""The view is a fold of the log: resumed, rebuilt, and never wrong in between."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from libs.log.port import READ_RECORDS_MAX, Log, Partition
from libs.runtime.beats import beat_place, sources_of
from libs.store import Redis, open_store
from libs.testing.eventually import eventually
from libs.wire.records import (
    Ban,
    ChannelSettings,
    Heartbeat,
    Membership,
    NameClaim,
    Posting,
    Record,
    Role,
    RoleGiven,
    decode,
    encode,
)
from libs.wire.topics import ACCESS_CHANGES, CHANNELS, GOVERNANCE, MEMBERS, Topic, pool
from services.group_membership.journal import put
from services.group_membership.model import Wish, draft
from services.group_membership.store import NAME, TOPICS, partitions_of
from services.group_membership.tests.instance import (
    ANNA,
    BEN,
    CARL,
    SOON_S,
    Instance,
    running,
    user,
)

USERS = [user(number) for number in range(5)]
WISHES = [Wish(f"c{n}", "group", title="T") for n in range(3)]
DRAFTS = [draft(owner, wish) for owner in USERS[:2] for wish in WISHES]
DRAFTS.append(draft(ANNA, Wish("", "direct", members=[BEN])))
ROLES: tuple[Role, ...] = ("admin", "member", "restricted")
POSTINGS: tuple[Posting, ...] = ("owner", "everyone")


async def dump(store: Redis) -> dict[str, Any]:
    """Everything that is stored."""
    keys = [key if isinstance(key, str) else key.decode() for key in await store.keys("*")]
    return {key: await value_of(store, key) for key in keys}


async def value_of(store: Redis, key: str) -> Any:
    """A key's value, of whatever type."""
    match await store.type(key):
        case b"hash":
            return await store.hgetall(key)
        case b"set":
            return await store.smembers(key)
        case b"zset":
            return await store.zrange(key, 0, -1, withscores=True)
        case _:
            return await store.get(key)


def any_record(random: Random) -> Record:
    """A record of the view's topics: claims of few places by few channels, so that most lose."""
    one, by = random.choice(DRAFTS), random.choice(USERS)
    # Whom the claim names has no membership record: order across topics decides nothing.
    who = random.choice([each for each in USERS if each not in {one.owner, one.peer}])
    yes = random.random() < 0.5
    channel, at_ms = one.channel, random.randrange(1 << 40)
    return random.choice(
        (
            one.claim(pool(0, 8).name, random.randrange(8), 0),
            NameClaim(handle=f"handle{random.randrange(4)}", owner=who, owner_kind="user"),
            ChannelSettings(channel=channel, title="S", posting=random.choice(POSTINGS)),
            Membership(channel=channel, user=who, joined=yes, at_ms=at_ms),
            RoleGiven(channel=channel, user=who, by=by, role=random.choice(ROLES)),
            Ban(channel=channel, user=who, by=by, banned=yes),
        )
    )


async def add_some(log: Log, random: Random) -> None:
    """Records of all kinds, some that nobody understands among them."""
    for _ in range(60):
        await put(log, any_record(random))
    for partition in partitions_of(*TOPICS)[:20]:
        await log.append(partition, random.choice((b"\xc1", encode(Heartbeat()))))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.law("L6")
async def test_a_resumed_view_is_the_one_folded_from_the_start(
    log: Log, store: Redis, tmp_path: Path, seed: int
) -> None:
    random = Random(seed)
    for _ in range(3):
        await add_some(log, random)
        async with running(log, store, tmp_path):
            pass
    fresh = open_store("")
    async with running(log, fresh, tmp_path):
        assert await dump(fresh) == await dump(store)
    assert len(await dump(fresh)) > 20
    await fresh.aclose()


async def test_all_keys_carry_the_services_name(service: Instance, store: Redis) -> None:
    await service.made(ANNA, members=[BEN], handle="some_name")
    assert all(key.startswith(f"{NAME}:") for key in await dump(store))


class Watching:
    """Asks again and again, and knows what the answers must be."""

    def __init__(self, service: Instance, private: str, public: str) -> None:
        self.rebuilding = 0
        self._service = service
        self._pairs = [(BEN, private), (CARL, private), (CARL, public), (USERS[3], public)]

    async def all_known(self) -> bool:
        """Whether all four are answered; none is ever answered wrong."""
        answers = await self._service.access(*self._pairs)
        refusals = [one.refusal for one in answers]
        member, stranger, banned, reader = refusals
        self.rebuilding += "rebuilding" in refusals
        assert member in {None, "rebuilding"}
        assert stranger in {"access_denied", "rebuilding"}
        assert banned in {"banned", "rebuilding"}
        assert reader in {None, "rebuilding"}
        assert all(one.may_read == (one.refusal is None) for one in answers)
        return "rebuilding" not in refusals


async def watch(service: Instance) -> Watching:
    private = (await service.made(ANNA, client_id="p", members=[BEN], handle="some_name"))["id"]
    public = (await service.made(ANNA, client_id="q", visibility="public"))["id"]
    await service.done(CARL, "PUT", f"/v1/channels/{public}/members/me")
    await service.done(ANNA, "PUT", f"/v1/channels/{public}/bans/{CARL}")
    watching = Watching(service, private, public)
    assert await watching.all_known()
    return watching


@pytest.mark.law("L7")
async def test_a_flush_is_answered_with_rebuilding_and_never_wrong(
    service: Instance, store: Redis
) -> None:
    watching = await watch(service)
    before = await dump(store)
    await store.flushall()
    assert not await watching.all_known()
    assert await service.code(BEN, "GET", "/v1/me/channels") == "rebuilding"
    assert await service.code(BEN, "GET", "/v1/channels?handle=some_name") == "rebuilding"
    # An AssertionError would count as not yet, so wrong answers are looked for here.
    wrong: list[AssertionError] = []

    async def known_or_wrong() -> bool:
        try:
            return await watching.all_known()
        except AssertionError as fault:
            wrong.append(fault)
            return True

    await eventually(known_or_wrong, within_s=SOON_S, every_s=0.001, what="rebuilt")
    assert not wrong
    assert watching.rebuilding > 1
    await service.ready()
    assert await dump(store) == before


@pytest.mark.parametrize("topic", [MEMBERS, GOVERNANCE, CHANNELS])
async def test_a_yes_waits_for_each_topic_that_could_make_it_a_no(
    service: Instance, store: Redis, topic: Topic
) -> None:
    """Part of the view is gone, as amid a rebuild; the rest looks complete."""
    channel = (await service.made(ANNA, members=[BEN], posting="owner"))["id"]
    key = {MEMBERS: f"{channel} {BEN}"}.get(topic, channel)
    assert (await service.may(BEN, channel)).role == "member"
    await service.done(ANNA, "PUT", f"/v1/channels/{channel}/bans/{CARL}")
    await store.delete(f"{NAME}:view:{topic.name}:{topic.partition_of(key)}")
    ben, carl = await service.access((BEN, channel), (CARL, channel))
    assert (ben.refusal, ben.may_read, ben.may_post) == ("rebuilding", False, False)
    assert carl.refusal == "banned"


async def test_a_change_after_a_flush_counts(service: Instance, store: Redis) -> None:
    watching = await watch(service)
    await store.flushall()
    await service.ready()
    await eventually(watching.all_known, within_s=SOON_S, what="rebuilt")
    made = await service.made(ANNA, client_id="after", members=[BEN])
    assert (await service.may(BEN, made["id"])).role == "member"


async def test_what_was_written_while_nobody_ran_is_there_when_ready(
    log: Log, store: Redis, tmp_path: Path
) -> None:
    async with running(log, store, tmp_path) as service:
        channel = (await service.made(ANNA, members=[BEN]))["id"]
    await put(log, Ban(channel=channel, user=BEN, by=ANNA, banned=True))
    async with running(log, store, tmp_path) as service:
        assert (await service.may(BEN, channel)).refusal == "banned"


async def test_two_instances_share_the_view_and_each_answers_for_the_other(
    log: Log, store: Redis, tmp_path: Path
) -> None:
    async with running(log, store, tmp_path) as one, running(log, store, tmp_path) as two:
        for number in range(12):
            made = await one.made(ANNA, client_id=f"c{number}", members=[BEN])
            assert (await two.may(BEN, made["id"])).role == "member"
            await two.done(BEN, "DELETE", f"/v1/channels/{made['id']}/members/me")
            assert (await one.may(BEN, made["id"])).refusal == "access_denied"


async def beating(log: Log) -> set[Partition]:
    """The sources whose beats are where followers expect them."""
    found = set()
    for place in partitions_of(ACCESS_CHANGES):
        for stored in await log.read(place, 0, limit=READ_RECORDS_MAX):
            record = decode(stored.value)
            if isinstance(record, Heartbeat):
                source = Partition(record.topic, record.partition)
                assert place == beat_place(ACCESS_CHANGES, source)
                found.add(source)
    return found


async def test_the_owner_of_each_source_of_changes_beats(log: Log, service: Instance) -> None:
    wanted = set(sources_of(ACCESS_CHANGES))
    assert wanted == set(partitions_of(GOVERNANCE, MEMBERS, CHANNELS))

    async def all_beat() -> bool:
        return await beating(log) == wanted

    await eventually(all_beat, within_s=SOON_S, what="all sources beat")
    assert not service.running.lacks()
