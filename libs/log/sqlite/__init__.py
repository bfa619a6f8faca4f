"""The embedded log: one process, one file (or memory), durable, nothing to install.

One thread writes and one reads, each with a connection of its own, so that the event loop never
waits for the disk. What waits together is written together: one transaction and one fsync.
"""

from libs.log.sqlite.inspection import SqliteInspection, inspect_sqlite
from libs.log.sqlite.log import SqliteLog, open_sqlite

__all__ = ["SqliteInspection", "SqliteLog", "inspect_sqlite", "open_sqlite"]
