"""What the screen needs of the world: a gateway, and the files that outlive the program."""

from collections.abc import Callable
from typing import Protocol

from cli.chat.model import Chat
from cli.chat.wants import Want
from rostrum import User


class Network(Protocol):
    """Does what the model wants, and tells it what happens."""

    @property
    def address(self) -> str:
        """Where the deployment is, for people."""

    @property
    def me(self) -> User | None:
        """Who is signed in; None: nobody, so `sign_in` comes first."""

    async def sign_in(self, handle: str, password: str, *, is_new: bool) -> None:
        """Begin a session; `is_new`: of an account that is made now. Raises `RostrumError`."""

    def want(self, want: Want) -> None:
        """The model wants this. It is done while `live` runs, in the order of the wants."""

    async def live(self, chat: Chat, changed: Callable[[], None]) -> None:
        """Tell the model what happens, and call `changed` then, until the person quits. Raises
        `SignedOut`."""
