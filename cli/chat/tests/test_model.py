"""The chat alone: no terminal, no network."""

from dataclasses import replace

import pytest

from cli.chat import words
from cli.chat.history import KEPT, LET_GO
from cli.chat.link import Connecting, Following, Reconnecting, said
from cli.chat.posts import Failed, Waiting, Written
from cli.chat.room import KEPT_UNSHOWN, NEAR
from cli.chat.tests.desk import Desk
from cli.chat.tests.entries import ADA, AT, BOB, CHANNEL, channel, message, page, void
from cli.chat.wants import Do, Forget, Keep, Load, Send
from rostrum import Cursor, Posted

OTHER = "01KA3Q6A2B4C6D8E0F1G3H5J7K"


@pytest.fixture
def desk() -> Desk:
    return Desk()


def shown(desk: Desk, head: int = 0, mark: str | None = None) -> None:
    """The channel is looked at, and a screenful of it is there."""
    desk.room(head, mark=mark)
    desk.chat.show(CHANNEL)
    assert desk.wants == ([Load(CHANNEL, "older", head + 1)] if head else [])
    if head:
        desk.chat.paged(Load(CHANNEL, "older", head + 1), page(1, head, head=head))


class TestUnread:
    def test_a_channel_without_a_mark_begins_now(self, desk: Desk) -> None:
        room = desk.room(40)
        assert (room.unread, str(room.cursor)) == (0, "1-40")

    def test_a_restart_goes_on_from_its_mark(self, desk: Desk) -> None:
        room = desk.room(40, mark="1-30")
        assert (room.unread, str(room.cursor)) == (10, "1-30")

    @pytest.mark.parametrize("mark", ["2-7", "1-41"])
    def test_a_mark_that_is_not_of_this_log_begins_now(self, desk: Desk, mark: str) -> None:
        assert str(desk.room(40, mark=mark).cursor) == "1-40"

    def test_what_comes_elsewhere_is_counted_and_not_seen(self, desk: Desk) -> None:
        room = desk.room(3)
        desk.chat.received(CHANNEL, message(4), 4)
        assert room.unread == 1
        assert desk.wants == []

    def test_what_comes_where_one_looks_is_seen_and_kept(self, desk: Desk) -> None:
        shown(desk)
        desk.chat.received(CHANNEL, message(1), 1)
        assert desk.chat.rooms[CHANNEL].unread == 0
        assert desk.wants == [Keep(CHANNEL, Cursor(1, 1))]

    def test_showing_a_channel_sees_what_came(self, desk: Desk) -> None:
        room = desk.room()
        desk.chat.received(CHANNEL, message(1), 1)
        desk.chat.show(CHANNEL)
        assert room.unread == 0
        assert Keep(CHANNEL, Cursor(1, 1)) in desk.wants

    def test_what_comes_while_one_reads_further_up_is_not_seen(self, desk: Desk) -> None:
        shown(desk, head=5)
        desk.chat.scrolled(at_top=False, at_end=False)
        desk.chat.received(CHANNEL, message(6), 6)
        assert desk.chat.rooms[CHANNEL].unread == 1
        desk.chat.scrolled(at_top=False, at_end=True)
        assert desk.chat.rooms[CHANNEL].unread == 0

    def test_a_void_entry_is_no_message_and_no_hole(self, desk: Desk) -> None:
        shown(desk)
        desk.chat.received(CHANNEL, void(1), 1)
        desk.chat.received(CHANNEL, message(2), 2)
        assert list(desk.chat.rooms[CHANNEL].history) == [message(2)]


