"""The messages of the chat one after the other, in every shape that the format has."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.importing.sample import texts
from cli.importing.sample.dice import Dice
from cli.importing.sample.media import MEDIA
from cli.importing.sample.services import SERVICES
from cli.importing.sample.words import NAMED, PEOPLE

SEED = 20_210_517
START = datetime(2021, 5, 17, 9, 30, 12, tzinfo=UTC)
# Who exported was two hours ahead of UTC: `date` is local, without saying so.
AHEAD = timedelta(hours=2)
# What came over from a group that became a larger one has ids from far below.
MIGRATED, MIGRATED_ID = 20, -999_999_990
ANSWERED_MAX = 200
# How often what is rare comes, in messages.
LONG, EMPTY, UNSUPPORTED, ELSEWHERE = 211, 83, 97, 61

Raw = dict[str, Any]


class Story:
    """Makes messages; the same ones for the same seed."""

    def __init__(self, seed: int = SEED) -> None:
        self._dice = Dice(seed)
        self._ident = MIGRATED_ID
        self._moment = START
        self._answerable: list[int] = []
        self._told = {"service": 0, "media": 0, "entities": 0, "long": 0}

    def messages(self, count: int) -> Iterator[Raw]:
        """So many."""
        for number in range(count):
            self._go_on(number)
            yield self._next(number)

    def _go_on(self, number: int) -> None:
        # What was deleted leaves gaps in the ids.
        gap = self._dice.number(1, 5) if self._dice.happens(15) else 1
        self._ident = 1 if number == MIGRATED else self._ident + gap
        self._moment += timedelta(seconds=self._dice.number(0, 9_000))

    def _next(self, number: int) -> Raw:
        if number % UNSUPPORTED == UNSUPPORTED - 1:
            return {"id": self._ident, "type": "unsupported"}
        if number % 16 == 0:
            return self._service()
        raw = {**self._head("message"), **self._circumstances(number), **self._content(number)}
        self._answerable = [*self._answerable, self._ident][-ANSWERED_MAX:]
        return {**raw, **self._reactions()}

    def _head(self, kind: str) -> Raw:
        return {"id": self._ident, "type": kind, **_dated("date", self._moment)}

    def _service(self) -> Raw:
        happened = SERVICES[self._turn("service") % len(SERVICES)]
        actor = self._dice.pick(PEOPLE)
        who = {} if "from" in happened else {"actor": actor.name, "actor_id": actor.ident}
        return {**self._head("service"), **who, **texts.fields(""), **happened}

    def _circumstances(self, number: int) -> Raw:
        dice, author = self._dice, self._dice.pick(PEOPLE)
        found: Raw = {}
        if dice.happens(8):
            found |= _dated("edited", self._moment + timedelta(seconds=dice.number(5, 4_000)))
        found |= {"from": author.name, "from_id": author.ident}
        if author.ident.startswith("channel") and dice.happens(50):
            found["author"] = dice.pick(NAMED).name
        if dice.happens(6):
            found["forwarded_from"] = dice.pick(PEOPLE).name
        if dice.happens(2):
            found["saved_from"] = dice.pick(PEOPLE).name
        found |= self._reply(number)
        if dice.happens(3):
            found["via_bot"] = "@tide_bell"
        return found

    def _reply(self, number: int) -> Raw:
        if number % ELSEWHERE == ELSEWHERE - 1:
            return {"reply_to_message_id": 7, "reply_to_peer_id": "channel5100011"}
        if not self._answerable or not self._dice.happens(25):
            return {}
        answered = self._dice.pick(self._answerable)
        # Some answer what was deleted, or something that happened.
        return {"reply_to_message_id": answered + (1 if self._dice.happens(15) else 0)}

    def _content(self, number: int) -> Raw:
        if number % LONG == LONG - 1:
            return texts.fields(texts.long(self._dice, self._turn("long")))
        if number % EMPTY == EMPTY - 1:
            return texts.fields("")
        if number % 5 == 1:
            shown = MEDIA[self._turn("media") % len(MEDIA)]
            return {
                **shown,
                **texts.fields(texts.plain(self._dice) if self._dice.happens(50) else ""),
            }
        if number % 5 == 3:
            return texts.fields(texts.with_entities(self._dice, self._turn("entities")))
        return texts.fields(texts.plain(self._dice))

    def _reactions(self) -> Raw:
        if self._dice.happens(3):
            buttons = [
                [{"type": "callback", "text": "Open the gate", "dataBase64": "Z2F0ZQ", "data": ""}]
            ]
            return {"inline_bot_buttons": buttons}
        if not self._dice.happens(10):
            return {}
        who = self._dice.pick(PEOPLE)
        recent = {"from": who.name, "from_id": who.ident, "date": _local(self._moment)}
        first = {
            "type": "emoji",
            "count": self._dice.number(1, 30),
            "emoji": "🌱",
            "recent": [recent],
        }
        return {"reactions": [first, {"type": "paid", "count": 2}]}

    def _turn(self, what: str) -> int:
        self._told[what] += 1
        return self._told[what] - 1


def _dated(field: str, moment: datetime) -> Raw:
    return {field: _local(moment), f"{field}_unixtime": str(int(moment.timestamp()))}


def _local(moment: datetime) -> str:
    return (moment + AHEAD).strftime("%Y-%m-%dT%H:%M:%S")
