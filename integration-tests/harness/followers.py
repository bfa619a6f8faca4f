"""Many long-polls from one process: `python -m harness.followers`, one JSON report on stdout.

Speaks HTTP/1.1 over plain asyncio streams, because a client library would cost more per poll than
the server that is measured. A post's text starts with its time (CLOCK_MONOTONIC nanoseconds, which
all processes of a machine share), so each delivery's age is known.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any

TIMEOUT_S = 60


@dataclass
class Follower:
    """One connection that follows a channel until it has seen entry `last`."""

    host: str
    port: int
    channel: str
    token: str
    cursor: str
    last: int
    ids: list[int] = field(default_factory=list)
    lags_ns: list[int] = field(default_factory=list)
    polls: int = 0

    async def follow(self, parked: asyncio.Semaphore) -> None:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        parked.release()
        while not self.ids or self.ids[-1] < self.last:
            writer.write(self._request())
            async with asyncio.timeout(TIMEOUT_S):
                answer = await _answer(reader)
            self._take(answer)
        writer.close()

    def _request(self) -> bytes:
        path = f"/v1/channels/{self.channel}/poll?after={self.cursor}&wait=25"
        head = f"GET {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {self.token}\r\n\r\n"
        return head.encode()

    def _take(self, answer: dict[str, Any]) -> None:
        now = time.monotonic_ns()
        self.polls += 1
        for entry in answer["entries"]:
            self.ids.append(entry["id"])
            self.lags_ns.append(now - int(entry["text"].split()[0]))
        self.cursor = answer["cursor"]


async def _answer(reader: asyncio.StreamReader) -> dict[str, Any]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.split("content-length:")[1].split("\r\n")[0])
    body = await reader.readexactly(length)
    status = head.split(" ", 2)[1]
    if status != "200":
        raise AssertionError(f"{status}: {body.decode()}")
    answer: dict[str, Any] = json.loads(body)
    return answer


async def follow_all(order: dict[str, Any]) -> dict[str, Any]:
    """Follow as ordered. Says "parked" on stdout once every connection is open."""
    followers = [
        Follower(
            order["host"],
            order["port"],
            order["channel"],
            order["tokens"][number % len(order["tokens"])],
            order["cursor"],
            order["last"],
        )
        for number in range(order["count"])
    ]
    parked = asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as group:
        for follower in followers:
            group.create_task(follower.follow(parked))
        for _ in followers:
            await parked.acquire()
        print("parked", flush=True)
    return {
        "sequences": [follower.ids for follower in followers],
        "lags_ns": [lag for follower in followers for lag in follower.lags_ns],
        "polls": sum(follower.polls for follower in followers),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(follow_all(json.loads(sys.stdin.readline())))), flush=True)
