"""The program: who is signed in, and the screen that shows what they read."""

from collections.abc import Callable
from contextlib import suppress

from textual.app import App
from textual.worker import Worker, WorkerError

from cli.chat.model import Chat
from cli.chat.network import Network
from cli.chat.screen import ChatScreen
from cli.chat.sign_in import SignIn
from rostrum import RostrumError, SignedOut, User


class ChatApp(App[None]):
    """`new_id` makes a `client_id` that no post had."""

    TITLE = "rostrum chat"
    CSS_PATH = "chat.tcss"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, network: Network, new_id: Callable[[], str]) -> None:
        super().__init__()
        self._network = network
        self._new_id = new_id
        self.main = ChatScreen(self._fresh(), network.address)
        self._living: Worker[None] | None = None

    def on_mount(self) -> None:
        """See textual."""
        self.push_screen(self.main)
        self._living = self.run_worker(self._live())

    async def ended(self) -> None:
        """Return when it has let go of its files and connections. Screens are gone before: they
        only tell what goes on behind them to end."""
        if self._living is not None:
            with suppress(WorkerError):
                await self._living.wait()

    async def _live(self) -> None:
        while True:
            if self._network.me is None:
                await self.push_screen_wait(SignIn(self._network))
            if _user(self.main.chat.me) != _user(self._network.me):
                # What another person read is nothing for this one.
                self.main.chat = self._fresh()
            try:
                await self._network.live(self.main.chat, self.main.changed)
                break
            except SignedOut as fault:
                self.main.chat.notice = str(fault)
                self.main.changed()
            except RostrumError as fault:
                self.exit(return_code=1, message=str(fault))
                return
        self.exit()

    def _fresh(self) -> Chat:
        return Chat(self._network.want, self._new_id, me=self._network.me)


def _user(user: User | None) -> str | None:
    return None if user is None else user.id
