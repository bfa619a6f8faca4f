"""Posts that wait are sent until they are answered, and told as what they are."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from cli.chat.mail import Mail
from cli.chat.posts import Failed, Fate, Post, Waiting, Written
from cli.chat.tests.desk import Desk
from cli.chat.tests.entries import AT, CHANNEL
from cli.chat.wants import Send
from libs.testing.eventually import eventually
from rostrum import NotPosted, Outbox, OutboxFull, Posted, Refused, Resumed
from rostrum.rows import Waiting as Row

SOON_S = 10.0
SENT = Posted(id=7, cursor="1-7", at=AT)


class FakeOutbox:
    """Answers posts with what it is given, and resumes one post of `left` each time."""

    def __init__(self, *answers: Posted | Exception, left: tuple[str, ...] = ()) -> None:
        self._answers = list(answers)
        self.left = list(left)
        self.dropped: list[str] = []
        self.refuses: set[str] = set()

    async def post(
        self, channel: str, text: str, *, reply_to: int | None, client_id: str
    ) -> Posted:
        answer = self._answers.pop(0)
        if isinstance(answer, NotPosted):
            self.left.append(client_id)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def waiting(self) -> list[Row]:
        return [
            Row(at, CHANNEL, name, f"text of {name}", None) for at, name in enumerate(self.left)
        ]

    async def resume(self) -> Resumed:
        if not self.left:
            return Resumed({}, {}, 0, None)
        name = self.left.pop(0)
        if name in self.refuses:
            return Resumed({}, {name: Refused("slow", "too fast")}, len(self.left), None)
        return Resumed({name: SENT}, {}, len(self.left), None)

    async def drop(self, client_id: str) -> None:
        self.dropped.append(client_id)


class Counter:
    """A desk with a channel, whose mail goes to an outbox."""

    def __init__(self, outbox: FakeOutbox) -> None:
        self.desk = Desk()
        self.room = self.desk.room()
        self.changes = 0
        self.mail = Mail(cast("Outbox", outbox), self.desk.chat, self._changed)

    async def send(self, client_id: str = "c1") -> Fate:
        post = Post(client_id, "hello")
        self.room.posts[client_id] = post
        await self.mail.send(Send(CHANNEL, post))
        return self.room.posts[client_id].fate

    def _changed(self) -> None:
        self.changes += 1


@asynccontextmanager
async def running(mail: Mail) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(mail.run())
        yield
        task.cancel()


async def test_what_is_answered_is_written() -> None:
    counter = Counter(FakeOutbox(SENT))
    assert await counter.send() == Written(7)
    assert counter.changes == 1


async def test_what_is_refused_or_finds_no_room_has_failed() -> None:
    faults = Refused("banned", "you are banned"), OutboxFull("10000 posts wait")
    counter = Counter(FakeOutbox(*faults))
    assert await counter.send("c1") == Failed("banned: you are banned")
    assert await counter.send("c2") == Failed("10000 posts wait")


async def test_what_is_not_answered_for_long_waits_and_is_sent_again() -> None:
    counter = Counter(FakeOutbox(NotPosted("c1", "nobody answers", is_unknown=True)))
    assert await counter.send() == Waiting()
    async with running(counter.mail):
        await eventually(
            lambda: counter.room.posts["c1"].fate == Written(7), within_s=SOON_S, what="it is sent"
        )


async def test_what_an_earlier_run_left_is_shown_and_sent_until_nothing_waits() -> None:
    outbox = FakeOutbox(left=("a", "b"))
    outbox.refuses = {"b"}
    counter = Counter(outbox)
    await counter.mail.open()
    assert [post.text for post in counter.room.posts.values()] == ["text of a", "text of b"]
    async with running(counter.mail):
        await eventually(
            lambda: counter.room.posts["b"].fate == Failed("slow: too fast"),
            within_s=SOON_S,
            what="both are told",
        )
    assert counter.room.posts["a"].fate == Written(7)


async def test_what_is_forgotten_is_dropped() -> None:
    outbox = FakeOutbox()
    await Counter(outbox).mail.forget("c1")
    assert outbox.dropped == ["c1"]
