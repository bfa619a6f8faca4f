"""A service and its life.

    built ──loops start──> starting ──nothing in `lacks`──> ready ──SIGTERM──> draining ──> stopped
                              ^                               │
                              └──── something in `lacks` ─────┘

`build` makes a service out of settings and ports and does no I/O. Its loops run until the process
stops. It is ready while `lacks` names nothing; `drain` ends what connections wait for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from starlette.types import ASGIApp

from libs.log.port import Log
from libs.runtime.calls import Caller
from libs.runtime.clock import Clock
from libs.runtime.identity import Signer
from libs.runtime.secrets import Secrets
from libs.runtime.tasks import Tasks
from libs.store import Redis

S = TypeVar("S")

Loop = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Ports:
    """What a service may touch of the world. `new_id` gives a fresh id."""

    log: Log
    store: Redis
    calls: Caller
    clock: Clock
    tasks: Tasks
    signer: Signer
    secrets: Secrets
    new_id: Callable[[], str]


async def _nothing(_: float) -> None:
    return None


@dataclass(frozen=True)
class Running:
    """A built service: its app, its loops by name, what it lacks to be ready. `drain` is told over
    how many seconds it may move those who are connected. `http` is the protocol of its connections,
    if it has one of its own (see `listener.Server`)."""

    app: ASGIApp
    loops: Mapping[str, Loop] = field(default_factory=dict)
    lacks: Callable[[], Sequence[str]] = tuple
    drain: Callable[[float], Awaitable[None]] = _nothing
    http: type[asyncio.Protocol] | None = None


@dataclass(frozen=True)
class Service(Generic[S]):
    """What the catalog loads: settings and how to build."""

    settings: type[S]
    build: Callable[[S, Ports], Running]


AnyService = Service[Any]
