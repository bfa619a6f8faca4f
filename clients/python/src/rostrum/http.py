"""The one door to requests: which gateway, which token, what an answer means, when to ask again."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import aiohttp

from rostrum import clock
from rostrum.backoff import Attempts, Backoff, last_s
from rostrum.door import Answer, Door, Question
from rostrum.errors import OutcomeUnknown, Problem, Refused, SignedOut, TryAgain, Unreachable
from rostrum.gateways import Gateways
from rostrum.session import Session, SessionStore, SignedIn
from rostrum.sessions import MemorySessions
from rostrum.tokens import Tokens

T = TypeVar("T")

# How long a question is asked again before it is given up: a gateway that is restarted.
ASK_S = 30.0
# How long one attempt may take: gateways give up on a service after 6 s.
ANSWER_S = 15.0
# A token has to be renewed while the one before it holds, a minute.
RENEW_S = 30.0
# Codes of 401 that a new token cures.
RENEWABLE = frozenset({"token_expired", "token_invalid"})
SERVER_FAULT = 500

_log = logging.getLogger(__name__)


class Http:
    """Asks gateways. Enter it before use; leaving it closes its connections.

    All methods raise `Refused`, `TryAgain`, `OutcomeUnknown`, `Unreachable`, `Unreadable` and
    `SignedOut`.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        sessions: SessionStore | None = None,
        user_agent: str,
        backoff: Backoff = Backoff(),  # noqa: B008 - a tuple, which nobody changes
        now_s: Callable[[], float] = clock.now_s,
        renew_s: float = RENEW_S,
    ) -> None:
        self._gateways = Gateways(urls)
        self._backoff = backoff
        self._user_agent = user_agent
        self._now_s = now_s
        self._renew_s = renew_s
        self._door: Door | None = None
        store = MemorySessions() if sessions is None else sessions
        self.tokens = Tokens(store, self._refreshed, now_s)

    async def __aenter__(self) -> "Http":
        await self.tokens.open()
        self._door = Door(self._user_agent)
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.tokens.close()
        finally:
            await self._opened().close()
            self._door = None

    @property
    def raw(self) -> aiohttp.ClientSession:
        """For what is no question and answer: WebSocket and events. Give it whole addresses
        (`gateway()` + path) and the token."""
        return self._opened().raw

    def gateway(self) -> str:
        """The address of the gateway that is asked now, such as `http://localhost:8080`."""
        return self._gateways.current()

    def leave(self, gateway: str) -> None:
        """That one is away or goes away: ask another one from now on, if there is one."""
        self._gateways.leave(gateway)

    async def token(self, *, newer_than: str | None = None) -> str:
        """An access token that holds, renewed when it is about to expire, and another one than
        `newer_than` (one that was refused, or is used up). Many may ask: it is renewed once."""
        return await self.tokens.token(newer_than=newer_than)

    async def ask(
        self,
        method: str,
        path: str,
        shape: type[T],
        *,
        body: Mapping[str, Any] | None = None,
        again: Mapping[str, Any] | None = None,
        query: Mapping[str, str | int] | None = None,
        within_s: float = ASK_S,
        answer_s: float = ANSWER_S,
        is_open: bool = False,
    ) -> Answer[T]:
        """Ask until it is answered, `within_s` seconds at most, an attempt `answer_s`.

        `shape` is what the answer's JSON is read as, `type(None)` for none. `again` is added to
        the body once an earlier attempt may have been done. `is_open`: without a token."""
        question = Question(
            method=method, path=path, shape=shape, body=body, query=query, is_open=is_open
        )
        attempts = Attempts(self._backoff, within_s)
        while True:
            try:
                answer = await self._once(question, min(answer_s, attempts.left_s()))
            except (Refused, SignedOut) as fault:
                fault.may_be_done |= attempts.is_unknown
                raise
            except (Problem, Unreachable) as fault:
                _log.debug("%s %s is asked again: %s", method, path, fault)
                await attempts.wait(fault)
                if attempts.is_unknown and again:
                    question = replace(question, body={**(body or {}), **again})
            else:
                return Answer(answer.status, answer.value, attempts.limited_s)

    async def once(
        self,
        method: str,
        path: str,
        shape: type[T],
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str | int] | None = None,
        answer_s: float = ANSWER_S,
        is_open: bool = False,
    ) -> Answer[T]:
        """The same with one attempt at `gateway()`, for those who wait and choose themselves. An
        expired token is renewed and does not count. A connection that could not be made is
        `Unreachable`, one that broke is `OutcomeUnknown`; either way another gateway is next."""
        question = Question(
            method=method, path=path, shape=shape, body=body, query=query, is_open=is_open
        )
        return await self._once(question, answer_s)

    def now_s(self) -> float:
        """Seconds since 1970, by this machine's clock."""
        return self._now_s()

    async def _once(self, question: Question[T], answer_s: float) -> Answer[T]:
        if question.is_open:
            return await self._send(question, None, answer_s)
        now = asyncio.get_running_loop().time
        ends = now() + answer_s
        begins = ends - last_s(answer_s)
        token = await self._token_before(begins)
        try:
            return await self._send(question, token, ends - now())
        except Refused as fault:
            if fault.code not in RENEWABLE:
                raise
            _log.debug("a token was refused: %s", fault)
        token = await self._token_before(begins, newer_than=token)
        return await self._send(question, token, ends - now())

    async def _token_before(self, begins: float, *, newer_than: str | None = None) -> str:
        """The token of an attempt that is sent at `begins` (the loop's time) or not at all."""
        try:
            async with asyncio.timeout_at(begins):
                return await self.token(newer_than=newer_than)
        except TimeoutError:
            raise TryAgain("not_renewed", "the session is being renewed for too long") from None

    async def _send(self, question: Question[T], token: str | None, answer_s: float) -> Answer[T]:
        gateway = self.gateway()
        try:
            return await self._opened().send(gateway, question, token, answer_s=answer_s)
        except Unreachable:
            self.leave(gateway)
            raise
        except (TryAgain, OutcomeUnknown) as fault:
            # A limit is this gateway's; to go round it by asking another one is not meant.
            if fault.status == 0 or fault.status >= SERVER_FAULT:
                self.leave(gateway)
            raise

    async def _refreshed(self, session: Session) -> Session:
        asked_s = self._now_s()
        try:
            answer = await self.ask(
                "POST",
                "/v1/sessions/refresh",
                SignedIn,
                body={"refresh_token": session.refresh_token},
                within_s=self._renew_s,
                is_open=True,
            )
        except OutcomeUnknown as fault:
            # Whoever waits for the token asked for something else, and that was not done.
            raise TryAgain("not_renewed", f"the session could not be renewed: {fault}") from fault
        return answer.value.session(asked_s)

    def _opened(self) -> Door:
        if self._door is None:
            raise RuntimeError("use the client inside of `async with Client(...) as client:`")
        return self._door
