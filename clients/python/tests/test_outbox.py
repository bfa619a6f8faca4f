"""The outbox: stored before sent, in order, once; over kills, refusals and outages."""

import asyncio
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.python.tests.posts import AT, Channel, Step
from clients.python.tests.scripted import Reply, Request, Scripted, in_turn, nowhere, problem, said
from libs.testing.eventually import eventually
from rostrum import (
    Backoff,
    Client,
    NotPosted,
    Outbox,
    OutboxClosed,
    OutboxFull,
    Refused,
    Session,
    SignedOut,
    User,
)
from rostrum.outbox import CHANNELS_AT_ONCE
from rostrum.rows import Rows

BACKOFF = Backoff(first_s=0.001, most_s=0.002)
CHANNEL = "01KA3Q5V8Z0J6T4M2N7R9X1C3E"
OTHER = "01KA3Q6A2B4C6D8E0F1G3H5J7K"
WITHIN_S = 10.0
# Longer than a post is sent again: it is given up at once.
AN_HOUR = "3600"


def poster(url: str, user: str = "ada") -> Client:
    session = Session(access_token="token", user=User(id=user))
    return Client(url, session=session, backoff=BACKOFF)


async def test_what_was_answered_waits_no_more(tmp_path: Path) -> None:
    channel = Channel([])
    async with (
        Scripted(channel.handle) as gateway,
        poster(gateway.url) as client,
        client.outbox(tmp_path / "outbox") as outbox,
    ):
        posted = await asyncio.gather(*(outbox.post(CHANNEL, str(at)) for at in range(20)))
        assert await outbox.waiting() == []
    assert channel.texts == [str(at) for at in range(20)]
    assert [one.id for one in posted] == list(range(1, 21))
    assert not any(request.body.get("retry") for request in gateway.requests)


