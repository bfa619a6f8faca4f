"""What the chat has of its channels, alone: no terminal, no network."""

import pytest

from cli.chat.history import KEPT, LET_GO
from cli.chat.room import KEPT_UNSHOWN, NEAR
from cli.chat.tests.desk import Desk
from cli.chat.tests.entries import CHANNEL, message, page, void
from cli.chat.wants import Keep, Load
from rostrum import Cursor

OTHER = "01KA3Q6A2B4C6D8E0F1G3H5J7K"


@pytest.fixture
def desk() -> Desk:
    return Desk()


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
        desk.shown()
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
        desk.shown(5)
        desk.chat.scrolled(at_top=False, at_end=False)
        desk.chat.received(CHANNEL, message(6), 6)
        assert desk.chat.rooms[CHANNEL].unread == 1
        desk.chat.scrolled(at_top=False, at_end=True)
        assert desk.chat.rooms[CHANNEL].unread == 0

    def test_a_void_entry_is_no_message_and_no_hole(self, desk: Desk) -> None:
        desk.shown()
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
        desk.shown(3)
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
        desk.shown(3)
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
        desk.shown(5)
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
        desk.shown(5)
        desk.chat.jumped(CHANNEL, "1-3000", head=3_000, first=1)
        desk.chat.jump()
        desk.chat.received(CHANNEL, message(3_001), 3_001)
        desk.answer(2_901, 3_000, head=3_000)
        assert desk.answer(3_001, 3_001, head=3_001) == Load(CHANNEL, "newer", 3_000)

    def test_scrolling_down_from_there_reads_on_without_the_jump(self, desk: Desk) -> None:
        desk.shown(5)
        desk.chat.jumped(CHANNEL, "1-3000", head=3_000, first=1)
        desk.chat.scrolled(at_top=False, at_end=True)
        desk.answer(6, 105, head=3_000)
        assert desk.chat.rooms[CHANNEL].unread == 2_895

    def test_what_is_kept_no_more_is_jumped_over(self, desk: Desk) -> None:
        desk.shown(5)
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
        desk.shown(5)
        desk.room(ident=OTHER)
        desk.chat.jumped(CHANNEL, "1-3000", head=3_000, first=1)
        desk.chat.show(OTHER)
        desk.wants.clear()
        desk.chat.show(CHANNEL)
        assert desk.answer(1, 5, head=3_000) == Load(CHANNEL, "older", 6)
        assert desk.chat.rooms[CHANNEL].unread == 2_995


class TestReset:
    def test_ids_begin_anew_and_a_restart_knows(self, desk: Desk) -> None:
        desk.shown(5)
        desk.wants.clear()
        desk.chat.was_reset(CHANNEL, "2-70", head=70, first=50)
        room = desk.chat.rooms[CHANNEL]
        assert (len(room.history), room.unread, room.epoch) == (0, 0, 2)
        assert desk.wants == [Keep(CHANNEL, Cursor(2, 70)), Load(CHANNEL, "older", 71)]

    def test_a_jump_into_another_epoch_begins_anew_as_well(self, desk: Desk) -> None:
        desk.shown(5)
        desk.chat.jumped(CHANNEL, "2-70", head=70, first=50)
        room = desk.chat.rooms[CHANNEL]
        assert (len(room.history), room.epoch, room.head) == (0, 2, 70)
