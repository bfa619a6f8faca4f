"""A worker of `rostrum load`: `python -m cli.loading.worker`, told and telling by lines of JSON.

It ends by itself when its orders end: whoever started it may be gone.
"""

import asyncio
import resource
import sys
import time
from pathlib import Path

from cli.address import Where
from cli.loading.following import Crowd
from cli.loading.people import client_of
from cli.loading.posting import Posts
from cli.loading.words import (
    LINE_BYTES_MAX,
    Acks,
    Begin,
    Judge,
    Order,
    Plan,
    Post,
    Posted,
    Report,
    Stats,
    Verdict,
    acks_of,
)
from cli.signing import Signatory
from libs.runtime.logging import hushed
from libs.runtime.settings import CommandSettings
from libs.runtime.tasks import GroupTasks, Tasks
from libs.wire.codec import from_json, to_json

STATS_S = 0.5
# How often it is looked whether all is there, and how late the loop is.
LOOK_S = 0.05


class _Over(Exception):
    """The orders ended, and all tasks."""


class Worker:
    """Does one plan."""

    def __init__(self, plan: Plan) -> None:
        people = [each.person for each in plan.followings] + [each.person for each in plan.posters]
        signs = any(person.token is None for person in people)
        signatory = Signatory(Where(CommandSettings(data=Path(plan.data)))) if signs else None
        self._plan = plan
        self._crowd = Crowd(
            plan.run,
            plan.places,
            plan.followings,
            lambda each: client_of(plan.url, each.person, signatory),
        )
        self._posts = Posts(plan, lambda each: client_of(plan.url, each.person, signatory))
        # Of each place, what all workers were acknowledged.
        self._acks: list[list[tuple[int, int]]] = [[] for _ in plan.places]
        self._late_ms = 0.0

    async def run(self, orders: asyncio.StreamReader) -> None:
        """Do what the orders say, to their end."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = GroupTasks(group)
                tasks.spawn(self._tell(), name="stats")
                tasks.spawn(self._notice_lateness(), name="lateness")
                self._crowd.start(tasks)
                await self._obey(orders, tasks)
                await tasks.end()
                raise _Over
        except* _Over:
            pass

    async def _obey(self, orders: asyncio.StreamReader, tasks: Tasks) -> None:
        while (order := await _next(orders)) is not None:
            match order:
                case Post():
                    tasks.spawn(self._post(), name="posts")
                case Acks():
                    self._acks[order.place] += order.pairs
                case Judge():
                    await self._judge(order)
                    return

    async def _post(self) -> None:
        await self._posts.run()
        for place, pairs in enumerate(self._posts.acks):
            for acks in acks_of(place, pairs):
                _say(acks)
        _say(Posted())

    async def _judge(self, order: Judge) -> None:
        deadline = time.monotonic() + order.within_s
        # What comes is counted by many, and told to nobody: an event for each would cost more.
        is_there = self._crowd.is_there
        while not is_there(order.until) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)
        _say(self._stats())
        expected, lost = self._crowd.judged(order.until)
        seen = self._crowd.contents
        _say(
            Verdict(
                expected=expected,
                lost=lost,
                differing=sum(each.differing for each in seen),
                unfounded=sum(
                    each.unfounded(pairs) for each, pairs in zip(seen, self._acks, strict=True)
                ),
                written_again=sum(each.written_again() for each in seen),
            )
        )

    async def _tell(self) -> None:
        while True:
            _say(self._stats())
            await asyncio.sleep(STATS_S)

    async def _notice_lateness(self) -> None:
        while True:
            due_s = time.monotonic() + LOOK_S
            await asyncio.sleep(LOOK_S)
            self._late_ms = max(self._late_ms, (time.monotonic() - due_s) * 1000)

    def _stats(self) -> Stats:
        return Stats(
            ways=self._crowd.counts(),
            posts=self._posts.counts(),
            errors=dict(self._crowd.errors.counts + self._posts.errors.counts),
            late_ms=self._late_ms,
        )


def _say(report: Report) -> None:
    sys.stdout.buffer.write(to_json(report) + b"\n")
    sys.stdout.buffer.flush()


async def _next(orders: asyncio.StreamReader) -> Order | None:
    line = await orders.readline()
    return from_json(line, Order) if line else None  # type: ignore[arg-type]


async def _main() -> None:
    orders = asyncio.StreamReader(limit=LINE_BYTES_MAX)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    first = await _next(orders)
    if isinstance(first, Begin):
        await Worker(first.plan).run(orders)


def main() -> None:
    """Work until told to end. Each follower is an open file: as many as this process may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with hushed():
        asyncio.run(_main())


if __name__ == "__main__":
    main()
