"""What people are called. Messages name their senders by id, and only mentions tell handles."""

import re

from rostrum import Message

# How `@handle` stands in a text.
_HANDLE = re.compile(r"(?<![\w.+\-@/])@([A-Za-z][A-Za-z0-9_]{2,31})(?![\w@])")
# Of an id whose handle is not known: enough to tell the people of a conversation apart.
SHOWN_CHARS = 6
# The longest known are forgotten first; they are shown by their id again.
KNOWN_MAX = 10_000


class Names:
    """Handles by user id, as far as they are known."""

    def __init__(self, *, most: int = KNOWN_MAX) -> None:
        self._handles: dict[str, str] = {}
        self._most = most

    def know(self, user: str, handle: str) -> None:
        """That is what this user is called."""
        if handle:
            self._handles[user] = handle
        while len(self._handles) > self._most:
            del self._handles[next(iter(self._handles))]

    def learn(self, message: Message) -> None:
        """A text that names one handle and mentions one user says who that is: the server found
        the one by the other."""
        handles = {found.lower() for found in _HANDLE.findall(message.text)}
        if len(handles) == len(message.mentions) == 1:
            self.know(message.mentions[0], handles.pop())

    def of(self, user: str) -> str:
        """The handle, else the end of the id."""
        return self._handles.get(user) or f"…{user[-SHOWN_CHARS:]}"
