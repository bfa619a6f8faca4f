"""How a message of an export looks as an entry.

The API knows one author of a post and one time, those of the import. So who wrote a message, and
when, is its first line:

    Mira Okafor, 2021-05-17 09:30:12 UTC, edited 2021-05-17 09:31:40 UTC, via @tides
    [photo]
    The canal this morning
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cli.importing.message import Message, Service
from cli.importing.parts import parted

UNDATED = "undated"


@dataclass(frozen=True, slots=True)
class Wording:
    """Options of how messages look. `is_plain`: without the first line; `has_media_notes`: with a
    note in brackets for what is no text."""

    is_plain: bool = False
    has_media_notes: bool = True

    def message(self, message: Message, *, answers_lost: bool) -> list[str]:
        """The texts of its entries, none when nothing of it is left to say. `answers_lost`: it is a
        reply to what has no entry."""
        note = message.media.note if message.media and self.has_media_notes else ""
        body = "\n".join(filter(None, (note, message.text)))
        said = tuple(_circumstances(message, answers_lost=answers_lost))
        return self._texts(body, message.author, message.date, *said)

    def service(self, service: Service) -> list[str]:
        """The text of the entry of what happened."""
        said = f": {service.said}" if service.said else ""
        body = f"[{service.action.replace('_', ' ')}{said}]"
        return self._texts(body, service.author or "Somebody", service.date)

    def _texts(self, body: str, author: str, date: str, *said: str) -> list[str]:
        if not body.strip():
            return []

        def first_line(part: str) -> str:
            known = () if self.is_plain else (author, date or UNDATED, *said)
            line = ", ".join(filter(None, (*known, part)))
            return f"{line}\n" if line else ""

        return parted(body, first_line)


def _circumstances(message: Message, *, answers_lost: bool) -> Iterator[str]:
    if message.edited:
        yield f"edited {message.edited}"
    if message.forwarded_from:
        yield f"forwarded from {message.forwarded_from}"
    if message.via_bot:
        yield f"via {message.via_bot}"
    if answers_lost:
        yield "in reply to a message that is not here"
