"""What becomes of a message: the texts of its entries, or why it has none."""

from collections.abc import Callable
from dataclasses import dataclass

from cli.importing.message import Message, Service, Unreadable
from cli.importing.wording import Wording

REPLY_LOST = "reply to what has no entry"


@dataclass(frozen=True, slots=True)
class Taken:
    """To be posted: a text for each entry, the first of which answers the entry `reply_to`.
    `lost` names what the message has and its entries have not."""

    ident: int
    kind: str
    texts: list[str]
    reply_to: int | None = None
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """Not to be posted. `ident` is None when it has none."""

    ident: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Planner:
    """Options of what is taken. `with_service`: what happened is taken too."""

    wording: Wording
    with_service: bool = False

    def plan(
        self, message: Message | Service | Unreadable, entry_of: Callable[[int], int | None]
    ) -> Taken | Skipped:
        """`entry_of` tells the entry of a message that was taken before this one."""
        if isinstance(message, Unreadable):
            return Skipped(message.ident, message.why)
        if isinstance(message, Service):
            return self._service(message)
        answered = None if message.reply_to is None else entry_of(message.reply_to)
        if message.is_reply_elsewhere:
            answered = None
        is_lost = message.reply_to is not None and answered is None
        texts = self.wording.message(message, answers_lost=is_lost)
        if not texts:
            return Skipped(
                message.ident, f"no text, only {_kind(message)}" if message.media else "no text"
            )
        lost = (*message.lost, REPLY_LOST) if is_lost else message.lost
        return Taken(message.ident, _kind(message), texts, answered, lost)

    def _service(self, happened: Service) -> Taken | Skipped:
        kind = f"service: {happened.action}"
        if not self.with_service:
            return Skipped(happened.ident, kind)
        return Taken(happened.ident, kind, self.wording.service(happened))


def _kind(message: Message) -> str:
    return message.media.kind if message.media else "text"
