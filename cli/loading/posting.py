"""The posts of one worker: at their times, whether the ones before are answered or not."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack

from cli.loading import text
from cli.loading.errors import Errors
from cli.loading.latencies import Latencies
from cli.loading.words import POSTED_S, OfPosts, Place, Plan, Poster
from rostrum import Client, NotPosted, RostrumError

# Posts of one worker that wait for their answers; what is due beyond is not sent, and counted.
WAITING_MAX = 2_000


class Posts:
    """Posts the share of a worker. `client` makes the client of one person."""

    def __init__(self, plan: Plan, client: Callable[[Poster], Client]) -> None:
        self._plan = plan
        self._clients = [(poster, client(poster)) for poster in plan.posters]
        self._latencies = Latencies()
        self._sent = self._acknowledged = self._unknown = self._failed = self._unsent = 0
        self._waiting = 0
        self.errors = Errors()
        # Of each place what was acknowledged: id and number of the post.
        self.acks: list[list[tuple[int, int]]] = [[] for _ in plan.places]

    def counts(self) -> OfPosts:
        """Since the start."""
        return OfPosts(
            sent=self._sent,
            acknowledged=self._acknowledged,
            waiting=self._waiting,
            unknown=self._unknown,
            failed=self._failed,
            unsent=self._unsent,
            steps=dict(self._latencies.steps),
        )

    async def run(self) -> None:
        """Post until the time is over and all is answered."""
        plan = self._plan
        count = round(plan.per_s * plan.seconds)
        async with AsyncExitStack() as opened, asyncio.TaskGroup() as tasks:
            for _, client in self._clients:
                await opened.enter_async_context(client)
            began_s = time.monotonic()
            for turn in range(count):
                await asyncio.sleep(max(began_s + turn / plan.per_s - time.monotonic(), 0))
                if self._waiting >= WAITING_MAX:
                    self._unsent += 1
                    continue
                self._waiting += 1
                tasks.create_task(self._post(turn))

    async def _post(self, turn: int) -> None:
        poster, client = self._clients[turn % len(self._clients)]
        at = poster.places[turn // len(self._clients) % len(poster.places)]
        number = self._plan.first + turn * self._plan.step
        self._sent += 1
        began_s = time.monotonic()
        try:
            ident = await self._put(client, self._plan.places[at], number)
        except RostrumError as fault:
            self._fail(fault)
        else:
            self._acknowledged += 1
            self._latencies.take((time.monotonic() - began_s) * 1000)
            self.acks[at].append((ident, number))
        finally:
            self._waiting -= 1

    async def _put(self, client: Client, place: Place, number: int) -> int:
        run = self._plan.run
        posted = await client.post(
            place.channel,
            text.written(run, number, self._plan.characters),
            client_id=f"{run}-{number}",
            within_s=POSTED_S,
        )
        return posted.id

    def _fail(self, fault: RostrumError) -> None:
        if isinstance(fault, NotPosted) and fault.is_unknown:
            self._unknown += 1
        else:
            self._failed += 1
        cause = fault.__cause__ or fault
        self.errors.note(f"post: {getattr(cause, 'code', None) or type(cause).__name__}")
