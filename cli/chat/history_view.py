"""The messages of a channel on the screen."""

from collections.abc import Callable, Sequence

from textual import events
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from cli.chat.content import of_row
from cli.chat.rows import Row
from cli.chat.splice import Splice, splice


class HistoryView(OptionList):
    """Keeps in view what is read while older messages come above it, or the newest one. What is
    typed here is for `write`."""

    class Looked(Message):
        """The person moved, and looks at the oldest message, the newest, both or neither."""

        def __init__(self, *, at_top: bool, at_end: bool) -> None:
            super().__init__()
            self.at_top = at_top
            self.at_end = at_end

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__(markup=False)
        self._write = write
        self._rows: list[Row] = []

    def show(self, rows: Sequence[Row], *, at_end: bool) -> None:
        """Show these. `at_end`: the last one is what is looked at."""
        way = splice([row.key for row in self._rows], [row.key for row in rows])
        if way is None:
            self.set_options(map(_option, rows))
        else:
            self._change(way, rows)
            self._drop(way)
            self._add_above(rows[: len(rows) - way.add_last], way.add_first)
            self.add_options(map(_option, rows[len(rows) - way.add_last :]))
        self._rows = list(rows)
        if at_end:
            self.scroll_end(animate=False, immediate=True)

    def look(self) -> None:
        """Say what is looked at."""
        at_top = self.scroll_offset.y <= 0
        at_end = self.scroll_offset.y >= self.max_scroll_y
        self.post_message(self.Looked(at_top=at_top, at_end=at_end))

    def page(self, by: int) -> None:
        """A screen up (-1) or down (1), and say what is looked at then."""
        height = self.scrollable_content_region.height
        self.scroll_relative(y=by * height, animate=False, immediate=True)
        self.look()

    def action_cursor_up(self) -> None:
        """One message up; above the first there is no last one."""
        if self.highlighted != 0:
            super().action_cursor_up()
        self.look()

    def action_cursor_down(self) -> None:
        """One message down; below the last there is no first one."""
        if self.highlighted is None or self.highlighted < self.option_count - 1:
            super().action_cursor_down()
        self.look()

    def action_first(self) -> None:
        """See textual."""
        super().action_first()
        self.look()

    def action_last(self) -> None:
        """See textual."""
        super().action_last()
        self.look()

    def on_key(self, event: events.Key) -> None:
        """A character is no command here."""
        if event.is_printable and event.character is not None:
            event.stop()
            self._write(event.character)

    def on_mouse_scroll_up(self, _: events.MouseScrollUp) -> None:
        """Looked at once the wheel has moved it."""
        self.call_after_refresh(self.look)

    def on_mouse_scroll_down(self, _: events.MouseScrollDown) -> None:
        """The same the other way."""
        self.call_after_refresh(self.look)

    def _change(self, way: Splice, rows: Sequence[Row]) -> None:
        """What stays may have been told another name, or stand under its day now."""
        stays = range(way.drop_first, len(self._rows) - way.drop_last)
        for at, row in zip(stays, rows[way.add_first :], strict=False):
            if self._rows[at] != row:
                self.replace_option_prompt_at_index(at, of_row(row))

    def _drop(self, way: Splice) -> None:
        for _ in range(way.drop_last):
            self.remove_option_at_index(self.option_count - 1)
        for _ in range(way.drop_first):
            self.remove_option_at_index(0)

    def _add_above(self, rows: Sequence[Row], count: int) -> None:
        """The first `count` of `rows` come above what is shown, which stays where it is."""
        if not count:
            return
        top, height, chosen = self.scroll_offset.y, self.virtual_size.height, self.highlighted
        self.set_options(map(_option, rows))
        if chosen is not None:
            self.highlighted = chosen + count
        self.scroll_to(y=top + self.virtual_size.height - height, animate=False, immediate=True)


def _option(row: Row) -> Option:
    return Option(of_row(row), id=row.key)
