from cli.importing.message import Unreadable, read
from cli.importing.plan import REPLY_LOST, Planner, Skipped, Taken
from cli.importing.tests.json_values import message
from cli.importing.wording import Wording

ENTRIES = {1: 101}
FIRST = "Mira, 2021-05-17 09:30:12"


def _planned(planner: Planner | None = None, **fields: object) -> Taken | Skipped:
    return (planner or Planner(Wording())).plan(read(message(5, **fields)), ENTRIES.get)


def test_who_and_when_is_the_first_line() -> None:
    assert _planned() == Taken(5, "text", [f"{FIRST}\nhello"])


def test_what_else_is_known_of_a_message_is_in_its_first_line() -> None:
    found = _planned(
        edited="2021-05-17T10:00:00", forwarded_from="Harbour News", via_bot="@tides", photo="p.jpg"
    )
    assert isinstance(found, Taken)
    assert found.texts == [
        f"{FIRST}, edited 2021-05-17 10:00:00, forwarded from Harbour News, via @tides\n"
        "[photo]\nhello"
    ]
    assert (found.kind, found.lost) == ("photo", ("file",))


def test_plain_texts_have_no_first_line_but_the_number_of_their_part() -> None:
    plain = Planner(Wording(is_plain=True))
    assert _planned(plain, photo="p.jpg") == Taken(5, "photo", ["[photo]\nhello"], lost=("file",))
    long = _planned(plain, text="word " * 1_000)
    assert isinstance(long, Taken)
    assert [text[:12] for text in long.texts] == ["part 1 of 2\n", "part 2 of 2\n"]


def test_without_notes_a_picture_without_words_is_not_taken() -> None:
    silent = Planner(Wording(has_media_notes=False))
    assert _planned(silent, photo="p.jpg", text="") == Skipped(5, "no text, only photo")
    assert _planned(silent, photo="p.jpg") == Taken(5, "photo", [f"{FIRST}\nhello"], lost=("file",))


def test_an_empty_message_is_not_taken() -> None:
    assert _planned(text="") == Skipped(5, "no text")
    assert _planned(text=" \n") == Skipped(5, "no text")


def test_a_reply_answers_the_entry_of_its_message() -> None:
    assert _planned(reply_to_message_id=1) == Taken(5, "text", [f"{FIRST}\nhello"], 101)


def test_a_reply_to_what_has_no_entry_says_so() -> None:
    for fields in ({"reply_to_message_id": 2}, {"reply_to_message_id": 1, "reply_to_peer_id": "x"}):
        text = f"{FIRST}, in reply to a message that is not here\nhello"
        assert _planned(**fields) == Taken(5, "text", [text], None, (REPLY_LOST,))


def test_what_happened_is_taken_when_it_is_asked_for() -> None:
    raw = {"id": 6, "type": "service", "actor": "Mira", "action": "pin_message", "date": "2021"}
    assert Planner(Wording()).plan(read(raw), ENTRIES.get) == Skipped(6, "service: pin_message")
    kept = Planner(Wording(), with_service=True).plan(read(raw), ENTRIES.get)
    assert kept == Taken(6, "service: pin_message", ["Mira, 2021\n[pin message]"])


def test_what_cannot_be_read_is_skipped_with_its_reason() -> None:
    assert Planner(Wording()).plan(Unreadable(7, "why"), ENTRIES.get) == Skipped(7, "why")
