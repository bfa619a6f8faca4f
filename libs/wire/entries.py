"""What clients see of a channel's log: one `Entry` per id, as the fold decided it."""

from datetime import UTC, datetime

from libs.wire.codec import Struct

VOID = "void"
MESSAGE = "message"


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"sender": "from"}):
    """One id of a channel. Fields that say nothing are not sent.

    `at` is the log's time of the append (`rfc3339`); `sender` (a user id, `from` on the wire) and
    `client_id` name the post. A `void` entry keeps the id of what is not to be shown: `dup_of` is
    the nearest earlier entry of the same post; a foreign or malformed record has none. A client
    skips types that it does not know.
    """

    id: int
    type: str
    sender: str = ""
    client_id: str = ""
    at: str
    text: str | None = None
    mentions: tuple[str, ...] = ()
    reply_to: int | None = None
    dup_of: int | None = None


def rfc3339(at_ms: int) -> str:
    """UTC milliseconds since 1970 as `2026-11-21T08:00:00.123Z`. Raises `ValueError` or
    `OverflowError` outside the years 1 to 9999."""
    seconds, millis = divmod(at_ms, 1000)
    moment = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    return f"{moment.isoformat()}.{millis:03d}Z"
