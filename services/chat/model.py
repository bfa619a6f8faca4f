"""A post, and what is known of the posts among a channel's newest entries."""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from libs.wire.codec import Malformed, pack
from libs.wire.codes import Refused
from libs.wire.entries import MESSAGE, Entry, rfc3339
from libs.wire.fold import WINDOW, ChannelFold
from libs.wire.records import EntryRecord, Message, decode_entry

CLIENT_ID_PATTERN = "^[!-~]{1,64}$"
TEXT_CHARS_MAX = 4_096
# Two bodies under one client_id are told apart by this much of their hash: it guards against a
# client's mistake, not against an attack on itself.
DIGEST_BYTES = 8
MENTIONS_MAX = 50
# A handle as session gives them out, after an @ that does not continue a word or an address, and
# not going on as one.
_MENTION = re.compile(r"(?<![\w.+\-@/])@([A-Za-z][A-Za-z0-9_]{2,31})(?![\w@])")


class Key(NamedTuple):
    """What makes two posts of a channel the same one."""

    author: str
    client_id: str


@dataclass(frozen=True, slots=True)
class Post:
    """A wish to post. `retry`: the client has sent it before and got no answer."""

    channel: str
    author: str
    client_id: str
    text: str
    reply_to: int | None = None
    retry: bool = False

    @property
    def key(self) -> Key:
        """What its repetitions share."""
        return Key(self.author, self.client_id)

    @property
    def digest(self) -> bytes:
        """What a repetition must not change."""
        return digest(self.text, self.reply_to)

    def record(self, reply_author: str | None = None, mentions: tuple[str, ...] = ()) -> Message:
        """What is appended. `reply_author` wrote what it answers, `mentions` are users."""
        return Message(
            channel=self.channel,
            author=self.author,
            client_id=self.client_id,
            text=self.text,
            reply_to=self.reply_to,
            reply_author=reply_author,
            mentions=mentions,
        )


class Known(NamedTuple):
    """The message that a post is shown as: id, time, digest of its body (None: unreadable here).

    `nearest` is the last entry of the same post, void or not. `is_first`: no earlier one can be in
    the log that this one would lead back to.
    """

    id: int
    at: str
    digest: bytes | None
    nearest: int
    is_first: bool


class Numbered(NamedTuple):
    """A record as it stands in a channel's log."""

    id: int
    at_ms: int
    raw: bytes


def digest(text: str | None, reply_to: int | None) -> bytes:
    """`DIGEST_BYTES` bytes that stand for the body of a post."""
    return hashlib.sha256(pack((text, reply_to))).digest()[:DIGEST_BYTES]


def handles_in(text: str) -> tuple[str, ...]:
    """The handles that a text names, in lower case, each once, in its order. Raises `Refused` when
    they are more than `MENTIONS_MAX`."""
    handles = tuple(dict.fromkeys(found.lower() for found in _MENTION.findall(text)))
    if len(handles) > MENTIONS_MAX:
        raise Refused(
            "field_invalid", f"text: at most {MENTIONS_MAX} people are mentioned", field="text"
        )
    return handles


class Window:
    """The posts among the last `size` entries before `next_id`, by the fold's own verdicts.

    `is_whole`: `next_id` is the channel's first entry, so that nothing before it is missed.
    """

    def __init__(self, channel: str, next_id: int, *, is_whole: bool, size: int = WINDOW) -> None:
        self._fold = ChannelFold(channel, next_id, window=size)
        self._size = size
        self._start = next_id
        self._sure_from = next_id if is_whole else next_id + size
        self._posts: OrderedDict[Key, Known] = OrderedDict()

    @property
    def head(self) -> int:
        """The last id."""
        return self._fold.head

    @property
    def held(self) -> int:
        """How many posts are remembered."""
        return len(self._posts)

    def push(self, raw: bytes, at_ms: int) -> None:
        """Take the next record of the log."""
        entry = self._fold.push(raw, at_ms)
        post = _post(raw)
        if post is not None and _is_occurrence(entry):
            self._note(post, entry)
        self._forget()

    def known(self, key: Key) -> Known | None:
        """The message of this post, if the next entry could be its duplicate."""
        return self._posts.get(key)

    def holds(self, ident: int) -> bool:
        """Whether what entry `ident` is, is known here."""
        return max(self._start, self.head - self._size + 1) <= ident <= self.head

    def key_of(self, ident: int) -> Key | None:
        """The post that begins with entry `ident`, as far as is known; None: no post does."""
        return next((key for key, known in self._posts.items() if known.id == ident), None)

    def settle(self, key: Key, first: Known) -> None:
        """Where the chain of duplicates really begins, for one whose beginning was not sure."""
        known = self._posts.get(key)
        if known is not None:
            self._posts[key] = first._replace(nearest=known.nearest, is_first=True)

    def _note(self, post: EntryRecord, entry: Entry) -> None:
        key = Key(post.author, post.client_id)
        known = self._posts.pop(key, None)
        if known is None:
            is_first = entry.id >= self._sure_from
            known = _known(post, entry.id, entry.at, is_first=is_first)
        self._posts[key] = known._replace(nearest=entry.id)

    def _forget(self) -> None:
        # One entry more is out of reach at each push, and keys stand in the order of `nearest`.
        if self._posts:
            key = next(iter(self._posts))
            if self._posts[key].nearest <= self.head - self._size:
                del self._posts[key]


def earliest(records: Iterable[Numbered], channel: str, key: Key) -> Known | None:
    """The earliest of these records (in log order) that is an entry of this post."""
    for record in records:
        post = _post(record.raw)
        if post is None or post.channel != channel or (post.author, post.client_id) != key:
            continue
        return _known(post, record.id, rfc3339(record.at_ms), is_first=False)
    return None


def _is_occurrence(entry: Entry) -> bool:
    # A void entry that repeats nothing is foreign to the channel.
    return entry.type == MESSAGE or entry.dup_of is not None


def _post(raw: bytes) -> EntryRecord | None:
    try:
        record = decode_entry(raw)
    except Malformed:
        return None
    return record if record.type == MESSAGE else None


def _known(post: EntryRecord, ident: int, at: str, *, is_first: bool) -> Known:
    # A message of a newer version is one too, but its body cannot be read here.
    body = digest(post.text, post.reply_to) if isinstance(post, Message) else None
    return Known(ident, at, body, ident, is_first)
