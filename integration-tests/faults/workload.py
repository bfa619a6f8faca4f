"""The clients of a run, in a process of their own: `python -m faults.workload`.

Takes an `Order` as one line of JSON on stdin. Says "begun" once everybody is at work. At the line
"end" the posters finish, the followers read to the end, and the process says in one line of JSON
how much was posted and whether all was read.
"""

import asyncio
import json
import os
import sys
from itertools import cycle
from pathlib import Path

from checker.history import Writer
from faults.clients import Order, World
from faults.followers import Follower, Walker, all_read
from faults.notes import Notes
from faults.posters import Posters

CAUGHT_UP_S = 60.0


async def work(order: Order) -> dict[str, object]:
    """Do as ordered."""
    with Writer(Path(order.history)) as writer:
        world, notes = World(order), Notes(writer)
        posters = Posters(world, notes)
        followers = [
            Follower(f"follower{at}", person, world, notes, gateway)
            for at, person, gateway in zip(
                range(order.followers), cycle(world.people), cycle(world.gateways), strict=False
            )
        ]
        async with asyncio.TaskGroup() as group:
            lasting = [
                group.create_task(world.renew_tokens()),
                group.create_task(Walker("walker", world, notes).walk(posters.heads)),
                *(
                    group.create_task(each.follow(channel))
                    for each in followers
                    for channel in order.channels
                ),
            ]
            group.create_task(_until_told(world.done))
            print("begun", flush=True)
            await posters.run()
            read = await all_read(followers, posters.heads, CAUGHT_UP_S)
            for each in lasting:
                each.cancel()
        for gateway in world.gateways:
            gateway.close()
    return {"posts": posters.made, "all_read": read, "heads": posters.heads}


async def _until_told(done: asyncio.Event) -> None:
    # Without the line the one who would send it is gone, and nobody wants the history.
    if not await asyncio.to_thread(sys.stdin.readline):
        os._exit(1)
    done.set()


if __name__ == "__main__":
    told = json.loads(sys.stdin.readline())
    print(json.dumps(asyncio.run(work(Order(**told)))), flush=True)
