"""Stand-ins for the services around a gateway: real HTTP apps and a real WebSocket server, with
answers that a test writes."""

import asyncio
import json
from typing import Any, NamedTuple

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI, Request, Response
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from libs.runtime import identity
from libs.runtime.clock import Clock
from libs.runtime.identity import Identity, Signer
from libs.runtime.web import FromService, answer, api, packed, unpacked
from libs.wire.api import (
    ACCESS,
    PAGES,
    POSTS,
    Access,
    AccessAnswer,
    AccessQuestion,
    Page,
    PageQuestion,
    PostBatch,
    PostItem,
    PostReplies,
    PostReply,
)
from libs.wire.codes import Problem, TryAgain
from libs.wire.entries import Entry
from libs.wire.frames import (
    Appended,
    Beat,
    Snapshot,
    ToGateway,
    ToRelay,
    Unwatched,
    Watch,
    encode,
    to_relay,
)
from libs.wire.ids import derived
from libs.wire.records import Role
from libs.wire.tokens import ALGORITHM, AUDIENCE, ISSUER, LIFE_S_MAX, TYP
from services.gateway.tests.listeners import entries

SNAPSHOT = 50
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def ident(name: str) -> str:
    """The id of the user or session that tests call so."""
    return derived(name)


class Heard(NamedTuple):
    """A request that was handed on: who asked for it, and what it was, to the byte."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    asker: Identity


class Echo:
    """Answers every route that a service does not know itself, and keeps what it was asked."""

    def __init__(self, app: FastAPI, signer: Signer, clock: Clock) -> None:
        self.heard: list[Heard] = []
        self.reply: Response | None = None
        self._signer = signer
        self._clock = clock
        app.add_api_route("/{rest:path}", self._take, methods=METHODS, include_in_schema=False)

    async def _take(self, request: Request) -> Response:
        header = request.headers[identity.HEADER]
        self.heard.append(
            Heard(
                request.method,
                request.scope["raw_path"].decode("latin-1"),
                request.scope["query_string"].decode("latin-1"),
                dict(request.headers),
                await request.body(),
                self._signer.verify(header, self._clock.now_ms()),
            )
        )
        return self.reply or Response(b'{"heard":true}', media_type="application/json")


class FakeChat:
    """chat: takes batches of posts, and replies as the test says."""

    def __init__(self, signer: Signer, clock: Clock) -> None:
        self.batches: list[tuple[PostItem, ...]] = []
        self.callers: list[Identity] = []
        self.reply = PostReply(201, b'{"id":1}')
        self.is_short = False
        self.is_broken = False
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.app = api("chat", signer=signer, clock=clock)
        self.app.post(POSTS, include_in_schema=False)(self._posts)

    @property
    def heard(self) -> list[PostItem]:
        """All posts, as they came."""
        return [item for batch in self.batches for item in batch]

    async def _posts(self, request: Request, caller: FromService) -> Response:
        batch = (await unpacked(request, PostBatch)).posts
        self.batches.append(batch)
        self.callers.append(caller)
        await self.goes_on.wait()
        if self.is_broken:
            return answer(TryAgain("internal", "the fault is ours"))
        return packed(PostReplies(() if self.is_short else (self.reply,) * len(batch)))


class FakeMembers:
    """group-membership: who may read which channel, as the test says."""

    def __init__(self, signer: Signer, clock: Clock) -> None:
        self.public: set[str] = set()
        self.topics: dict[str, str] = {}
        self.refusals: dict[tuple[str, str], str] = {}
        self.roles: dict[tuple[str, str], Role] = {}
        self.batches: list[int] = []
        self.is_away = False
        self.away: Problem = TryAgain("rebuilding", "memberships are read")
        self.is_short = False
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.app = api("group-membership", signer=signer, clock=clock)
        self.app.post(ACCESS, include_in_schema=False)(self._access)
        self.echo = Echo(self.app, signer, clock)

    async def _access(self, request: Request, _: FromService) -> Response:
        question = await unpacked(request, AccessQuestion)
        self.batches.append(len(question.pairs))
        # What is answered is how it was when asked: a change that comes meanwhile overtakes it.
        found = AccessAnswer(tuple(self._of(pair.user, pair.channel) for pair in question.pairs))
        await self.goes_on.wait()
        if self.is_away:
            return answer(self.away)
        return packed(AccessAnswer(()) if self.is_short else found)

    def _of(self, user: str, channel: str) -> Access:
        # Whoever comes with a token has the id of the name, others the name itself.
        refused = (
            code
            for (name, where), code in self.refusals.items()
            if where == channel and user in {name, ident(name)}
        )
        refusal = next(refused, None)
        if refusal is None and channel not in self.public:
            refusal = "channel_unknown"
        return Access(
            user,
            channel,
            role=self.roles.get((user, channel)),
            may_read=refusal is None,
            epoch=1,
            topic=self.topics.get(channel, ""),
            refusal=refusal,
        )


class FakeSession:
    """session: one Ed25519 key, its JWKS, and tokens signed with it."""

    def __init__(self, signer: Signer, clock: Clock) -> None:
        self._clock = clock
        self.keys = {"k1": Ed25519PrivateKey.generate()}
        self.asked = 0
        self.is_away = False
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.app = api("session", signer=signer, clock=clock)
        self.app.get("/v1/keys", include_in_schema=False)(self._jwks)
        self.echo = Echo(self.app, signer, clock)

    async def _jwks(self, _: FromService) -> Response:
        self.asked += 1
        if self.is_away:
            return answer(TryAgain("rebuilding", "sessions are read"))
        keys = [
            {**jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid}
            for kid, key in self.keys.items()
        ]
        # What is answered is how it was when asked.
        await self.goes_on.wait()
        return Response(json.dumps({"keys": keys}), media_type="application/json")

    def claims(self, user: str, **changes: Any) -> dict[str, Any]:
        """What a token of now says; None takes a claim away."""
        now_s = self._clock.now_ms() // 1000
        said = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": ident(user),
            "sid": ident(f"s-{user}"),
            "iat": now_s,
            "exp": now_s + LIFE_S_MAX,
            **changes,
        }
        return {name: value for name, value in said.items() if value is not None}

    def token(
        self, user: str, *, kid: str = "k1", headers: dict[str, Any] | None = None, **changes: Any
    ) -> str:
        """A token of the key `kid` (that of the first for a name without a key)."""
        key = self.keys.get(kid) or next(iter(self.keys.values()))
        said = {"typ": TYP, "kid": kid, **(headers or {})}
        return jwt.encode(self.claims(user, **changes), key, algorithm=ALGORITHM, headers=said)


class ChannelLog:
    """A channel at the relay."""

    def __init__(self, *, head: int, epoch: int, first: int) -> None:
        self.epoch = epoch
        self.first = first
        self.entries: list[Entry] = list(entries(first, head))

    @property
    def head(self) -> int:
        return self.first + len(self.entries) - 1

    def between(self, first: int, last: int) -> tuple[Entry, ...]:
        return tuple(each for each in self.entries if first <= each.id <= last)


class FakeRelay:
    """relay: pages over HTTP, and the feed over a real WebSocket."""

    def __init__(self, signer: Signer, clock: Clock) -> None:
        self.channels: dict[str, ChannelLog] = {}
        self.heard: list[ToRelay] = []
        self.pages: list[PageQuestion] = []
        self.links: list[ServerConnection] = []
        self.connects = 0
        self.is_away = False
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.pages_go_on = asyncio.Event()
        self.pages_go_on.set()
        self.port = 0
        self.app = api("relay", signer=signer, clock=clock)
        self.app.post(PAGES, include_in_schema=False)(self._page)
        self._server: Server | None = None

    async def start(self) -> None:
        """Listen; the second time on the port of the first."""
        self._server = await serve(self._talk, "127.0.0.1", self.port, compression=None)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Close the listener and all links."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def watches(self, channel: str) -> list[int]:
        """The places from which a channel was watched, in order."""
        return [
            frame.after
            for frame in self.heard
            if isinstance(frame, Watch) and frame.channel == channel
        ]

    async def append(self, channel: str, count: int = 1, *, told: bool = True) -> None:
        """`count` more entries, told to all links in one frame, or to nobody."""
        log = self.channels[channel]
        more = entries(log.head + 1, log.head + count)
        log.entries.extend(more)
        if told:
            await self.send(Appended(channel, log.epoch, more))

    async def send(self, frame: ToGateway) -> None:
        """A frame to all links."""
        for link in self.links:
            await link.send(encode(frame))

    async def _talk(self, link: ServerConnection) -> None:
        self.connects += 1
        self.links.append(link)
        try:
            await link.send(encode(Beat(0)))
            async for raw in link:
                assert isinstance(raw, bytes)
                await self._hear(link, to_relay(raw))
        except ConnectionClosed:
            pass
        finally:
            self.links.remove(link)

    async def _hear(self, link: ServerConnection, frame: ToRelay) -> None:
        self.heard.append(frame)
        if not isinstance(frame, Watch):
            return
        await self.goes_on.wait()
        log = self.channels.get(frame.channel)
        if log is None:
            await link.send(encode(Unwatched(frame.channel, "channel_unknown")))
            return
        newest = log.between(max(frame.after + 1, log.head - SNAPSHOT + 1), log.head)
        await link.send(encode(Snapshot(frame.channel, log.epoch, log.head, log.first, newest)))

    async def _page(self, request: Request, _: FromService) -> Response:
        question = await unpacked(request, PageQuestion)
        self.pages.append(question)
        if self.is_away:
            return answer(TryAgain("service_away", "the log does not answer"))
        # What is answered is how it was when asked.
        log = self.channels[question.channel]
        await self.pages_go_on.wait()
        found = log.between(question.first, question.first + question.limit - 1)
        return packed(Page(question.channel, log.epoch, log.head, log.first, found))
