"""Text as the export has it: a string, or a list of strings and entities such as bold or a link."""

from collections.abc import Iterable

LINK = "text_link"


def text_of(value: object) -> str | None:
    """The plain text; a link behind a word is written after it in brackets. None when it has
    another shape."""
    if isinstance(value, str):
        return value
    return _joined(value) if isinstance(value, list) else None


def one_line(value: object, *, most: int) -> str:
    """A name or title on one line of at most `most` characters; empty when it is no text."""
    line = " ".join(value.split()) if isinstance(value, str) else ""
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _joined(pieces: Iterable[object]) -> str | None:
    texts = [_piece(piece) for piece in pieces]
    return None if None in texts else "".join(filter(None, texts))


def _piece(piece: object) -> str | None:
    if isinstance(piece, str):
        return piece
    if not isinstance(piece, dict) or not isinstance(text := piece.get("text"), str):
        return None
    href = piece.get("href")
    is_hidden = piece.get("type") == LINK and isinstance(href, str) and href not in {"", text}
    return f"{text} ({href})" if is_hidden else text
