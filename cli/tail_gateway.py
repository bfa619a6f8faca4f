"""The entries of a channel over a gateway, as a member gets them."""

from typing import Any

from cli import show
from cli.address import Where
from cli.asking import client_of, ident_of, told
from cli.entries import fields_of
from cli.lines import Shown, Span
from cli.show import Trouble
from rostrum import Client, Cursor, Ended, Event, Jumped, Received, WasReset

# A gateway answers within milliseconds, one that is being restarted within seconds.
FIRST_S = 5.0


async def from_gateway(where: Where, channel: str, span: Span, shown: Shown) -> None:
    """Print what is wanted. Raises `Trouble`."""
    with told():
        async with client_of(where) as client:
            await _reach(client)
            ident = await ident_of(client, channel)
            cursor = await _to_head(client, ident, span, shown)
            if span.follow and not shown.is_all:
                await _on(client, ident, cursor, shown)


async def _reach(client: Client) -> None:
    """Who waits in front of a terminal hears soon that nobody answers."""
    await client.http.ask("GET", "/v1/keys", dict[str, Any], is_open=True, within_s=FIRST_S)


async def _to_head(client: Client, channel: str, span: Span, shown: Shown) -> str:
    """All that was there when it began, and the cursor behind it."""
    page = await client.page(channel, limit=1)
    last = span.begin(page.first, page.head) - 1
    epoch = Cursor.of(page.cursor).epoch
    if last < page.head:
        async for entry in client.history(channel, after=last, before=page.head + 1):
            last = entry.id
            shown.show(fields_of(entry))
            if shown.is_all:
                break
    return str(Cursor(epoch, last))


async def _on(client: Client, channel: str, cursor: str, shown: Shown) -> None:
    async with client.follow({channel: cursor}) as follower:
        async for event in follower:
            _take(event, shown)
            if shown.is_all:
                return


def _take(event: Event, shown: Shown) -> None:
    match event:
        case Received():
            shown.show(fields_of(event.entry))
        case Jumped():
            show.note(f"{event.unread:,} entries were left out: the gateway jumped to the newest")
        case WasReset():
            show.note(f"the channel's ids began anew, in epoch {event.epoch}")
        case Ended():
            raise Trouble(f"the channel is followed no more: {event.code}: {event.detail}")