class TestPages:
    def test_scrolling_to_the_top_loads_what_is_older_once(self, desk: Desk) -> None:
        desk.room(500)
        desk.chat.show(CHANNEL)
        desk.answer(401, 500, head=500)
        desk.chat.scrolled(at_top=True, at_end=False)
        desk.chat.scrolled(at_top=True, at_end=False)
        assert desk.answer(301, 400, head=500) == Load(CHANNEL, "older", 401)
        assert desk.chat.rooms[CHANNEL].history.after == 300

    def test_at_the_beginning_of_a_channel_nothing_is_loaded(self, desk: Desk) -> None:
        shown(desk, head=3)
        desk.chat.scrolled(at_top=True, at_end=True)
        assert desk.wants == []

    def test_what_is_kept_no_more_is_not_asked_for_again(self, desk: Desk) -> None:
        desk.room(500)
        desk.chat.show(CHANNEL)
        desk.answer(491, 500, head=500, kept=491)
        desk.chat.scrolled(at_top=True, at_end=True)
        assert desk.wants == []

    def test_an_empty_page_of_older_ones_ends_the_asking(self, desk: Desk) -> None:
        desk.room(500)
        desk.chat.show(CHANNEL)
        (load,) = desk.wants
        assert isinstance(load, Load)
        empty = page(501, 500, head=500)
        desk.chat.paged(load, empty)
        desk.chat.scrolled(at_top=True, at_end=True)
        assert desk.wants == []

    def test_a_page_that_did_not_come_may_be_asked_for_again(self, desk: Desk) -> None:
        desk.room(500)
        desk.chat.show(CHANNEL)
        (load,) = desk.wants
        assert isinstance(load, Load)
        desk.chat.not_paged(load, "no gateway was reached")
        assert desk.chat.notice == "no gateway was reached"
        desk.chat.scrolled(at_top=True, at_end=False)
        assert desk.wants == [load]

    def test_a_page_of_an_epoch_that_ended_is_not_taken(self, desk: Desk) -> None:
        desk.room(500)
        desk.chat.show(CHANNEL)
        (load,) = desk.wants
        assert isinstance(load, Load)
        desk.chat.paged(load, page(1, 500, head=500, epoch=2))
        assert len(desk.chat.rooms[CHANNEL].history) == 0

    def test_a_page_nobody_waits_for_is_not_taken(self, desk: Desk) -> None:
        shown(desk, head=3)
        desk.chat.paged(Load(CHANNEL, "latest"), page(90, 99, head=99))
        desk.chat.paged(Load(OTHER, "latest"), page(90, 99, head=99))
        assert desk.chat.rooms[CHANNEL].history.last == 3


class TestBounds:
    def test_reading_up_for_long_lets_go_of_the_end_and_jumping_brings_it_back(
        self, desk: Desk
    ) -> None:
        room = desk.room(5_000)
        desk.chat.show(CHANNEL)
        for last in range(5_000, 5_000 - KEPT - 300, -100):
            desk.answer(last - 99, last, head=5_000)
            desk.chat.scrolled(at_top=True, at_end=False)
        assert KEPT * (1 - LET_GO) <= len(room.history) <= KEPT
        assert room.missing > NEAR
        desk.wants.clear()
        desk.chat.jump()
        assert desk.answer(4_901, 5_000, head=5_000) == Load(CHANNEL, "latest")
        assert (room.missing, room.at_end, room.unread) == (0, True, 0)

    def test_what_is_read_further_up_is_not_pushed_out(self, desk: Desk) -> None:
        room = desk.room()
        desk.chat.show(CHANNEL)
        for ident in range(1, KEPT + 1):
            desk.chat.received(CHANNEL, message(ident), ident)
        desk.chat.scrolled(at_top=False, at_end=False)
        desk.chat.received(CHANNEL, message(KEPT + 1), KEPT + 1)
        assert (room.history.after, room.missing, room.unread) == (0, 1, 1)
        desk.chat.scrolled(at_top=False, at_end=True)
        assert desk.answer(KEPT + 1, KEPT + 1, head=KEPT + 1).kind == "newer"
        assert (len(room.history), room.missing, room.unread) == (KEPT * (1 - LET_GO), 0, 0)

    def test_a_channel_that_is_not_shown_is_held_less_of(self, desk: Desk) -> None:
        room = desk.room()
        for ident in range(1, KEPT_UNSHOWN + 51):
            desk.chat.received(CHANNEL, message(ident), ident)
        assert (len(room.history), room.unread) == (KEPT_UNSHOWN, KEPT_UNSHOWN + 50)

    def test_a_page_for_a_channel_that_is_not_shown_any_more_is_cut(self, desk: Desk) -> None:
        room = desk.room(500)
        desk.room(ident=OTHER)
        desk.chat.show(CHANNEL)
        desk.answer(401, 500, head=500)
        desk.chat.scrolled(at_top=True, at_end=False)
        desk.chat.show(OTHER)
        desk.answer(301, 400, head=500)
        assert len(room.history) == KEPT_UNSHOWN