async def test_a_post_is_in_the_file_before_it_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "outbox"
    async with (
        Scripted(in_turn(problem(503, "service_away", "yes", after=AN_HOUR))) as gateway,
        poster(gateway.url) as client,
        client.outbox(path) as outbox,
    ):
        with pytest.raises(NotPosted) as given_up:
            await outbox.post(CHANNEL, "hello", reply_to=7)
        assert await outbox.waiting() == [(1, CHANNEL, given_up.value.client_id, "hello", 7)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


STEPS = st.lists(
    st.one_of(
        st.just(Step(is_written=False, answer="service_away")),
        st.builds(Step, is_written=st.booleans(), answer=st.sampled_from(["proxy", "cut"])),
        st.builds(Step, is_written=st.just(True), answer=st.just("yes")),
    ),
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS, runs=st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_runs_that_end_at_any_time_write_each_post_once_and_in_order(
    steps: list[Step], runs: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each run posts some messages and leaves after one attempt each, answered or not; the last
    one sends what is left."""
    path = tmp_path_factory.mktemp("runs") / "outbox"

    async def play() -> None:
        channel = Channel(steps)
        async with Scripted(channel.handle) as gateway:
            texts = [f"{run} {at}" for run, count in enumerate(runs) for at in range(count)]
            for run, count in enumerate(runs):
                await leave_early(gateway.url, path, [f"{run} {at}" for at in range(count)])
            async with poster(gateway.url) as client, client.outbox(path) as outbox:
                resumed = await outbox.resume()
                assert (resumed.waiting, resumed.why, resumed.refused) == (0, None, {})
        assert channel.texts == texts
        assert set(resumed.posted) <= set(channel.written)

    asyncio.run(play())


async def leave_early(url: str, path: Path, texts: list[str]) -> None:
    """Post and go before there is an answer: whatever was stored is left behind."""
    async with poster(url) as client, client.outbox(path) as outbox:
        posting = [asyncio.ensure_future(outbox.post(CHANNEL, text)) for text in texts]

        async def all_stored() -> bool:
            gone = sum(post.done() for post in posting)
            own = [row for row in await outbox.waiting() if row.text in texts]
            return gone + len(own) >= len(texts)

        await eventually(all_stored, within_s=WITHIN_S, every_s=0.001, what="all are stored")
        for post in posting:
            post.cancel()
        await asyncio.gather(*posting, return_exceptions=True)


async def test_what_an_earlier_run_left_is_sent_as_sent_before(tmp_path: Path) -> None:
    path = tmp_path / "outbox"
    channel = Channel([])
    await leave_early(nowhere(), path, ["one", "two"])
    async with (
        Scripted(channel.handle) as gateway,
        poster(gateway.url) as client,
        client.outbox(path) as outbox,
    ):
        posted = await outbox.post(CHANNEL, "three")
    assert posted.id == 3
    assert channel.texts == ["one", "two", "three"]
    said_retry = [request.body.get("retry", False) for request in gateway.requests]
    assert said_retry == [True, True, False]


async def test_what_is_refused_for_what_it_is_lets_the_next_one_pass(tmp_path: Path) -> None:
    async def refuse_one(request: Request) -> Reply:
        if request.body["text"] == "bad":
            return problem(422, "field_invalid", "no")
        return said({"id": 1, "cursor": "1-1", "at": AT}, 201)

    async with (
        Scripted(refuse_one) as gateway,
        poster(gateway.url) as client,
        client.outbox(tmp_path / "outbox") as outbox,
    ):
        results = await asyncio.gather(
            *(outbox.post(CHANNEL, text) for text in ("bad", "good")), return_exceptions=True
        )
        assert await outbox.waiting() == []
    refused, posted = results
    assert isinstance(refused, Refused)
    assert not refused.may_be_done
    assert not isinstance(posted, BaseException)


async def test_what_is_refused_after_a_restart_may_have_been_written(tmp_path: Path) -> None:
    path = tmp_path / "outbox"
    await leave_early(nowhere(), path, ["one"])
    async with (
        Scripted(in_turn(problem(403, "banned", "no"))) as gateway,
        poster(gateway.url) as client,
        client.outbox(path) as outbox,
    ):
        resumed = await outbox.resume()
    (refused,) = resumed.refused.values()
    assert refused.may_be_done
    assert resumed.waiting == 0


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(403, b"<html>Sign in to the wireless</html>", "text/html"), Refused),
        (Reply(200, b"<html>Sign in to the wireless</html>", "text/html"), Refused),
        (problem(404, "route_unknown", "no"), Refused),
        (problem(401, "token_expired", "no"), SignedOut),
        (problem(503, "service_away", "yes", after=AN_HOUR), NotPosted),
    ],
)
async def test_what_is_not_the_fault_of_the_post_leaves_it_waiting(
    tmp_path: Path, reply: Reply, error: type[Exception]
) -> None:
    async with (
        Scripted(in_turn(reply)) as gateway,
        poster(gateway.url) as client,
        client.outbox(tmp_path / "outbox") as outbox,
    ):
        with pytest.raises(error):
            await outbox.post(CHANNEL, "hello")
        assert [row.text for row in await outbox.waiting()] == ["hello"]


async def test_a_channel_that_does_not_go_holds_up_no_other(tmp_path: Path) -> None:
    async def one_goes(request: Request) -> Reply:
        if CHANNEL in request.target:
            return problem(503, "service_away", "yes", after=AN_HOUR)
        return said({"id": 1, "cursor": "1-1", "at": AT}, 201)

    async with (
        Scripted(one_goes) as gateway,
        poster(gateway.url) as client,
        client.outbox(tmp_path / "outbox") as outbox,
    ):
        for text in ("stays", "stays too"):
            with pytest.raises(NotPosted):
                await outbox.post(CHANNEL, text)
        await outbox.post(OTHER, "goes")
        resumed = await outbox.resume()
    assert (resumed.waiting, resumed.posted) == (2, {})
    assert isinstance(resumed.why, NotPosted)


async def test_so_many_channels_are_sent_to_at_once_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "outbox"
    rows = Rows(path, "ada")
    for number in range(CHANNELS_AT_ONCE + 4):
        rows.add(f"channel-{number}", f"k{number}", "hello", None)
    rows.close()
    inside = most = 0
    gate = asyncio.Event()

    async def hold(_: Request) -> Reply:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        if inside == CHANNELS_AT_ONCE:
            gate.set()
        await gate.wait()
        inside -= 1
        return said({"id": 1, "cursor": "1-1", "at": AT})

    async with (
        Scripted(hold) as gateway,
        poster(gateway.url) as client,
        client.outbox(path) as outbox,
    ):
        resumed = await outbox.resume()
    assert (most, len(resumed.posted)) == (CHANNELS_AT_ONCE, CHANNELS_AT_ONCE + 4)


async def test_a_post_behind_one_that_does_not_go_was_not_sent(tmp_path: Path) -> None:
    async with (
        Scripted(in_turn(problem(503, "outcome_unknown", "same-key", after=AN_HOUR))) as gateway,
        poster(gateway.url) as client,
        client.outbox(tmp_path / "outbox") as outbox,
    ):
        with pytest.raises(NotPosted) as first:
            await outbox.post(CHANNEL, "first")
        with pytest.raises(NotPosted, match="an earlier post") as second:
            await outbox.post(CHANNEL, "second")
        assert (first.value.is_unknown, second.value.is_unknown) == (True, False)
        assert [row.text for row in await outbox.waiting()] == ["first", "second"]


async def test_a_post_that_waits_is_told_by_its_client_id(tmp_path: Path) -> None:
    async with (
        Scripted(in_turn(problem(503, "service_away", "yes", after=AN_HOUR))) as gateway,
        poster(gateway.url) as client,
        client.outbox(tmp_path / "outbox") as outbox,
    ):
        with pytest.raises(NotPosted) as given_up:
            await outbox.post(CHANNEL, "mine", client_id="k1")
        with pytest.raises(ValueError, match="waits already"):
            await outbox.post(CHANNEL, "another", client_id="k1")
        assert [row.client_id for row in await outbox.waiting()] == ["k1"]
    assert given_up.value.client_id == "k1"


async def test_a_post_that_was_dropped_is_given_up_and_not_sent(tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def hold(_: Request) -> Reply:
        await gate.wait()
        return said({"id": 1, "cursor": "1-1", "at": AT}, 201)

    async with (
        Scripted(hold) as gateway,
        poster(gateway.url) as client,
        client.outbox(tmp_path / "outbox") as outbox,
    ):
        first = asyncio.ensure_future(outbox.post(CHANNEL, "first"))
        second = asyncio.ensure_future(outbox.post(CHANNEL, "second"))
        await eventually(lambda: gateway.requests, within_s=WITHIN_S, what="the first is sent")
        rows = {row.text: row.client_id for row in await outbox.waiting()}
        await outbox.drop(rows["second"])
        gate.set()
        assert (await first).id == 1
        with pytest.raises(NotPosted, match="it was dropped"):
            await second
    assert len(gateway.requests) == 1


async def test_it_belongs_to_one_user(tmp_path: Path) -> None:
    """Whoever resumed another one's posts would say them as themselves."""
    async with poster("http://localhost:1") as client, client.outbox(tmp_path / "outbox"):
        pass
    async with poster("http://localhost:1", "eve") as client:
        with pytest.raises(OutboxClosed, match="outbox of user ada, not of eve"):
            async with client.outbox(tmp_path / "outbox"):
                pass


async def test_it_belongs_to_one_program_at_a_time(tmp_path: Path) -> None:
    async with poster("http://localhost:1") as client, client.outbox(tmp_path / "outbox"):
        with pytest.raises(OutboxClosed, match="used by another program"):
            async with client.outbox(tmp_path / "outbox"):
                pass
    async with poster("http://localhost:1") as client, client.outbox(tmp_path / "outbox"):
        pass


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE something (x)")
    file.close()


@pytest.mark.parametrize(
    "make",
    [foreign, lambda path: path.write_bytes(b"no database " * 100), lambda path: path.mkdir()],
    ids=["foreign", "rubbish", "folder"],
)
async def test_what_is_no_outbox_is_left_as_it_is(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    path = tmp_path / "file"
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    async with poster("http://localhost:1") as client:
        with pytest.raises(OutboxClosed, match="file"):
            async with client.outbox(path):
                pass
    assert before == (path.read_bytes() if path.is_file() else b"")


async def test_it_may_be_left_and_entered_again(tmp_path: Path) -> None:
    channel = Channel([])
    async with Scripted(channel.handle) as gateway, poster(gateway.url) as client:
        outbox = client.outbox(tmp_path / "outbox")
        for text in ("one", "two"):
            async with outbox:
                await outbox.post(CHANNEL, text)
    assert channel.texts == ["one", "two"]


async def test_it_is_used_inside_of_with(tmp_path: Path) -> None:
    async with poster("http://localhost:1") as client:
        outbox = client.outbox(tmp_path / "outbox")
        assert isinstance(outbox, Outbox)
        with pytest.raises(OutboxClosed, match="async with"):
            await outbox.post(CHANNEL, "hello")


def test_when_too_many_wait_no_more_are_taken(tmp_path: Path) -> None:
    rows = Rows(tmp_path / "outbox", "ada", waiting_max=3)
    for number in range(3):
        rows.add(CHANNEL, f"k{number}", "hello", None)
    with pytest.raises(OutboxFull, match="resume"):
        rows.add(CHANNEL, "k3", "hello", None)
    rows.remove("k0")
    rows.add(CHANNEL, "k3", "hello", None)
    assert [row.client_id for row in rows.waiting()] == ["k1", "k2", "k3"]
    rows.close()
