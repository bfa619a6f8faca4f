"""The screens, driven by keys, on a network that is told what happens."""

from textual import events

from cli.chat.history import KEPT, LET_GO
from cli.chat.posts import Failed
from cli.chat.tests.entries import ADA, BOB, CHANNEL, channel, message
from cli.chat.tests.stage import PASSWORD, Stage
from cli.chat.wants import Do, Send
from cli.chat.words import Join
from libs.testing.eventually import eventually

OTHER = "01KA3Q6A2B4C6D8E0F1G3H5J7K"
SOON_S = 10.0


async def test_what_is_typed_is_posted_and_the_box_is_empty_then() -> None:
    stage = Stage(rooms={CHANNEL: 0})
    async with stage.app.run_test() as pilot:
        await pilot.press(*"hello", "ctrl+j", *"you", "enter")
        await pilot.pause()
        (send,) = [want for want in stage.network.wants if isinstance(want, Send)]
        assert (send.channel, send.post.text) == (CHANNEL, "hello\nyou")
        assert stage.box.text == ""
        assert "on its way" in stage.row("post-c1")
        stage.chat.received(
            CHANNEL, message(1, "hello\nyou", sender=ADA.id, client_id=send.post.client_id), 1
        )
        stage.app.main.changed()
        await eventually(lambda: stage.keys == ["1"], within_s=SOON_S, what="the post is there")
        assert "ada hello" in stage.row("1")


async def test_what_cannot_be_taken_stays_in_the_box() -> None:
    stage = Stage(rooms={CHANNEL: 0})
    async with stage.app.run_test() as pilot:
        await pilot.press(*"/nonsense", "enter")
        await pilot.pause()
        assert stage.box.text == "/nonsense"
        assert "no command /nonsense" in stage.text("notice")
        await pilot.press("escape")
        assert stage.text("notice") == ""


async def test_keys_that_come_all_at_once_count_in_their_order() -> None:
    """As on a machine that is too slow for who types."""
    stage = Stage(rooms={CHANNEL: 0, OTHER: 0})
    async with stage.app.run_test() as pilot:
        await pilot.pause()
        for key in [*"hello", "enter", *"half", "ctrl+n", *"you", "enter", *"on"]:
            stage.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await eventually(
            lambda: stage.sent == [(CHANNEL, "hello"), (OTHER, "you")],
            within_s=SOON_S,
            what="all are typed",
        )
        await eventually(lambda: stage.box.text == "on", within_s=SOON_S, what="the rest too")
        assert stage.chat.rooms[CHANNEL].draft == "half"


async def test_many_lines_that_are_pasted_are_one_message() -> None:
    stage = Stage(rooms={CHANNEL: 0})
    async with stage.app.run_test() as pilot:
        stage.box.insert("one\ntwo\nthree")
        await pilot.press("enter")
        await pilot.pause()
        (send,) = [want for want in stage.network.wants if isinstance(want, Send)]
        assert send.post.text == "one\ntwo\nthree"


async def test_unread_counts_and_changing_channels() -> None:
    stage = Stage(rooms={CHANNEL: 0, OTHER: 0})
    async with stage.app.run_test() as pilot:
        stage.chat.received(OTHER, message(1), 1)
        stage.app.main.draw()
        assert stage.channels == ["Room 0", "Room 1 1"]
        await pilot.press(*"half", "ctrl+n")
        assert stage.channels == ["Room 0 draft", "Room 1"]
        assert stage.keys == ["1"]
        assert stage.box.text == ""
        await pilot.press("ctrl+p")
        assert stage.box.text == "half"


async def test_scrolling_up_loads_older_messages_and_keeps_the_place() -> None:
    stage = Stage(rooms={CHANNEL: 300})
    async with stage.app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        stage.answer(201, 300, head=300)
        await pilot.pause()
        assert stage.history.scroll_offset.y == stage.history.max_scroll_y > 0
        while stage.history.scroll_offset.y > 0:
            await pilot.press("pageup")
        assert stage.chat.shown is not None
        assert not stage.chat.shown.at_end
        stage.answer(101, 200, head=300)
        await pilot.pause()
        assert stage.keys == [str(ident) for ident in range(101, 301)]
        # What was at the top is there still, now without its day, and the new ones are above it.
        assert stage.history.scroll_offset.y == 100


