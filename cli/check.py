"""`rostrum check`: each part of a deployment, whether it is as it must be, and what to do."""

import time
from collections.abc import Sequence

import click

from cli import show
from cli.address import LOG, SERVICES, STORE, URL, Told, Where, environment_of, told, where
from cli.checking.clocks import Clocked, clock_line
from cli.checking.line import OK, UNSEEN, WRONG, Line, wrong
from cli.checking.listeners import gateway_line, health_lines
from cli.checking.log import (
    LOG_PART,
    beat_lines,
    listen,
    log_lines,
    topic_lines,
)
from cli.checking.settings import settings_lines
from cli.checking.store import look_at_store
from cli.instances import Instance, instances
from cli.looking import looking_at, run
from cli.show import Trouble, json_option
from cli.survey import survey
from libs.runtime.clock import SystemClock
from libs.runtime.visit import Visitor

# How late a record is read that was just written: what the clock of a log is known to.
READ_MS = 250.0
STYLES = {OK: "green", WRONG: "bold red", UNSEEN: "yellow"}
EXAMPLE = """
\b
Examples:
  rostrum check
  rostrum check --url http://localhost:8080 --log kafka://k1:9092 --redis redis://r:6379/0
  rostrum check --json | jq '.lines[] | select(.state == "wrong")'
"""


@click.command(epilog=EXAMPLE)
@told(URL, LOG, STORE, SERVICES)
@json_option
def check(told: Told, as_json: bool) -> None:
    """Say of each part of a deployment whether it is as it must be.

    Looks at the settings in this environment, the gateway, the health of each service, the log and
    its topics, heartbeats, Redis, and the clocks of all machines. Nothing is changed or written.
    Each line says ok, wrong or unseen (it cannot be looked at from here: the Redis of an embedded
    deployment is inside of its process), and what to do. Exit code 1 when something is wrong.
    """
    lines = settings_lines(environment_of(told))
    if not any(line.state == WRONG for line in lines):
        lines += run(_look(where(told)))
    count = sum(line.state == WRONG for line in lines)
    if as_json:
        show.document({"ok": count == 0, "lines": [line._asdict() for line in lines]})
    else:
        _print(lines)
    if count:
        raise Trouble(f"{count} of {len(lines)} lines are wrong")


def _print(lines: Sequence[Line]) -> None:
    width = max(len(line.part) for line in lines)
    for line in lines:
        show.say(f"{line.state:<6}  {line.part:<{width}}  {line.says}", style=STYLES[line.state])
        if line.todo:
            show.say(f"{'':<{8 + width}}  -> {line.todo}")


async def _look(where: Where) -> list[Line]:
    clock = SystemClock()
    async with Visitor(clock) as visitor:
        gateway = await gateway_line(where, visitor)
        found = await instances(where, visitor)
    of_log, log_clocks = await _look_at_log(where)
    of_store = await look_at_store(where, clock)
    clocks = [*_clocks(found), *log_clocks]
    if of_store.ahead_ms is not None:
        clocks.append(Clocked("Redis", of_store.ahead_ms, of_store.unsure_ms))
    return [gateway, *health_lines(found), *of_log, *of_store.lines, clock_line(clocks)]


async def _look_at_log(where: Where) -> tuple[list[Line], list[Clocked]]:
    try:
        async with looking_at(where) as log:
            began_s = time.monotonic()
            seen = await survey(log, is_embedded=where.is_embedded)
            took_ms = (time.monotonic() - began_s) * 1000
            lines = [*log_lines(where, seen, took_ms), *topic_lines(where, seen)]
            if any(each.partitions is None for each in seen):
                return lines, []
            heard = await listen(log, SystemClock())
    except Trouble as fault:
        says, _, todo = fault.message.rpartition("; ")
        return [wrong(LOG_PART, says, todo)], []
    # The clock of an embedded log is that of its process, which told it already.
    known = None if where.is_embedded else heard.ahead_ms
    clocks = [] if known is None else [Clocked("the log", known, READ_MS)]
    return [*lines, *beat_lines(heard)], clocks


def _clocks(found: Sequence[Instance]) -> list[Clocked]:
    return [
        Clocked(f"{each.name} at {each.admin_url}", each.health.ahead_ms, each.health.unsure_ms)
        for each in found
        if each.health is not None and each.health.ahead_ms is not None
    ]
