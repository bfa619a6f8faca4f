"""Bodies of the internal routes: msgpack maps, asked with POST, changing nothing."""

from libs.wire.codec import Struct
from libs.wire.entries import Entry
from libs.wire.records import Role

ACCESS = "/internal/access"
PAGES = "/internal/pages"
FEED = "/internal/feed"

PAIRS_MAX = 1_000
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
    """

    user: str
    channel: str
    role: Role | None = None
    may_read: bool = False
    may_post: bool = False
    epoch: int = 0
    claim_offset: int = -1
    refusal: str | None = None


class AccessAnswer(Struct, frozen=True):
    """One answer per pair, in the order of the question."""

    answers: tuple[Access, ...]


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
