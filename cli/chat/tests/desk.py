"""A model with what it wanted, for its tests."""

from itertools import count

from cli.chat.model import Chat
from cli.chat.room import Room
from cli.chat.tests.entries import ADA, CHANNEL, channel, page
from cli.chat.wants import Load, Want


class Desk:
    """Ada's chat. `wants` is what it wanted since it was looked at last."""

    def __init__(self) -> None:
        self._wants: list[Want] = []
        numbers = count(1)
        self.chat = Chat(self._wants.append, lambda: f"c{next(numbers)}", me=ADA)

    @property
    def wants(self) -> list[Want]:
        """What it wanted; it is looked at once."""
        found = list(self._wants)
        self._wants.clear()
        return found

    def room(self, head: int = 0, *, mark: str | None = None, ident: str = CHANNEL) -> Room:
        """A channel that ends at `head` is found."""
        return self.chat.found(channel(head, ident=ident), mark)

    def answer(self, first: int, last: int, *, head: int, kept: int = 1) -> Load:
        """Answer the one page that is wanted with these entries."""
        (load,) = [want for want in self.wants if isinstance(want, Load)]
        self.chat.paged(load, page(first, last, head=head, kept=kept))
        return load

    def shown(self, head: int = 0) -> Room:
        """The channel is looked at, and a screenful of it is there."""
        room = self.room(head)
        self.chat.show(CHANNEL)
        if head:
            self.answer(1, head, head=head)
        return room
