"""Pages are asked of relay in blocks, and once for all who want the same one."""

import asyncio

from libs.testing.clock import VirtualClock
from libs.wire.api import Access
from services.gateway.clients import BLOCK, Pages, encoded
from services.gateway.tests.fakes import ChannelLog, FakeRelay
from services.gateway.tests.listeners import CHANNEL
from services.gateway.tests.surroundings import surroundings

ACCESS = Access("ann", CHANNEL, may_read=True, epoch=1, claim_offset=0)


async def test_readers_of_one_block_share_a_question_and_get_their_own_rest() -> None:
    clock = VirtualClock()
    async with surroundings(clock) as ports:
        relay = FakeRelay(ports.signer, clock)
        relay.channels[CHANNEL] = ChannelLog(head=2 * BLOCK, epoch=1, first=1)
        ports.calls.attach("relay", relay.app)
        pages = Pages(ports, 1.0)
        early, late = await asyncio.gather(pages.after(ACCESS, 3), pages.after(ACCESS, BLOCK - 1))
    assert [entry.id for entry in early.entries] == list(range(4, BLOCK + 1))
    assert [entry.id for entry in late.entries] == [BLOCK]
    assert len(encoded(late)) == 1
    assert len(relay.pages) == 1
