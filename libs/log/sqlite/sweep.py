"""Forgetting: what a topic's cleanup lets go of, a bounded slice per transaction.

Age
    The first kept offset follows the time (`kept_ms`); what is below it is deleted afterwards.
Compaction
    The last record of each key stays where it is; the earlier ones go. The first kept offset does
    not move: reading on from anywhere still ends with the last value of each key.
Tombstones
    A record without a value takes its key's earlier record with it, and goes itself a day later,
    so that a reader that is less than a day behind still learns of it.
"""

import sqlite3

from libs.log.port import Ends
from libs.log.sqlite.schema import offset_of, place
from libs.log.sqlite.statements import first_at

# The writer answers nobody during a slice, so a slice is no more work than a batch of appends.
SLICE_RECORDS_MAX = 1_000
SWEEP_EVERY_MS = 60_000
TOMBSTONE_KEPT_MS = 24 * 3_600_000


def sweep_slice(connection: sqlite3.Connection, now_ms: int) -> bool:
    """Do one slice of what there is to do; False when there was nothing."""
    return (
        _age(connection, now_ms)
        or _drop(connection)
        or _compact(connection)
        or _bury(connection, now_ms - TOMBSTONE_KEPT_MS)
    )


def _age(connection: sqlite3.Connection, now_ms: int) -> bool:
    """Move the first kept offset past what is too old. The rows are the partitions of topics with
    an age whose oldest record is too old."""
    rows = connection.execute(
        "SELECT p.id, p.first, p.next, t.kept_ms FROM topics AS t"
        " JOIN partitions AS p ON p.topic = t.name"
        " WHERE t.cleanup = 'age' AND p.first < p.next AND ? - t.kept_ms > ("
        "   SELECT at_ms FROM records WHERE place >= (p.id << 40 | p.first) ORDER BY place LIMIT 1)"
        " LIMIT ?",
        (now_ms, SLICE_RECORDS_MAX),
    ).fetchall()
    for id_, first, next_, kept_ms in rows:
        kept = first_at(connection, id_, Ends(first, next_), now_ms - kept_ms)
        connection.execute("UPDATE partitions SET first = ? WHERE id = ?", (kept, id_))
    return bool(rows)


def _drop(connection: sqlite3.Connection) -> bool:
    """Delete records below a first kept offset."""
    row = connection.execute(
        "SELECT id, first FROM partitions WHERE floor < first LIMIT 1"
    ).fetchone()
    if row is None:
        return False
    id_, first = row
    dropped = connection.execute(
        "DELETE FROM records WHERE place IN (SELECT place FROM records"
        " WHERE place >= ? AND place < ? ORDER BY place LIMIT ?)",
        (place(id_, 0), place(id_, first), SLICE_RECORDS_MAX),
    ).rowcount
    if dropped < SLICE_RECORDS_MAX:
        connection.execute("UPDATE partitions SET floor = first WHERE id = ?", (id_,))
        connection.execute(
            "DELETE FROM latest WHERE partition = ? AND place < ?", (id_, place(id_, first))
        )
    return True


def _compact(connection: sqlite3.Connection) -> bool:
    """Delete what newer records of the same key replaced."""
    row = connection.execute(
        "SELECT p.id, max(p.compacted, p.first), p.next FROM topics AS t"
        " JOIN partitions AS p ON p.topic = t.name"
        " WHERE t.cleanup = 'compact' AND p.compacted < p.next LIMIT 1"
    ).fetchone()
    if row is None:
        return False
    id_, start, next_ = row
    rows = connection.execute(
        "SELECT place, at_ms, key, length(value) FROM records"
        " WHERE place >= ? AND place < ? ORDER BY place LIMIT ?",
        (place(id_, start), place(id_, next_), SLICE_RECORDS_MAX),
    ).fetchall()
    for where, at_ms, key, size in rows:
        _replace(connection, (id_, key), where, dead_ms=None if size else at_ms)
    full = len(rows) == SLICE_RECORDS_MAX
    compacted = offset_of(rows[-1][0]) + 1 if full else next_
    connection.execute("UPDATE partitions SET compacted = ? WHERE id = ?", (compacted, id_))
    return True


def _replace(
    connection: sqlite3.Connection, keyed: tuple[int, bytes], where: int, *, dead_ms: int | None
) -> None:
    connection.execute(
        "DELETE FROM records WHERE place ="
        " (SELECT place FROM latest WHERE partition = ? AND key = ?)",
        keyed,
    )
    connection.execute(
        "INSERT INTO latest (partition, key, place, dead_ms) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET place = excluded.place, dead_ms = excluded.dead_ms",
        (*keyed, where, dead_ms),
    )


def _bury(connection: sqlite3.Connection, before_ms: int) -> bool:
    """Delete old tombstones that nothing replaced."""
    rows = connection.execute(
        "SELECT partition, key, place FROM latest WHERE dead_ms < ? LIMIT ?",
        (before_ms, SLICE_RECORDS_MAX),
    ).fetchall()
    for partition, key, where in rows:
        connection.execute("DELETE FROM records WHERE place = ?", (where,))
        connection.execute("DELETE FROM latest WHERE partition = ? AND key = ?", (partition, key))
    return bool(rows)
