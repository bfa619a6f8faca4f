"""Two chats at a real gateway, which is killed while they talk."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from cli.chat.app import ChatApp
from cli.chat.courier import Courier
from cli.chat.history_view import HistoryView
from harness.gateways import QUICK
from harness.suite import Suite
from libs.testing.eventually import eventually
from rostrum import Client, FileSessions
from rostrum.ids import new_client_id

PASSWORD = "correct horse"
WITHIN_S = 60.0

pytestmark = pytest.mark.timeout(240)


class Terminal:
    """One person's chat: what they type, and what they see."""

    def __init__(self, app: ChatApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    async def type(self, text: str) -> None:
        """Type a line and press enter."""
        await self.pilot.press(*text, "enter")
        await self.pilot.pause()

    async def sees(self, *texts: str) -> None:
        """These are among what is shown, in this order, each once."""
        await eventually(lambda: self._has(texts), within_s=WITHIN_S, what=f"{texts} are shown")

    async def reads(self, place: str, text: str) -> None:
        """A line of the screen says this."""

        def said() -> str:
            return str(self.app.main.query_one(f"#{place}", Static).content)

        await eventually(lambda: text in said(), within_s=WITHIN_S, what=f"{place}: {text}")

    @property
    def channels(self) -> list[str]:
        """The list of channels."""
        options = self.app.main.query_one("#channels", OptionList).options
        return [str(option.prompt) for option in options]

    def _has(self, texts: tuple[str, ...]) -> bool:
        shown = [str(each.prompt) for each in self.app.main.query_one(HistoryView).options]
        found = [one for one in shown if any(text in one for text in texts)]
        assert len(found) == len(texts), shown
        assert not any("on its way" in one for one in found), shown
        return all(text in one for text, one in zip(texts, found, strict=True))


@asynccontextmanager
async def terminal(url: str, folder: Path, *channels: str) -> AsyncIterator[Terminal]:
    """A chat with its own folder, of these channels; leaving it is quitting."""
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    async with Client(url, sessions=FileSessions(folder / "session.json")) as client:
        app = ChatApp(Courier(client, address=url, state=folder, channels=channels), new_client_id)
        async with app.run_test(size=(100, 40)) as pilot:
            yield Terminal(app, pilot)
        await app.ended()


async def sign_up(one: Terminal, handle: str) -> None:
    await one.pilot.press(*handle, "enter", *PASSWORD)
    await one.pilot.click("#new")
    await eventually(
        lambda: one.app.screen is one.app.main, within_s=WITHIN_S, what=f"{handle} is let in"
    )


async def test_two_people_talk_through_a_gateway_that_is_killed(tmp_path: Path) -> None:
    async with (
        Suite(tmp_path / "data", **QUICK) as suite,
        terminal(suite.url, tmp_path / "ada") as ada,
        terminal(suite.url, tmp_path / "bob") as bob,
    ):
        await sign_up(ada, "ada")
        await sign_up(bob, "bob")
        await ada.type("/open lounge First light")
        await ada.reads("title", "First light")
        await bob.type("/join lounge")
        await bob.reads("title", "First light")
        await ada.reads("link", "live by websocket")
        await ada.type("hello @bob")
        await bob.sees("hello @bob")
        await bob.type("hello @ada")
        await ada.sees("hello @bob", "hello @ada")

        await suite.kill()
        await ada.reads("link", "reconnecting")
        await ada.type("are you there")
        await ada.type("I am")
        await bob.type("who is there")
        await suite.start()
        await ada.reads("link", "live by websocket")
        await ada.sees("are you there", "I am")
        await bob.sees("are you there", "I am")
        await ada.sees("who is there")
        await bob.sees("who is there")
        # Names are told by mentions, and posts come once.
        await ada.sees("bob hello @ada", "bob who is there")


async def test_a_restart_goes_on_and_sends_what_was_typed(tmp_path: Path) -> None:
    async with Suite(tmp_path / "data", **QUICK) as suite:
        async with terminal(suite.url, tmp_path / "ada") as ada:
            await sign_up(ada, "ada")
            await ada.type("/create First")
            await ada.reads("title", "First")
            await ada.type("one")
            await ada.sees("one")
            await ada.type("/open lounge Second")
            await ada.reads("title", "Second")
            await ada.pilot.press("ctrl+p")
            await suite.kill()
            await ada.type("two")
            await ada.reads("link", "reconnecting")
        await suite.start()
        async with terminal(suite.url, tmp_path / "bob") as bob:
            await sign_up(bob, "bob")
            await bob.type("/join lounge")
            await bob.reads("title", "Second")
            for number in range(3):
                await bob.type(f"news {number}")
            await bob.sees("news 0", "news 1", "news 2")
        async with terminal(suite.url, tmp_path / "ada") as ada:
            await ada.sees("one", "two")
            await eventually(
                lambda: ada.channels == ["First", "Second 3"],
                within_s=WITHIN_S,
                what="three are unread",
            )
            await ada.pilot.press("ctrl+n")
            await ada.sees("news 0", "news 1", "news 2")
            assert ada.channels == ["First", "Second"]


async def test_channels_that_are_named_are_followed_and_others_are_said_to_be_none(
    tmp_path: Path,
) -> None:
    async with Suite(tmp_path / "data", **QUICK) as suite:
        async with terminal(suite.url, tmp_path / "ada") as ada:
            await sign_up(ada, "ada")
            await ada.type("/open lounge First light")
            await ada.reads("title", "First light")
            await ada.type("/create Second")
            await ada.reads("title", "Second")
        names = ("@nowhere", "@lounge", "..")
        async with terminal(suite.url, tmp_path / "ada", *names) as ada:
            await ada.reads("title", "First light")
            assert ada.channels == ["First light"]
            await ada.reads("notice", "..: ")


async def test_what_is_asked_of_the_server_is_done_or_said_why_not(tmp_path: Path) -> None:
    async with (
        Suite(tmp_path / "data", **QUICK) as suite,
        terminal(suite.url, tmp_path / "ada") as ada,
        terminal(suite.url, tmp_path / "bob") as bob,
    ):
        await sign_up(ada, "ada")
        await sign_up(bob, "bob")
        await bob.type("/me")
        await bob.reads("notice", "you are @bob")
        me = bob.app.main.chat.me
        assert me is not None
        await ada.type("/create Secrets")
        await ada.reads("title", "Secrets")
        secrets = ada.app.main.chat.shown
        assert secrets is not None
        await bob.type(f"/join {secrets.id}")
        await bob.reads("notice", "access_denied")
        await bob.type("/join nowhere")
        await bob.reads("notice", "there is no channel nowhere")
        await bob.type("/join ../../v1/me")
        await bob.reads("notice", "is not an id")
        await ada.type(f"/add {me.id}")
        await ada.reads("notice", "is a member now")
        await bob.type(f"/join {secrets.id}")
        await bob.reads("title", "Secrets")
        await bob.type("/leave")
        await eventually(lambda: bob.channels == [], within_s=WITHIN_S, what="it is left")
        await bob.reads("title", "no channel yet")
        await ada.type("/leave")
        await ada.reads("notice", "owner_stays")
