"""Who is there: asked when there is no session that holds."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from cli.chat.network import Network
from rostrum import RostrumError


class SignIn(ModalScreen[None]):
    """Ends when somebody is signed in."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network

    def compose(self) -> ComposeResult:
        """See textual."""
        with Vertical(id="sign-in"):
            yield Static(Content(f"Rostrum at {self._network.address}"))
            yield Input(placeholder="handle", id="handle")
            yield Input(placeholder="password", password=True, id="password")
            with Horizontal():
                yield Button("Sign in", id="old", variant="primary")
                yield Button("New account", id="new")
            yield Static(id="trouble")

    @on(Input.Submitted, "#handle")
    def _on(self) -> None:
        self.query_one("#password").focus()

    @on(Input.Submitted, "#password")
    @on(Button.Pressed, "#old")
    def _old(self) -> None:
        self._try(is_new=False)

    @on(Button.Pressed, "#new")
    def _new(self) -> None:
        self._try(is_new=True)

    def _try(self, *, is_new: bool) -> None:
        handle = self.query_one("#handle", Input).value.strip().removeprefix("@")
        password = self.query_one("#password", Input).value
        self._say("one moment …")
        # A second attempt ends the first.
        self.run_worker(self._attempt(handle, password, is_new=is_new), exclusive=True)

    async def _attempt(self, handle: str, password: str, *, is_new: bool) -> None:
        try:
            await self._network.sign_in(handle, password, is_new=is_new)
        except RostrumError as fault:
            self._say(str(fault))
        else:
            self.dismiss()

    def _say(self, text: str) -> None:
        self.query_one("#trouble", Static).update(Content(text))
