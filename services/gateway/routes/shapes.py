"""What listeners are answered, as the OpenAPI document shows it. Bytes are spliced in `answers`."""

from pydantic import BaseModel, Field

from libs.wire.codes import Retry


class EntryShape(BaseModel):
    """One entry of a channel. Skip types that you do not know."""

    id: int = Field(description="Rises by one from entry to entry")
    type: str = Field(description="message, void, or one that came later")
    sender: str | None = Field(default=None, alias="from", description="User who wrote it")
    client_id: str | None = None
    at: str = Field(description="RFC 3339, UTC")
    text: str | None = None
    mentions: list[str] | None = None
    reply_to: int | None = None
    dup_of: int | None = Field(default=None, description="Of a void: the entry that it repeats")


class Jump(BaseModel):
    """Over 1,000 behind, or behind what is kept: show the latest page."""

    unread: int = Field(description="Entries between the cursor and the head")
    head: int
    first: int


class Reset(BaseModel):
    """The epoch changed: forget the cursor."""

    epoch: int
    head: int
    first: int


class Drain(BaseModel):
    """This gateway goes away: poll again with the same cursor, after this many milliseconds."""

    reconnect_after_ms: int


class PollAnswer(BaseModel):
    """Entries after the cursor, or none when the time is over."""

    channel: str
    entries: list[EntryShape]
    cursor: str = Field(description="Send it with the next poll")
    head: int
    more: bool = Field(description="There is more already: poll again at once")
    jump: Jump | None = None
    reset: Reset | None = None
    drain: Drain | None = None
    poll_after_ms: int = Field(description="Wait this long before the next poll")


class ChannelAnswer(BaseModel):
    """What a poll of one channel would be answered, or why it may not be polled."""

    channel: str
    entries: list[EntryShape] | None = None
    cursor: str | None = None
    head: int | None = None
    more: bool | None = None
    jump: Jump | None = None
    reset: Reset | None = None
    drain: Drain | None = None
    poll_after_ms: int | None = None
    problem: dict[str, str | int | None] | None = None


class PollsAnswer(BaseModel):
    """Of those channels that have something to say; poll again with the new cursors."""

    channels: list[ChannelAnswer]
    poll_after_ms: int = Field(description="Wait this long before the next poll")


class PageAnswer(BaseModel):
    """A page of a channel, entries rising by id."""

    entries: list[EntryShape]
    cursor: str = Field(description="Of the last entry of the page")
    head: int
    first: int = Field(description="Lowest id that is kept")
    more: bool = Field(description="There is more in the direction that was asked for")


class ProblemShape(BaseModel):
    """An RFC 9457 problem, as every error is answered."""

    type: str
    title: str
    status: int
    code: str = Field(description="Stable; what programs look at")
    detail: str = Field(description="What happened and what to do, for people")
    retry: Retry = Field(description="no: change it; yes: send it again; same-key: same client_id")
    trace_id: str
    field: str | None = Field(default=None, description="The faulty input")
