"""Commands that ask gateways as a member: which client they use, and how its errors are told."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from cli.address import Where
from cli.show import Trouble
from libs.wire.ids import is_id
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


async def ident_of(client: Client, name: str) -> str:
    """The id of a channel by its id or handle. Raises `Trouble`."""
    if is_id(name):
        return name
    found = await client.find_channel(name.removeprefix("@").lower())
    if found is None:
        raise Trouble(f"you see no channel with the handle {name!r}; name its id or its handle")
    return found.id


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
