"""What is said of media: entries are texts, so a picture becomes a note in brackets."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from cli.importing.text import one_line, text_of

# Of a title, an answer of a poll, the name of a file: Telegram's own limits are about that.
WORDS_MAX = 300
# Answers of a poll, tasks of a list: Telegram's own limits are below it.
ITEMS_MAX = 50

Raw = Mapping[str, Any]


class Media(NamedTuple):
    """What a message holds beside its text: its kind, for the report, and the note in the text.
    `is_file`: there was a file, which is not taken."""

    kind: str
    note: str
    is_file: bool = False


def media_of(raw: Raw) -> Media | None:
    """The media of a message; None when it is text alone."""
    for field, told in _FIELDS.items():
        if field in raw:
            return told(raw)
    return None


def _photo(raw: Raw) -> Media:
    return Media("photo", "[photo]", is_file=True)


def _file(raw: Raw) -> Media:
    """A file by its `media_type`, which plain files do not have."""
    kind = one_line(raw.get("media_type"), most=WORDS_MAX) or "file"
    if kind == "sticker":
        return Media(kind, _note("sticker", _text(raw, "sticker_emoji")), is_file=True)
    song = " - ".join(filter(None, (_text(raw, "performer"), _text(raw, "title"))))
    words = (song or _text(raw, "file_name"), _seconds(raw))
    return Media(kind, _note(_CALLED.get(kind, kind.replace("_", " ")), *words), is_file=True)


def _contact(raw: Raw) -> Media:
    card = _map(raw, "contact_information")
    name = " ".join(filter(None, (_text(card, "first_name"), _text(card, "last_name"))))
    return Media("contact", _note("contact", name, _text(card, "phone_number")))


def _location(raw: Raw) -> Media:
    is_live = raw.get("live_location_period_seconds") is not None
    return Media("location", _note("live location" if is_live else "location", _degrees(raw)))


def _place(raw: Raw) -> Media:
    words = (_text(raw, "place_name"), _text(raw, "address"), _degrees(raw))
    return Media("place", _note("place", *words))


def _poll(raw: Raw) -> Media:
    poll = _map(raw, "poll")
    answers = [
        f"{_text(each, 'text')} {_number(each, 'voters')}" for each in _maps(poll, "answers")
    ]
    return Media("poll", _list("poll", _text(poll, "question"), answers))


def _tasks(raw: Raw) -> Media:
    tasks = _map(raw, "todo_list")
    items = [_text(each, "text") for each in _maps(tasks, "items")]
    return Media("to-do list", _list("to-do list", _text(tasks, "title"), items))


def _game(raw: Raw) -> Media:
    return Media("game", _note("game", _text(raw, "game_title")))


def _invoice(raw: Raw) -> Media:
    return Media("invoice", _note("invoice", _text(_map(raw, "invoice_information"), "title")))


def _giveaway(raw: Raw) -> Media:
    return Media("giveaway", "[giveaway]")


def _giveaway_results(raw: Raw) -> Media:
    return Media("giveaway results", "[giveaway results]")


def _paid(raw: Raw) -> Media:
    stars = _number(raw, "paid_stars_amount")
    return Media("paid media", _note("paid media", f"{stars} stars" if stars else ""), is_file=True)


# By the field that tells it, in this order: a place has a location too, a game may have a photo.
_FIELDS: dict[str, Callable[[Raw], Media]] = {
    "poll": _poll,
    "todo_list": _tasks,
    "contact_information": _contact,
    "place_name": _place,
    "live_location_period_seconds": _location,
    "location_information": _location,
    "game_title": _game,
    "invoice_information": _invoice,
    "giveaway_information": _giveaway,
    "giveaway_results": _giveaway_results,
    "paid_stars_amount": _paid,
    "media_type": _file,
    "photo": _photo,
    "file": _file,
}
_CALLED = {"video_file": "video", "audio_file": "audio"}


def _note(what: str, *words: str) -> str:
    said = ", ".join(filter(None, words))
    joint = " " if what == "sticker" else ": "
    return f"[{what}{joint}{said}]" if said else f"[{what}]"


def _list(what: str, title: str, items: list[str]) -> str:
    return _note(what, " | ".join(filter(None, (title, *items[:ITEMS_MAX]))))


def _text(raw: Raw, field: str) -> str:
    """A text; newer exports have titles and answers as lists of entities, too."""
    return one_line(text_of(raw.get(field)), most=WORDS_MAX)


def _number(raw: Raw, field: str) -> str:
    value = raw.get(field)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _seconds(raw: Raw) -> str:
    seconds = _number(raw, "duration_seconds")
    return f"{seconds} s" if seconds else ""


def _degrees(raw: Raw) -> str:
    point = _map(raw, "location_information")
    both = [point.get(field) for field in ("latitude", "longitude")]
    return (
        ", ".join(map(str, both)) if all(isinstance(each, Decimal | int) for each in both) else ""
    )


def _map(raw: Raw, field: str) -> Raw:
    value = raw.get(field)
    return value if isinstance(value, dict) else {}


def _maps(raw: Raw, field: str) -> Iterator[Raw]:
    value = raw.get(field)
    return (
        (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())
    )
