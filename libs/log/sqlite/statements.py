"""What the log asks of the database: each function is one act within a worker's transaction.

An act that raises a `LogError` has written nothing, so the others of its batch can be committed.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from libs.log.port import (
    Appended,
    Ends,
    Partition,
    PositionGone,
    Stored,
    TopicMismatch,
    TopicState,
    UnknownTopic,
)
from libs.log.sqlite.schema import offset_of, place
from libs.wire.topics import Topic


class Page(NamedTuple):
    """Records of one partition, and the offset that its next record will get."""

    records: Sequence[Stored]
    next: int


class _Row(NamedTuple):
    id: int
    first: int
    next: int


def append(
    connection: sqlite3.Connection, partition: Partition, record: tuple[bytes, bytes], now_ms: int
) -> Appended:
    """Write one record (key, value). Raises `UnknownTopic`."""
    rows = connection.execute(
        "UPDATE partitions SET next = next + 1, at_ms = max(at_ms, ?)"
        " WHERE topic = ? AND idx = ? RETURNING id, next - 1, at_ms",
        (now_ms, *partition),
    ).fetchall()
    if not rows:
        raise _unknown(partition)
    ((id_, offset, at_ms),) = rows
    connection.execute(
        "INSERT INTO records (place, at_ms, key, value) VALUES (?, ?, ?, ?)",
        (place(id_, offset), at_ms, *record),
    )
    return Appended(offset, at_ms)


def page(
    connection: sqlite3.Connection,
    partition: Partition,
    start: int,
    *,
    limit: int,
    bytes_max: int | None = None,
) -> Page:
    """Records from `start`: at most `limit`, and no more after `bytes_max` is reached. Raises
    `PositionGone`, `UnknownTopic`."""
    row = _row(connection, partition)
    if start < row.first:
        raise PositionGone(*partition, row.first)
    found = connection.execute(
        "SELECT place, at_ms, key, value FROM records"
        " WHERE place >= ? AND place < ? ORDER BY place LIMIT ?",
        (place(row.id, min(start, row.next)), place(row.id, row.next), limit),
    )
    records: list[Stored] = []
    held_bytes = 0
    for where, at_ms, key, value in found:
        records.append(Stored(partition, offset_of(where), at_ms, key, value))
        held_bytes += len(key) + len(value)
        if bytes_max is not None and held_bytes >= bytes_max:
            break
    found.close()
    return Page(records, row.next)


def ends(
    connection: sqlite3.Connection, partitions: Iterable[Partition]
) -> Mapping[Partition, Ends]:
    """The ends of any number of partitions by one statement. Raises `UnknownTopic`."""
    return {
        partition: Ends(row.first, row.next)
        for partition, row in _rows(connection, partitions).items()
    }


def offsets_at(
    connection: sqlite3.Connection, partitions: Iterable[Partition], at_ms: int
) -> Mapping[Partition, int]:
    """The offset of each one's first record at or after a time, else its end."""
    return {
        partition: first_at(connection, row.id, Ends(row.first, row.next), at_ms)
        for partition, row in _rows(connection, partitions).items()
    }


def first_at(connection: sqlite3.Connection, id_: int, within: Ends, at_ms: int) -> int:
    """Halving finds it, for times do not fall within a partition. An index on time would cost
    every append something; this costs a look-up of a time some 30 small reads."""
    low, high = within
    answer = high
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(
            "SELECT place, at_ms FROM records"
            " WHERE place >= ? AND place < ? ORDER BY place LIMIT 1",
            (place(id_, middle), place(id_, high)),
        ).fetchone()
        if row is None:
            high = middle
        elif row[1] >= at_ms:
            high, answer = middle, offset_of(row[0])
        else:
            low = offset_of(row[0]) + 1
    return answer


def trim(connection: sqlite3.Connection, partition: Partition, first: int) -> None:
    """Hide what is below `first`; the sweep deletes it. Raises `UnknownTopic`."""
    row = _row(connection, partition)
    if first > row.first:
        connection.execute(
            "UPDATE partitions SET first = ? WHERE id = ?", (min(first, row.next), row.id)
        )


