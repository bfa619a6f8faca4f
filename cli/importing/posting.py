"""One message after the other becomes entries, and a run goes on where the last one ended.

An entry is posted when the one before it is acknowledged: of two under way the second would come
first when only the first has to be sent again, and what the log took stays in its order.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from cli.importing.message import read
from cli.importing.plan import Planner, Skipped, Taken
from cli.importing.progress import Known, Progress
from cli.importing.report import Report
from rostrum import Cursor, Entry, Message, NotPosted, Posted, Refused, RostrumError

# How long one entry is tried while the deployment is away: a restart and more.
PATIENCE_S = 600.0
# What the API may have against one text; anything else it has against the import.
FAULTS_OF_A_TEXT = frozenset(
    {"field_invalid", "reply_unknown", "body_too_large", "client_id_reused", "json_malformed"}
)
_KEY = re.compile(r"([0-9a-f]+)\.(\d+)\.(-?\d+)\.(\d+)", re.ASCII)


class Stopped(Exception):
    """The import cannot go on now: why, and what to do."""


class Door(Protocol):
    """What an import needs of the client."""

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

    def history(self, channel: str, *, after: str | int | None = None) -> AsyncIterator[Entry]:
        """See `rostrum.Client`."""


@dataclass(frozen=True, slots=True)
class Key:
    """Which part of which message a post is; its text is the post's `client_id`."""

    identity: str
    place: int
    message: int
    part: int

    def __str__(self) -> str:
        return f"{self.identity}.{self.place}.{self.message}.{self.part}"

    @classmethod
    def of(cls, client_id: str) -> "Key | None":
        """The key that reads so; None for the post of anything else."""
        found = _KEY.fullmatch(client_id)
        return found and cls(found[1], *map(int, found.groups()[1:]))


class Importer:
    """Fills the channel that `progress` names, as the user `author`. `on_message` is called after
    each message."""

    def __init__(
        self,
        door: Door,
        author: str,
        progress: Progress,
        *,
        planner: Planner,
        report: Report,
        on_message: Callable[[], None] = lambda: None,
    ) -> None:
        assert progress.channel is not None, "a channel is settled first"
        self._door = door
        self._author = author
        self._progress = progress
        self._channel = progress.channel
        self._start = Cursor.of(progress.start)
        self._planner = planner
        self._report = report
        # The first post of a run may be one that was under way when the run before it died.
        self._was_sent = True
        self._on_message = on_message

    async def run(self, messages: Iterable[object]) -> None:
        """Take all messages of the file in order; those of earlier runs are counted only. Raises
        `Stopped`, and what `messages` raises."""
        try:
            await self._find_lost_rows()
            for place, raw in enumerate(messages):
                await self._message(place, raw)
                self._on_message()
                # Whoever interrupts the import is heard also while nothing is posted.
                await asyncio.sleep(0)
        except NotPosted as fault:
            raise _stopped(f"an entry was not acknowledged for {PATIENCE_S:.0f} s") from fault
        except RostrumError as fault:
            raise _stopped(str(fault)) from fault

    async def _find_lost_rows(self) -> None:
        """What was acknowledged to a run that died before it wrote that down, or whose machine died
        before the disk had it, is in the channel after all that is known."""
        newest = max(self._progress.last_entry, self._start.id)
        known = Cursor(self._start.epoch, newest)
        async for entry in self._door.history(self._channel, after=str(known)):
            if isinstance(entry, Message) and entry.sender == self._author:
                self._note(Key.of(entry.client_id), entry.id)

    def _note(self, key: Key | None, entry: int) -> None:
        if key is not None and key.identity == self._progress.identity:
            self._progress.took(key.message, key.part, entry, place=key.place)

    async def _message(self, place: int, raw: object) -> None:
        plan = self._planner.plan(read(raw), partial(self._progress.entry_of, before=place))
        if isinstance(plan, Skipped):
            self._report.skip(plan.reason, plan.ident)
            return
        known = self._progress.known(plan.ident)
        if known.place not in {None, place}:
            self._report.skip("its id came before", plan.ident)
        elif code := known.code or await self._post(place, plan, known):
            self._report.skip(f"refused: {code}", plan.ident)
        else:
            self._report.take(plan, before=len(known.entries))

    async def _post(self, place: int, plan: Taken, known: Known) -> str | None:
        """Post the parts that are not there. Returns the code when one was refused."""
        for part, text in enumerate(plan.texts):
            if part in known.entries:
                continue
            key = Key(self._progress.identity, place, plan.ident, part)
            try:
                posted = await self._door.post(
                    self._channel,
                    text,
                    reply_to=plan.reply_to if part == 0 else None,
                    client_id=str(key),
                    was_sent=self._was_sent,
                    within_s=PATIENCE_S,
                )
            except Refused as fault:
                if fault.code not in FAULTS_OF_A_TEXT:
                    raise
                self._progress.refuse(plan.ident, fault.code, place=place)
                return fault.code
            self._was_sent = False
            self._check(Cursor.of(posted.cursor))
            self._progress.took(plan.ident, part, posted.id, place=place)
        return None

    def _check(self, cursor: Cursor) -> None:
        if cursor.epoch != self._start.epoch:
            raise Stopped(
                "the ids of the channel began anew, so no reply finds its entry; import again with "
                "another progress file"
            )


def _stopped(why: str) -> Stopped:
    return Stopped(f"{why}; run the same command again to go on from here")
