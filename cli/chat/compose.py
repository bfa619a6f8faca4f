"""Where the person types."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea


class Compose(TextArea):
    """Some lines of text; enter posts them, ctrl+j begins another line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # Before the box itself gets the key, which it would take for another line.
        Binding("enter", "submit", "Send", priority=True),
        Binding("ctrl+j", "newline", "New line"),
    ]

    class Submitted(Message):
        """Enter was pressed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__(show_line_numbers=False, highlight_cursor_line=False)

    def action_submit(self) -> None:
        """Hand over what was typed; who takes it empties the box."""
        self.post_message(self.Submitted(self.text))

    def action_newline(self) -> None:
        """Go on in another line."""
        self.insert("\n")
