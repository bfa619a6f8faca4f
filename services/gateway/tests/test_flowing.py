"""Whatever happens between the log and those who listen, each entry comes once and in order, or
they are told where it goes on."""

import random

import pytest

from libs.wire.cursor import Cursor
from services.gateway.streams.watch import Watch
from services.gateway.tests.flowing import CHANNELS, Flow, Place, Poll, Reader, flowing

SEEDS = 60
STEPS = 120
LISTENERS = 5
COUNTS = (1, 1, 2, 5, 60, 130, 1_200)


class Listener:
    """Somebody who reads one channel, by watches or by polls, for ever."""

    def __init__(self, flow: Flow, chance: random.Random, number: int) -> None:
        self.channel = CHANNELS[number % len(CHANNELS)]
        self.polls = number % 3 == 2
        self.place = Place(chance.choice([None, Cursor(1, 0), Cursor(1, 10)]))
        self._flow = flow
        self._chance = chance
        self._reader = Reader(chance, self.place)
        self._watch: Watch | None = None
        self._poll: Poll | None = None

    def listen(self) -> None:
        """Begin, or begin again from where it is; nothing when it listens already."""
        if self.polls:
            if self._poll is None or self._poll.was_told:
                self._poll = Poll(self.place)
                self._flow.follow(self._poll, self.channel, self.place.cursor)
        elif self._watch is None or self.place.has_ended:
            self.place.has_ended = False
            self._watch = Watch(self._reader, "watch", self.channel, at=self.place.cursor)
            self._flow.follow(self._watch, self.channel, self.place.cursor)

    def leave(self) -> None:
        for waiter in (self._watch, self._poll):
            if waiter is not None:
                self._flow.polls.gone(waiter)
        self._watch = self._poll = None

    def change(self) -> None:
        """It reads slowly, or as it should."""
        self._reader.fullness = self._chance.choice([0.0, 0.3, 1.0])
        if self._chance.random() < 0.5:
            self._reader.stall()
        else:
            self._reader.go_on()

    def read_well(self) -> None:
        self._reader.fullness = 0.0
        self._reader.go_on()
        self.listen()

    def hold(self) -> None:
        """Who may listen is decided anew."""
        waiters = [each for each in (self._watch, self._poll) if each is not None]
        self._flow.polls.hold(waiters)


async def step(flow: Flow, listeners: list[Listener], chance: random.Random) -> None:
    one = chance.choice(listeners)
    match chance.choice(["append"] * 4 + ["listen"] * 4 + ["answer"] * 3 + ["other"] * 3):
        case "append":
            is_told = chance.random() < 0.8
            flow.append(one.channel, chance.choice(COUNTS[: 6 + (is_told)]), is_told=is_told)
        case "listen":
            one.listen()
        case "answer":
            flow.link.answer()
        case _:
            other = chance.choice([one.leave, one.change, one.hold, flow.hub.trim])
            other()
            if chance.random() < 0.05:
                flow.begin_anew(one.channel, chance.choice([1, 30, 300]))
    if chance.random() < 0.7:
        await flow.clock.elapse(chance.choice([0.0, 0.01, 0.3]))
    if chance.random() < 0.1:
        flow.hub.expire(flow.clock.monotonic())


async def settle(flow: Flow, listeners: list[Listener]) -> None:
    """Nothing fails any more: everybody must come to the end of their channel."""
    for channel in CHANNELS:
        flow.append(channel, 1, is_told=True)
    for _ in range(200):
        for each in listeners:
            each.read_well()
        flow.link.answer()
        await flow.clock.elapse(0.1)
    for each in listeners:
        log = flow.logs[each.channel]
        assert each.place.cursor == Cursor(log.epoch, log.head), each.channel


@pytest.mark.law("L8")
@pytest.mark.parametrize("seed", range(SEEDS))
async def test_every_entry_comes_once_and_in_order_or_it_is_told_where_it_goes_on(
    seed: int,
) -> None:
    chance = random.Random(seed)
    async with flowing() as flow:
        listeners = [Listener(flow, chance, number) for number in range(LISTENERS)]
        for _ in range(STEPS):
            await step(flow, listeners, chance)
        await settle(flow, listeners)
        for each in listeners:
            each.leave()
        assert flow.hub.parked == 0
