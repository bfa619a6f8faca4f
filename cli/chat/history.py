"""A stretch of a channel without holes, bounded: what is over goes at the end not being read."""

from collections import deque
from collections.abc import Iterator, Sequence

from rostrum import Message, Unknown, Void

Entry = Message | Void | Unknown

# Of the channel that is shown: ten pages, some 300 KB of usual messages.
KEPT = 1_000
# What is over its bound lets go of this part, so that a full screen is laid out anew once in a
# while and not with each message.
LET_GO = 1 / 10


class History:
    """Every message with `after < id <= last`. Entries that show nothing only count as ids."""

    def __init__(self, at: int = 0, *, size: int = KEPT) -> None:
        self.after = at
        self.last = at
        self._size = size
        self._let_go = int(size * LET_GO)
        self._messages: deque[Message] = deque()

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[Message]:
        """Oldest first."""
        return iter(self._messages)

    @property
    def is_full(self) -> bool:
        """Whether the next message drops another one."""
        return len(self._messages) >= self._size

    def find(self, message: int) -> Message | None:
        """The message with this id, if it is held."""
        return next((one for one in self._messages if one.id == message), None)

    def append(self, entries: Sequence[Entry]) -> None:
        """Take those that follow `last`; the oldest messages make room."""
        for entry in entries:
            if entry.id == self.last + 1:
                self.last = entry.id
                self._messages.extend([entry] if isinstance(entry, Message) else [])
        if len(self._messages) > self._size:
            self.trim(self._size - self._let_go)

    def prepend(self, entries: Sequence[Entry]) -> None:
        """Take those that end at `after`; the newest messages make room."""
        for entry in reversed(entries):
            if entry.id == self.after:
                self.after = entry.id - 1
                self._messages.extendleft([entry] if isinstance(entry, Message) else [])
        if len(self._messages) > self._size:
            while len(self._messages) > self._size - self._let_go:
                self.last = self._messages.pop().id - 1

    def begin(self, entries: Sequence[Entry], at: int) -> None:
        """Hold these alone, the last of which is `at`; none: begin empty after `at`."""
        self._messages.clear()
        self.after = entries[0].id - 1 if entries else at
        self.last = self.after
        self.append(entries)

    def trim(self, size: int) -> None:
        """Keep the newest `size` messages."""
        while len(self._messages) > size:
            self.after = self._messages.popleft().id
