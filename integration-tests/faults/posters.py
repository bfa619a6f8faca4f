"""Posts at a given pace, each sent again with its `client_id` until it is acknowledged."""

import asyncio
from dataclasses import dataclass, field
from itertools import count

from faults.clients import Person, World
from faults.gateway import Answer, Gateway
from faults.notes import ACKNOWLEDGED, Notes, Post
from faults.pause import pause, until

# Most wait longer than a gateway takes to answer (6 s); the impatient send again while the first
# one is still under way, and a part of them says so.
PATIENT_S, IMPATIENT_S = 7.0, 1.2
IMPATIENT_SHARE = 0.2
SAYS_RETRY_SHARE = 0.5
SAME_GATEWAY_SHARE = 0.25
# Posts that wait at once: some seconds of the pace. Beyond it the pace falls, because it is people
# who wait: an outage must not end in more load than two cores can take.
UNDER_WAY_MAX = 150
# A post that is not acknowledged by then is given up, and the run is no good.
GIVE_UP_S = 180.0
REFUSED = (400, 403, 404, 409, 410, 413, 422)


@dataclass
class Posters:
    """All posts of a run. `heads` are the highest ids that were acknowledged."""

    world: World
    notes: Notes
    heads: dict[str, int] = field(default_factory=dict)
    made: int = 0

    async def run(self) -> None:
        """Post until the run is done and enough was posted; return when all are acknowledged."""
        order, loop = self.world.order, asyncio.get_running_loop()
        room = asyncio.Semaphore(UNDER_WAY_MAX)
        due_s = loop.time()
        async with asyncio.TaskGroup() as group:
            while not (self.world.done.is_set() and self.made >= order.least):
                due_s = max(due_s + 1 / order.rate, loop.time() - 1.0)
                await until(due_s)
                await room.acquire()
                task = group.create_task(self._post(*self._next()))
                task.add_done_callback(lambda _: room.release())

    def _next(self) -> tuple[Post, Person]:
        self.made += 1
        dice, order = self.world.dice, self.world.order
        person = dice.choice(self.world.people)
        return Post(dice.choice(order.channels), person.id, f"{order.seed}-{self.made}"), person

    async def _post(self, post: Post, person: Person) -> None:
        loop = asyncio.get_running_loop()
        gives_up_s = loop.time() + GIVE_UP_S
        gateway = self.world.dice.choice(self.world.gateways)
        for attempt in count(1):
            post.attempts = attempt
            answer = await self._attempt(post, person, gateway)
            is_over = answer.status in ACKNOWLEDGED or answer.status in REFUSED
            if is_over or loop.time() > gives_up_s:
                return
            await pause(self.world.backoff_s(attempt, answer))
            if self.world.dice.random() > SAME_GATEWAY_SHARE:
                gateway = self.world.other(gateway)

    async def _attempt(self, post: Post, person: Person, gateway: Gateway) -> Answer:
        dice = self.world.dice
        is_first = post.attempts == 1
        retry = not is_first and dice.random() < SAYS_RETRY_SHARE
        patience_s = IMPATIENT_S if is_first and dice.random() < IMPATIENT_SHARE else PATIENT_S
        body = {"client_id": post.key, "text": post.text} | ({"retry": True} if retry else {})
        self.notes.invoke(post, retry=retry)
        path = f"/v1/channels/{post.channel}/messages"
        answer = await gateway.ask("POST", path, person.token, body=body, timeout_s=patience_s)
        self.notes.outcome(post, answer)
        if answer.status in ACKNOWLEDGED:
            head = max(self.heads.get(post.channel, 0), answer.body["id"])
            self.heads[post.channel] = head
        return answer