def create_topics(connection: sqlite3.Connection, topics: Sequence[Topic]) -> None:
    """Create what is missing. Raises `TopicMismatch` before anything is created."""
    missing = [topic for topic in topics if not _exists(connection, topic)]
    for topic in missing:
        connection.execute(
            "INSERT INTO topics (name, partitions, cleanup, kept_ms) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            (topic.name, topic.partitions, topic.cleanup.value, topic.kept_ms),
        )
        connection.executemany(
            "INSERT INTO partitions (topic, idx) VALUES (?, ?) ON CONFLICT DO NOTHING",
            ((topic.name, index) for index in range(topic.partitions)),
        )


def describe(connection: sqlite3.Connection, topic: str) -> TopicState:
    """The topic as it is. Raises `UnknownTopic`."""
    row = connection.execute(
        "SELECT partitions, cleanup, kept_ms FROM topics WHERE name = ?", (topic,)
    ).fetchone()
    if row is None:
        raise UnknownTopic(f"there is no topic {topic}")
    partitions, cleanup, kept_ms = row
    return TopicState(partitions, {"cleanup": cleanup, "kept_ms": str(kept_ms)})


def commit(connection: sqlite3.Connection, name: str, partition: Partition, position: int) -> None:
    """Remember a group's position."""
    connection.execute(
        "INSERT INTO committed (name, topic, idx, position) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET position = excluded.position",
        (name, *partition, position),
    )


def start_positions(
    connection: sqlite3.Connection, name: str, partitions: Sequence[Partition]
) -> Mapping[Partition, int]:
    """Where a group goes on: its committed position, else the first kept."""
    starts = {partition: row.first for partition, row in _rows(connection, partitions).items()}
    return {**starts, **committed(connection, name, partitions)}


def committed(
    connection: sqlite3.Connection, name: str, partitions: Sequence[Partition]
) -> Mapping[Partition, int]:
    """The positions that a group committed, where it did."""
    found = connection.execute("SELECT topic, idx, position FROM committed WHERE name = ?", (name,))
    positions = {Partition(topic, index): position for topic, index, position in found}
    return {partition: positions[partition] for partition in partitions if partition in positions}


def _exists(connection: sqlite3.Connection, topic: Topic) -> bool:
    try:
        found = describe(connection, topic.name)
    except UnknownTopic:
        return False
    settings = {"cleanup": topic.cleanup.value, "kept_ms": str(topic.kept_ms)}
    asked = TopicState(topic.partitions, settings)
    if found != asked:
        raise TopicMismatch(f"{topic.name} is {found}, not {asked} as asked for")
    return True


def _row(connection: sqlite3.Connection, partition: Partition) -> _Row:
    row = connection.execute(
        "SELECT id, first, next FROM partitions WHERE topic = ? AND idx = ?", partition
    ).fetchone()
    if row is None:
        raise _unknown(partition)
    return _Row(*row)


def _rows(
    connection: sqlite3.Connection, partitions: Iterable[Partition]
) -> Mapping[Partition, _Row]:
    asked = list(partitions)
    # All as one parameter: the number of parameters of a statement is limited. CROSS JOIN keeps
    # the order of the tables, so each one asked for is one look-up.
    found = connection.execute(
        "SELECT p.topic, p.idx, p.id, p.first, p.next FROM json_each(?) AS asked"
        " CROSS JOIN partitions AS p ON p.topic = json_extract(asked.value, '$[0]')"
        " AND p.idx = json_extract(asked.value, '$[1]')",
        (json.dumps(asked),),
    )
    rows = {Partition(topic, index): _Row(*row) for topic, index, *row in found}
    for partition in asked:
        if partition not in rows:
            raise _unknown(partition)
    return rows


def _unknown(partition: Partition) -> UnknownTopic:
    return UnknownTopic(f"there is no {partition.topic}/{partition.index}")
