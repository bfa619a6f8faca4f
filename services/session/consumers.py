"""Log in: records of accounts, sessions and names become session's view.

Partitions may be folded in any order, and a batch twice: what is written comes from one record, and
records that touch the same key are in one partition.
"""

from collections.abc import Sequence

from libs.log.port import Stored
from libs.runtime.logging import logger
from libs.store import Pipeline
from libs.wire.codec import Malformed
from libs.wire.records import Account, NameClaim, SessionState, decode
from libs.wire.topics import ACCOUNTS

from .metrics import SKIPPED
from .store import drop_account, put_account, put_name, put_session

_log = logger("session.consumers")


async def fold(pipe: Pipeline, batch: Sequence[Stored]) -> None:
    """Queue the writes of a batch."""
    for stored in batch:
        try:
            _fold(pipe, stored)
        except (Malformed, UnicodeDecodeError) as fault:
            SKIPPED.labels(stored.partition.topic).inc()
            _log.error(
                "record skipped",
                topic=stored.partition.topic,
                offset=stored.offset,
                fault=type(fault).__name__,
            )


def _fold(pipe: Pipeline, stored: Stored) -> None:
    if not stored.value and stored.partition.topic == ACCOUNTS.name:
        drop_account(pipe, stored.key.decode())
        return
    match decode(stored.value):
        case NameClaim() as claim:
            put_name(pipe, claim)
        case Account() as account:
            put_account(pipe, account)
        case SessionState() as state:
            put_session(pipe, state)
