"""A message travels from post to parked reader, and everything survives a restart."""

import asyncio
import re
from contextlib import AbstractAsyncContextManager

import httpx
import pytest

from harness.cluster import Cluster
from harness.people import People
from harness.suite import Suite
from libs.testing.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

Mortal = AbstractAsyncContextManager[Suite | Cluster]


@pytest.mark.law("L8")
async def test_a_post_wakes_a_parked_reader(suite: Suite | Cluster, people: People) -> None:
    """What one person posts arrives at another who waits, with the id that was acknowledged."""
    ada, bob = await people.person("ada"), await people.person("bob")
    channel = await ada.create(visibility="public")
    cursor = (await bob.join(channel["id"]))["cursor"]
    parked = asyncio.ensure_future(bob.poll(channel["id"], cursor, wait=20))
    await eventually(lambda: _parks(suite), within_s=5, what="the poll is parked")
    posted = await ada.post_surely(channel["id"], "hello", "first")
    answer = await parked
    assert [(entry["id"], entry["text"], entry["from"]) for entry in answer["entries"]] == [
        (posted, "hello", ada.id)
    ]
    assert answer["cursor"] == f"1-{posted}"


async def test_the_same_post_twice_is_one_message(people: People) -> None:
    """A retry with the same client_id is answered with the first id; another body is refused."""
    ada = await people.person("ada2")
    channel = (await ada.create())["id"]
    first = await ada.post(channel, "once", "same")
    again = await ada.post(channel, "once", "same")
    other = await ada.post(channel, "other words", "same")
    assert (first.status, again.status, other.status) == (201, 200, 422)
    assert first.body["id"] == again.body["id"]
    assert other.body["code"] == "client_id_reused"
    assert len(await ada.read(channel)) == 1


@pytest.mark.law("L9")
async def test_a_ban_ends_a_parked_poll(suite: Suite | Cluster, people: People) -> None:
    """Who is banned while they wait is told so at once, and gets nothing that is posted after."""
    ada, bob = await people.person("ada3"), await people.person("bob3")
    channel = (await ada.create(visibility="public"))["id"]
    cursor = (await bob.join(channel))["cursor"]
    path = f"/v1/channels/{channel}/poll?after={cursor}&wait=20"
    parked = asyncio.ensure_future(bob.ask("GET", path))
    await eventually(lambda: _parks(suite), within_s=5, what="the poll is parked")
    banned = await ada.ask("PUT", f"/v1/channels/{channel}/bans/{bob.id}")
    assert banned.status == 200, banned
    async with asyncio.timeout(5):
        answer = await parked
    assert (answer.status, answer.body["code"]) == (403, "access_ended")
    assert (await bob.ask("GET", path)).status == 403


async def test_a_signed_out_token_is_refused(people: People) -> None:
    """After sign-out the access token counts no more, although it has not expired."""
    ada = await people.person("ada4")
    sessions = (await ada.ask("GET", "/v1/sessions")).body["items"]
    assert (await ada.ask("DELETE", f"/v1/sessions/{sessions[0]['id']}")).status == 204

    async def is_refused() -> bool:
        return (await ada.ask("GET", "/v1/me")).status == 401

    await eventually(is_refused, within_s=5, what="the token is refused")


@pytest.mark.law("L8")
async def test_everything_survives_a_restart(mortal: Mortal) -> None:
    """Accounts, channels, members, messages and cursors are there after kill -9 of all that the
    suite consists of; with Kafka also after Redis forgot everything."""
    async with mortal as suite, People(suite.url) as people:
        ada, bob = await people.person("ada_restart"), await people.person("bob_restart")
        channel = (await ada.create(visibility="public", handle="lounge"))["id"]
        cursor = (await bob.join(channel))["cursor"]
        posted = [await ada.post_surely(channel, f"{n}", f"{n}") for n in range(5)]
        await suite.kill()
        if isinstance(suite, Cluster):
            suite.flush_redis()
        await suite.start()
        answer = await bob.poll(channel, cursor)
        assert [entry["id"] for entry in answer["entries"]] == posted
        again = await people.sign_in("ada_restart")
        assert [entry["id"] for entry in await again.read(channel)] == posted
        found = await again.ask("GET", "/v1/channels?handle=lounge")
        assert [item["id"] for item in found.body["items"]] == [channel]
        assert await again.post_surely(channel, "4", "4") == posted[-1]


async def test_sigterm_answers_parked_polls_and_ends_cleanly(mortal: Mortal) -> None:
    """A parked poll gets its cursor back and the advice to go elsewhere; the exit code is 0."""
    async with mortal as suite, People(suite.url) as people:
        ada = await people.person("ada_sigterm")
        channel = (await ada.create())["id"]
        parked = asyncio.ensure_future(ada.poll(channel, "1-0", wait=20))
        await eventually(lambda: _parks(suite), within_s=5, what="the poll is parked")
        code = await suite.stop()
        answer = await parked
        assert answer["cursor"] == "1-0"
        assert answer["drain"]["reconnect_after_ms"] > 0
        assert code == 0, suite.logs()


async def _parks(suite: Suite | Cluster) -> bool:
    """Whether somebody is parked, as the gateway says once a second."""
    async with httpx.AsyncClient() as client:
        shown = (await client.get(f"{suite.admin_url}/metrics")).text
    told = re.search(r"^rostrum_gateway_parked (\S+)$", shown, re.MULTILINE)
    return told is not None and float(told[1]) > 0
