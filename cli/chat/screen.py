"""The screen: it shows the model, and tells it what the person does."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from cli.chat import link
from cli.chat.compose import Compose
from cli.chat.content import of_channel
from cli.chat.history_view import HistoryView
from cli.chat.model import Chat
from cli.chat.room import Room
from cli.chat.rows import message_of, printable, quoted, rows_of

# However fast messages come, the screen is drawn so often at most: nobody reads faster.
FRAME_S = 0.1


class ChatScreen(Screen[None]):
    """Channels on the left, the one that is looked at on the right."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n", "step(1)", "Next channel"),
        Binding("ctrl+p", "step(-1)", "Previous"),
        Binding("ctrl+l", "jump", "Latest"),
        Binding("escape", "write", "Write", show=False),
        # Whoever has the focus would take these for itself, or keep what follows.
        Binding("ctrl+r", "choose", "Reply", priority=True),
        Binding("pageup", "page(-1)", "Older", priority=True),
        Binding("pagedown", "page(1)", "Newer", priority=True),
        Binding("ctrl+q", "app.quit", "Quit", priority=True),
    ]

    def __init__(self, chat: Chat, address: str) -> None:
        super().__init__()
        self.chat = chat
        self._address = address
        self._looked_at: Room | None = None
        self._is_due = False

    def compose(self) -> ComposeResult:
        """See textual."""
        with Horizontal():
            yield OptionList(id="channels", markup=False)
            with Vertical():
                yield Static(id="title")
                yield HistoryView(self._write)
                yield Static(id="jump")
                yield Static(id="notice")
                yield Static(id="reply")
                yield Compose(self._say, self._keys())
                yield Static(id="link")
        yield Footer()

    def on_mount(self) -> None:
        """See textual."""
        self.query_one("#channels").can_focus = False
        self._write()
        self.draw()

    def changed(self) -> None:
        """The model is another one than a moment ago."""
        if not self._is_due:
            self._is_due = True
            self.set_timer(FRAME_S, self.draw)

    # What the person does.

    def action_step(self, by: int) -> None:
        """Another channel."""
        self.chat.step(by)
        self.draw()

    def action_page(self, by: int) -> None:
        """A screen of messages up or down."""
        self.query_one(HistoryView).page(by)

    def action_jump(self) -> None:
        """The channel's end."""
        self.chat.jump()
        self.draw()

    def action_choose(self) -> None:
        """Choose, with the arrows, the message that is answered."""
        history = self.query_one(HistoryView)
        self.set_focus(history)
        if history.highlighted is None:
            history.action_last()

    def action_write(self) -> None:
        """Answer nothing, and write."""
        self.chat.reply_to(None)
        self.chat.notice = ""
        self.query_one(HistoryView).highlighted = None
        self._write()
        self.draw()

    @on(HistoryView.Looked)
    def _look(self, event: HistoryView.Looked) -> None:
        self.chat.scrolled(at_top=event.at_top, at_end=event.at_end)
        self.draw()

    @on(OptionList.OptionSelected, "HistoryView")
    def _reply(self, event: OptionList.OptionSelected) -> None:
        self.chat.reply_to(message_of(event.option_id or ""))
        self._write()
        self.draw()

    @on(OptionList.OptionSelected, "#channels")
    def _choose_channel(self, event: OptionList.OptionSelected) -> None:
        self.chat.show(event.option_id or "")
        self.draw()

    def _say(self, text: str) -> None:
        if self.chat.say(text):
            self.query_one(Compose).clear()
            self._keep_draft()
        self.draw()

    @on(TextArea.Changed)
    def _keep_draft(self) -> None:
        if self._looked_at is not None:
            self._looked_at.draft = self.query_one(Compose).text

    def _write(self, text: str = "") -> None:
        """The person writes, and this already."""
        box = self.query_one(Compose)
        box.insert(text)
        self.set_focus(box)

    def _keys(self) -> Mapping[str, Callable[[], None]]:
        return {
            "ctrl+n": partial(self.action_step, 1),
            "ctrl+p": partial(self.action_step, -1),
            "ctrl+l": self.action_jump,
            "escape": self.action_write,
        }

    # What the screen shows.

    def draw(self) -> None:
        """Show the model as it is."""
        self._is_due = False
        shown = self.chat.shown
        if shown is not self._looked_at:
            self._change_drafts(self._looked_at, shown)
            self._looked_at = shown
        self._draw_channels()
        self._tell("title", self._title())
        self._tell("jump", _jump(shown))
        self._tell("notice", printable(self.chat.notice))
        self._tell("reply", self._answered())
        self._tell("link", f"{link.said(self.chat.link)} · {self._address}")
        rows = [] if shown is None else rows_of(shown, self.chat.names, self.chat.me)
        self.query_one(HistoryView).show(rows, at_end=shown is None or shown.at_end)

    def _change_drafts(self, before: Room | None, now: Room | None) -> None:
        box = self.query_one(Compose)
        if before is not None:
            before.draft = box.text
        elif now is not None:
            # What was typed before there was a channel is for the first one.
            now.draft = now.draft or box.text
        if now is not None:
            box.hold(now.draft)

    def _draw_channels(self) -> None:
        channels = self.query_one("#channels", OptionList)
        rooms = self.chat.rooms
        if [option.id for option in channels.options] != list(rooms):
            channels.set_options(Option("", id=channel) for channel in rooms)
        for room in rooms.values():
            channels.replace_option_prompt(
                room.id, of_channel(room, is_shown=room is self.chat.shown)
            )
        shown = self.chat.shown
        channels.highlighted = None if shown is None else channels.get_option_index(shown.id)

    def _title(self) -> str:
        shown = self.chat.shown
        if shown is None:
            return "no channel yet: /join <handle> or /create <title>"
        ended = "" if shown.ended is None else f" · ended: {shown.ended}"
        return printable(f"{shown.title} · {shown.head:,} entries{ended}")

    def _answered(self) -> str:
        shown = self.chat.shown
        if shown is None or shown.reply_to is None:
            return ""
        return f"answering {quoted(shown.reply_to, self.chat.names)} (escape: not)"

    def _tell(self, place: str, text: str) -> None:
        line = self.query_one(f"#{place}", Static)
        line.update(Content(text))
        line.display = bool(text)


def _jump(room: Room | None) -> str:
    if room is None or not (room.is_far or (room.unread and not room.at_end)):
        return ""
    return f"{max(room.unread, room.missing):,} more below: jump to latest (ctrl+l)"
