"""Where the person types."""

from collections.abc import Callable, Mapping
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.widgets import TextArea


class Compose(TextArea):
    """Some lines of text. Enter calls `say` with them, ctrl+j begins another line, and `keys` are
    what else is done at once when that key is pressed here.

    At once: in the order of the keys, however many wait. What goes through a binding or a message
    is done when keys that came later are typed already."""

    BINDINGS: ClassVar[list[BindingType]] = [("ctrl+j", "newline", "New line")]

    def __init__(self, say: Callable[[str], None], keys: Mapping[str, Callable[[], None]]) -> None:
        super().__init__(show_line_numbers=False, highlight_cursor_line=False)
        self._say = say
        self._keys = keys

    def hold(self, text: str) -> None:
        """Have this to be edited."""
        self.text = text
        self.move_cursor(self.document.end)

    def action_newline(self) -> None:
        """Go on in another line."""
        self.insert("\n")

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            self._say(self.text)
        elif event.key in self._keys:
            self._keys[event.key]()
        else:
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()
