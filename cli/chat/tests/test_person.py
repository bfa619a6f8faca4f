"""What the person does with the chat, alone: no terminal, no network."""

from dataclasses import replace

import pytest

from cli.chat import words
from cli.chat.link import Connecting, Following, Reconnecting, said
from cli.chat.posts import Failed, Waiting, Written
from cli.chat.tests.desk import Desk
from cli.chat.tests.entries import ADA, AT, BOB, CHANNEL, channel, message
from cli.chat.wants import Do, Forget, Load, Send
from rostrum import Posted

OTHER = "01KA3Q6A2B4C6D8E0F1G3H5J7K"


@pytest.fixture
def desk() -> Desk:
    return Desk()


class TestPosts:
    def test_what_is_said_waits_until_it_comes_back(self, desk: Desk) -> None:
        desk.shown()
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
        desk.shown()
        desk.chat.say("hello")
        desk.chat.received(CHANNEL, message(1, "hello", sender=ADA.id, client_id="c1"), 1)
        desk.chat.posted(CHANNEL, "c1", Posted(id=1, cursor="1-1", at=AT))
        assert desk.chat.rooms[CHANNEL].posts == {}

    def test_the_same_client_id_of_another_person_settles_nothing(self, desk: Desk) -> None:
        desk.shown()
        desk.chat.say("hello")
        desk.chat.received(CHANNEL, message(1, "hi", sender=BOB.id, client_id="c1"), 1)
        assert "c1" in desk.chat.rooms[CHANNEL].posts

    def test_a_post_that_is_part_of_a_page_is_settled(self, desk: Desk) -> None:
        desk.shown(5)
        desk.chat.jumped(CHANNEL, "1-3000", head=3_000, first=1)
        desk.chat.say("hello")
        desk.chat.posted(CHANNEL, "c1", Posted(id=3_001, cursor="1-3001", at=AT))
        desk.answer(2_902, 3_001, head=3_001)
        assert desk.chat.rooms[CHANNEL].posts == {}

    def test_what_failed_is_sent_again_or_forgotten_when_the_person_says_so(
        self, desk: Desk
    ) -> None:
        desk.shown()
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
        desk.shown()
        desk.chat.say("hello")
        desk.wants.clear()
        desk.chat.say("/drop")
        desk.chat.say("/retry")
        assert desk.wants == []
        assert list(desk.chat.rooms[CHANNEL].posts) == ["c1"]

    def test_posting_from_further_up_goes_to_the_end(self, desk: Desk) -> None:
        desk.shown(5)
        desk.chat.scrolled(at_top=False, at_end=False)
        desk.chat.say("hello")
        assert desk.chat.rooms[CHANNEL].at_end

    def test_an_answer_names_what_it_answers_once(self, desk: Desk) -> None:
        desk.shown(5)
        desk.wants.clear()
        desk.chat.reply_to(4)
        desk.chat.say("yes")
        desk.chat.say("and more")
        sent = [want.post.reply_to for want in desk.wants if isinstance(want, Send)]
        assert sent == [4, None]

    def test_an_answer_can_be_thought_better_of(self, desk: Desk) -> None:
        desk.shown(5)
        desk.chat.reply_to(4)
        desk.chat.reply_to(None)
        assert desk.chat.rooms[CHANNEL].reply_to is None

    @pytest.mark.parametrize("typed", ["hello", "/nonsense", "x" * (words.TEXT_MAX + 1)])
    def test_what_cannot_be_taken_stays_with_the_person(self, desk: Desk, typed: str) -> None:
        assert not desk.chat.say(typed)
        assert desk.chat.notice

    def test_nothing_is_posted_to_a_channel_that_ended(self, desk: Desk) -> None:
        desk.shown()
        desk.chat.ended(CHANNEL, "access ended")
        assert not desk.chat.say("hello")
        assert "access ended" in desk.chat.notice

    def test_what_an_earlier_run_left_is_shown_with_the_rest(self, desk: Desk) -> None:
        desk.shown()
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
        desk.shown()
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
        desk.shown()
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
        desk.shown()
        desk.chat.rooms[CHANNEL].draft = "half a"
        desk.room(ident=OTHER)
        desk.chat.offer(OTHER)
        assert desk.chat.shown is desk.chat.rooms[CHANNEL]
        assert "in the list" in desk.chat.notice
        desk.chat.rooms[CHANNEL].draft = ""
        desk.chat.offer(OTHER)
        assert desk.chat.shown is desk.chat.rooms[OTHER]

    def test_drafts_belong_to_their_channels(self, desk: Desk) -> None:
        desk.shown()
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
    desk.shown()
    desk.chat.received(CHANNEL, message(1, "hello @bob", mentions=(BOB.id,)), 1)
    assert desk.chat.names.of(BOB.id) == "bob"
    assert desk.chat.names.of(ADA.id) == "ada"
