"""People who use the suite: they sign up, make channels, post and read. Domain verbs only."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from libs.testing.eventually import eventually

PASSWORD = "correct horse battery"
RETRY_S = 0.05
POSTED_S = 60


@dataclass(frozen=True)
class Answer:
    """Status and JSON body of an answer; None when there was no answer at all."""

    status: int | None
    body: Any


class Person:
    """Somebody with an account and a session."""

    def __init__(self, client: httpx.AsyncClient, signed_in: Mapping[str, Any]) -> None:
        self._client = client
        self.id: str = signed_in["user"]["id"]
        self.handle: str = signed_in["user"]["handle"]
        self.session: str = signed_in["session_id"]
        self.token: str = signed_in["access_token"]
        self.refresh_token: str = signed_in["refresh_token"]

    async def ask(
        self, method: str, path: str, body: Any = None, *, token: str | None = None
    ) -> Answer:
        """Send one request, with an older token if one is named; a broken connection is an answer
        of None."""
        headers = {"authorization": f"Bearer {token or self.token}"}
        try:
            reply = await self._client.request(method, path, json=body, headers=headers)
        except httpx.TransportError:
            return Answer(None, None)
        return Answer(reply.status_code, reply.json() if reply.content else None)

    @property
    def url(self) -> str:
        """The gateway's address."""
        return str(self._client.base_url).rstrip("/")

    @asynccontextmanager
    async def opened(self, path: str) -> AsyncIterator[httpx.Response]:
        """A GET whose answer is read as it comes."""
        headers = {"authorization": f"Bearer {self.token}"}
        async with self._client.stream("GET", path, headers=headers) as reply:
            yield reply

    async def refresh(self) -> Answer:
        """Ask once for new tokens; they are kept when they come."""
        body = {"refresh_token": self.refresh_token}
        answer = await self.ask("POST", "/v1/sessions/refresh", body)
        if answer.status == 200:
            self.token = answer.body["access_token"]
            self.refresh_token = answer.body["refresh_token"]
        return answer

    async def create(self, client_id: str = "channel", **wanted: Any) -> dict[str, Any]:
        """A new channel; a private group unless said otherwise."""
        body = {"client_id": client_id, "kind": "group", "title": "A channel"} | wanted
        return _expect(await self.ask("POST", "/v1/channels", body), 200, 201)

    async def join(self, channel: str) -> dict[str, Any]:
        """Become a member. The answer's cursor is where to start from."""
        return _expect(await self.ask("PUT", f"/v1/channels/{channel}/members/me"), 200)

    async def post(self, channel: str, text: str, client_id: str) -> Answer:
        """Post once; what comes back is not judged."""
        body = {"client_id": client_id, "text": text}
        return await self.ask("POST", f"/v1/channels/{channel}/messages", body)

    async def post_surely(self, channel: str, text: str, client_id: str) -> int:
        """Post as a client should: with the same `client_id` until it is acknowledged. Returns the
        entry id."""

        async def attempt() -> Answer | None:
            answer = await self.post(channel, text, client_id)
            if answer.status is None or answer.status >= 500:
                return None
            return answer

        answer = await eventually(
            attempt, within_s=POSTED_S, every_s=RETRY_S, what="the post is answered"
        )
        assert answer is not None
        return int(_expect(answer, 200, 201)["id"])

    async def poll(self, channel: str, after: str, wait: int = 0) -> dict[str, Any]:
        """What comes after a cursor."""
        path = f"/v1/channels/{channel}/poll?after={after}&wait={wait}"
        return _expect(await self.ask("GET", path), 200)

    async def read(self, channel: str) -> list[dict[str, Any]]:
        """The whole channel, page by page."""
        entries: list[dict[str, Any]] = []
        more = True
        while more:
            after = entries[-1]["id"] if entries else 0
            path = f"/v1/channels/{channel}/messages?after={after}"
            page = _expect(await self.ask("GET", path), 200)
            entries += page["entries"]
            more = page["more"]
        return entries


class People:
    """Makes people at one gateway."""

    def __init__(self, url: str) -> None:
        limits = httpx.Limits(max_connections=None)
        self._client = httpx.AsyncClient(base_url=url, timeout=60, limits=limits)

    async def __aenter__(self) -> "People":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def person(self, handle: str) -> Person:
        """Sign up and in."""
        body = {"handle": handle, "password": PASSWORD, "display_name": handle.title()}

        async def signed_up() -> bool:
            reply = await self._client.post("/v1/accounts", json=body)
            assert reply.status_code in {201, 409}, reply.text
            return True

        # A 503 says to send it again: while members of a group come and go, what is written may
        # show later than a request waits.
        await eventually(signed_up, within_s=POSTED_S, every_s=RETRY_S, what=f"{handle} signs up")
        return await self.sign_in(handle)

    async def sign_in(self, handle: str) -> Person:
        """Sign in on another device."""
        body = {
            "handle": handle,
            "password": PASSWORD,
            "device": {"name": "test", "kind": "cli"},
        }

        async def signed_in() -> dict[str, Any]:
            reply = await self._client.post("/v1/sessions", json=body)
            assert reply.status_code == 201, reply.text
            found: dict[str, Any] = reply.json()
            return found

        # As above: what was signed up may show a moment later.
        session = await eventually(
            signed_in, within_s=POSTED_S, every_s=RETRY_S, what=f"{handle} signs in"
        )
        return Person(self._client, session)


def _expect(answer: Answer, *statuses: int) -> dict[str, Any]:
    assert answer.status in statuses, answer
    body: dict[str, Any] = answer.body
    return body
