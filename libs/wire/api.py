"""Bodies of the internal routes: msgpack maps, asked with POST. All but posts change nothing."""

from libs.wire.codec import Struct
from libs.wire.entries import Entry
from libs.wire.records import Role

ACCESS = "/internal/access"
POSTS = "/internal/posts"
HANDLES = "/internal/handles"
PAGES = "/internal/pages"
FEED = "/internal/feed"

PAIRS_MAX = 1_000
# A batch of posts: with bodies of 64 KiB at most 16 MiB, usually some kilobytes.
POSTS_MAX = 256
# Handles of all mentions of a batch of posts.
HANDLES_MAX = 1_000
PAGE_MAX = 100


class Pair(Struct, frozen=True):
    """What may `user` do in `channel`?"""

    user: str
    channel: str


class AccessQuestion(Struct, frozen=True):
    """At most `PAIRS_MAX` pairs."""

    pairs: tuple[Pair, ...]


class Access(Struct, frozen=True):
    """What a user may do in a channel.

    `refusal` is the code of the problem when neither reading nor posting can be answered with yes:
    `channel_unknown`, `access_denied`, `banned`, `rebuilding`. `claim_offset` is the directory
    offset of the claim: whoever asks the directory for the channel must have read that far.
    `topic` is the pool of the channel's log: posts of a pool go to one chat instance. `slow_mode_s`
    is how long this user waits between two posts; 0 for those who need not.
    """

    user: str
    channel: str
    role: Role | None = None
    may_read: bool = False
    may_post: bool = False
    epoch: int = 0
    claim_offset: int = -1
    topic: str = ""
    slow_mode_s: int = 0
    refusal: str | None = None


class AccessAnswer(Struct, frozen=True):
    """One answer per pair, in the order of the question."""

    answers: tuple[Access, ...]


class PostItem(Struct, frozen=True):
    """A post as the client sent it: `body` is its JSON, which chat alone reads."""

    channel: str
    user: str
    trace: str
    body: bytes


class PostBatch(Struct, frozen=True):
    """At most `POSTS_MAX` posts, in the order in which they came."""

    posts: tuple[PostItem, ...]


class PostReply(Struct, frozen=True):
    """What the client is answered: HTTP status, JSON (of a problem when it is one), and the seconds
    of `Retry-After`."""

    status: int
    body: bytes
    retry_after_s: int | None = None


class PostReplies(Struct, frozen=True):
    """One reply per post, in the order of the batch."""

    replies: tuple[PostReply, ...]


class HandlesQuestion(Struct, frozen=True):
    """Whose are these handles? At most `HANDLES_MAX`."""

    handles: tuple[str, ...]


class HandlesAnswer(Struct, frozen=True):
    """One user id per handle, in order; None for a handle that no user has."""

    users: tuple[str | None, ...]


class PageQuestion(Struct, frozen=True):
    """Entries `first` .. `first + limit - 1` of a channel; fewer at the end."""

    channel: str
    claim_offset: int
    first: int
    limit: int


class Page(Struct, frozen=True):
    """Entries rising by one; `head` is the channel's last id, `first` the lowest that is kept."""

    channel: str
    epoch: int
    head: int
    first: int
    entries: tuple[Entry, ...]
