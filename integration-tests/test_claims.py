"""Eight processes claim 2,000 channels at once, and the order of the log decides who has which."""

import asyncio
import itertools
import random
from collections.abc import Iterable, Mapping
from pathlib import Path

import httpx
import pytest

from deploy.local.servers import log_url
from harness.cluster import Cluster, Servers
from harness.people import People, Person
from libs.log.open import open_log
from libs.log.port import READ_RECORDS_MAX, Partition
from libs.runtime.clock import SystemClock
from libs.runtime.identity import HEADER, Identity, Signer
from libs.testing.eventually import eventually
from libs.wire import ids
from libs.wire.api import ACCESS, PAIRS_MAX, AccessAnswer, AccessQuestion, Pair
from libs.wire.codec import pack, unpack
from libs.wire.records import Claim, decode
from libs.wire.services import GROUP_MEMBERSHIP
from libs.wire.topics import DIRECTORY

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900), pytest.mark.long]

PROCESSES = 8
STOPPED = 2
CHANNELS = 2_000
DIRECT = 200
OWNERS = 25
IN_FLIGHT = 48
POOL = 64
STALL_S = 5.0
CREATED_S = 120.0
LOST_LEAST = 100
SEED = 20_261_121


class Claimants:
    """Asks group-membership's processes themselves, in the name of the gateway."""

    def __init__(self, cluster: Cluster) -> None:
        self._urls = [cluster.layout.url(GROUP_MEMBERSHIP, number) for number in range(PROCESSES)]
        self._signer = Signer((cluster.folder / "secrets" / "identity.key").read_bytes())
        self._client = httpx.AsyncClient(timeout=10, limits=httpx.Limits(max_connections=None))

    async def create(self, user: str, body: Mapping[str, object], at: int) -> str:
        """Create at some process, and at the next one when that does not answer."""
        turns = itertools.count(at)

        async def attempt() -> str | None:
            url = self._urls[next(turns) % PROCESSES]
            identity = Identity("gateway", user, "session")
            header = {HEADER: self._signer.sign(identity, SystemClock().now_ms())}
            try:
                reply = await self._client.post(f"{url}/v1/channels", json=body, headers=header)
            except httpx.TransportError:
                return None
            assert reply.status_code in {200, 201, 503, 507}, reply.text
            return str(reply.json()["id"]) if reply.status_code < 300 else None

        made = await eventually(attempt, within_s=CREATED_S, what=f"{body} is created")
        assert made is not None
        return made

    async def places(self, process: int, channels: list[str]) -> dict[str, int]:
        """The offset of each channel's claim, as one process knows it."""
        found: dict[str, int] = {}
        for at in range(0, len(channels), PAIRS_MAX):
            pairs = tuple(Pair("nobody", each) for each in channels[at : at + PAIRS_MAX])
            identity = Identity("gateway")
            header = {HEADER: self._signer.sign(identity, SystemClock().now_ms())}
            url = f"{self._urls[process]}{ACCESS}"
            asked = pack(AccessQuestion(pairs))
            reply = await self._client.post(url, content=asked, headers=header)
            answers = unpack(reply.content, AccessAnswer).answers
            found |= {each.channel: each.claim_offset for each in answers}
        return found

    async def close(self) -> None:
        await self._client.aclose()


