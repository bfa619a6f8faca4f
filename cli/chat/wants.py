"""What the model wants done by those who have a network and a file system."""

from dataclasses import dataclass
from typing import Literal

from cli.chat.posts import Post
from cli.chat.words import Word
from rostrum import Cursor


@dataclass(frozen=True)
class Load:
    """Read a page: `older` ends before `at`, `newer` begins after it, `latest` is the end."""

    channel: str
    kind: Literal["older", "newer", "latest"]
    at: int = 0


@dataclass(frozen=True)
class Send:
    """Keep this post, and send it until it is acknowledged."""

    channel: str
    post: Post


@dataclass(frozen=True)
class Forget:
    """Do not send this post any more."""

    client_id: str


@dataclass(frozen=True)
class Keep:
    """Go on from here after a restart."""

    channel: str
    cursor: Cursor


@dataclass(frozen=True)
class Do:
    """The person asks it of the server or the program; `channel` is the one that is shown."""

    word: Word
    channel: str | None


Want = Load | Send | Forget | Keep | Do
