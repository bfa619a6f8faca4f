"""What happens at the same time as somebody begins to listen, or while they catch up."""

import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.runtime.changes import SILENT_S
from libs.testing.eventually import eventually
from libs.testing.served import served
from libs.wire import streams
from libs.wire.topics import ACCESS_CHANGES
from services.gateway.access import DOUBTED_S, NO_REMEMBERED_S
from services.gateway.tests.edge import CHANNEL, WITHIN_S, Edge, edge
from services.gateway.tests.talkers import Frame, Talker, open_talk, talking
from services.gateway.tests.test_silence import silent_s

SECOND = "0" * 25 + "2"


def ids(frame: Frame) -> list[int]:
    assert frame["type"] == "entries", frame
    return [each["id"] for each in frame["entries"]]


async def pinged(talker: Talker) -> None:
    """Nothing else is on its way."""
    await talker.say("ping", ref=1)
    assert await talker.hear() == {"type": "pong", "ref": 1}


async def signed_out(it: Edge, user: str = "ann") -> None:
    """The session of a user ended, and the gateway knows."""
    await it.revoke(f"s-{user}")

    async def code() -> str:
        return str((await it.poll(SECOND, user=user)).json()["code"])

    await it.until(code, "token_invalid")


async def refused(it: Edge, code: str) -> None:
    """The gateway knows that ann may not read."""

    async def told() -> str:
        return str((await it.poll()).json().get("code"))

    await it.until(told, code)


async def asked_of_relay(it: Edge) -> None:
    await eventually(lambda: it.relay.watches(CHANNEL), within_s=WITHIN_S, what="it is watched")


async def test_who_has_joined_reads_a_second_later_or_as_soon_as_the_change_is_heard() -> None:
    async with edge() as it:
        it.channel()
        it.members.refusals["ann", CHANNEL] = "access_denied"
        assert (await it.poll(after="1-9")).json()["code"] == "access_denied"
        del it.members.refusals["ann", CHANNEL]
        assert (await it.poll(after="1-9")).json()["code"] == "access_denied"
        it.clock.advance(NO_REMEMBERED_S)
        assert (await it.poll(after="1-9")).status_code == 200
        it.members.refusals["ann", CHANNEL] = "access_denied"
        await it.change("ann")
        await refused(it, "access_denied")
        del it.members.refusals["ann", CHANNEL]
        await it.change("ann")

        async def status() -> str:
            return str((await it.poll(after="1-9")).status_code)

        await it.until(status, "200")


@pytest.mark.law("L9")
@pytest.mark.parametrize("after", ["1-10", "1-3"])
async def test_a_ban_that_comes_while_a_watch_is_decided_counts(after: str) -> None:
    async with edge(relay_s=10.0) as it, open_talk(it) as talker:
        it.channel()
        it.relay.goes_on.clear()
        await talker.watch(**{CHANNEL: after})
        await asked_of_relay(it)
        it.members.refusals["ann", CHANNEL] = "banned"
        await it.change("ann")
        assert await it.refused_soon("ann") == "banned"
        it.relay.goes_on.set()
        frame = await talker.hear()
        assert (frame["type"], frame["code"]) == ("unwatched", "banned")
        await it.relay.append(CHANNEL)
        await pinged(talker)


@pytest.mark.law("L9")
@pytest.mark.parametrize("after", ["1-10", "1-3"])
async def test_a_ban_that_comes_while_a_part_of_a_poll_is_decided_counts(after: str) -> None:
    async with edge(relay_s=10.0) as it:
        it.channel()
        it.channel(SECOND)
        it.relay.goes_on.clear()
        body = {"cursors": {CHANNEL: after, SECOND: "1-9"}}
        poll = asyncio.create_task(it.client.post("/v1/poll", json=body, headers=it.bearer()))
        await asked_of_relay(it)
        it.members.refusals["ann", CHANNEL] = "banned"
        await it.change("ann")
        assert await it.refused_soon("ann") == "banned"
        it.relay.goes_on.set()
        told = {each["channel"]: each for each in (await it.ended(poll)).json()["channels"]}
        assert told[CHANNEL]["problem"]["code"] == "banned"
        assert [each["id"] for each in told[SECOND]["entries"]] == [10]


@pytest.mark.law("L9")
@pytest.mark.parametrize("after", ["1-10", "1-3"])
async def test_a_sign_out_that_comes_while_a_poll_is_decided_counts(after: str) -> None:
    async with edge(relay_s=10.0) as it:
        it.channel()
        it.relay.goes_on.clear()
        poll = it.polling(after)
        await asked_of_relay(it)
        await signed_out(it)
        it.relay.goes_on.set()
        reply = await it.ended(poll)
        assert (reply.status_code, reply.json()["code"]) == (401, "token_invalid")
        await it.parked(0)


@pytest.mark.law("L9")
async def test_a_sign_out_before_hello_counts_although_the_token_was_good_at_the_door() -> None:
    async with (
        edge() as it,
        served(it.running.app, http=it.running.http) as address,
        talking(address, headers=it.bearer()) as talker,
    ):
        await signed_out(it)
        await talker.say("hello")
        assert (await talker.hear())["code"] == "token_invalid"
        assert await talker.closed() == streams.CLOSE_TOKEN


