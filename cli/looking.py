"""A command at work: its loop, the log that it looks at, and faults as one line each."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import click

from cli.address import Where
from cli.show import Trouble
from libs.log.open import open_inspection
from libs.log.port import Inspection, LogError, UnknownTopic
from libs.runtime.logging import hushed
from libs.runtime.settings import variable
from libs.wire.codes import Problem

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do it, and give what it gives. Ctrl-C cancels it, and is `click.Abort`."""
    with hushed():
        return asyncio.run(work)


def until_interrupted(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do what has no end of its own: Ctrl-C is how it ends well."""
    try:
        with hushed():
            asyncio.run(work())
    except KeyboardInterrupt:
        # The terminal has written ^C into the line.
        click.echo(err=True)


@asynccontextmanager
async def looking_at(where: Where) -> AsyncIterator[Inspection]:
    """The deployment's log, looked at. Raises `Trouble` for what it cannot tell, also within."""
    try:
        log = await open_inspection(where.log_url)
    except ValueError as fault:
        raise click.UsageError(str(fault)) from fault
    except LogError as fault:
        raise log_trouble(where, fault) from fault
    try:
        yield log
    except LogError as fault:
        raise log_trouble(where, fault) from fault
    except Problem as fault:
        raise Trouble(f"the log at {where.log_url}: {fault}") from fault
    finally:
        await log.close()


def log_trouble(where: Where, fault: LogError) -> Trouble:
    """What is wrong with the log and what to do."""
    if isinstance(fault, UnknownTopic):
        todo = "no deployment ever ran on this log; the services make its topics when they start"
    else:
        todo = f"start it, or name it with --log or {variable('', 'log_url')}"
    return Trouble(f"the log at {where.log_url}: {fault}; {todo}")
