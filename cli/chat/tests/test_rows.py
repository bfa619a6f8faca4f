"""What a channel looks like, without a screen."""

import pytest

from cli.chat.posts import Failed, Post, Written
from cli.chat.rows import QUOTED_CHARS, Row, message_of, quoted, rows_of
from cli.chat.tests.desk import Desk
from cli.chat.tests.entries import ADA, AT, BOB, CHANNEL, message
from rostrum import Message


def rows(desk: Desk) -> list[Row]:
    return rows_of(desk.chat.rooms[CHANNEL], desk.chat.names, desk.chat.me)


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.room()
    made.chat.show(CHANNEL)
    return made


def receive(desk: Desk, one: Message) -> None:
    desk.chat.received(CHANNEL, one, one.id)


def test_a_day_stands_above_its_first_message(desk: Desk) -> None:
    receive(desk, message(1))
    receive(desk, message(2))
    first, second = rows(desk)
    assert first.day == f"{AT.astimezone():%A %d %B %Y}"
    assert second.day == ""
    assert first.time == f"{AT.astimezone():%H:%M}"


def test_kinds_are_told_apart(desk: Desk) -> None:
    receive(desk, message(1))
    receive(desk, message(2, sender=ADA.id))
    receive(desk, message(3, "hello @ada", mentions=(ADA.id,)))
    assert [row.kind for row in rows(desk)] == ["other", "mine", "mention"]


def test_an_answer_shows_what_it_answers_if_that_is_held(desk: Desk) -> None:
    receive(desk, message(1, "how are you?"))
    receive(desk, message(2, "well", reply_to=1))
    receive(desk, message(3, "indeed", reply_to=900))
    assert [row.quote for row in rows(desk)] == [
        *("", f"{desk.chat.names.of(BOB.id)}: how are you?", "message 900"),
    ]


def test_what_has_not_come_back_stands_below(desk: Desk) -> None:
    receive(desk, message(1))
    posts = desk.chat.rooms[CHANNEL].posts
    posts["c1"] = Post("c1", "on its way")
    posts["c2"] = Post("c2", "there", fate=Written(2))
    posts["c3"] = Post("c3", "refused", fate=Failed("slow mode"))
    assert [(row.key, row.kind) for row in rows(desk)] == [
        *(("1", "other"), ("post-c1", "waiting"), ("post-c2", "mine"), ("post-c3", "failed")),
    ]
    assert "slow mode" in rows(desk)[3].note
    assert "/retry" in rows(desk)[3].note
    assert (message_of("1"), message_of("post-c1")) == (1, None)


def test_where_the_past_is_read_posts_are_not_below_it(desk: Desk) -> None:
    receive(desk, message(1))
    desk.chat.jumped(CHANNEL, "1-3000", head=3_000, first=1)
    desk.chat.rooms[CHANNEL].posts["c1"] = Post("c1", "on its way")
    assert [row.key for row in rows(desk)] == ["1"]


def test_a_text_cannot_move_the_cursor_or_turn_its_line_around(desk: Desk) -> None:
    receive(desk, message(1, "a\x1b[2Jb\u202ec\nd\r\ne"))
    assert rows(desk)[0].text == "a\\x1b[2Jb\\u202ec\nd\ne"


def test_a_quote_is_one_short_line(desk: Desk) -> None:
    long = quoted(message(1, "a\nb " + "c" * 500), desk.chat.names)
    assert "\n" not in long
    assert len(long) < QUOTED_CHARS + 10
