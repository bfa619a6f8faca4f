"""The blocking client: the same methods, interrupted by Ctrl-C, ended without a trace."""

import asyncio
import contextlib
import inspect
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import rostrum
from clients.python.tests.people import PASSWORD
from clients.python.tests.programs import started
from clients.python.tests.scripted import Reply, Request, Scripted, said
from libs.testing.eventually import eventually
from rostrum import Message, Received, Refused, SignedOut, sync
from rostrum.portal import Portal

WITHIN_S = 20.0
# Not of the public interface of either.
OWN = {"http"}


def public(kind: type[Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(kind).items()
        if not name.startswith("_") and name not in OWN
    }


def parameters(method: Callable[..., Any]) -> list[tuple[str, object, object]]:
    found = inspect.signature(method).parameters.values()
    return [(one.name, one.kind, one.default) for one in found]


@pytest.mark.parametrize(
    ("asynchronous", "blocking"),
    [
        (rostrum.Client, sync.Client),
        (rostrum.Outbox, sync.Outbox),
        (rostrum.Follower, sync.Follower),
    ],
    ids=["Client", "Outbox", "Follower"],
)
def test_every_method_is_there_with_the_same_parameters(
    asynchronous: type[Any], blocking: type[Any]
) -> None:
    assert public(blocking).keys() == public(asynchronous).keys()
    for name, method in public(asynchronous).items():
        if callable(method):
            assert parameters(getattr(blocking, name)) == parameters(method), name


def test_the_client_is_made_with_the_same_parameters() -> None:
    assert parameters(sync.Client.__init__) == parameters(rostrum.Client.__init__)


def test_a_program_without_asyncio_does_all_of_it(url: str, tmp_path: Path) -> None:
    with sync.Client(url) as client:
        with pytest.raises(SignedOut):
            client.me()
        client.sign_up("sara", PASSWORD, name="Sara")
        assert client.sign_in("sara", PASSWORD).user == client.me()
        channel = client.create_channel("Notes").id
        assert [found.id for found in client.channels()] == [channel]
        assert [client.post(channel, str(number)).id for number in range(1, 4)] == [1, 2, 3]
        assert [entry.id for entry in client.history(channel)] == [1, 2, 3]
        with client.outbox(tmp_path / "outbox") as outbox:
            assert outbox.post(channel, "4").id == 4
            assert (outbox.waiting(), outbox.resume().waiting) == ([], 0)
        with pytest.raises(Refused, match="channel_unknown"):
            client.channel("0" * 26)
        client.sign_out()
        assert not client.is_signed_in


def test_an_iterator_that_is_left_early_is_closed(url: str) -> None:
    with sync.Client(url) as client:
        client.sign_up("tess", PASSWORD, name="Tess")
        client.sign_in("tess", PASSWORD)
        channel = client.create_channel("Notes").id
        for number in range(3):
            client.post(channel, str(number))
        entries = client.history(channel)
        assert next(entries).id == 1
        left = client.history(channel)
        assert next(left).id == 1
        del left
    with pytest.raises(RuntimeError, match="with Client"):
        next(entries)


def test_what_happens_in_a_channel_is_followed_with_and_without_with(url: str) -> None:
    with sync.Client(url) as client:
        client.sign_up("vera", PASSWORD, name="Vera")
        client.sign_in("vera", PASSWORD)
        channel = client.create_channel("Notes").id
        for number in range(1, 4):
            client.post(channel, str(number))
        texts = []
        for event in client.follow({channel: "1-1"}):
            assert isinstance(event, Received)
            assert isinstance(event.entry, Message)
            texts.append(event.entry.text)
            if event.entry.id == 3:
                break
        assert texts == ["2", "3"]
        with client.follow([]) as follower:
            follower.watch({channel: "1-2"})
            event = next(iter(follower))
            assert isinstance(event, Received)
            assert (event.entry.id, follower.cursors) == (3, {channel: "1-3"})
            assert (follower.way, follower.is_connected) == ("websocket", True)
            follower.unwatch([channel])
            assert follower.cursors == {}
        left = client.follow({channel: "1-0"})
        assert next(iter(left)) is not None
    assert "rostrum" not in {thread.name for thread in threading.enumerate()}


def test_several_threads_share_a_client(url: str) -> None:
    with sync.Client(url) as client:
        client.sign_up("uma", PASSWORD, name="Uma")
        client.sign_in("uma", PASSWORD)
        channel = client.create_channel("Notes").id
        with ThreadPoolExecutor(8) as threads:
            posted = list(threads.map(lambda text: client.post(channel, text), map(str, range(40))))
    assert sorted(one.id for one in posted) == list(range(1, 41))


def test_at_the_end_no_thread_is_left_and_the_client_says_so() -> None:
    before = set(threading.enumerate())
    client = sync.Client("http://localhost:1")
    with pytest.raises(RuntimeError, match="with Client"):
        client.me()
    with client, pytest.raises(SignedOut):
        client.me()
    assert set(threading.enumerate()) == before
    with pytest.raises(RuntimeError, match="with Client"):
        client.me()


def test_a_portal_that_is_closed_twice_is_closed() -> None:
    portal = Portal()
    portal.open()
    portal.close()
    portal.close()
    assert not portal.is_open


def test_what_does_not_end_when_it_is_interrupted_is_left_after_a_while() -> None:
    main = threading.main_thread().ident
    assert main is not None
    over = threading.Event()

    async def deaf() -> None:
        signal.pthread_kill(main, signal.SIGINT)
        while not over.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)

    portal = Portal(cancel_s=0.01)
    portal.open()
    with pytest.raises(KeyboardInterrupt):
        portal.run(deaf())
    over.set()
    portal.close()


ASK = """
import sys
from rostrum import Session
from rostrum.sync import Client

with Client(sys.argv[1], session=Session.of_token("token")) as client:
    for _ in range(2):
        try:
            print("asking", flush=True)
            print(client.me().handle, flush=True)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
print("closed", flush=True)
"""


async def test_ctrl_c_interrupts_what_waits_and_the_client_goes_on() -> None:
    never = asyncio.Event()

    async def answer_the_second(_: Request) -> Reply:
        if len(gateway.requests) == 1:
            await never.wait()
        return said({"id": "u", "handle": "ada"})

    async with Scripted(answer_the_second) as gateway:
        program = await started(ASK, gateway.url)
        await eventually(lambda: gateway.requests, within_s=WITHIN_S, what="it waits")
        program.send_signal(signal.SIGINT)
        async with asyncio.timeout(WITHIN_S):
            output, _ = await program.communicate()
        never.set()
    assert output.split() == [b"asking", b"interrupted", b"asking", b"ada", b"closed"]
    assert program.returncode == 0


async def test_ctrl_c_that_nobody_catches_ends_the_program() -> None:
    never = asyncio.Event()

    async def wait(_: Request) -> Reply:
        await never.wait()
        return said({})

    async with Scripted(wait) as gateway:
        program = await started(ASK.replace("KeyboardInterrupt", "ValueError"), gateway.url)
        await eventually(lambda: gateway.requests, within_s=WITHIN_S, what="it waits")
        program.send_signal(signal.SIGINT)
        async with asyncio.timeout(WITHIN_S):
            await program.wait()
        never.set()
    assert program.returncode == -signal.SIGINT