@pytest.mark.law("L9")
@pytest.mark.parametrize("path", ["/v1/ws", "/v1/stream"])
async def test_a_sign_out_while_a_token_is_checked_counts(path: str) -> None:
    async with (
        edge() as it,
        served(it.running.app, http=it.running.http) as address,
        talking(address) as talker,
    ):
        it.session.keys["k2"] = Ed25519PrivateKey.generate()
        token, asked = it.session.token("ann", kid="k2"), it.session.asked
        it.session.goes_on.clear()
        if path == "/v1/ws":
            begins = asyncio.create_task(_hello(talker, token))
        else:
            begins = asyncio.create_task(_stream(it, token))
        await it.soon(lambda: it.session.asked > asked, "the keys are read")
        await signed_out(it)
        it.session.goes_on.set()
        assert await begins == "token_invalid"


async def _hello(talker: Talker, token: str) -> str:
    return str((await talker.greet(token))["code"])


async def _stream(it: Edge, token: str) -> str:
    headers = {"authorization": f"Bearer {token}"}
    reply = await it.client.get("/v1/stream", params={"channels": CHANNEL}, headers=headers)
    return str(reply.json()["code"])


@pytest.mark.law("L9")
async def test_a_ban_while_a_watch_is_served_from_pages_ends_it() -> None:
    async with edge(relay_s=10.0) as it, open_talk(it) as talker:
        it.channel(head=950)
        it.relay.pages_go_on.clear()
        await talker.watch(**{CHANNEL: "1-330"})
        await eventually(lambda: it.relay.pages, within_s=WITHIN_S, what="a page is read")
        it.members.refusals["ann", CHANNEL] = "banned"
        await it.change("ann")
        await refused(it, "banned")
        it.relay.pages_go_on.set()
        frame = await talker.hear()
        assert (frame["type"], frame["code"]) == ("unwatched", "banned")
        await pinged(talker)


@pytest.mark.law("L9")
async def test_in_silence_a_banned_follower_gets_nothing_once_access_is_in_doubt() -> None:
    async with edge() as it, served(it.running.app, http=it.running.http) as address:
        it.channel()
        async with talking(address) as banned, talking(address) as other:
            for talker, user in ((banned, "ann"), (other, "bob")):
                await talker.greet(it.session.token(user))
                await talker.watch(**{CHANNEL: "1-10"})
                assert (await talker.hear())["type"] == "watched"
            it.owners[ACCESS_CHANGES].hush()
            it.members.refusals["ann", CHANNEL] = "banned"
            await it.soon(lambda: silent_s(ACCESS_CHANGES) >= SILENT_S, "it is silent")
            it.clock.advance(DOUBTED_S)
            await it.relay.append(CHANNEL)
            frame = await banned.hear()
            assert (frame["type"], frame["code"]) == ("unwatched", "access_ended")
            assert ids(await other.hear()) == [11]
            await it.relay.append(CHANNEL)
            assert ids(await other.hear()) == [12]
            await pinged(banned)


async def test_what_is_unwatched_while_it_settles_is_never_told_of() -> None:
    async with edge() as it, open_talk(it) as talker:
        it.channel()
        it.members.goes_on.clear()
        await talker.watch(**{CHANNEL: "1-5"})
        await talker.say("unwatch", channels=[CHANNEL])
        await pinged(talker)
        it.members.goes_on.set()
        assert (await it.poll(after="1-9")).status_code == 200
        await it.relay.append(CHANNEL)
        await it.parked(0)
        await pinged(talker)


@pytest.mark.law("L8")
async def test_of_two_watches_in_a_row_the_later_counts() -> None:
    async with edge() as it, open_talk(it) as talker:
        it.channel()
        it.members.goes_on.clear()
        await talker.watch(**{CHANNEL: "1-5"})
        await talker.watch(**{CHANNEL: "1-8"})
        await pinged(talker)
        it.members.goes_on.set()
        assert (await talker.hear())["cursor"] == "1-8"
        assert ids(await talker.hear()) == [9, 10]
        await it.relay.append(CHANNEL)
        assert ids(await talker.hear()) == [11]
        await it.parked(1)
        await talker.watch(**{CHANNEL: "1-9"})
        assert (await talker.hear())["cursor"] == "1-9"
        assert ids(await talker.hear()) == [10, 11]
        await pinged(talker)


@pytest.mark.law("L9")
async def test_who_leaves_while_something_comes_is_told_that_it_ended_and_nothing_after() -> None:
    async with edge() as it, open_talk(it) as talker:
        it.channel()
        await talker.watch(**{CHANNEL: "1-10"})
        assert (await talker.hear())["type"] == "watched"
        it.members.refusals["ann", CHANNEL] = "access_denied"
        it.members.goes_on.clear()
        asked = len(it.members.batches)
        await it.change("ann")
        await eventually(lambda: len(it.members.batches) > asked, within_s=WITHIN_S, what="held")
        await it.relay.append(CHANNEL)
        await pinged(talker)
        it.members.goes_on.set()
        assert (await talker.hear())["code"] == "access_ended"
        await pinged(talker)
