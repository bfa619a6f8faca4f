"""Where in an export its parser is: in which chat, and in which message of it.

{"messages": [...]}                                    one chat
{"chats": {"list": [{"messages": [...]}, ...]}}        a whole account; `left_chats` likewise
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

OPENING = frozenset({"start_map", "start_array"})
CLOSING = frozenset({"end_map", "end_array"})
SECTIONS = ("chats", "left_chats")
# How deep a chat's own fields are: those of the file, and those of a chat in a list.
_ALONE, _LISTED = 1, 4
_NAMES = ("id", "name", "type")


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat of the file, its `number` among them, and how many messages it has. `name` is empty
    for saved messages and deleted accounts."""

    number: int
    ident: str
    name: str
    kind: str
    count: int

    def __str__(self) -> str:
        return f"{self.ident}: {self.name or self.kind} ({self.count:,} messages)"


@dataclass(slots=True)
class _Found:
    """What is known of a chat so far."""

    names: dict[str, str] = field(default_factory=dict)
    has_messages: bool = False
    count: int = 0


class Outline:
    """Takes each event of the parser in order. `depth` counts what is open, `begun` the messages
    so far; `listing` is the number of the chat whose messages come now."""

    def __init__(self) -> None:
        self.depth = 0
        # The key of each open object down to that of a chat; None in a list.
        self._keys: list[str | None] = [None] * (_LISTED + 1)
        self.begun = 0
        # The file itself first: it is a chat when it has messages.
        self._found = [_Found()]
        self.listing: int | None = None
        self._list_depth = 0

    @property
    def is_in_message(self) -> bool:
        """Whether a message is open."""
        return self.listing is not None and self.depth > self._list_depth

    @property
    def is_whole_account(self) -> bool:
        """Whether there are lists of chats."""
        return len(self._found) > 1

    def take(self, event: str, value: object) -> bool:
        """The next event. Returns whether it is (of) a message of the chat that is listed."""
        if self.listing is not None:
            return self._in_list(self.listing, event)
        if event == "map_key":
            if self.depth <= _LISTED:
                self._keys[self.depth] = str(value)
        elif event in CLOSING:
            self.depth -= 1
        else:
            self._begin(event, value)
        return False

    def chats(self) -> Iterator[Chat]:
        """Those that have a list of messages, in the order of the file."""
        for number, found in enumerate(self._found):
            if found.has_messages:
                ident, name, kind = (found.names.get(key, "") for key in _NAMES)
                yield Chat(number, ident, name, kind, found.count)

    def _in_list(self, listing: int, event: str) -> bool:
        if event in CLOSING:
            self.depth -= 1
            if self.depth < self._list_depth:
                self.listing = None
                return False
            return True
        if self.depth == self._list_depth:
            self.begun += 1
            self._found[listing].count += 1
        if event in OPENING:
            self.depth += 1
        return True

    def _begin(self, event: str, value: object) -> None:
        """A value begins that is in no list of messages; a scalar ends at once."""
        if self.depth == _ALONE:
            self._field(0, event, value)
        elif self.depth == _LISTED and self._is_in_list():
            self._field(len(self._found) - 1, event, value)
        elif self.depth == _LISTED - 1 and event == "start_map" and self._is_in_list():
            self._found.append(_Found())
        if event in OPENING:
            self.depth += 1
            if self.depth <= _LISTED:
                self._keys[self.depth] = None

    def _is_in_list(self) -> bool:
        _, section, below, item, *_ = self._keys
        return section in SECTIONS and below == "list" and item is None

    def _field(self, number: int, event: str, value: object) -> None:
        key, found = self._keys[self.depth], self._found[number]
        if key == "messages" and event == "start_array":
            found.has_messages = True
            self.listing, self._list_depth = number, self.depth + 1
        elif key in _NAMES and event in {"string", "number"}:
            found.names[str(key)] = str(value)