class TestJump:
    def test_what_was_held_stays_and_the_end_is_a_jump_away(self, desk: Desk) -> None:
        shown(desk, head=5)
        room = desk.chat.rooms[CHANNEL]
        desk.wants.clear()
        desk.chat.jumped(CHANNEL, "1-3000", head=3_000, first=1)
        assert (room.unread, room.is_far, room.history.last) == (2_995, True, 5)
        desk.chat.received(CHANNEL, message(3_001), 3_001)
        assert (room.unread, room.history.last) == (2_996, 5)
        assert desk.wants == []
        desk.chat.jump()
        desk.answer(2_902, 3_001, head=3_001)
        assert (room.unread, room.history.last) == (0, 3_001)

    def test_what_came_while_the_end_was_loaded_is_loaded_too(self, desk: Desk) -> None:
        shown(desk, head=5)
        desk.chat.jumped(CHANNEL, "1-3000", head=3_000, first=1)
        desk.chat.jump()
        desk.chat.received(CHANNEL, message(3_001), 3_001)
        desk.answer(2_901, 3_000, head=3_000)
        assert desk.answer(3_001, 3_001, head=3_001) == Load(CHANNEL, "newer", 3_000)

    def test_scrolling_down_from_there_reads_on_without_the_jump(self, desk: Desk) -> None:
        shown(desk, head=5)
        desk.chat.jumped(CHANNEL, "1-3000", head=3_000, first=1)
        desk.chat.scrolled(at_top=False, at_end=True)
        desk.answer(6, 105, head=3_000)
        assert desk.chat.rooms[CHANNEL].unread == 2_895

    def test_what_is_kept_no_more_is_jumped_over(self, desk: Desk) -> None:
        shown(desk, head=5)
        desk.chat.jumped(CHANNEL, "1-3000", head=3_000, first=2_001)
        desk.chat.scrolled(at_top=False, at_end=True)
        desk.answer(2_001, 2_100, head=3_000, kept=2_001)
        room = desk.chat.rooms[CHANNEL]
        assert (room.history.after, room.history.last) == (2_000, 2_100)

    def test_a_restart_far_behind_begins_where_the_person_was(self, desk: Desk) -> None:
        room = desk.room(5_000, mark="1-100")
        desk.chat.jumped(CHANNEL, "1-5000", head=5_000, first=1)
        desk.chat.show(CHANNEL)
        assert desk.answer(1, 100, head=5_000) == Load(CHANNEL, "older", 101)
        assert (room.unread, room.is_far) == (4_900, True)

    def test_leaving_lets_go_of_the_past_and_returning_finds_the_place(self, desk: Desk) -> None:
        shown(desk, head=5)
        desk.room(ident=OTHER)
        desk.chat.jumped(CHANNEL, "1-3000", head=3_000, first=1)
        desk.chat.show(OTHER)
        desk.wants.clear()
        desk.chat.show(CHANNEL)
        assert desk.answer(1, 5, head=3_000) == Load(CHANNEL, "older", 6)
        assert desk.chat.rooms[CHANNEL].unread == 2_995


class TestReset:
    def test_ids_begin_anew_and_a_restart_knows(self, desk: Desk) -> None:
        shown(desk, head=5)
        desk.wants.clear()
        desk.chat.was_reset(CHANNEL, "2-70", head=70, first=50)
        room = desk.chat.rooms[CHANNEL]
        assert (len(room.history), room.unread, room.epoch) == (0, 0, 2)
        assert desk.wants == [Keep(CHANNEL, Cursor(2, 70)), Load(CHANNEL, "older", 71)]

    def test_a_jump_into_another_epoch_begins_anew_as_well(self, desk: Desk) -> None:
        shown(desk, head=5)
        desk.chat.jumped(CHANNEL, "2-70", head=70, first=50)
        room = desk.chat.rooms[CHANNEL]
        assert (len(room.history), room.epoch, room.head) == (0, 2, 70)


