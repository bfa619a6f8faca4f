"""What a client says on a stream: its hello says who it is, and what comes after is a `Talk`."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from libs.runtime.web import Person
from libs.wire import streams
from libs.wire.api import PostReply
from libs.wire.codec import Malformed, foreign_json, from_json
from libs.wire.codes import Problem, Refused, TryAgain
from libs.wire.streams import (
    Auth,
    FromClient,
    Hello,
    Ping,
    Post,
    Posted,
    Renewed,
    Unwatch,
    Watch,
    Welcome,
    error_of,
)

from ..posting import Posting
from ..tokens import Checked, Tokens
from .registry import Registry
from .stream import Stream, Surroundings
from .tickets import Tickets

# Posts of one stream on their way at once; more are told to come again.
POSTS_MAX = 64
# A watch of a thousand channels takes 60 KB, and so does the largest post.
FRAME_SIZE_MAX = 128 << 10
DRAIN_AGAIN_S = 1


@dataclass(frozen=True)
class Desk:
    """What talks need of the gateway."""

    about: Surroundings
    tokens: Tokens
    tickets: Tickets
    posting: Posting
    registry: Registry
    watches_max: int
    is_draining: Callable[[], bool]

    def must_stay(self) -> None:
        """Raises `TryAgain` when this gateway goes away: nobody begins here."""
        if self.is_draining():
            fault = "connect again, to another gateway"
            raise TryAgain("draining", fault, retry_after_s=DRAIN_AGAIN_S)


def hello_of(raw: str | bytes) -> Hello:
    """The first frame of a client. Raises `Refused`."""
    frame = frame_of(raw)
    if not isinstance(frame, Hello):
        raise Refused("hello_missing", "send hello before anything else")
    return frame


def known(desk: Desk, hello: Hello, header: Checked | None) -> Checked | None:
    """Whose hello it is; None when its token has to be checked first (`found`). `header` is whose
    the `Authorization` of the connection is. Raises `Problem`."""
    given = header
    if hello.token is not None:
        given = desk.tokens.remembered(hello.token)
        if given is None:
            return None
    return _with_ticket(desk, hello, given)


async def found(desk: Desk, hello: Hello, header: Checked | None) -> Checked:
    """What `known` gives, of a token that is not remembered. Raises `Problem`."""
    given = header if hello.token is None else await desk.tokens.checked(hello.token)
    return _with_ticket(desk, hello, given)


def _with_ticket(desk: Desk, hello: Hello, given: Checked | None) -> Checked:
    if hello.ticket is not None:
        person = None if given is None else given.person
        redeemed = desk.tickets.redeem(hello.ticket, person)
        return given or redeemed
    if given is None:
        raise Refused("token_missing", "send a token or a ticket with hello")
    return given


def opened(desk: Desk, stream: Stream, checked: Checked) -> "Talk":
    """A stream that is open from now on. In one step with the last look whether the session lives:
    one that ends later finds the stream, and so does a drain. Raises `Problem`."""
    desk.must_stay()
    refused = desk.tokens.refusal(checked)
    if refused is not None:
        raise refused
    stream.expires_s = checked.expires_s
    desk.registry.enter(stream)
    return Talk(desk, stream)


class Talk:
    """A connection whose person is known."""

    __slots__ = ("_desk", "_posts", "stream")

    def __init__(self, desk: Desk, stream: Stream) -> None:
        self.stream = stream
        self._desk = desk
        self._posts = 0

    @property
    def person(self) -> Person:
        """Who listens."""
        return self.stream.person

    def welcome(self, watches_max: int | None = None) -> None:
        """Say that they are in, and how many channels they may follow: the setting, or fewer."""
        self.stream.say(
            Welcome(
                user=self.person.user,
                session=self.person.session,
                expires_in=self._expires_in(),
                ticket=self._ticket(),
                watches_max=min(watches_max or self._desk.watches_max, self._desk.watches_max),
            )
        )

    def hear(self, raw: str | bytes) -> Coroutine[Any, Any, None] | None:
        """One frame. One that is none ends the stream. What is returned is to be awaited before the
        next one is heard."""
        try:
            return self._do(frame_of(raw))
        except Problem as refused:
            self.stream.end(refused)
            return None

    def _do(self, frame: FromClient) -> Coroutine[Any, Any, None] | None:
        match frame:
            case Watch():
                self.stream.watch(frame.cursors)
            case Unwatch():
                self.stream.unwatch(frame.channels)
            case Post():
                self._post(frame)
            case Ping():
                self.stream.say(streams.Pong(ref=frame.ref))
            case Auth():
                return self._renew(frame.token)
            case Hello():
                raise Refused("frame_malformed", "hello was said already")
        return None

    async def _renew(self, token: str) -> None:
        try:
            checked = await self._desk.tokens.checked(token)
            if checked.person != self.person:
                raise Refused("token_invalid", "the token is of another session than the stream")
        except Problem as refused:
            self.stream.end(refused)
            return
        self.stream.expires_s = max(self.stream.expires_s, checked.expires_s)
        self.stream.say(Renewed(expires_in=self._expires_in(), ticket=self._ticket()))

    def _post(self, frame: Post) -> None:
        if self._posts >= POSTS_MAX:
            fault = TryAgain("limit_hit", f"wait for answers: {POSTS_MAX} posts are on their way")
            self.stream.say(error_of(fault, frame.ref))
            return
        body = _body(frame)
        self._posts += 1
        self._desk.about.tasks.spawn(self._posted(frame, body), name="gateway.stream.post")

    async def _posted(self, frame: Post, body: bytes) -> None:
        try:
            reply = await self._desk.posting.post(self.person, frame.channel, body)
            self.stream.say(_posted(frame.ref, reply))
        except Problem as refused:
            self.stream.say(error_of(refused, frame.ref))
        finally:
            self._posts -= 1

    def _ticket(self) -> str:
        return self._desk.tickets.issue(Checked(self.person, self.stream.expires_s))

    def _expires_in(self) -> int:
        return max(0, self.stream.expires_s - self._desk.about.clock.now_ms() // 1000)


def frame_of(raw: str | bytes) -> FromClient:
    """A client's frame. Raises `Refused`."""
    if len(raw) > FRAME_SIZE_MAX:
        raise Refused("body_too_large", f"a frame is at most {FRAME_SIZE_MAX} long")
    try:
        return streams.frame_of(raw)
    except Malformed as fault:
        raise _malformed(fault) from fault


def _body(frame: Post) -> bytes:
    try:
        return foreign_json(frame.message)
    except Malformed as fault:
        raise _malformed(fault) from fault


def _malformed(fault: Malformed) -> Refused:
    return Refused("frame_malformed", f"see docs/protocol.md: {fault}")


def _posted(ref: int, reply: PostReply) -> Posted:
    return Posted(
        ref=ref,
        status=reply.status,
        body=from_json(reply.body, dict),
        retry_after_s=reply.retry_after_s,
    )
