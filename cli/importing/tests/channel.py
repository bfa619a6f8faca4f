"""A channel that lives in a test: it keeps order and recognises what is sent again."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

from rostrum import Entry, Message, Posted, Refused, Void

EPOCH_AT = datetime(2026, 11, 21, tzinfo=UTC)
AUTHOR = "mira"


class Killed(BaseException):
    """The import dies here, as by kill -9: nobody handles it."""


class Channel:
    """`on_post` is asked before and after each post is taken; what it raises comes through.

    `refuses` gives the code with which a text is refused. `forgets`: a repetition is written again,
    as after a day.
    """

    def __init__(self, before: int = 0) -> None:
        self.epoch = 1
        self.entries: list[Entry] = [
            Message(id=ident, sender="jonas", at=EPOCH_AT, text="old")
            for ident in range(1, before + 1)
        ]
        self.on_post: Callable[[str], None] = lambda moment: None
        self.refuses: Callable[[str], str | None] = lambda text: None
        self.forgets = False
        self.pages = 0

    @property
    def cursor(self) -> str:
        """Where it ends."""
        return f"{self.epoch}-{len(self.entries)}"

    @property
    def texts(self) -> list[str]:
        """What the import posted, in order."""
        return [entry.text for entry in self.messages]

    @property
    def messages(self) -> list[Message]:
        """The entries of the import."""
        found = [entry for entry in self.entries if isinstance(entry, Message)]
        return [entry for entry in found if entry.sender == AUTHOR]

    async def post(
        self,
        channel: str,
        text: str,
        *,
        reply_to: int | None = None,
        client_id: str | None = None,
        was_sent: bool = False,
        within_s: float = 60.0,
    ) -> Posted:
        """See `Door`."""
        self.on_post("before")
        code = self.refuses(text)
        if code is not None:
            raise Refused(code, "as the test wants it", status=422)
        assert client_id is not None
        entry = self._known(client_id) or self._written(text, client_id, reply_to)
        assert (entry.text, entry.reply_to) == (text, reply_to)
        self.on_post("after")
        return Posted(id=entry.id, cursor=f"{self.epoch}-{entry.id}", at=entry.at)

    async def history(
        self, channel: str, *, after: str | int | None = None
    ) -> AsyncIterator[Entry]:
        """See `Door`."""
        self.pages += 1
        assert isinstance(after, str)
        for entry in self.entries[int(after.split("-")[1]) :]:
            yield entry

    def disturb(self, client_id: str) -> None:
        """Others write: a message under the import's own `client_id`, and something void."""
        ident = len(self.entries) + 1
        self.entries.append(
            Message(id=ident, sender="jonas", client_id=client_id, at=EPOCH_AT, text="not ours")
        )
        self.entries.append(Void(id=ident + 1, at=EPOCH_AT))

    def _known(self, client_id: str) -> Message | None:
        found = [entry for entry in self.messages if entry.client_id == client_id]
        return found[0] if found and not self.forgets else None

    def _written(self, text: str, client_id: str, reply_to: int | None) -> Message:
        entry = Message(
            id=len(self.entries) + 1,
            sender=AUTHOR,
            client_id=client_id,
            at=EPOCH_AT,
            text=text,
            reply_to=reply_to,
        )
        self.entries.append(entry)
        return entry