async def test_what_comes_while_one_reads_further_up_is_told_and_jumped_to() -> None:
    stage = Stage(rooms={CHANNEL: 100})
    async with stage.app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        stage.answer(1, 100, head=100)
        await pilot.press("pageup", "pageup")
        place = stage.history.scroll_offset.y
        stage.chat.received(CHANNEL, message(101), 101)
        stage.app.main.draw()
        await pilot.pause()
        assert stage.history.scroll_offset.y == place
        assert "1 more below: jump to latest" in stage.text("jump")
        await pilot.press("ctrl+l")
        await pilot.pause()
        assert stage.text("jump") == ""
        assert stage.history.scroll_offset.y == stage.history.max_scroll_y


async def test_a_jump_of_the_channel_is_shown_as_jump_to_latest() -> None:
    stage = Stage(rooms={CHANNEL: 5})
    async with stage.app.run_test() as pilot:
        await pilot.pause()
        stage.answer(1, 5, head=5)
        stage.chat.jumped(CHANNEL, "1-3000", head=3_000, first=1)
        stage.app.main.draw()
        assert "2,995 more below: jump to latest" in stage.text("jump")
        assert "Room 0 2,995" in stage.channels
        await pilot.press("ctrl+l")
        stage.answer(2_901, 3_000, head=3_000)
        await pilot.pause()
        assert stage.text("jump") == ""
        assert stage.keys[-1] == "3000"
        assert stage.history.scroll_offset.y == stage.history.max_scroll_y


async def test_an_answer_is_chosen_with_the_arrows() -> None:
    stage = Stage(rooms={CHANNEL: 0})
    async with stage.app.run_test() as pilot:
        for ident in (1, 2, 3):
            stage.chat.received(CHANNEL, message(ident, f"question {ident}"), ident)
        stage.app.main.draw()
        await pilot.press("ctrl+r", "up", "enter")
        assert "question 2" in stage.text("reply")
        await pilot.press(*"yes", "enter")
        await pilot.pause()
        (send,) = [want for want in stage.network.wants if isinstance(want, Send)]
        assert (send.post.text, send.post.reply_to) == ("yes", 2)
        assert stage.text("reply") == ""


async def test_what_is_typed_while_one_chooses_is_for_the_box() -> None:
    stage = Stage(rooms={CHANNEL: 0})
    async with stage.app.run_test() as pilot:
        stage.chat.received(CHANNEL, message(1), 1)
        stage.app.main.draw()
        await pilot.press("ctrl+r", *"yes")
        assert stage.box.text == "yes"
        assert stage.box.has_focus


async def test_the_first_and_the_last_message_are_ends() -> None:
    """Going on beyond them looks at what is older or newer, and never at the other end."""
    stage = Stage(rooms={CHANNEL: 0})
    async with stage.app.run_test() as pilot:
        for ident in (1, 2):
            stage.chat.received(CHANNEL, message(ident), ident)
        stage.app.main.draw()
        await pilot.press("ctrl+r", "down")
        assert stage.history.highlighted == 1
        await pilot.press("up", "up", "up")
        assert stage.history.highlighted == 0


async def test_escape_answers_nothing() -> None:
    stage = Stage(rooms={CHANNEL: 0})
    async with stage.app.run_test() as pilot:
        stage.chat.received(CHANNEL, message(1), 1)
        stage.app.main.draw()
        await pilot.press("ctrl+r", "enter", "escape")
        assert stage.text("reply") == ""
        await pilot.press("x")
        assert stage.box.text == "x"


async def test_how_entries_come_is_told() -> None:
    stage = Stage(rooms={CHANNEL: 0})
    async with stage.app.run_test() as pilot:
        await pilot.pause()
        assert "connecting" in stage.text("link")
        for way, told in [
            ("websocket", "live by websocket"),
            (None, "reconnecting (was live by websocket)"),
            ("poll", "live by poll"),
        ]:
            stage.chat.linked(way)
            stage.app.main.draw()
            assert told in stage.text("link")


async def test_what_was_not_sent_says_why() -> None:
    stage = Stage(rooms={CHANNEL: 0})
    async with stage.app.run_test() as pilot:
        await pilot.press(*"hello", "enter")
        await pilot.pause()
        stage.chat.not_posted(CHANNEL, "c1", "slow [mode]")
        stage.app.main.draw()
        assert "not sent: slow [mode]" in stage.row("post-c1")
        assert stage.chat.rooms[CHANNEL].posts["c1"].fate == Failed("slow [mode]")


