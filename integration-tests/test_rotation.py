"""The signing key is changed under load, and nobody is told to sign in."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from harness.cluster import Cluster, healed
from harness.people import Answer, People, Person
from libs.testing.eventually import eventually
from libs.wire.services import SESSION

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300), pytest.mark.long]

CLIENTS = 6
ROUNDS = 3
ROUND_S = 60.0
AGAIN_S = 0.1
SEED = 20_261_127
TAKEN = {200, 201}
# Nothing was done, or nobody knows: clients send it again.
AGAIN = {503, None}


class Client:
    """Posts, polls and refreshes all the time, with any of the tokens that it has."""

    def __init__(self, person: Person, channel: str, seed: int) -> None:
        self.rounds = 0
        self.answers: Counter[tuple[int | None, str]] = Counter()
        self._person = person
        self._channel = channel
        self._dice = random.Random(seed)
        self._tokens = [person.token]

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            key = f"{self._person.id}-{self.rounds}"
            post = {"client_id": key, "text": key}
            await self._ask("POST", f"/v1/channels/{self._channel}/messages", post)
            await self._ask("GET", f"/v1/channels/{self._channel}/poll?wait=0")
            await self._ask("GET", f"/v1/channels/{self._channel}/poll?wait=1")
            await self._refresh()
            # The newest counts at once, and is likely to be one that the gateway has not seen.
            await self._ask("GET", "/v1/me", token=self._person.token)
            self.rounds += 1

    def forget(self, kid: str) -> None:
        """What a key signed has expired, as it were."""
        self._tokens = [token for token in self._tokens if _kid(token) != kid]

    def kids(self) -> set[str]:
        """The keys that signed its tokens."""
        return set(map(_kid, self._tokens))

    async def _refresh(self) -> None:
        async def refreshed() -> bool:
            return self._count(await self._person.refresh()) in TAKEN

        # Soon: a refresh whose answer is lost is repeated within 10 s, or it is a stolen one.
        await eventually(refreshed, within_s=ROUND_S, every_s=AGAIN_S, what="a refresh")
        self._tokens.append(self._person.token)

    async def _ask(self, method: str, path: str, body: object = None, token: str = "") -> None:
        bearer = token or self._dice.choice(self._tokens)
        self._count(await self._person.ask(method, path, body, token=bearer))

    def _count(self, answer: Answer) -> int | None:
        code = answer.body.get("code", "") if answer.body else ""
        self.answers[answer.status, code] += 1
        assert answer.status in TAKEN | AGAIN, answer
        return answer.status


@asynccontextmanager
async def _running(clients: list[Client]) -> AsyncIterator[None]:
    """They run meanwhile; one that is refused ends the test at once."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(client.run()) for client in clients]
        yield
        for task in tasks:
            task.cancel()


async def test_a_key_is_changed_under_load_without_one_401(
    cluster: Cluster, figures: list[str]
) -> None:
    """New block behind the old one, in front of it, alone: each step restarts both instances of
    session, one after the other, while tokens from before and after it are used."""
    old, new = _secret(cluster).read_bytes(), _new_block()
    async with healed(cluster), People(cluster.url) as people:
        ada = await people.person("ada_rotation")
        old_kid = _kid(ada.token)
        channel = (await ada.create("rotation", visibility="public"))["id"]
        clients = [await _client(people, channel, number) for number in range(CLIENTS)]
        began = time.monotonic()
        async with _running(clients):
            await _some_rounds(clients)
            await _roll(cluster, old + new)
            await _some_rounds(clients)
            assert {kid for client in clients for kid in client.kids()} == {old_kid}
            await _roll(cluster, new + old)
            await _some_rounds(clients)
            kids = [client.kids() for client in clients]
            assert all(len(each) == 2 and old_kid in each for each in kids), kids
            for client in clients:
                client.forget(old_kid)
            await _roll(cluster, new)
            await _some_rounds(clients)
        took_s = time.monotonic() - began
        await _old_key_counts_no_more(ada)
    answers = sum((client.answers for client in clients), Counter[tuple[int | None, str]]())
    taken = sum(count for (status, _), count in answers.items() if status in TAKEN)
    others = {key: count for key, count in answers.items() if key[0] not in TAKEN}
    figures.append(
        f"signing key changed under load in {took_s:.0f} s: {taken} answers, 0 of them 401, "
        f"told to come again {others}"
    )


async def _client(people: People, channel: str, number: int) -> Client:
    person = await people.person(f"client_{number}_rotation")
    await person.join(channel)
    return Client(person, channel, SEED + number)


async def _roll(cluster: Cluster, secret: bytes) -> None:
    _secret(cluster).write_bytes(secret)
    for at in range(cluster.instances):
        await cluster.stop(SESSION, at)
        await cluster.start_one(SESSION, at)


def _secret(cluster: Cluster) -> Path:
    return cluster.folder / "secrets" / "session-signing.pem"


def _new_block() -> bytes:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


async def _some_rounds(clients: list[Client]) -> None:
    """All of them have gone through their rounds since now."""
    wanted = [client.rounds + ROUNDS for client in clients]

    def done() -> bool:
        return all(client.rounds >= most for client, most in zip(clients, wanted, strict=True))

    await eventually(done, within_s=ROUND_S, what="all clients go on")


async def _old_key_counts_no_more(ada: Person) -> None:
    """Her token is of the old key and was never used since."""
    look = partial(ada.ask, "GET", "/v1/me")

    async def refused() -> bool:
        return (await look()).status == 401

    await eventually(refused, within_s=ROUND_S, every_s=0.5, what="the old key counts no more")


def _kid(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])
