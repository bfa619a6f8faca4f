"""What a follower went through."""

from dataclasses import dataclass


@dataclass
class Counts:
    """How often it happened. All of it is repaired; this is for those who look after a program."""

    # Connections that said welcome, and those that ended, for whatever reason but `drains`.
    connects: int = 0
    breaks: int = 0
    # A gateway went away and said so.
    drains: int = 0
    # We read too slowly, and were told so.
    behind: int = 0
    # Entries that were missing and were fetched, counted once for each hole.
    gaps: int = 0
    # Entries that came again and were not yielded.
    skipped: int = 0
    # Another way was taken.
    changes: int = 0
