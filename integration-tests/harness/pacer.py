"""Posts at a fixed rate, whatever becomes of the earlier ones: an open loop, as a crowd posts.

Speaks HTTP/1.1 over plain asyncio streams, because a client library would cost more per post than
the services that are measured.
"""

import asyncio
import json
import time
from collections import Counter
from contextlib import suppress
from itertools import pairwise
from typing import Any, NamedTuple

from harness.people import Person
from libs.testing.eventually import eventually

# Longer than any promised answer takes.
ANSWER_S = 20.0
# As clients are told by `Retry-After`.
AGAIN_S = 1.0
ACKNOWLEDGED_S = 120.0
# More that wait for an answer mean that the rate is not kept up with.
WAITING_MAX = 4_000

# Servers close what is idle for five seconds, and a request must not meet that.
IDLE_S = 3.0


class Connection(NamedTuple):
    """An open connection, and since when (monotonic s) it is idle."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    since: float


class Acknowledged(NamedTuple):
    """A post's entry id, when it was sent first and when it was acknowledged (monotonic s)."""

    id: int
    sent: float
    at: float


class Pacer:
    """`rate` posts a second by one person to one channel, each repeated with its `client_id` until
    it is acknowledged. Post n says "post n"."""

    def __init__(self, port: int, person: Person, channel: str, *, rate: float) -> None:
        self._port = port
        self._person = person
        self._channel = channel
        self._rate = rate
        self._idle: list[Connection] = []
        self._done = asyncio.Event()
        self.acknowledged: dict[int, Acknowledged] = {}
        self.answers: Counter[str] = Counter()
        self.offered = 0

    async def run(self) -> None:
        """Offer until `finish`, then wait for the rest. Raises `AssertionError` when
        ever more of them wait."""
        try:
            async with asyncio.TaskGroup() as posting:
                await self._offer(posting)
        finally:
            for each in self._idle:
                each.writer.close()

    async def _offer(self, posting: asyncio.TaskGroup) -> None:
        began = time.monotonic()
        while not self._done.is_set():
            due = int((time.monotonic() - began) * self._rate)
            waiting = self.offered - len(self.acknowledged)
            assert waiting < WAITING_MAX, f"{waiting} posts wait: {dict(self.answers)}"
            for number in range(self.offered, due):
                posting.create_task(self._post(number))
            self.offered = max(self.offered, due)
            with suppress(TimeoutError):
                async with asyncio.timeout(1 / self._rate):
                    await self._done.wait()

    def finish(self) -> None:
        """Offer no more."""
        self._done.set()

    async def have(self, count: int, *, within_s: float) -> None:
        """Wait for so many acknowledgements."""
        await eventually(
            lambda: len(self.acknowledged) >= count, within_s=within_s, what=f"{count} posts"
        )

    def longest_gap(self, since: float) -> float:
        """Seconds between two acknowledgements, at most, from `since` on."""
        times = sorted(each.at for each in self.acknowledged.values() if each.at >= since)
        return max(after - before for before, after in pairwise([since, *times]))

    async def _post(self, number: int) -> None:
        sent = time.monotonic()
        body = json.dumps({"client_id": f"post-{number}", "text": f"post {number}"})

        async def attempt() -> int | None:
            status, answer = await self._ask(body)
            if status in {200, 201}:
                return int(answer["id"])
            self.answers[answer.get("code", "broken")] += 1
            if status not in {0, 503}:
                raise ValueError(f"{status}: {answer}")
            return None

        ident = await eventually(
            attempt, within_s=ACKNOWLEDGED_S, every_s=AGAIN_S, what=f"post {number} is taken"
        )
        assert ident is not None
        self.acknowledged[number] = Acknowledged(ident, sent, time.monotonic())

    async def _ask(self, body: str) -> tuple[int, dict[str, Any]]:
        """Status and answer; 0 when the connection broke."""
        try:
            reader, writer, _ = await self._connection()
        except OSError:
            return 0, {}
        try:
            async with asyncio.timeout(ANSWER_S):
                writer.write(self._request(body))
                status, answer = await _answer(reader)
        except (OSError, EOFError, TimeoutError):
            writer.close()
            return 0, {}
        except asyncio.CancelledError:
            writer.close()
            raise
        self._idle.append(Connection(reader, writer, time.monotonic()))
        return status, answer

    async def _connection(self) -> Connection:
        while self._idle:
            found = self._idle.pop()
            if time.monotonic() - found.since < IDLE_S:
                return found
            found.writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        return Connection(reader, writer, 0.0)

    def _request(self, body: str) -> bytes:
        return (
            f"POST /v1/channels/{self._channel}/messages HTTP/1.1\r\nHost: test\r\n"
            f"Authorization: Bearer {self._person.token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, Any]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.split("content-length:")[1].split("\r\n")[0])
    answer: dict[str, Any] = json.loads(await reader.readexactly(length))
    return int(head.split(" ", 2)[1]), answer
