"""Fetches what is missing, by pages."""

from rostrum.backoff import LIMIT_HIT
from rostrum.errors import TryAgain
from rostrum.following.answers import PageAnswer
from rostrum.following.followed import BROKEN, Followed, State
from rostrum.following.lot import Lot
from rostrum.http import Http
from rostrum.ids import in_path
from rostrum.ways.way import PASSING
from rostrum.wire import Malformed


class Mender:
    """Repairs the channels of a lot, a page of each in turn. What pages do not have is asked for by
    watching from where the channel is: then a gateway tells what became of it."""

    def __init__(self, http: Http, lot: Lot) -> None:
        self._http = http
        self._lot = lot

    async def run(self) -> None:
        """For ever. Raises `SignedOut`."""
        while True:
            followed = await self._lot.torn()
            try:
                await self._mend(followed)
            except TryAgain as fault:
                self._wait(followed, fault)
            except (*PASSING, Malformed):
                self._lot.mended(followed, is_whole=False)

    def _wait(self, followed: Followed, fault: TryAgain) -> None:
        if fault.code == LIMIT_HIT:
            self._lot.goes_on(followed, fault.retry_after_s or 0.0)
        else:
            self._lot.mended(followed, is_whole=False)

    async def _mend(self, followed: Followed) -> None:
        place = followed.ledger.place
        if followed.state is State.ASTRAY or place is None:
            await self._begin_anew(followed)
            return
        page = await self._page(followed, {"after": place.id})
        await self._lot.inbox.room()
        if not self._is_broken(followed):
            return
        step = followed.ledger.take(page.read, page.place, page.head)
        self._lot.take(followed, step)
        if step.is_torn or (page.more and not step.events):
            self._lot.mended(followed, is_whole=bool(step.events))
        elif page.more:
            self._lot.goes_on(followed)
        else:
            self._lot.mended(followed, is_whole=True)

    async def _begin_anew(self, followed: Followed) -> None:
        page = await self._page(followed, {"limit": 1})
        await self._lot.inbox.room()
        if self._is_broken(followed):
            step = followed.ledger.begin_anew(page.place, head=page.head, first=page.first)
            self._lot.take(followed, step)
            self._lot.mended(followed, is_whole=True)

    async def _page(self, followed: Followed, query: dict[str, str | int]) -> PageAnswer:
        path = f"/v1/channels/{in_path(followed.channel)}/messages"
        return (await self._http.once("GET", path, PageAnswer, query=query)).value

    def _is_broken(self, followed: Followed) -> bool:
        """Whether it is to be repaired still: it may have been left or ended meanwhile."""
        return followed in self._lot and followed.state in BROKEN
