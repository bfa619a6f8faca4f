"""The entries of a channel over a gateway, as a member gets them."""

from typing import Any

from cli import show
from cli.address import Where
from cli.asking import client_of, told
from cli.lines import Line, Shown, Span
from cli.show import Trouble
from libs.wire.entries import MESSAGE, VOID
from libs.wire.ids import is_id
from rostrum import (
    Client,
    Cursor,
    Ended,
    Entry,
    Event,
    Jumped,
    Message,
    Received,
    Void,
    WasReset,
)

# A gateway answers within milliseconds, one that is being restarted within seconds.
FIRST_S = 5.0


async def from_gateway(where: Where, channel: str, span: Span, shown: Shown) -> None:
    """Print what is wanted. Raises `Trouble`."""
    with told():
        async with client_of(where) as client:
            await _reach(client)
            ident = await _ident(client, channel)
            cursor = await _to_head(client, ident, span, shown)
            if span.follow and not shown.is_all:
                await _on(client, ident, cursor, shown)


async def _reach(client: Client) -> None:
    """Who waits in front of a terminal hears soon that nobody answers."""
    await client.http.ask("GET", "/v1/keys", dict[str, Any], is_open=True, within_s=FIRST_S)


async def _ident(client: Client, name: str) -> str:
    if is_id(name):
        return name
    found = await client.find_channel(name.removeprefix("@").lower())
    if found is None:
        raise Trouble(f"you see no channel with the handle {name!r}; name its id or its handle")
    return found.id


async def _to_head(client: Client, channel: str, span: Span, shown: Shown) -> str:
    """All that was there when it began, and the cursor behind it."""
    page = await client.page(channel, limit=1)
    last = span.begin(page.first, page.head) - 1
    epoch = Cursor.of(page.cursor).epoch
    if last < page.head:
        async for entry in client.history(channel, after=last, before=page.head + 1):
            last = entry.id
            shown.show(_line(entry))
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
            shown.show(_line(event.entry))
        case Jumped():
            show.note(f"{event.unread:,} entries were left out: the gateway jumped to the newest")
        case WasReset():
            show.note(f"the channel's ids began anew, in epoch {event.epoch}")
        case Ended():
            raise Trouble(f"the channel is followed no more: {event.code}: {event.detail}")


def _line(entry: Entry) -> Line:
    match entry:
        case Message():
            said = {"text": entry.text, "mentions": entry.mentions, "reply_to": entry.reply_to}
            return _fields(entry, MESSAGE, **said)
        case Void():
            return _fields(entry, VOID, dup_of=entry.dup_of)
        case _:
            return entry.fields


def _fields(entry: Message | Void, kind: str, **more: Any) -> Line:
    at = entry.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    head = {"id": entry.id, "type": kind, "from": entry.sender, "client_id": entry.client_id}
    return {name: value for name, value in {**head, "at": at, **more}.items() if value}
