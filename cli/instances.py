"""The instances of a deployment, asked on their admin listeners."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from cli.address import Where
from libs.runtime.addresses import admin_address
from libs.runtime.visit import Away, Health, Visitor
from libs.wire.services import GATEWAY
from services.catalog import NAMES


@dataclass(frozen=True)
class Instance:
    """A process: the services in it, its admin listener, and what it says; `away` is why it says
    nothing."""

    services: Sequence[str]
    admin_url: str
    health: Health | None
    away: str = ""

    @property
    def name(self) -> str:
        """What people call it."""
        return "the one process" if len(self.services) > 1 else self.services[0]


async def instances(where: Where, visitor: Visitor) -> list[Instance]:
    """Of each service those that are named; services that share a gateway's process are with it.
    An embedded deployment is one process."""
    found = await _asked(where, visitor, [GATEWAY])
    inside = {name for each in found for name in each.services}
    if where.is_embedded:
        return found
    rest = [name for name in NAMES if name not in inside]
    return [*found, *(await _asked(where, visitor, rest))]


async def _asked(where: Where, visitor: Visitor, services: Sequence[str]) -> list[Instance]:
    asked = [(name, address) for name in services for address in where.addresses[name]]
    return list(await asyncio.gather(*(_ask(visitor, *each) for each in asked)))


async def _ask(visitor: Visitor, service: str, address: str) -> Instance:
    admin_url = admin_address(address)
    try:
        health = await visitor.health(admin_url)
    except Away as fault:
        return Instance([service], admin_url, None, str(fault))
    return Instance([name for name in NAMES if name in health.lacks], admin_url, health)
