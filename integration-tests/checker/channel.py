"""A history by channel, and what every rule asks of a channel."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from checker.history import (
    AccessBegan,
    AccessEnded,
    Deliver,
    Event,
    Failed,
    Fault,
    Final,
    Invoke,
    Jump,
    Ok,
    Outcome,
    Reset,
    Resume,
    Unknown,
)

Key = tuple[str, str]
Step = Resume | Deliver | Jump | Reset
SHOWN, VOID, FINAL = "message", "void", "final"


@dataclass
class Attempt:
    """One attempt. Without an outcome it may have written, like one whose outcome is unknown."""

    invoke: Invoke
    outcome: Outcome | None = None

    @property
    def may_have_written(self) -> bool:
        """Whether a record of it may be in the log."""
        return not isinstance(self.outcome, Failed)


@dataclass
class FinalRead:
    """What a final reader has. `floor` is the first id that it could be given: the one after its
    cursor, or the `first` that it was told."""

    final: Final
    floor: int
    entries: list[Deliver]

    @cached_property
    def by_id(self) -> dict[int, Deliver]:
        """Its entries."""
        return {entry.id: entry for entry in self.entries}


@dataclass
class Channel:
    """What happened in one channel, each list in the order of time."""

    name: str
    attempts: dict[Key, list[Attempt]] = field(default_factory=dict)
    acks: list[Ok] = field(default_factory=list)
    delivers: list[Deliver] = field(default_factory=list)
    sessions: dict[tuple[str, str], list[Step]] = field(default_factory=dict)
    finals: list[Final] = field(default_factory=list)
    access: list[AccessEnded | AccessBegan] = field(default_factory=list)
    unmatched: list[Event] = field(default_factory=list)

    @cached_property
    def entries(self) -> dict[int, Deliver]:
        """Each id as the first reader was given it, ids rising."""
        first: dict[int, Deliver] = {}
        for deliver in self.delivers:
            first.setdefault(deliver.id, deliver)
        return dict(sorted(first.items()))

    @cached_property
    def keys(self) -> dict[int, Key]:
        """Whose post each id is. A void names none: it is of the post that its `dup_of` is of."""
        keys: dict[int, Key] = {}
        for number, entry in self.entries.items():
            if entry.author and entry.client_id:
                keys[number] = entry.author, entry.client_id
            elif entry.dup_of in keys:
                keys[number] = keys[entry.dup_of]
        return keys

    @cached_property
    def begun(self) -> dict[Key, Invoke]:
        """The first attempt at each post: its record cannot be older."""
        return {key: attempts[0].invoke for key, attempts in self.attempts.items()}

    @cached_property
    def acked(self) -> dict[int, Ok]:
        """The first acknowledgement of each id, ids rising."""
        first: dict[int, Ok] = {}
        for ack in self.acks:
            first.setdefault(ack.id, ack)
        return dict(sorted(first.items()))

    @cached_property
    def final_reads(self) -> list[FinalRead]:
        """What the final readers have."""
        return [self._final_read(final) for final in self.finals]

    @cached_property
    def live(self) -> list[tuple[str, list[Step]]]:
        """Reader and steps of the sessions that are no final reads."""
        return [
            (reader, steps)
            for (reader, _), steps in self.sessions.items()
            if not any(isinstance(step, Deliver) and step.via == FINAL for step in steps)
        ]

    @cached_property
    def users(self) -> dict[str, str]:
        """By whose access each reader reads."""
        users: dict[str, str] = {}
        for (reader, _), steps in self.sessions.items():
            named = (step.user for step in steps if isinstance(step, Resume) and step.user)
            users[reader] = next(named, users.get(reader, reader))
        return users

    def _final_read(self, final: Final) -> FinalRead:
        """Its last session counts: a final read that failed on the way is begun anew."""
        steps: list[Step] = []
        for (reader, _), these in self.sessions.items():
            if reader == final.reader and any(isinstance(each, Deliver) for each in these):
                steps = these
        floor, entries = 1, []
        for step in steps:
            if isinstance(step, Deliver):
                entries.append(step)
            elif not entries:
                floor = step.after + 1 if isinstance(step, Resume) else step.first
        return FinalRead(final, floor, entries)


class Sorting:
    """Puts events, in the order of time, into their channels; faults are of no channel."""

    def __init__(self) -> None:
        self.channels: dict[str, Channel] = {}
        self.faults: list[Fault] = []
        self._open: dict[tuple[str, str, Key, int], Attempt] = {}

    def take(self, event: Event) -> None:
        """The next event."""
        if isinstance(event, Fault):
            self.faults.append(event)
            return
        channel = self.channels.get(event.channel)
        if channel is None:
            channel = self.channels[event.channel] = Channel(event.channel)
        match event:
            case Deliver():
                channel.delivers.append(event)
                channel.sessions.setdefault((event.reader, event.session), []).append(event)
            case Resume() | Jump() | Reset():
                channel.sessions.setdefault((event.reader, event.session), []).append(event)
            case Invoke():
                self._invoke(channel, event)
            case Ok() | Failed() | Unknown():
                self._outcome(channel, event)
            case Final():
                channel.finals.append(event)
            case AccessEnded() | AccessBegan():
                channel.access.append(event)

    def _invoke(self, channel: Channel, event: Invoke) -> None:
        key = event.author, event.client_id
        attempt = Attempt(event)
        channel.attempts.setdefault(key, []).append(attempt)
        self._open[channel.name, event.process, key, event.attempt] = attempt

    def _outcome(self, channel: Channel, event: Outcome) -> None:
        key = event.author, event.client_id
        attempt = self._open.pop((channel.name, event.process, key, event.attempt), None)
        if attempt is None:
            channel.unmatched.append(event)
        else:
            attempt.outcome = event
        if isinstance(event, Ok):
            channel.acks.append(event)


def sort_out(events: Iterable[Event]) -> Sorting:
    """The channels and faults of a history that is in the order of time."""
    sorting = Sorting()
    for event in events:
        sorting.take(event)
    return sorting
