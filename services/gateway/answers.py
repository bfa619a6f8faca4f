"""Bytes of poll answers: spliced from entries that are encoded already, not encoded per client."""

from collections.abc import Sequence

from libs.wire.codec import to_json
from libs.wire.entries import Entry

ENTRIES_MAX = 100
JUMP_BEHIND = 1_000


def entry(value: Entry) -> bytes:
    """An entry as clients see it."""
    return to_json(value)


class Writer:
    """Writes the answers of one channel and epoch."""

    __slots__ = ("_after_ms", "_epoch", "_opening")

    def __init__(self, channel: str, epoch: int, poll_after_ms: int) -> None:
        self._epoch = epoch
        self._opening = b'{"channel":' + to_json(channel) + b',"entries":['
        self._after_ms = b',"poll_after_ms":%d}' % poll_after_ms

    def entries(self, encoded: Sequence[bytes], last: int, head: int) -> bytes:
        """Entries up to id `last` of a channel that ends at `head`; none is an answer as well."""
        more = b"true" if head > last else b"false"
        return b"".join(
            (
                self._opening,
                b",".join(encoded),
                b'],"cursor":"%d-%d","head":%d,"more":%s' % (self._epoch, last, head, more),
                self._after_ms,
            )
        )

    def jump(self, unread: int, head: int, first: int) -> bytes:
        """Too far behind: show the latest, fetch history by pages. The cursor goes to the head."""
        return self._special(
            head, b'"jump":{"unread":%d,"head":%d,"first":%d}' % (unread, head, first)
        )

    def reset(self, head: int, first: int) -> bytes:
        """The epoch changed: what the client's cursor meant is gone."""
        return self._special(
            head, b'"reset":{"epoch":%d,"head":%d,"first":%d}' % (self._epoch, head, first)
        )

    def drain(self, after: int, head: int, reconnect_after_ms: int) -> bytes:
        """This gateway goes away: nothing came; poll again elsewhere with the same cursor."""
        return self._special(
            head, b'"drain":{"reconnect_after_ms":%d}' % reconnect_after_ms, cursor=after
        )

    def _special(self, head: int, field: bytes, *, cursor: int | None = None) -> bytes:
        place = head if cursor is None else cursor
        return b"".join(
            (
                self._opening,
                b'],"cursor":"%d-%d","head":%d,"more":false,' % (self._epoch, place, head),
                field,
                self._after_ms,
            )
        )
