"""The log: reached, with the topics that it must have, and with heartbeats in them."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from cli import show
from cli.address import Where
from cli.checking.line import Line, ok, wrong
from cli.survey import Seen
from libs.log.open import UNSAFE_SINGLE
from libs.log.port import Inspection, Partition, Stored, Tail
from libs.runtime.beats import sources_of
from libs.runtime.changes import SILENT_S
from libs.runtime.clock import Clock
from libs.wire.codec import Malformed
from libs.wire.records import Heartbeat, decode
from libs.wire.topics import ACCESS_CHANGES, REVOCATIONS, Topic

LOG_PART, TOPICS_PART, BEATS_PART = "log", "topics", "heartbeats"
# Sources beat once a second; gateways doubt one that is silent for so long.
HEARD_S = SILENT_S
BEATEN = (ACCESS_CHANGES, REVOCATIONS)


def log_lines(where: Where, seen: Iterable[Seen], took_ms: float) -> list[Line]:
    """That it answered, and whether its records have copies."""
    count = sum(each.partitions or 0 for each in seen)
    lines = [ok(LOG_PART, f"{where.log_url} answers, {count:,} partitions in {took_ms:.0f} ms")]
    if where.log_url.endswith(UNSAFE_SINGLE):
        lines.append(ok(LOG_PART, "each record has one copy, as unsafe_single=1 asks"))
    return lines


def topic_lines(where: Where, seen: Iterable[Seen]) -> list[Line]:
    """A line for each topic that is not as it must be, or one that all are."""
    listed = list(seen)
    lines = [
        wrong(TOPICS_PART, f"{each.topic.name}: {breach}", _todo(where, each))
        for each in listed
        for breach in each.breaches
    ]
    pools = [each for each in listed if each.taken is not None]
    free = sum((each.partitions or 0) - (each.taken or 0) for each in pools)
    says = f"{len(listed)} are as they must be, {len(pools)} of them pools"
    return lines or [ok(TOPICS_PART, f"{says} with room for {free:,} channels")]


def _todo(where: Where, seen: Seen) -> str:
    if seen.partitions is None:
        return "start the services, which make it; if they run, this is not their log"
    if where.is_embedded:
        return "this file was made by another release: start that one, or begin with a new file"
    return f"change it with kafka-configs.sh --alter --topic {seen.topic.name} or make it anew"


@dataclass
class Heard:
    """Which sources beat while it was listened, and how far the clock of the log is ahead of ours,
    in ms: the largest that any record showed, as what comes late looks as if it were behind."""

    silent: set[tuple[Topic, Partition]] = field(default_factory=set)
    ahead_ms: float | None = None

    def take_all(self, topic: Topic, batch: Sequence[Stored], now_ms: int) -> None:
        """Records that were written while it was listened."""
        for stored in batch:
            self._take(topic, stored, now_ms)

    def _take(self, topic: Topic, stored: Stored, now_ms: int) -> None:
        ahead_ms = float(stored.at_ms - now_ms)
        self.ahead_ms = ahead_ms if self.ahead_ms is None else max(self.ahead_ms, ahead_ms)
        try:
            record = decode(stored.value)
        except Malformed:
            return
        if isinstance(record, Heartbeat):
            self.silent.discard((topic, Partition(record.topic, record.partition)))


async def listen(log: Inspection, clock: Clock) -> Heard:
    """Listen until every source beat, `HEARD_S` at most. Raises `LogError`."""
    heard = Heard({(topic, source) for topic in BEATEN for source in sources_of(topic)})
    topics = {topic.name: topic for topic in BEATEN}
    parts = [Partition(topic.name, at) for topic in BEATEN for at in range(topic.partitions)]
    starts = {part: ends.next for part, ends in (await log.ends(parts)).items()}
    with suppress(TimeoutError):
        async with asyncio.timeout(HEARD_S), log.tail(starts) as tail:
            await _hear(tail, heard, topics, clock)
    return heard


async def _hear(tail: Tail, heard: Heard, topics: Mapping[str, Topic], clock: Clock) -> None:
    async for batch in tail:
        heard.take_all(topics[batch[0].partition.topic], batch, clock.now_ms())
        if not heard.silent:
            return


def beat_lines(heard: Heard) -> list[Line]:
    """Who does not tell of changes."""
    by_writer: dict[str, list[Partition]] = {}
    for topic, source in sorted(heard.silent, key=lambda each: each[1]):
        by_writer.setdefault(show.sentence(topic.writers), []).append(source)
    total = sum(len(sources_of(topic)) for topic in BEATEN)
    return [
        wrong(
            BEATS_PART,
            f"{len(silent)} sources of {writer} are not heard in {HEARD_S:g} s, such as "
            f"{silent[0].topic}/{silent[0].index}",
            f"look at the health of {writer}: while it is silent, gateways doubt what they know",
        )
        for writer, silent in by_writer.items()
    ] or [ok(BEATS_PART, f"all {total} sources of changes are heard")]
