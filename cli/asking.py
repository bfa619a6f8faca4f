"""Commands that ask gateways as a member: which client they use, and how its errors are told."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from cli.address import Where
from cli.show import Trouble
from rostrum import Client, FileSessions, RostrumError, Session, SignedOut

T = TypeVar("T")


def client_of(where: Where) -> Client:
    """A client, not entered yet: with the access token that was given, which is used until it
    expires, else with the session of the file, which renews itself."""
    if where.token is not None:
        return Client(where.url, session=Session.of_token(where.token))
    return Client(where.url, sessions=FileSessions(where.sessions))


def asked(work: Coroutine[Any, Any, T]) -> T:
    """The outcome of work in a loop of its own. Raises `Trouble` for what the client raises."""
    with told():
        return asyncio.run(work)


@contextmanager
def told() -> Iterator[None]:
    """What the client raises in here is `Trouble`, with what to do."""
    try:
        yield
    except SignedOut as fault:
        raise Trouble(
            f"{fault}; give an access token with --token, or name with --sessions a file in which "
            "somebody is signed in"
        ) from fault
    except RostrumError as fault:
        raise Trouble(str(fault)) from fault
