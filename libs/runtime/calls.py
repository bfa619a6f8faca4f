"""Calls between services: one deadline, typed errors, the same in one process and in many.

A service is called by its name. In one process the name leads to its app (ASGI, no socket), else to
its address. What comes back is an answer or a `Problem`, never a driver's error.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any, NamedTuple, TypeVar

import httpx

from libs.runtime import identity, trace
from libs.runtime.addresses import Addresses
from libs.runtime.clock import Clock
from libs.runtime.identity import Identity, Signer
from libs.wire.codec import Malformed, Struct, from_json, pack, unpack
from libs.wire.codes import OutcomeUnknown, Problem, TryAgain, problem

T = TypeVar("T", bound=Struct)

DEADLINE_HEADER = "x-deadline-ms"
PROBLEM_TYPE = "application/problem+json"
PACKED_TYPE = "application/msgpack"
# Services are near each other: a connection stands in milliseconds. One that does not may be to a
# machine that is gone, and another instance has to be reached within the same deadline.
CONNECT_S = 0.5
# Idle connections cost descriptors; more than so many at once only queue in the other service.
CONNECTIONS_MAX = 100
# An idle one is not used again after this, long before the other side closes it.
IDLE_S = 5.0
# The form of `Retry-After` that the house sends: whole seconds, here less than a day.
SECONDS = re.compile(r"[0-9]{1,5}")


class Reply(NamedTuple):
    """A service's answer: HTTP status, headers with lower-case names, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Request(NamedTuple):
    method: str
    path: str
    body: bytes
    headers: Mapping[str, str]


class _ProblemDocument(Struct, frozen=True):
    code: str
    detail: str
    field: str | None = None


class Caller:
    """Calls other services in the name of one service."""

    def __init__(self, name: str, *, signer: Signer, clock: Clock, addresses: Addresses) -> None:
        self._name = name
        self._signer = signer
        self._clock = clock
        self._addresses = addresses
        self._attached: dict[str, httpx.AsyncClient] = {}
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._turn = count()

    def attach(self, service: str, app: Any) -> None:
        """Calls to `service` go to `app` (an ASGI application of this process) from now on."""
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._attached[service] = httpx.AsyncClient(
            transport=transport, base_url=f"http://{service}", timeout=None
        )

    def addresses(self, service: str) -> tuple[str, ...]:
        """The addresses of a service's instances, such as `http://127.0.0.1:8085`; another one
        first at each call, so that work and links spread."""
        known = self._addresses[service]
        first = next(self._turn) % len(known)
        return known[first:] + known[:first]

    def instances(self, service: str) -> tuple[str, ...]:
        """What to call the service's instances with (`at`); in one process it is the only one."""
        return (service,) if service in self._attached else self._addresses[service]

    async def send(
        self,
        service: str,
        method: str,
        path: str,
        *,
        deadline_s: float,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        user: str | None = None,
        session: str | None = None,
        at: str | None = None,
    ) -> Reply:
        """Send a request and hand its answer back as it is, problems included. An instance that is
        not reached is passed over for the next one; with `at` there is only that one.

        Raises `TryAgain` (`service_away`) when the service was not reached or the request changes
        nothing, and `OutcomeUnknown` when it may have been done.
        """
        sent = dict(headers or {})
        sent[identity.HEADER] = self.signed(user, session)
        sent[trace.HEADER] = trace.current()
        sent[DEADLINE_HEADER] = str(int(deadline_s * 1000))
        try:
            # In one process the other service's app runs in this task and begins its own trace.
            with trace.kept():
                async with asyncio.timeout(deadline_s):
                    request = _Request(method, path, body, sent)
                    clients = self._candidates(service, at)
                    is_only = at is None and len(clients) == 1
                    return await _try(clients, request, deadline_s if is_only else 0.0)
        except (TimeoutError, httpx.TransportError) as fault:
            raise _away(service, method, fault) from fault

    async def ask(
        self, service: str, path: str, question: Struct, answer: type[T], *, deadline_s: float
    ) -> T:
        """Ask another service's internal route, msgpack both ways. The question changes
        nothing, so it may be asked again: no answer is `TryAgain` (`service_away`). Raises the
        `Problem` that the service answers."""
        try:
            reply = await self.send(
                service,
                "POST",
                path,
                body=pack(question),
                headers={"content-type": PACKED_TYPE},
                deadline_s=deadline_s,
            )
        except OutcomeUnknown as fault:
            raise _silent(service) from fault
        if reply.status != 200:
            said = problem_of(service, reply)
            # To the service any POST may have changed something; this one cannot have.
            raise _silent(service) if isinstance(said, OutcomeUnknown) else said
        try:
            return unpack(reply.body, answer)
        except Malformed as fault:
            raise TryAgain("service_away", f"{service} answers no {answer.__name__}") from fault

    async def hand(
        self,
        service: str,
        path: str,
        order: Struct,
        answer: type[T],
        *,
        deadline_s: float,
        at: str,
    ) -> T:
        """Hand work to one instance's internal route, msgpack both ways. Raises `TryAgain`
        (`service_away`) only when it was not reached, so that another may be asked; whatever else
        is no answer is `OutcomeUnknown`."""
        reply = await self.send(
            service,
            "POST",
            path,
            body=pack(order),
            headers={"content-type": PACKED_TYPE},
            deadline_s=deadline_s,
            at=at,
        )
        try:
            if reply.status == 200:
                return unpack(reply.body, answer)
        except Malformed as fault:
            raise _unanswered(service, f"answers no {answer.__name__}") from fault
        raise _unanswered(service, str(problem_of(service, reply)))

    def signed(self, user: str | None = None, session: str | None = None) -> str:
        """The identity header's value, for links that are not requests."""
        return self._signer.sign(Identity(self._name, user, session), self._clock.now_ms())

    async def close(self) -> None:
        """Close all connections."""
        for client in [*self._clients.values(), *self._attached.values()]:
            await client.aclose()

    def _candidates(self, service: str, at: str | None) -> list[httpx.AsyncClient]:
        attached = self._attached.get(service)
        if attached is not None:
            return [attached]
        if at is not None:
            return [self._client(at)]
        return [self._client(address) for address in self.addresses(service)]

    def _client(self, address: str) -> httpx.AsyncClient:
        client = self._clients.get(address)
        if client is None:
            # Not through the environment's proxy: signed identities stay among the services.
            limits = httpx.Limits(
                max_connections=CONNECTIONS_MAX,
                max_keepalive_connections=CONNECTIONS_MAX,
                keepalive_expiry=IDLE_S,
            )
            client = self._clients[address] = httpx.AsyncClient(
                base_url=address,
                limits=limits,
                timeout=None,
                trust_env=False,
            )
        return client