async def test_claims_of_many_processes_at_once_give_each_channel_one_place(
    servers: Servers, tmp_path: Path, figures: list[str]
) -> None:
    """Two processes are stopped amid their claims; posting goes on meanwhile. A fold of the log
    that shares no code with the services' finds the same place for each channel as all of them."""
    dice = random.Random(SEED)
    owners = [ids.fresh(number, dice.randbytes(ids.ENTROPY_BYTES)) for number in range(OWNERS)]
    settings = {
        "group_membership_pool_partitions": str(POOL),
        "group_membership_max_pools": "200",
    }
    counts = {GROUP_MEMBERSHIP: PROCESSES}
    folder = tmp_path / "cluster"
    async with (
        Cluster(folder, servers, instances=1, counts=counts, settings=settings) as cluster,
        People(cluster.url) as people,
    ):
        ada = await people.person("ada_of_claims")
        channel = (await ada.create("posted"))["id"]
        before = len(await _claims(cluster))
        claimants = Claimants(cluster)
        done = asyncio.Event()
        posting = asyncio.ensure_future(_post_until(done, ada, channel))
        stopping = asyncio.ensure_future(_stop_some(cluster))
        made = await _create_all(claimants, owners)
        await stopping
        pairs = await _create_direct(claimants, owners)
        done.set()
        posted = await posting
        assert [entry["id"] for entry in await ada.read(channel)] == posted
        claims = await _claims(cluster)
        won = _fold(claims)
        told = [await claimants.places(number, made) for number in range(PROCESSES)]
        await claimants.close()
    assert len(set(made)) == CHANNELS
    assert all(len(set(each)) == 1 for each in pairs), "a direct channel is two"
    assert all(each == {channel: won[channel] for channel in made} for each in told)
    lost = len(claims) - before - CHANNELS - len(pairs)
    assert lost >= LOST_LEAST, f"only {lost} claims lost: the test did not test"
    figures.append(
        f"{PROCESSES} processes, {CHANNELS} channels and {len(pairs)} direct ones by both sides: "
        f"{lost} claims lost, each channel has one place, the same for all; "
        f"{len(posted)} posts meanwhile"
    )


async def _post_until(done: asyncio.Event, ada: Person, channel: str) -> list[int]:
    posted: list[int] = []
    while not done.is_set():
        number = len(posted)
        posted.append(await ada.post_surely(channel, f"post {number}", f"post-{number}"))
    assert posted, "nothing was posted"
    return posted


async def _claims(cluster: Cluster) -> list[tuple[int, Claim]]:
    log = await open_log(log_url(cluster.servers.bootstrap), now_ms=SystemClock().now_ms)
    place = Partition(DIRECTORY.name, 0)
    found: list[tuple[int, Claim]] = []
    try:
        start = 0
        while batch := await log.read(place, start, limit=READ_RECORDS_MAX):
            for stored in batch:
                record = decode(stored.value)
                assert isinstance(record, Claim)
                found.append((stored.offset, record))
            start = batch[-1].offset + 1
    finally:
        await log.close()
    return found


def _fold(claims: list[tuple[int, Claim]]) -> dict[str, int]:
    """The offset of the claim that counts, by channel."""
    won: dict[str, int] = {}
    taken: set[tuple[str, int]] = set()
    for offset, claim in claims:
        if claim.channel not in won and (claim.topic, claim.partition) not in taken:
            won[claim.channel] = offset
            taken.add((claim.topic, claim.partition))
    return won


async def _create_all(claimants: Claimants, owners: list[str]) -> list[str]:
    left = iter(range(CHANNELS))
    made: list[str] = []

    async def create_some() -> None:
        for number in left:
            body = {"client_id": f"c{number}", "kind": "group", "title": f"Channel {number}"}
            made.append(await claimants.create(owners[number % OWNERS], body, number))

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(create_some())
    return made


async def _create_direct(claimants: Claimants, owners: list[str]) -> list[list[str]]:
    pairs = list(itertools.combinations(owners, 2))[:DIRECT]
    assert len(pairs) == DIRECT
    found = []
    for some in _batches(pairs, IN_FLIGHT // 2):
        both = [
            claimants.create(a, {"client_id": f"d{b}", "kind": "direct", "members": [b]}, at)
            for left, right in some
            for at, (a, b) in enumerate(((left, right), (right, left)))
        ]
        made = await asyncio.gather(*both)
        found += [list(made[at : at + 2]) for at in range(0, len(made), 2)]
    return found


def _batches(pairs: list[tuple[str, str]], size: int) -> Iterable[list[tuple[str, str]]]:
    return (pairs[at : at + size] for at in range(0, len(pairs), size))


async def _stop_some(cluster: Cluster) -> None:
    """Two processes stand still for a while, in the middle of whatever they do."""
    for number in range(STOPPED):
        cluster.pause(GROUP_MEMBERSHIP, number)
    await asyncio.wait({asyncio.ensure_future(asyncio.Event().wait())}, timeout=STALL_S)
    for number in range(STOPPED):
        cluster.resume(GROUP_MEMBERSHIP, number)
