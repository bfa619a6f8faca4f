"""Texts of the chat: plain ones, ones with every kind of entity, and long ones."""

from collections.abc import Sequence
from typing import Any

from cli.importing.sample.dice import Dice
from cli.importing.sample.words import OTHERS, SUBJECTS, TIMES, VERBS, WALL

Entity = dict[str, Any]

ENTITIES: tuple[Entity, ...] = (
    {"type": "mention", "text": "@tide_bell"},
    {"type": "hashtag", "text": "#seedswap"},
    {"type": "bot_command", "text": "/lowtide"},
    {"type": "link", "text": "https://allotments.example/plots?nine=9"},
    {"type": "email", "text": "shed@allotments.example"},
    {"type": "bold", "text": "today"},
    {"type": "italic", "text": "perhaps"},
    {"type": "code", "text": "gate --open"},
    {"type": "pre", "text": "mon  beans\ntue  peas", "language": "text"},
    {"type": "text_link", "text": "the map", "href": "https://allotments.example/map"},
    {"type": "mention_name", "text": "Mira", "user_id": 5100001},
    {"type": "phone", "text": "+00 555 0100"},
    {"type": "cashtag", "text": "$SEED"},
    {"type": "underline", "text": "not"},
    {"type": "strikethrough", "text": "Friday"},
    {"type": "blockquote", "text": "Who borrows it brings it back.", "collapsed": False},
    {"type": "blockquote", "text": "Rule one\nRule two\nRule three", "collapsed": True},
    {"type": "bank_card", "text": "0000 0000 0000 0000"},
    {"type": "spoiler", "text": "it is a pumpkin"},
    {"type": "custom_emoji", "text": "🍅", "document_id": "stickers/tomato.tgs"},
    {"type": "unknown", "text": "something newer"},
)


def plain(dice: Dice) -> str:
    """A sentence or two."""
    if dice.happens(40):
        return dice.pick(OTHERS)
    parts = (f"{dice.pick(SUBJECTS)} {dice.pick(VERBS)} {dice.pick(TIMES)}" for _ in range(2))
    return _sentence(", and ".join(parts))


def with_entities(dice: Dice, number: int) -> list[str | Entity]:
    """Text around the next kinds of entities, two at once now and then."""
    first = ENTITIES[number % len(ENTITIES)]
    pieces: list[str | Entity] = [first, f" {dice.pick(TIMES)}"]
    if dice.happens(60):
        pieces.insert(0, _sentence(f"{dice.pick(SUBJECTS)} {dice.pick(VERBS)}") + " ")
    if dice.happens(30):
        pieces.append(ENTITIES[(number + 1) % len(ENTITIES)])
    return pieces


def long(dice: Dice, number: int) -> str:
    """More than an entry holds: in words, or as a wall without one space; some fit just so."""
    if number % 3 == 1:
        return WALL * 130
    most = 4_096 if number % 3 == 0 else 9_000
    text = ""
    while len(text) < most:
        text += plain(dice) + ("\n\n" if dice.happens(20) else " ")
    return text[:most]


def fields(text: str | Sequence[str | Entity]) -> dict[str, Any]:
    """`text` and `text_entities`, which say the same twice."""
    pieces = [text] if isinstance(text, str) else text
    entities = [
        {"type": "plain", "text": piece} if isinstance(piece, str) else piece
        for piece in pieces
        if piece
    ]
    return {"text": text, "text_entities": entities}


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."
