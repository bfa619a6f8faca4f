"""The shipped chat, imported by its owner as fast as an owner may post."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from itertools import islice, takewhile
from pathlib import Path

from cli.importing.choice import chosen
from cli.importing.plan import Planner
from cli.importing.posting import Importer
from cli.importing.progress import Progress, Wanted
from cli.importing.reading import messages, survey
from cli.importing.report import Report
from cli.importing.sample import RESULT
from cli.importing.wording import Wording
from rostrum import Channel, Client, Entry, Posted

WHOLE = Wanted("the shipped chat", "the only one", "a new channel", "none")


class Paced:
    """The client as a door for the import that is gone through `per_s` times a second: a gateway
    lets a person post 30 times a second, and asks who comes sooner to wait a whole one. `posted`
    is every id that was acknowledged."""

    def __init__(
        self, client: Client, per_s: float, on_post: Callable[[int], None] = lambda _: None
    ) -> None:
        self._client = client
        self._gap_s = 1 / per_s
        self._next_s = 0.0
        self._began_s = self._ended_s = 0.0
        self._on_post = on_post
        self.posted: list[int] = []

    @property
    def rate(self) -> float:
        """How many were acknowledged in a second."""
        return len(self.posted) / max(self._ended_s - self._began_s, self._gap_s)

    async def post(
        self,
        channel: str,
        text: str,
        *,
        reply_to: int | None = None,
        client_id: str | None = None,
        was_sent: bool = False,
        within_s: float = 60.0,
    ) -> Posted:
        """See `rostrum.Client`."""
        now_s = asyncio.get_running_loop().time()
        # Who was held up posts on at the rate, and does not catch up in a burst.
        self._next_s = max(self._next_s, now_s - self._gap_s) + self._gap_s
        await asyncio.sleep(self._next_s - now_s)
        posted = await self._client.post(
            channel,
            text,
            reply_to=reply_to,
            client_id=client_id,
            was_sent=was_sent,
            within_s=within_s,
        )
        self.posted.append(posted.id)
        self._began_s = self._began_s or now_s
        self._ended_s = asyncio.get_running_loop().time()
        self._on_post(len(self.posted))
        return posted

    def history(self, channel: str, *, after: str | int | None = None) -> AsyncIterator[Entry]:
        """See `rostrum.Client`."""
        return self._client.history(channel, after=after)


async def import_sample(
    door: Paced, channel: Channel, author: str, *, progress: Path, most: int, within_s: float
) -> None:
    """Post at most `most` of its messages, and none that is not begun in time. Raises `Stopped`."""
    ends = time.monotonic() + within_s
    chat = chosen(survey(RESULT), None)
    kept = Progress(progress, WHOLE)
    try:
        kept.begin(channel.id, channel.cursor, author)
        importer = Importer(door, author, kept, planner=Planner(Wording()), report=Report(most))
        found = islice(messages(RESULT, chat), most)
        await importer.run(takewhile(lambda _: time.monotonic() < ends, found))
    finally:
        kept.close()