async def _try(clients: Sequence[httpx.AsyncClient], request: _Request, alone_s: float) -> Reply:
    """Send to the first that is reached. `alone_s`: so long the only one may take. No other would
    need the time, and a process that is busy, on either side, takes long to connect."""
    *others, last = clients
    for client in others:
        # Only what was certainly not sent is sent to another one.
        with suppress(httpx.ConnectError, httpx.ConnectTimeout):
            return await _send(client, request)
    return await _send(last, request, max(CONNECT_S, alone_s - CONNECT_S))


async def _send(
    client: httpx.AsyncClient, request: _Request, connect_s: float = CONNECT_S
) -> Reply:
    reply = await client.request(
        request.method,
        request.path,
        content=request.body,
        headers=request.headers,
        timeout=httpx.Timeout(None, connect=connect_s),
    )
    return Reply(reply.status_code, reply.headers, reply.content)


def problem_of(service: str, reply: Reply) -> Problem:
    """The problem in a reply that is not a success."""
    try:
        document = from_json(reply.body, _ProblemDocument)
    except Malformed:
        return TryAgain("service_away", f"{service} answered {reply.status} without a problem")
    hint = reply.headers.get("retry-after", "")
    return problem(
        document.code,
        document.detail,
        field=document.field,
        retry_after_s=int(hint) if SECONDS.fullmatch(hint) else None,
    )


def _away(service: str, method: str, fault: Exception) -> Problem:
    reached = not isinstance(fault, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    if reached and method != "GET":
        return _unanswered(service, "did not answer in time")
    return _silent(service)


def _unanswered(service: str, what: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        "outcome_unknown",
        f"{service} {what}; send it again with the same client_id",
        retry_after_s=1,
    )


def _silent(service: str) -> TryAgain:
    return TryAgain("service_away", f"{service} does not answer; try again", retry_after_s=1)
