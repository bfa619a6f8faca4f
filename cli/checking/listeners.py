"""The gateway that members reach, and the health of each instance."""

import time
from collections.abc import Sequence

from cli import show
from cli.address import Where
from cli.checking.line import Line, ok, unseen, wrong
from cli.instances import Instance
from libs.runtime.settings import variable
from libs.runtime.visit import Away, Visitor
from libs.wire.services import GATEWAY

HEALTH_PART = "health"


async def gateway_line(where: Where, visitor: Visitor) -> Line:
    """Whether the gateway answers, and knows whose tokens count."""
    began_s = time.monotonic()
    try:
        keys = await visitor.keys(where.url)
    except Away as fault:
        todo = f"start it, or name it with --url or {variable('', 'url')}"
        return wrong(GATEWAY, str(fault), todo)
    took_ms = (time.monotonic() - began_s) * 1000
    return ok(GATEWAY, f"{where.url} answers in {took_ms:.0f} ms, keys: {len(keys)}")


def health_lines(found: Sequence[Instance]) -> list[Line]:
    """A line for each instance."""
    return [_health(each) for each in found]


def _health(instance: Instance) -> Line:
    if instance.health is None:
        todo = (
            f"start it, or name its address with --addresses or "
            f"{variable('', 'addresses')}; its admin listener must be reached from here"
        )
        return wrong(HEALTH_PART, f"{instance.name}: {instance.away}", todo)
    lacks = [
        f"{service} lacks {lack}"
        for service, listed in instance.health.lacks.items()
        for lack in listed
    ]
    where = f"{show.sentence(instance.services)} at {instance.admin_url}"
    if lacks:
        todo = "wait if it was started just now; else mend what it names, its log says more"
        return wrong(HEALTH_PART, f"{where}: {show.sentence(lacks)}", todo)
    if not instance.services:
        return unseen(HEALTH_PART, f"{instance.admin_url} is ready, but has no service of ours")
    return ok(HEALTH_PART, f"{where}: ready")
