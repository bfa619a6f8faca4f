"""L8: from a cursor on, every entry once and in order, or the session is told otherwise."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from checker.channel import Channel, Step
from checker.history import Deliver, Jump, Reset, Resume
from checker.limits import Limits
from checker.verdict import Finding, finding


@dataclass
class Hole:
    """Ids from `start` to before `end` that were passed over; `late` of them came afterwards."""

    start: int
    end: int
    evidence: list[Step | None]
    late: set[int] = field(default_factory=set)


@dataclass
class Place:
    """Where a session is. `due` is the next id; `is_fresh`: nothing came since the cursor;
    `may_jump`: it was told that the next entry may be any from `due` on."""

    reader: str
    channel: str
    asked: Resume | Jump | Reset | None = None
    last: Deliver | None = None
    due: int = 1
    epoch: int = 0
    is_fresh: bool = True
    may_jump: bool = True
    given: set[int] = field(default_factory=set)
    holes: list[Hole] = field(default_factory=list)

    def resume(self, step: Resume) -> Iterator[Finding]:
        """A cursor of a reader may go back, and it is given again what it had. It goes forward by
        what the reader was given, and by nothing else, unless a jump or reset was told."""
        ahead = step.epoch == self.epoch and step.after >= self.due
        if ahead and self.asked and not self.may_jump:
            self.holes.append(Hole(self.due, step.after + 1, [self.last or self.asked, step]))
        yield from self.close()
        self.asked, self.due, self.epoch = step, step.after + 1, step.epoch
        self.is_fresh, self.may_jump = True, False

    def told(self, step: Jump | Reset) -> Iterator[Finding]:
        """The next entry may be any from `first` on; after a jump none that was before."""
        yield from self.close()
        if isinstance(step, Reset):
            self.due, self.epoch = step.first, step.epoch
        else:
            self.due = max(self.due, step.first)
        self.asked, self.is_fresh, self.may_jump = step, True, True

    def give(self, entry: Deliver) -> Iterator[Finding]:
        """The next entry."""
        if self.asked and entry.epoch != self.epoch:
            what = f"{self} was given epoch {entry.epoch} in epoch {self.epoch} without a reset"
            yield finding("wrong-epoch", what, [self.last or self.asked, entry])
            self.epoch, self.due = entry.epoch, entry.id
        if entry.id in self.given:
            what = f"{self} was given {entry.id} again"
            yield finding("repeat", what, [self.last, entry])
            return
        if entry.id < self.due:
            yield from self._late(entry)
        else:
            if entry.id > self.due and not self.may_jump:
                yield from self._ahead(entry)
            self.due = entry.id + 1
        self.given.add(entry.id)
        self.last, self.is_fresh, self.may_jump = entry, False, False

    def close(self) -> Iterator[Finding]:
        """Nothing more comes from this cursor: what is missing now was skipped."""
        for hole in self.holes:
            missing = hole.end - hole.start - len(hole.late)
            if missing:
                what = f"{self} came past {missing} of {hole.start} to {hole.end - 1}"
                yield finding("skipped", what, hole.evidence)
        self.holes, self.given = [], set()

    def _ahead(self, entry: Deliver) -> Iterator[Finding]:
        if self.is_fresh:
            yield self._wrong_resume(entry)
        else:
            self.holes.append(Hole(self.due, entry.id, [self.last, entry]))

    def _late(self, entry: Deliver) -> Iterator[Finding]:
        hole = next((each for each in self.holes if each.start <= entry.id < each.end), None)
        if hole:
            hole.late.add(entry.id)
        if self.is_fresh:
            yield self._wrong_resume(entry)
            self.due = entry.id + 1
        else:
            what = f"{self} was given {entry.id} after {self.due - 1}"
            yield finding("reorder", what, [self.last, entry])

    def _wrong_resume(self, entry: Deliver) -> Finding:
        what = f"{self} was given {entry.id} first where {self.due} was due"
        return finding("wrong-resume", what, [self.asked, entry])

    def __str__(self) -> str:
        return f"{self.channel}: {self.reader}"


def sessions(channel: Channel, limits: Limits) -> Iterator[Finding]:
    """Every live session, step by step."""
    for reader, steps in channel.live:
        place = Place(reader, channel.name)
        for step in steps:
            match step:
                case Deliver():
                    yield from place.give(step)
                case Resume():
                    yield from place.resume(step)
                case Jump() | Reset():
                    yield from place.told(step)
        yield from place.close()
