"""The chat as a file, written piece by piece: the single-chat form, or that of a whole account."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from cli.importing.sample.story import Story
from cli.importing.sample.words import CHAT

ABOUT = {"name": CHAT, "type": "private_supergroup", "id": 5_100_000}
SAVED = {"type": "saved_messages", "id": 5_100_001}
LEFT = {"name": None, "type": "personal_chat", "id": 5_100_010}


def one_chat(count: int) -> Iterator[str]:
    """The export of the chat alone, with so many messages."""
    yield from _chat(ABOUT, Story().messages(count), depth=0)
    yield "\n"


def whole_account(count: int) -> Iterator[str]:
    """The export of an account with three chats: the middle one is the chat. Each of the others has
    a tenth of its messages, made of another seed."""
    few = count // 10
    personal = {"user_id": 5_100_001, "first_name": "Mira", "last_name": "Okafor", "bio": "Beans"}
    yield f'{{\n "about": "Invented.",\n "personal_information": {_dump(personal, 1)},\n'
    yield ' "contacts": {\n  "list": []\n },\n "chats": {\n  "about": "Chats.",\n  "list": [\n   '
    yield from _chat(SAVED, Story(1).messages(few), depth=3)
    yield ",\n   "
    yield from _chat(ABOUT, Story().messages(count), depth=3)
    yield '\n  ]\n },\n "left_chats": {\n  "list": [\n   '
    yield from _chat(LEFT, Story(2).messages(few), depth=3)
    yield "\n  ]\n }\n}\n"


def _chat(
    about: dict[str, Any], messages: Iterable[dict[str, Any]], *, depth: int
) -> Iterator[str]:
    indent = " " * (depth + 1)
    head = _dump(about, depth).removesuffix("\n" + " " * depth + "}")
    yield f'{head},\n{indent}"messages": ['
    joint = ""
    for message in messages:
        yield f"{joint}\n{indent} {_dump(message, depth + 2)}"
        joint = ","
    yield f"\n{indent}]\n{' ' * depth}}}"


def _dump(value: Any, depth: int) -> str:
    """Indented by one space a level, as Telegram Desktop does; two separators are escaped by it."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return text.replace("\n", "\n" + " " * depth)