class TestPosts:
    def test_what_is_said_waits_until_it_comes_back(self, desk: Desk) -> None:
        shown(desk)
        assert desk.chat.say("hello")
        (send,) = desk.wants
        assert isinstance(send, Send)
        assert (send.channel, send.post.text, send.post.fate) == (CHANNEL, "hello", Waiting())
        posts = desk.chat.rooms[CHANNEL].posts
        desk.chat.posted(CHANNEL, send.post.client_id, Posted(id=1, cursor="1-1", at=AT))
        assert posts[send.post.client_id].fate == Written(1)
        desk.chat.received(
            CHANNEL, message(1, "hello", sender=ADA.id, client_id=send.post.client_id), 1
        )
        assert posts == {}

    def test_it_may_come_back_before_it_is_acknowledged(self, desk: Desk) -> None:
        shown(desk)
        desk.chat.say("hello")
        desk.chat.received(CHANNEL, message(1, "hello", sender=ADA.id, client_id="c1"), 1)
        desk.chat.posted(CHANNEL, "c1", Posted(id=1, cursor="1-1", at=AT))
        assert desk.chat.rooms[CHANNEL].posts == {}

    def test_the_same_client_id_of_another_person_settles_nothing(self, desk: Desk) -> None:
        shown(desk)
        desk.chat.say("hello")
        desk.chat.received(CHANNEL, message(1, "hi", sender=BOB.id, client_id="c1"), 1)
        assert "c1" in desk.chat.rooms[CHANNEL].posts

    def test_a_post_that_is_part_of_a_page_is_settled(self, desk: Desk) -> None:
        shown(desk, head=5)
        desk.chat.jumped(CHANNEL, "1-3000", head=3_000, first=1)
        desk.chat.say("hello")
        desk.chat.posted(CHANNEL, "c1", Posted(id=3_001, cursor="1-3001", at=AT))
        desk.answer(2_902, 3_001, head=3_001)
        assert desk.chat.rooms[CHANNEL].posts == {}

    def test_what_failed_is_sent_again_or_forgotten_when_the_person_says_so(
        self, desk: Desk
    ) -> None:
        shown(desk)
        desk.chat.say("hello")
        desk.chat.not_posted(CHANNEL, "c1", "slow mode")
        desk.wants.clear()
        posts = desk.chat.rooms[CHANNEL].posts
        failed = posts["c1"]
        assert failed.fate == Failed("slow mode")
        desk.chat.say("/retry")
        assert desk.wants == [Send(CHANNEL, replace(failed, fate=Waiting()))]
        desk.chat.not_posted(CHANNEL, "c1", "slow mode")
        desk.chat.say("/drop")
        assert desk.wants == [Forget("c1")]
        assert posts == {}

    def test_what_waits_is_neither_sent_twice_nor_dropped(self, desk: Desk) -> None:
        shown(desk)
        desk.chat.say("hello")
        desk.wants.clear()
        desk.chat.say("/drop")
        desk.chat.say("/retry")
        assert desk.wants == []
        assert list(desk.chat.rooms[CHANNEL].posts) == ["c1"]

    def test_posting_from_further_up_goes_to_the_end(self, desk: Desk) -> None:
        shown(desk, head=5)
        desk.chat.scrolled(at_top=False, at_end=False)
        desk.chat.say("hello")
        assert desk.chat.rooms[CHANNEL].at_end

    def test_an_answer_names_what_it_answers_once(self, desk: Desk) -> None:
        shown(desk, head=5)
        desk.wants.clear()
        desk.chat.reply_to(4)
        desk.chat.say("yes")
        desk.chat.say("and more")
        sent = [want.post.reply_to for want in desk.wants if isinstance(want, Send)]
        assert sent == [4, None]

    def test_an_answer_can_be_thought_better_of(self, desk: Desk) -> None:
        shown(desk, head=5)
        desk.chat.reply_to(4)
        desk.chat.reply_to(None)
        assert desk.chat.rooms[CHANNEL].reply_to is None

    @pytest.mark.parametrize("typed", ["hello", "/nonsense", "x" * (words.TEXT_MAX + 1)])
    def test_what_cannot_be_taken_stays_with_the_person(self, desk: Desk, typed: str) -> None:
        assert not desk.chat.say(typed)
        assert desk.chat.notice

    def test_nothing_is_posted_to_a_channel_that_ended(self, desk: Desk) -> None:
        shown(desk)
        desk.chat.ended(CHANNEL, "access ended")
        assert not desk.chat.say("hello")
        assert "access ended" in desk.chat.notice

    def test_what_an_earlier_run_left_is_shown_with_the_rest(self, desk: Desk) -> None:
        shown(desk)
        desk.chat.say("hello")
        (send,) = desk.wants
        assert isinstance(send, Send)
        again = Desk()
        again.room()
        again.chat.left_behind(CHANNEL, send.post)
        again.chat.left_behind(OTHER, send.post)
        assert again.chat.rooms[CHANNEL].posts == {"c1": send.post}


