"""What all clients of a run share: the order that they were given, gateways, people, the end."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from faults.gateway import Answer, Gateway
from faults.pause import pause

PASSWORD = "correct horse battery"
# Tokens live ten minutes; by half of that whoever was away is back.
RENEW_S = 240.0
RENEW_AGAIN_S = 2.0
SIGN_IN_S = 10.0


@dataclass
class Person:
    """Somebody with an account, and the token that counts now."""

    handle: str
    id: str
    token: str


@dataclass(frozen=True)
class Order:
    """What to do. `rate` is posts a second over all channels, of which at least `least` are made;
    `history` is the file of what happened."""

    gateways: Sequence[str]
    channels: Sequence[str]
    people: Sequence[dict[str, str]]
    followers: int
    seed: int
    rate: float
    least: int
    history: str

    def to_json(self) -> dict[str, Any]:
        """As the process of the clients takes it."""
        return asdict(self)


@dataclass
class World:
    """The gateways, the people, and whether the run has been told to end (`done`)."""

    order: Order
    gateways: list[Gateway] = field(init=False)
    people: list[Person] = field(init=False)
    dice: random.Random = field(init=False)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gateways = [Gateway(each) for each in self.order.gateways]
        self.people = [Person(**each) for each in self.order.people]
        self.dice = random.Random(self.order.seed)

    def other(self, than: Gateway) -> Gateway:
        """Another gateway, if there is one."""
        return self.dice.choice([each for each in self.gateways if each is not than] or [than])

    async def renew_tokens(self) -> None:
        """Sign in anew, in time and for ever."""
        while True:
            await pause(RENEW_S)
            for person in self.people:
                while not await self._sign_in(person):
                    await pause(RENEW_AGAIN_S)

    async def _sign_in(self, person: Person) -> bool:
        device = {"name": "test", "kind": "cli"}
        body = {"handle": person.handle, "password": PASSWORD, "device": device}
        gateway = self.dice.choice(self.gateways)
        answer = await gateway.ask("POST", "/v1/sessions", body=body, timeout_s=SIGN_IN_S)
        if answer.status == 201:
            person.token = answer.body["access_token"]
        return answer.status == 201

    def backoff_s(self, attempt: int, answer: Answer) -> float:
        """Before the next try: with jitter, longer each time, and as long as the server asks up to
        a second."""
        longest = min(0.1 * 2**attempt, 3.0)
        asked = min(answer.retry_after_s, 1.0)
        return asked * self.dice.uniform(0.5, 1.0) + self.dice.uniform(0, longest)
