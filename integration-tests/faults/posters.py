"""Posts at a given pace, each sent again with its `client_id` until it is acknowledged."""

import asyncio
from dataclasses import dataclass, field
from itertools import count

from faults.clients import Person, World
from faults.gateway import Answer, Gateway
from faults.notes import Notes
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
class Post:
    """One message, and the attempts to have it acknowledged."""

    key: str
    channel: str
    person: Person
    text: str
    attempts: int = 0
    began_s: float = 0.0


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
                task = group.create_task(self._post(self._next()))
                task.add_done_callback(lambda _: room.release())

    def _next(self) -> Post:
        self.made += 1
        key = f"{self.world.order.seed}-{self.made}"
        dice = self.world.dice
        channel, person = dice.choice(self.world.order.channels), dice.choice(self.world.people)
        return Post(key, channel, person, f"post {key}")

    async def _post(self, post: Post) -> None:
        loop = asyncio.get_running_loop()
        post.began_s = loop.time()
        gateway = self.world.dice.choice(self.world.gateways)
        for attempt in count(1):
            post.attempts = attempt
            answer = await self._attempt(post, gateway)
            if answer.status in (200, 201) or answer.status in REFUSED:
                return
            if loop.time() - post.began_s > GIVE_UP_S:
                return
            await pause(self.world.backoff_s(attempt, answer))
            if self.world.dice.random() > SAME_GATEWAY_SHARE:
                gateway = self.world.other(gateway)

    async def _attempt(self, post: Post, gateway: Gateway) -> Answer:
        dice = self.world.dice
        body: dict[str, object] = {"client_id": post.key, "text": post.text}
        if post.attempts > 1 and dice.random() < SAYS_RETRY_SHARE:
            body["retry"] = True
        is_impatient = post.attempts == 1 and dice.random() < IMPATIENT_SHARE
        patience_s = IMPATIENT_S if is_impatient else PATIENT_S
        self.notes.invoke(post.key, post.channel, post.attempts, gateway)
        path = f"/v1/channels/{post.channel}/messages"
        answer = await gateway.ask("POST", path, post.person.token, body=body, timeout_s=patience_s)
        self.notes.outcome(post.key, post.channel, post.attempts, answer)
        if answer.status in (200, 201):
            head = max(self.heads.get(post.channel, 0), answer.body["id"])
            self.heads[post.channel] = head
        return answer
