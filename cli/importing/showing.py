"""What an import tells people at its end."""

from collections.abc import Mapping
from typing import Any

from cli import show

FACTS = (
    "channel",
    "messages",
    "taken",
    "not_taken",
    "entries",
    "entries_of_earlier_runs",
    "split_into_parts",
    "replies_kept",
)


def told(document: Mapping[str, Any]) -> None:
    """Print the report."""
    show.facts({name: document[name] for name in FACTS})
    taken, left_away = document["taken_by_kind"], document["left_away"]
    _table([{"taken": kind, "messages": count} for kind, count in taken.items()])
    _table(
        [
            {"not taken": reason, "messages": told["count"], "first ids": told["first_ids"]}
            for reason, told in document["not_taken_by_reason"].items()
        ]
    )
    _table([{"left away": what, "messages": count} for what, count in left_away.items()])


def _table(rows: list[dict[str, Any]]) -> None:
    if rows:
        show.say("")
        show.rows(rows)
