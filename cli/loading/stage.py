"""What a run stands on: whose deployment it is, who its people are, and its channels."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import click

from cli.address import Where
from cli.asking import told
from cli.loading.people import client_of
from cli.loading.share import Wanted, owner_of
from cli.loading.words import Person, Place
from cli.show import Trouble
from cli.signing import Signatory, users
from libs.runtime.clock import SystemClock
from libs.runtime.visit import Away, Visitor
from rostrum import Client, Cursor

# Channels that are made at once.
AT_ONCE = 10


async def signatory_of(where: Where) -> Signatory:
    """Who signs for a deployment that is our own: one whose gateway takes the tokens of the key
    that lies here. Raises `Trouble` for any other."""
    try:
        async with Visitor(SystemClock()) as visitor:
            known = await visitor.keys(where.url)
    except Away as fault:
        raise Trouble(f"{fault}; start the deployment, or name its gateway with --url") from fault
    signatory = Signatory(where)
    if signatory.key_id not in known:
        raise Trouble(
            f"{where.url} is not the deployment of the key in {where.secrets}: load is put on "
            "one's own; to load another one, give its --tokens and --yes"
        )
    return signatory


def signed_for(wanted: Wanted, prefix: str) -> list[Person]:
    """People whom workers sign for, the same for the same prefix."""
    return [Person(user) for user in users(prefix, wanted.people)]


def with_tokens(wanted: Wanted, path: Path) -> list[Person]:
    """People of a file of tokens, one a line. Raises `click.UsageError` when they are too few."""
    tokens = path.read_text("utf-8").split()
    if len(tokens) < wanted.people:
        raise click.UsageError(
            f"{path} has {len(tokens)} tokens, and {wanted.people} are needed: "
            f"{wanted.posters} who post and {wanted.followers} who follow"
        )
    return [Person("", token) for token in tokens[: wanted.people]]


async def made(
    wanted: Wanted, prefix: str, people: Sequence[Person], signatory: Signatory | None
) -> list[Place]:
    """The channels of a run, public ones, of those who post. The same people have the same channels
    in each run: a channel takes a partition for ever. Raises `Trouble`."""
    posters = people[: wanted.posters]
    clients = [client_of(wanted.url, person, signatory) for person in posters]
    with told():
        async with AsyncExitStack() as opened:
            for client in clients:
                await opened.enter_async_context(client)
            return await _places(wanted, prefix, clients)


async def _places(wanted: Wanted, prefix: str, clients: Sequence[Client]) -> list[Place]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def place(number: int) -> Place:
        owner = clients[owner_of(wanted, number)]
        async with gate:
            channel = await owner.create_channel(
                f"Load {prefix} {number}", visibility="public", client_id=f"{prefix}-{number}"
            )
            for helper in _further_posters(wanted, number):
                await owner.add_member(channel.id, clients[helper].session.user_id, "admin")
        cursor = Cursor.of(channel.cursor)
        return Place(channel.id, cursor.epoch, cursor.id)

    return list(await asyncio.gather(*map(place, range(wanted.channels))))


def _further_posters(wanted: Wanted, place: int) -> list[int]:
    """Who owns no channel and posts to this one: as an admin, who may as often as an owner."""
    return [
        number
        for number in range(wanted.channels, wanted.posters)
        if number % wanted.channels == place
    ]
