"""From the records of a channel's log to the entries that everybody sees: which are void, and why.

The rule looks at log positions only, never at a clock or a flag, so all readers decide alike. A
message whose (author, client_id) occurs, void or not, in the `WINDOW` entries before it is void.
The verdict on an entry therefore depends on those entries alone: a reader that pushes the `WINDOW`
entries before its start first, and drops what comes of them, decides alike from its start on.
"""

from collections import OrderedDict
from typing import NamedTuple

from libs.wire.codec import Malformed
from libs.wire.entries import MESSAGE, VOID, Entry, rfc3339
from libs.wire.records import EntryRecord, Message, decode_entry

# How far back a repeated post is noticed. Retries come within seconds, and a reader that
# starts in the middle fetches 512 entries in one read.
WINDOW = 512

_Key = tuple[str, str]


class _Seen(NamedTuple):
    """Where a key occurred last, and the message that its occurrences lead back to."""

    nearest: int
    first: int


class ChannelFold:
    """Folds one channel's records in log order, each getting the next id.

    Holds at most `window` keys. `next_id` is the id of the first record that will be pushed: the
    extent's `base_id`, or for a reader in the middle its start less `window`.
    """

    def __init__(self, channel: str, next_id: int, *, window: int = WINDOW) -> None:
        self._channel = channel
        self._next = next_id
        self._window = window
        self._seen: OrderedDict[_Key, _Seen] = OrderedDict()

    @property
    def head(self) -> int:
        """The last id; `next_id - 1` as long as nothing was pushed."""
        return self._next - 1

    @property
    def held(self) -> int:
        """How many keys are held: those of the last `window` entries."""
        return len(self._seen)

    def push(self, raw: bytes, at_ms: int) -> Entry:
        """The entry of the next record. `at_ms`: the log's time of it, UTC milliseconds.

        Foreign records (another channel's) and malformed ones are void and register nothing;
        unknown types are passed on by their head and register nothing either. A message of a newer
        version registers like any other, but only its head is shown.
        """
        number, self._next = self._next, self._next + 1
        at = rfc3339(at_ms)
        try:
            record = decode_entry(raw)
        except Malformed:
            record = None
        if record is None or record.channel != self._channel or record.type == VOID:
            entry = Entry(id=number, type=VOID, at=at)
        elif record.type != MESSAGE:
            entry = _shown(record, number, at)
        else:
            entry = self._message(record, number, at)
        self._forget()
        return entry

    def first_of(self, author: str, client_id: str) -> int | None:
        """The id of the message that is shown for a post, if the next entry could be its duplicate.

        Follows the chain of duplicates back to their first. Folded from the channel's
        first entry on, this is exact. A fold that began in the middle at id s cannot see before s:
        where it answers an id below s + `window`, that may itself be a duplicate of an earlier one.
        Whether there is an answer at all is the same for both, once `window` entries were pushed.
        """
        seen = self._seen.get((author, client_id))
        return None if seen is None else seen.first

    def _message(self, record: EntryRecord, number: int, at: str) -> Entry:
        key = (record.author, record.client_id)
        seen = self._seen.pop(key, None)
        self._seen[key] = _Seen(number, number if seen is None else seen.first)
        if seen is None:
            return _shown(record, number, at)
        return Entry(id=number, type=VOID, at=at, dup_of=seen.nearest)

    def _forget(self) -> None:
        """Drop the key that the next entry does not reach; keys stand in the order of `nearest`."""
        if self._seen:
            key = next(iter(self._seen))
            if self._seen[key].nearest < self._next - self._window:
                del self._seen[key]


def _shown(record: EntryRecord, number: int, at: str) -> Entry:
    message = record if isinstance(record, Message) else None
    return Entry(
        id=number,
        type=record.type,
        sender=record.author,
        client_id=record.client_id,
        at=at,
        text=message.text if message else None,
        mentions=message.mentions if message else (),
        reply_to=message.reply_to if message else None,
    )
