"""The lines of a channel, as values: what the screen shows, without a screen."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from cli.chat.history import KEPT, History
from cli.chat.names import Names
from cli.chat.posts import Failed, Post, Waiting
from cli.chat.room import Room
from cli.show import plain
from rostrum import Message, User

# Of the message that is answered: one line, on a narrow screen too.
QUOTED_CHARS = 60
# The channel that is shown is drawn often, and all of it each time.
WRITTEN_MAX = 2 * KEPT

Kind = Literal["other", "mine", "mention", "waiting", "failed"]


@dataclass(frozen=True)
class Row:
    """`key` names the row in its channel; `day` stands above the first row of a day, `quote` above
    an answer, `note` below what has not arrived. All text may be printed as it is."""

    key: str
    kind: Kind
    name: str
    text: str
    time: str = ""
    day: str = ""
    quote: str = ""
    note: str = ""


def rows_of(room: Room, names: Names, me: User | None) -> list[Row]:
    """The messages that are held, and below them what the person posted and has not come back."""
    view = _View(room.history, names, "" if me is None else me.id)
    posts = [] if room.missing else room.posts.values()
    return [*view.messages(), *(view.post(post) for post in posts)]


def message_of(key: str) -> int | None:
    """The id of the message of a row; None for a post that has none yet."""
    return int(key) if key.isdigit() else None


def printable(text: str) -> str:
    """Lines as they are, and in them nothing that a terminal would obey."""
    return "\n".join(plain(line) for line in text.splitlines())


class _View:
    """Makes rows of one channel for one person."""

    def __init__(self, history: History, names: Names, me: str) -> None:
        self._history = history
        self._names = names
        self._me = me

    def messages(self) -> Iterator[Row]:
        day = ""
        for one in self._history:
            text, time, today = _written(one.text, one.at)
            yield Row(
                key=str(one.id),
                kind=self._kind(one),
                name=self._names.of(one.sender),
                text=text,
                time=time,
                day="" if today == day else today,
                quote=self._quote(one.reply_to),
            )
            day = today

    def post(self, post: Post) -> Row:
        kind, note = _fate(post)
        return Row(
            key=f"post-{post.client_id}",
            kind=kind,
            name=self._names.of(self._me),
            text=printable(post.text),
            quote=self._quote(post.reply_to),
            note=note,
        )

    def _kind(self, message: Message) -> Kind:
        if message.sender == self._me:
            return "mine"
        return "mention" if self._me in message.mentions else "other"

    def _quote(self, reply_to: int | None) -> str:
        if reply_to is None:
            return ""
        found = self._history.find(reply_to)
        return quoted(found, self._names) if found is not None else f"message {reply_to}"


def quoted(message: Message, names: Names) -> str:
    """A message in one short line."""
    text = " ".join(printable(message.text).split())
    cut = text if len(text) <= QUOTED_CHARS else f"{text[: QUOTED_CHARS - 1]}…"
    return f"{names.of(message.sender)}: {cut}"


@lru_cache(WRITTEN_MAX)
def _written(text: str, at: datetime) -> tuple[str, str, str]:
    """What never changes: the text as it is printed, the time and the day here."""
    here = at.astimezone()
    return printable(text), f"{here:%H:%M}", f"{here:%A %d %B %Y}"


def _fate(post: Post) -> tuple[Kind, str]:
    match post.fate:
        case Failed(why):
            return "failed", f"not sent: {printable(why)} (/retry or /drop)"
        case Waiting():
            return "waiting", "on its way"
    return "mine", ""
