"""A process that appends and prints the offset of each acknowledged record, until it is killed.

Run as a module with the log's path. With a number after it, no file may grow beyond so many bytes
until a line is read from the input: a disk that fails and heals, without mounting one.
"""

import asyncio
import resource
import sys

from libs.log.port import LogError, Partition
from libs.log.sqlite import SqliteLog, open_sqlite
from libs.wire.topics import Cleanup, Topic

TOPIC = Topic("t", 1, Cleanup.NEVER, key="", holds=(), writers=(), readers=())
PARTITION = Partition("t", 0)
WRITERS = 8


def say(*words: object) -> None:
    print(*words, flush=True)


async def write(log: SqliteLog) -> None:
    while True:
        say((await log.append(PARTITION, b"x" * 500)).offset)


async def fail_and_heal(log: SqliteLog, limit: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    while True:
        try:
            say((await log.append(PARTITION, b"x" * 5_000)).offset)
        except LogError as error:
            say(type(error).__name__, error)
            break
    await asyncio.to_thread(sys.stdin.readline)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    say("healed", (await log.append(PARTITION, b"after")).offset)
    await log.close()


async def main(path: str, limit: int | None) -> None:
    log = await open_sqlite(path, now_ms=lambda: 1)
    await log.create_topics([TOPIC])
    if limit is not None:
        await fail_and_heal(log, limit)
        return
    async with asyncio.TaskGroup() as tasks:
        for _ in range(WRITERS):
            tasks.create_task(write(log))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]) if sys.argv[2:] else None))
