"""Entries and pages as a gateway would answer them."""

from datetime import UTC, datetime

from rostrum import Channel, Message, Page, User, Void

AT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
CHANNEL = "01KA3Q5V8Z0J6T4M2N7R9X1C3E"
ADA = User(id="01KA3PZ0ANN0000000000000AA", handle="ada", name="Ada")
BOB = User(id="01KA3PZ0B0B0000000000000BB", handle="bob", name="Bob")


def message(
    ident: int,
    text: str = "",
    *,
    sender: str = BOB.id,
    client_id: str = "",
    mentions: tuple[str, ...] = (),
    reply_to: int | None = None,
) -> Message:
    """A message with this id."""
    return Message(
        id=ident,
        sender=sender,
        client_id=client_id or f"k{ident}",
        at=AT,
        text=text or f"text {ident}",
        mentions=mentions,
        reply_to=reply_to,
    )


def messages(first: int, last: int) -> tuple[Message, ...]:
    """Messages with the ids from `first` to `last`."""
    return tuple(message(ident) for ident in range(first, last + 1))


def void(ident: int) -> Void:
    """An entry that shows nothing."""
    return Void(id=ident, at=AT)


def channel(head: int = 0, *, ident: str = CHANNEL, title: str = "First light") -> Channel:
    """A channel whose last entry is `head`."""
    return Channel(id=ident, kind="group", title=title, head=head, cursor=f"1-{head}")


def page(first: int, last: int, *, head: int, kept: int = 1, epoch: int = 1) -> Page:
    """The entries from `first` to `last` of a channel that keeps those from `kept`."""
    return Page(
        entries=messages(first, last),
        cursor=f"{epoch}-{last}",
        head=head,
        first=kept,
        more=False,
    )
