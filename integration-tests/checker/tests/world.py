"""A small world that keeps the laws: its history is clean, however it was disturbed.

It is written from the laws and not from the rules: it appends records to a log, decides which are
void as the log does, and gives readers what the log holds. `seed` decides everything.
"""

from dataclasses import dataclass, field
from random import Random

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
    Reset,
    Resume,
    Unknown,
    Via,
    merge,
)

MS = 1_000_000
WINDOW = 512
EPOCH_STEP = 1_000_000
VIAS: tuple[Via, ...] = ("poll", "page", "ws", "sse")


@dataclass
class Record:
    """What is in the log. `dup_of` of a void is the nearest earlier record of the post."""

    t_ns: int
    author: str
    client_id: str
    text: str
    id: int = 0
    epoch: int = 1
    dup_of: int | None = None
    shown: int = 0
    is_new: bool = False


@dataclass
class Try:
    """An attempt that asks at `t_ns`; its answer comes at `told_ns`."""

    invoke: Invoke
    fate: str
    told_ns: int
    record: Record | None = None


@dataclass
class World:
    """One channel. `trouble` (0..1) is how often something goes wrong that may go wrong."""

    seed: int
    posts: int = 60
    readers: int = 3
    trouble: float = 0.3
    channel: str = "c1"
    events: list[Event] = field(default_factory=list)
    log: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = Random(f"{self.seed}/{self.channel}")
        self.tries: list[Try] = []

    def history(self) -> list[Event]:
        """Everything that happened, by time."""
        end_ns = self._post()
        self._number(end_ns // 2 if self.dice.random() < self.trouble / 2 else None)
        self._answer()
        for number in range(self.readers if self.log else 0):
            self._follow(f"{self.channel}-reader{number}", end_ns)
        for gateway in ("g1", "g2"):
            self._read_to_the_end(f"{self.channel}-final-{gateway}", end_ns + 60_000 * MS)
        self.events += [
            Fault(end_ns // 4, "kill", "chat-1", "begin"),
            Fault(end_ns // 3, "kill", "chat-1", "end"),
        ]
        return merge([self.events])

    def _post(self) -> int:
        now = 1_000 * MS
        for number in range(self.posts):
            now += self.dice.randrange(5 * MS, 60 * MS)
            self._one_post(f"k{number}", now)
        return now + 2_000 * MS

    def _one_post(self, client_id: str, now: int) -> None:
        author = f"author{self.dice.randrange(3)}"
        text = f"text {client_id}"
        for attempt in range(1, 4):
            fate = self._fate()
            invoke = Invoke(now, "p1", self.channel, author, client_id, text, attempt > 1, attempt)
            took = self.dice.randrange(1 * MS, 20 * MS)
            one = Try(invoke, fate, now + took)
            if fate not in ("failed", "never"):
                # A late one lands after the client has given it up, perhaps after its retry.
                late = self.dice.randrange(20 * MS, 400 * MS) if fate == "late" else took // 2
                one.record = Record(now + late, author, client_id, text)
                self.log.append(one.record)
            self.tries.append(one)
            if fate == "ok":
                return
            now = one.told_ns + self.dice.randrange(1 * MS, 50 * MS)

    def _fate(self) -> str:
        if self.dice.random() >= self.trouble:
            return "ok"
        return self.dice.choice(["failed", "never", "late", "silent", "silent", "ok"])

    def _number(self, restored_ns: int | None) -> None:
        """Ids and verdicts, in log order. An epoch may end at `restored_ns`."""
        self.log.sort(key=lambda record: record.t_ns)
        nearest: dict[tuple[str, str], Record] = {}
        kept: list[Record] = []
        epoch, number = 1, 0
        for record in self.log:
            key = record.author, record.client_id
            if restored_ns and record.t_ns > restored_ns and epoch == 1:
                epoch, number = 2, number + EPOCH_STEP - 1
            before = nearest.get(key)
            if before and self._is_read_back(before, epoch):
                record.id, record.shown = before.id, before.shown
                continue
            number += 1
            record.id, record.epoch = number, epoch
            near = before is not None and number - before.id <= WINDOW
            record.dup_of = before.id if before and near else None
            record.shown = before.shown if before and near else number
            record.is_new = record.shown == number
            nearest[key] = record
            kept.append(record)
        self.log = kept

    def _is_read_back(self, before: Record, epoch: int) -> bool:
        """A retry whose first attempt is in the log is mostly answered without an append; so is
        what would cross the end of an epoch, for whoever restores does that at rest."""
        return before.epoch != epoch or self.dice.random() < 0.5

    def _answer(self) -> None:
        for one in self.tries:
            ask = one.invoke
            self.events.append(ask)
            who = ask.process, self.channel, ask.author, ask.client_id
            if one.fate == "ok" and one.record:
                shown, new = one.record.shown, one.record.is_new
                self.events.append(Ok(one.told_ns, *who, shown, new, ask.attempt))
            elif one.fate == "failed":
                self.events.append(Failed(one.told_ns, *who, "not_written", ask.attempt))
            elif one.fate == "late" or self.dice.random() < 0.7:
                self.events.append(Unknown(one.told_ns, *who, "outcome_unknown", ask.attempt))

    def _follow(self, reader: str, end_ns: int) -> None:
        """A reader that begins anywhere, breaks off, jumps, is reset, and may be banned."""
        user = f"user-{reader}"
        slow = self.dice.choice([1, 1, 20])
        place = self.dice.randrange(len(self.log) // 3 + 1)
        now = self.log[place].t_ns
        due, epoch = self.log[place].id, self.log[place].epoch
        ban_ns = self._ban(user, now, end_ns)
        self.events.append(Resume(now - 1, reader, "s1", self.channel, epoch, due - 1, user))
        session, via = "s1", self.dice.choice(VIAS)
        while place < len(self.log):
            record = self.log[place]
            now = max(now + 1, record.t_ns + slow * self.dice.randrange(MS, 30 * MS))
            if ban_ns and now > ban_ns:
                return
            if record.epoch != epoch:
                epoch = record.epoch
                told = Reset(now, reader, session, self.channel, epoch, self.log[-1].id, record.id)
                self.events.append(told)
            elif self.dice.random() < self.trouble / 10:
                place, now = self._interrupt(reader, (session, user), place, now)
                continue
            self._deliver(reader, session, record=record, now=now, via=via)
            place += 1

    def _interrupt(
        self, reader: str, session_user: tuple[str, str], place: int, now: int
    ) -> tuple[int, int]:
        session, user = session_user
        record = self.log[place]
        if self.dice.random() < 0.3:
            target = min(place + self.dice.randrange(1, 20), len(self.log) - 1)
            if self.log[target].epoch == record.epoch:
                head = self.log[target].id
                self.events.append(Jump(now, reader, session, self.channel, head, 1))
                return target, now + MS
        back = max(place - self.dice.randrange(4), 0)
        while self.log[back].epoch != record.epoch:
            back += 1
        after = self.log[back].id - 1
        self.events.append(Resume(now, reader, session, self.channel, record.epoch, after, user))
        return back, now + MS

    def _ban(self, user: str, start_ns: int, end_ns: int) -> int | None:
        if self.dice.random() > self.trouble / 2:
            return None
        at = self.dice.randrange(start_ns, end_ns)
        self.events.append(AccessEnded(at, self.channel, user))
        self.events.append(AccessBegan(end_ns + 30_000 * MS, self.channel, user))
        return at + 900 * MS

    def _deliver(self, *where: str, record: Record, now: int, via: Via) -> None:
        reader, session = where
        is_void = record.dup_of is not None
        self.events.append(
            Deliver(
                now,
                reader,
                session,
                self.channel,
                record.epoch,
                record.id,
                "void" if is_void else "message",
                "" if is_void else record.author,
                "" if is_void else record.client_id,
                None if is_void else record.text,
                record.dup_of,
                via,
            )
        )

    def _read_to_the_end(self, reader: str, now: int) -> None:
        epoch = self.log[-1].epoch if self.log else 1
        kept = [record for record in self.log if record.epoch == epoch]
        self.events.append(Resume(now, reader, "s1", self.channel, 1, 0))
        if epoch > 1:
            first, head = kept[0].id, kept[-1].id
            self.events.append(Reset(now, reader, "s1", self.channel, epoch, head, first))
        for record in kept:
            self._deliver(reader, "s1", record=record, now=now, via="final")
        self.events.append(Final(now, reader, self.channel, kept[-1].id if kept else 0))
