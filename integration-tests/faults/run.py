"""One run: the suite is started, clients work while a plan is carried out, all is healed, fresh
readers read everything, and the history is judged."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from checker.history import Writer
from faults.clients import Order
from faults.gateway import Gateway
from faults.nemesis import Nemesis
from faults.notes import Notes
from faults.plan import Period
from faults.start import started
from harness.cluster import Cluster
from harness.people import People

ROOT = Path(__file__).parents[2]
CHANNELS, PEOPLE, FOLLOWERS = 8, 6, 2
HISTORY = "history.jsonl"
# Everything is healed: what was not answered by then never will be.
END_S = 240.0
READ_S = 20.0


async def run(
    folder: Path, seed: int, periods: Sequence[Period], *, rate: float, least: int
) -> list[str]:
    """Leave the history in `folder`. Returns what was not well in time: something that a fault hit
    and that did not come back, posts without an answer, readers behind, a channel that cannot be
    read. So many posts at `least`, at this rate a second."""
    history, lacks = folder / HISTORY, list[str]()
    async with started(folder) as site:
        order = await _order(site.cluster, seed, history, rate=rate, least=least)
        clients = await _clients(order)
        with Writer(history) as writer:
            notes = Notes(writer)
            with _noted(lacks):
                await Nemesis(site, notes.fault).play(periods)
            with _noted(lacks):
                await _ended(clients)
            with _noted(lacks):
                await _read_all(order, notes)
    return lacks


@contextlib.contextmanager
def _noted(lacks: list[str]) -> Iterator[None]:
    try:
        yield
    except AssertionError as fault:
        lacks.append(str(fault))


async def _order(cluster: Cluster, seed: int, history: Path, *, rate: float, least: int) -> Order:
    async with People(cluster.url) as people:
        persons = [await people.person(f"person{at}") for at in range(PEOPLE)]
        owner, *members = persons
        channels = []
        for at in range(CHANNELS):
            channels.append((await owner.create(f"channel{at}", visibility="public"))["id"])
            for each in members:
                await each.join(channels[-1])
    return Order(
        gateways=[url.removeprefix("http://") for url in cluster.urls],
        channels=channels,
        people=[{"handle": each.handle, "id": each.id, "token": each.token} for each in persons],
        followers=FOLLOWERS,
        seed=seed,
        rate=rate,
        least=least,
        history=str(history),
    )


async def _clients(order: Order) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "faults.workload"),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'integration-tests'}"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(order.to_json()).encode() + b"\n")
    assert await process.stdout.readline() == b"begun\n"
    return process


async def _ended(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"end\n")
    try:
        async with asyncio.timeout(END_S):
            told = json.loads(await process.stdout.readline())
            await process.wait()
    except TimeoutError as late:
        process.kill()
        raise AssertionError(f"posts wait {END_S:.0f} s after all was healed") from late
    assert told["all_read"], "followers have not seen all that was acknowledged"


async def _read_all(order: Order, notes: Notes) -> None:
    """Everything from the start, at every gateway, by somebody who has read nothing yet."""
    token = await _token(order)
    for address in order.gateways:
        gateway = Gateway(address)
        for channel in order.channels:
            reader = f"final at {address}"
            notes.resume(reader, reader, channel, "1-0", user=order.people[-1]["id"])
            entries = await _read(gateway, channel, token)
            notes.deliver(reader, reader, channel, entries, via="final")
            notes.final(reader, channel, len(entries))
        gateway.close()


async def _token(order: Order) -> str:
    """The first ones are over after ten minutes."""
    async with People(f"http://{order.gateways[0]}") as people:
        return (await people.sign_in(order.people[-1]["handle"])).token


async def _read(gateway: Gateway, channel: str, token: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    more = True
    while more:
        path = f"/v1/channels/{channel}/messages?after={entries[-1]['id'] if entries else 0}"
        answer = await gateway.ask("GET", path, token, timeout_s=READ_S)
        assert answer.status == 200, answer
        entries += answer.body["entries"]
        more = answer.body["more"]
    return entries
