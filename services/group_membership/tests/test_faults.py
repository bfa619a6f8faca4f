"""When the log fails: nothing is pretended, and what changed is told in the end."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from libs.log.faults import Fault, FaultyLog, Script
from libs.log.port import Log, LogUnavailable, Partition, Stored
from libs.runtime.directory import DirectoryReader
from libs.store import Redis
from libs.wire import ids
from libs.wire.codes import Refused, TryAgain
from libs.wire.records import Ban, Membership, NameClaim, Record, encode
from libs.wire.topics import DIRECTORY, GOVERNANCE, MEMBERS
from services.group_membership.consumers import ANNOUNCE_AT_ONCE, ANNOUNCE_MS, Announcer, Folding
from services.group_membership.handles import Handles
from services.group_membership.journal import Journal, put
from services.group_membership.metrics import ANNOUNCED, SKIPPED
from services.group_membership.rows import Rows
from services.group_membership.tests.instance import ANNA, BEN, CARL, CLOCK, Shown, running, user
from services.group_membership.tests.test_access import told

CHANNEL = ids.derived("channel", "somewhere")


def batch(*records: Record, at_ms: int | None = None, topic: str = GOVERNANCE.name) -> list[Stored]:
    place = Partition(topic, 0)
    at_ms = CLOCK.now_ms() if at_ms is None else at_ms
    return [Stored(place, n, at_ms, b"", encode(one)) for n, one in enumerate(records)]


def ban(who: str) -> Ban:
    return Ban(channel=CHANNEL, user=who, by=ANNA, banned=True)


async def test_an_announcement_waits_for_the_log_until_it_is_told(log: Log) -> None:
    faulty = FaultyLog(log, Script([Fault.ERROR_BEFORE, Fault.APPEND_THEN_ERROR]))
    before = ANNOUNCED._value.get()
    await Announcer(faulty, CLOCK)(batch(ban(BEN), ban(BEN)))
    assert await told(log) == {(CHANNEL, BEN)}
    assert ANNOUNCED._value.get() == before + 1


async def test_a_batch_larger_than_one_go_is_told_whole(log: Log) -> None:
    users = [user(number) for number in range(ANNOUNCE_AT_ONCE * 2 + 1)]
    await Announcer(log, CLOCK)(batch(*map(ban, users)))
    assert {who for _, who in await told(log)} == set(users)


async def test_what_a_rebuild_folds_again_is_not_told_again(log: Log) -> None:
    long_ago = CLOCK.now_ms() - ANNOUNCE_MS - 1
    await Announcer(log, CLOCK)(batch(ban(BEN), at_ms=long_ago))
    assert await told(log) == set()


async def test_a_claim_is_not_folded_before_the_directory_is_read_that_far(
    log: Log, store: Redis
) -> None:
    faulty = FaultyLog(log, Script(reads=[True]))
    folding = Folding(DirectoryReader(faulty, CLOCK))
    async with store.pipeline(transaction=True) as pipe:
        with pytest.raises(LogUnavailable):
            await folding(pipe, batch(ban(BEN), topic=DIRECTORY.name))


async def test_a_record_that_cannot_be_read_is_counted_and_skipped(log: Log, store: Redis) -> None:
    records: Sequence[Stored] = [Stored(Partition(MEMBERS.name, 0), 0, 0, b"", b"\xc1")]
    before = SKIPPED._value.get()
    async with store.pipeline(transaction=True) as pipe:
        await Folding(DirectoryReader(log, CLOCK))(pipe, records)
        assert await pipe.execute() == []
    assert SKIPPED._value.get() == before + 1


async def test_without_the_log_changes_are_refused_and_unknown_channels_not_denied(
    log: Log, store: Redis, tmp_path: Path
) -> None:
    faulty = FaultyLog(log, Script())
    async with running(faulty, store, tmp_path) as service:
        channel = (await service.made(ANNA, visibility="public"))["id"]
        faulty.cut()
        join = await service.ask(CARL, "PUT", f"/v1/channels/{channel}/members/me")
        assert (join.status_code, join.json()["code"]) == (503, "not_written")
        assert (await service.may(CARL, channel)).may_read
        assert (await service.may(CARL, CHANNEL)).refusal == "rebuilding"
        assert await service.code(CARL, "GET", f"/v1/channels/{CHANNEL}") == "service_away"
        body = {"client_id": "c9", "kind": "group", "title": "T"}
        assert (await service.ask(BEN, "POST", "/v1/channels", json=body)).status_code == 503
        faulty.heal()
        await service.ready()
        assert (await service.may(CARL, CHANNEL)).refusal == "channel_unknown"


async def test_only_records_of_this_service_are_written(log: Log) -> None:
    with pytest.raises(TypeError, match="Record is not written here"):
        await put(log, Record(type="unknown"))
    membership = Membership(channel=CHANNEL, user=BEN, joined=True, at_ms=1)
    written = await put(log, membership)
    assert written.partition.topic == MEMBERS.name


async def test_a_handle_claimed_by_two_at_once_is_the_first_ones(
    log: Log, store: Redis, tmp_path: Path
) -> None:
    async with running(log, store, tmp_path) as one, running(log, store, tmp_path) as two:
        body = {"client_id": "c", "kind": "group", "title": "T", "handle": "both_want"}
        answers = await asyncio.gather(
            one.ask(ANNA, "POST", "/v1/channels", json=body),
            two.ask(BEN, "POST", "/v1/channels", json=body),
        )
    assert sorted(answer.status_code for answer in answers) == [201, 409]


class Held(Rows):
    """A view in which one name is taken, or none is."""

    def __init__(self, held: NameClaim | None) -> None:
        self._held = held

    async def handle(self, handle: str) -> NameClaim | None:
        return self._held


async def test_a_handle_of_a_person_finds_no_channel(log: Log) -> None:
    journal = Journal(log, Shown())
    claim = NameClaim(handle="anna", owner=ANNA, owner_kind="user")
    assert await Handles(Held(claim), journal).channel("anna") is None
    assert await Handles(Held(None), journal).channel("anna") is None
    with pytest.raises(Refused, match="handle_taken"):
        await Handles(Held(claim), journal).take("anna", CHANNEL)


async def test_a_name_that_the_view_lost_is_not_said_to_be_taken(log: Log) -> None:
    """Flushed between the claim and the look at who won."""
    with pytest.raises(TryAgain, match="rebuilding"):
        await Handles(Held(None), Journal(log, Shown())).take("rooms", CHANNEL)