class TestChannels:
    def test_they_are_a_ring(self, desk: Desk) -> None:
        desk.room()
        desk.room(ident=OTHER)
        desk.chat.step(0)
        for by, expected in [(1, OTHER), (1, CHANNEL), (-1, OTHER)]:
            desk.chat.step(by)
            assert desk.chat.shown is desk.chat.rooms[expected]

    def test_without_any_nothing_is_shown(self, desk: Desk) -> None:
        desk.chat.step(1)
        desk.chat.jump()
        desk.chat.reply_to(1)
        desk.chat.scrolled(at_top=True, at_end=True)
        desk.chat.say("/drop")
        assert desk.chat.shown is None
        assert desk.wants == []

    def test_the_one_that_was_left_is_gone_and_another_is_shown(self, desk: Desk) -> None:
        shown(desk)
        desk.room(ident=OTHER)
        desk.chat.left(CHANNEL)
        desk.chat.left(CHANNEL)
        assert desk.chat.shown is desk.chat.rooms[OTHER]
        desk.chat.left(OTHER)
        assert desk.chat.shown is None

    def test_what_comes_late_of_one_that_was_left_is_nothing(self, desk: Desk) -> None:
        desk.chat.received(CHANNEL, message(1), 1)
        desk.chat.jumped(CHANNEL, "1-9", head=9, first=1)
        desk.chat.was_reset(CHANNEL, "2-9", head=9, first=1)
        desk.chat.ended(CHANNEL, "gone")
        desk.chat.posted(CHANNEL, "c1", Posted(id=1, cursor="1-1", at=AT))
        desk.chat.not_posted(CHANNEL, "c1", "gone")
        desk.chat.not_paged(Load(CHANNEL, "latest"), "gone")
        assert desk.chat.rooms == {}
        assert desk.wants == []

    def test_one_that_ended_can_be_joined_again(self, desk: Desk) -> None:
        room = desk.room(3)
        desk.chat.ended(CHANNEL, "banned")
        assert desk.chat.found(channel(9)) is room
        assert (room.ended, room.unread) == (None, 6)

    def test_the_server_and_the_program_are_asked_for_the_rest(self, desk: Desk) -> None:
        shown(desk)
        for typed in ["/join news", "/create First light", "/leave", "/quit", "/me"]:
            desk.chat.say(typed)
        meant: list[words.Word] = [
            words.Join("news"),
            words.Create("First light"),
            words.Leave(),
            words.Quit(),
        ]
        meant.append(words.Me())
        assert desk.wants == [Do(word, CHANNEL) for word in meant]

    def test_a_new_channel_does_not_come_under_the_fingers_of_who_types(self, desk: Desk) -> None:
        shown(desk)
        desk.chat.rooms[CHANNEL].draft = "half a"
        desk.room(ident=OTHER)
        desk.chat.offer(OTHER)
        assert desk.chat.shown is desk.chat.rooms[CHANNEL]
        assert "in the list" in desk.chat.notice
        desk.chat.rooms[CHANNEL].draft = ""
        desk.chat.offer(OTHER)
        assert desk.chat.shown is desk.chat.rooms[OTHER]

    def test_drafts_belong_to_their_channels(self, desk: Desk) -> None:
        shown(desk)
        desk.chat.rooms[CHANNEL].draft = "half a"
        desk.room(ident=OTHER)
        desk.chat.show(OTHER)
        desk.chat.show(CHANNEL)
        assert desk.chat.rooms[CHANNEL].draft == "half a"


def test_help_is_shown(desk: Desk) -> None:
    assert desk.chat.say("/help")
    assert "/create" in desk.chat.notice


def test_the_link_is_told_as_it_is(desk: Desk) -> None:
    chat = desk.chat
    told = []
    for way in [None, "websocket", None, None, "poll"]:
        chat.linked(way)
        told.append(chat.link)
    assert told == [
        *(Connecting(), Following("websocket"), Reconnecting("websocket")),
        *(Reconnecting("websocket"), Following("poll")),
    ]
    assert "reconnecting" in said(told[2])
    assert "poll" in said(told[4])
    assert "connecting" in said(told[0])


def test_messages_tell_names(desk: Desk) -> None:
    shown(desk)
    desk.chat.received(CHANNEL, message(1, "hello @bob", mentions=(BOB.id,)), 1)
    assert desk.chat.names.of(BOB.id) == "bob"
    assert desk.chat.names.of(ADA.id) == "ada"