async def test_markup_and_control_characters_of_others_are_text() -> None:
    stage = Stage(rooms={CHANNEL: 0})
    async with stage.app.run_test() as pilot:
        stage.chat.received(CHANNEL, message(1, "[bold]a[/bold] [/] \x1b[2J [link='x"), 1)
        stage.chat.rooms[CHANNEL].title = "[red]title"
        stage.app.main.draw()
        await pilot.pause()
        assert "[bold]a[/bold] [/] \\x1b[2J [link='x" in stage.row("1")
        assert "[red]title" in stage.text("title")


async def test_a_name_that_is_learned_later_is_shown_in_older_messages() -> None:
    stage = Stage(rooms={CHANNEL: 0})
    async with stage.app.run_test() as pilot:
        stage.chat.received(CHANNEL, message(1), 1)
        stage.app.main.draw()
        assert "…0000BB" in stage.row("1")
        stage.chat.received(CHANNEL, message(2, "hi @bob", mentions=(BOB.id,)), 2)
        stage.app.main.draw()
        await pilot.pause()
        assert "bob text 1" in stage.row("1")


async def test_the_server_is_asked_for_what_the_model_cannot_do() -> None:
    stage = Stage()
    async with stage.app.run_test() as pilot:
        assert "no channel yet" in stage.text("title")
        await pilot.press(*"/join news", "enter")
        await pilot.pause()
        assert stage.network.wants == [Do(Join("news"), None)]


async def test_what_is_typed_before_there_is_a_channel_is_for_the_first_one() -> None:
    stage = Stage()
    async with stage.app.run_test() as pilot:
        await pilot.press(*"half")
        stage.chat.found(channel(0))
        stage.chat.step(0)
        stage.app.main.draw()
        await pilot.press(*" a")
        assert stage.box.text == "half a"


async def test_who_is_not_signed_in_is_asked() -> None:
    stage = Stage(me=None, rooms={CHANNEL: 0})
    async with stage.app.run_test() as pilot:
        await pilot.press(*"@ada", "enter", *"wrong", "enter")
        await eventually(
            lambda: "is wrong" in stage.text("trouble"), within_s=SOON_S, what="it is refused"
        )
        await pilot.press(*["backspace"] * 5, *PASSWORD, "enter")
        await eventually(
            lambda: stage.app.screen is stage.app.main, within_s=SOON_S, what="it is let in"
        )
        assert stage.network.attempts == [("ada", "wrong", False), ("ada", PASSWORD, False)]
        assert stage.chat.me == ADA
        await pilot.press(*"hello")
        assert stage.box.text == "hello"


async def test_a_new_account_is_one_button_away() -> None:
    stage = Stage(me=None)
    async with stage.app.run_test() as pilot:
        await pilot.press(*"ada", "enter", *PASSWORD)
        await pilot.click("#new")
        await eventually(
            lambda: stage.app.screen is stage.app.main, within_s=SOON_S, what="it is let in"
        )
        assert stage.network.attempts == [("ada", PASSWORD, True)]


async def test_a_session_that_ends_asks_again_and_keeps_what_was_typed() -> None:
    stage = Stage(rooms={CHANNEL: 0})
    async with stage.app.run_test() as pilot:
        await pilot.press(*"half")
        stage.network.sign_out()
        await eventually(
            lambda: stage.app.screen is not stage.app.main, within_s=SOON_S, what="it asks"
        )
        await pilot.press(*"ada", "enter", *PASSWORD, "enter")
        await eventually(
            lambda: stage.app.screen is stage.app.main, within_s=SOON_S, what="it is let in"
        )
        assert stage.box.text == "half"


async def test_thousands_of_messages_do_not_fill_the_screen_beyond_its_bound() -> None:
    stage = Stage(rooms={CHANNEL: 0})
    async with stage.app.run_test() as pilot:
        for ident in range(1, 3_001):
            stage.chat.received(CHANNEL, message(ident), ident)
            if ident % 300 == 0:
                stage.app.main.draw()
        await pilot.pause()
        assert KEPT * (1 - LET_GO) <= len(stage.keys) <= KEPT
        first = int(stage.keys[0])
        assert stage.keys == [str(ident) for ident in range(first, 3_001)]
