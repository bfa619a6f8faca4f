"""Positions as rows: one for each reader of a topic, or for each partition, and what grew."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cli.lagging import Lag, Look

Row = dict[str, Any]

# Shorter on a narrow terminal.
HEADS = {"partitions": "parts", "partition": "part"}


class Reader(NamedTuple):
    """Whose positions are in one row; `partition` is None where all of a topic are."""

    service: str
    kind: str
    topic: str
    seen: str
    partition: int | None


def rows(found: Look, before: Mapping[Reader, int], *, each: bool) -> list[Row]:
    """The rows of a look. `grew` is how much more it is behind than `before`, None of a reader that
    was not seen then."""
    return [_row(reader, lags, before) for reader, lags in _grouped(found, each=each)]


def behind(found: Look, *, each: bool) -> dict[Reader, int]:
    """How far each reader is behind in all, for the next look to compare with."""
    return {reader: sum(lag.behind for lag in lags) for reader, lags in _grouped(found, each=each)}


def columns(*, each: bool, watched: bool) -> dict[str, str]:
    """What people are shown of a row, with its heads."""
    places = ("partition", "position", "end") if each else ("partitions",)
    grew = ("grew",) if watched else ()
    worst = () if each else ("worst",)
    names = ("service", "what", "topic", *places, "behind", *worst, *grew, "seen")
    return {name: HEADS.get(name, name) for name in names}


def told(found: Look, listed: Sequence[Row]) -> Row:
    """For programs."""
    return {"lag": list(listed), "unseen": found.unseen, "away": found.away}


def _grouped(found: Look, *, each: bool) -> Iterator[tuple[Reader, list[Lag]]]:
    groups: dict[Reader, list[Lag]] = {}
    for lag in found.lags:
        at = lag.at
        partition = at.partition.index if each else None
        reader = Reader(at.service, at.kind, at.partition.topic, at.seen, partition)
        groups.setdefault(reader, []).append(lag)
    return iter(groups.items())


def _row(reader: Reader, lags: Sequence[Lag], before: Mapping[Reader, int]) -> Row:
    total = sum(lag.behind for lag in lags)
    is_one = reader.partition is not None
    return {
        "service": reader.service,
        "what": reader.kind,
        "topic": reader.topic,
        "partition": reader.partition,
        "partitions": len(lags),
        "position": lags[0].at.position if is_one else None,
        "end": lags[0].end if is_one else None,
        "behind": total,
        "worst": max(lag.behind for lag in lags),
        "grew": total - before[reader] if reader in before else None,
        "seen": reader.seen,
    }
