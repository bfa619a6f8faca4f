"""What the gateway asks of relay: pages, shared by all who want them."""

from libs.runtime.flight import Flight
from libs.runtime.service import Ports
from libs.wire import api
from libs.wire.api import Access, Page, PageQuestion
from libs.wire.services import RELAY

from . import answers

BLOCK = 100


class Pages:
    """Pages behind the ring: aligned blocks of `BLOCK` ids, each fetched once for all."""

    def __init__(self, ports: Ports, deadline_s: float) -> None:
        self._ports = ports
        self._deadline_s = deadline_s
        self._flight: Flight[tuple[str, int, int], Page] = Flight(ports.tasks)

    async def after(self, access: Access, ident: int) -> Page:
        """The rest, after `ident`, of the block that holds the next id. Raises `Problem`."""
        block = ident // BLOCK
        page = await self.read(access, block * BLOCK + 1, BLOCK)
        return _cut(page, ident)

    async def read(self, access: Access, first: int, limit: int) -> Page:
        """Entries `first` .. `first + limit - 1`. Raises `Problem`."""
        key = (access.channel, first, limit)
        return await self._flight.join(key, lambda: self._fetch(access, first, limit))

    async def _fetch(self, access: Access, first: int, limit: int) -> Page:
        question = PageQuestion(access.channel, access.claim_offset, first, limit)
        return await self._ports.calls.ask(
            RELAY, api.PAGES, question, Page, deadline_s=self._deadline_s
        )


def _cut(page: Page, after: int) -> Page:
    kept = tuple(entry for entry in page.entries if entry.id > after)
    return Page(page.channel, page.epoch, page.head, page.first, kept)


def encoded(page: Page) -> list[bytes]:
    """The page's entries as clients see them."""
    return [answers.entry(entry) for entry in page.entries]
