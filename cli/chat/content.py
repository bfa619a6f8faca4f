"""Rows and channels as the terminal shows them: which colour says what."""

from zlib import crc32

from textual.content import Content

from cli.chat.room import Room
from cli.chat.rows import Kind, Row, printable

DIM = "$text-muted"
# As wide as a time and a space.
INDENT = " " * 6
# People of a conversation are told apart; so many colours are.
NAMES = ("$text-primary", "$text-secondary", "$text-accent", "$text-success", "$text-warning")
TEXTS: dict[Kind, str] = {
    "other": "",
    "mine": "",
    "mention": "bold",
    "waiting": DIM,
    "failed": DIM,
}
NOTES: dict[Kind, str] = {"failed": "bold $text-error"}


def of_row(row: Row) -> Content:
    """A message, with the day above it, what it answers, and what became of it."""
    parts: list[tuple[str, str] | str] = []
    if row.day:
        parts.append((f"── {row.day} ──\n", DIM))
    if row.quote:
        parts.append((f"{INDENT}┌ {row.quote}\n", DIM))
    parts.append((f"{row.time:5} ", DIM))
    parts.append((f"{row.name} ", f"bold {_colour(row.name)}"))
    parts.append((row.text.replace("\n", f"\n{INDENT}"), TEXTS[row.kind]))
    if row.note:
        parts.append((f"  {row.note}", NOTES.get(row.kind, f"italic {DIM}")))
    return Content.assemble(*parts)


def of_channel(room: Room, *, is_shown: bool) -> Content:
    """A channel in the list, with what is unread."""
    title = (printable(room.title), "bold" if room.unread or is_shown else "")
    marks: list[tuple[str, str]] = []
    if room.ended is not None:
        marks.append((" ended", "$text-error"))
    elif room.unread:
        marks.append((f" {room.unread:,}", "bold $text-warning"))
    if room.draft.strip() and not is_shown:
        marks.append((" draft", DIM))
    return Content.assemble(title, *marks)


def _colour(name: str) -> str:
    return NAMES[crc32(name.encode()) % len(NAMES)]
