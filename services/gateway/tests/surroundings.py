"""Ports of a gateway under test: a log in memory, calls that lead to what is attached."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from libs.log.open import open_log
from libs.runtime.addresses import Addresses
from libs.runtime.calls import Caller
from libs.runtime.clock import Clock
from libs.runtime.identity import Signer
from libs.runtime.secrets import Secrets
from libs.runtime.service import Ports
from libs.runtime.tasks import GroupTasks
from libs.store import open_store
from libs.wire.topics import TOPICS

NOWHERE: Addresses = {}


@asynccontextmanager
async def surroundings(clock: Clock, addresses: Addresses = NOWHERE) -> AsyncIterator[Ports]:
    """Ports with a log that has its topics; all that is spawned has ended when it returns."""
    log = await open_log("sqlite://:memory:", now_ms=clock.now_ms)
    signer = Signer(bytes(32))
    try:
        await log.create_topics(TOPICS)
        async with asyncio.TaskGroup() as group:
            calls = Caller(
                "gateway",
                signer=signer,
                clock=clock,
                addresses=addresses,
            )
            yield Ports(
                log=log,
                store=open_store(""),
                calls=calls,
                clock=clock,
                tasks=GroupTasks(group),
                signer=signer,
                secrets=Secrets(Path("nowhere"), may_make=False),
                new_id=lambda: "id",
            )
            await calls.close()
    finally:
        await log.close()
