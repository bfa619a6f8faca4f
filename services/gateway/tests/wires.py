"""A connection that takes what the test lets it."""

from services.gateway.streams.outbox import Outbox


class Wire:
    """Keeps what it is given. As a transport does, it says that it has enough beyond `most` bytes,
    and that it has room again when the client has taken all."""

    def __init__(self, most: int = 1 << 30) -> None:
        self.taken: list[bytes] = []
        self.ends = 0
        self.outbox: Outbox | None = None
        self._most = most
        self._held: list[bytes] = []

    def carry(self, body: bytes) -> None:
        self._held.append(body)
        if self.outbox is not None and self.carrying() > self._most:
            self.outbox.fill()

    def carrying(self) -> int:
        return sum(map(len, self._held))

    def end(self) -> None:
        self.ends += 1

    def take(self, count: int | None = None) -> None:
        """The client takes so many frames, or all; with none left there is room again."""
        count = len(self._held) if count is None else count
        self.taken += self._held[:count]
        del self._held[:count]
        if not self._held and self.outbox is not None:
            self.outbox.go_on()

    def take_all(self) -> None:
        """The client takes whatever there is, and what comes then."""
        while self._held:
            self.take()
