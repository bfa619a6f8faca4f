"""Handles of channels: the first claim of a name in the log wins it."""

from libs.wire.codes import Refused
from libs.wire.records import NameClaim

from .journal import Journal
from .rows import Rows, rebuilding


class Handles:
    """Takes handles and finds who has them."""

    def __init__(self, rows: Rows, journal: Journal) -> None:
        self._rows = rows
        self._journal = journal

    async def take(self, handle: str, channel: str) -> None:
        """`handle` belongs to `channel` from now on, or did already. Raises `Refused`
        (`handle_taken`)."""
        held = await self._rows.handle(handle)
        if held is None:
            await self._journal.write(NameClaim(handle=handle, owner=channel, owner_kind="channel"))
            # Another may have been written before this one: the fold says whose it is.
            held = await self._rows.handle(handle)
            if held is None:
                raise rebuilding()
        if held.owner != channel:
            raise Refused("handle_taken", f"{handle} belongs to another", field="handle")

    async def channel(self, handle: str) -> str | None:
        """The channel that has it."""
        held = await self._rows.handle(handle)
        return held.owner if held is not None and held.owner_kind == "channel" else None
