"""The post lanes: one for each chat instance, so that posts travel in batches.

While a batch is out, later posts wait for the next one. A batch that is out for longer than
`PATIENCE_S` holds nobody up: it waits for a slow partition, and others are quick.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from libs.runtime.addresses import ranked
from libs.runtime.service import Ports
from libs.wire import api
from libs.wire.api import PostBatch, PostItem, PostReplies, PostReply
from libs.wire.codes import OutcomeUnknown, Problem, TryAgain
from libs.wire.services import CHAT

from .access import AccessMemory
from .metrics import LANE_BATCH, LANE_REROUTED, LANE_WAITING

# A healthy chat answers within some 10 ms; a batch that takes longer has met a slow partition.
PATIENCE_S = 0.02
# Of one instance. Chat takes 4,096 posts at once; so many batches of full size are twice that.
BATCHES_OUT_MAX = 32
# Far above what 256 usual posts take; a batch of the largest bodies is cut here.
BATCH_BYTES_MAX = 4 << 20
# An instance that was not reached is passed over for so long. Restarts take longer, but whoever
# asks a dead one again loses under a millisecond.
DEAD_S = 1.0
# One that leaves a batch without an answer, or answers every post of it with 503, may have lost the
# log where others have it: for so long its pools go elsewhere.
SUSPECT_S = 5.0
AWAY = 503
# Channels whose pool is remembered, about 200 bytes each.
TOPICS_MAX = 100_000


@dataclass(eq=False)
class _Waiting:
    """A post on its way; `passed` are the instances that were not reached with it."""

    item: PostItem
    topic: str
    reply: "asyncio.Future[PostReply]"
    passed: set[str] = field(default_factory=set)


class PostLanes:
    """Takes posts to chat: those of one pool to one instance while that lives, so that retries and
    what an instance remembers meet."""

    def __init__(
        self, ports: Ports, access: AccessMemory, *, deadline_s: float, waiting_max: int
    ) -> None:
        self._ports = ports
        self._access = access
        self._deadline_s = deadline_s
        self._room = waiting_max
        self._lanes: dict[str, _Lane] = {}
        self._dead_until_s: dict[str, float] = {}
        self._topics: OrderedDict[str, str] = OrderedDict()

    async def post(self, item: PostItem) -> PostReply:
        """What chat replies. Raises `TryAgain` when the post was not sent, `OutcomeUnknown` when
        nobody knows what became of it."""
        if self._room <= 0:
            raise TryAgain("service_away", "too many posts wait for chat", retry_after_s=1)
        self._room -= 1
        LANE_WAITING.inc()
        try:
            topic = await self._topic(item)
            post = _Waiting(item, topic, asyncio.get_running_loop().create_future())
            self._put(post)
            return await post.reply
        finally:
            self._room += 1
            LANE_WAITING.dec()

    def _put(self, post: _Waiting) -> None:
        """Into the lane of the first instance that may be alive, or the refusal."""
        instances = self._ports.calls.instances(CHAT)
        order = [each for each in ranked(post.topic, instances) if each not in post.passed]
        if not order:
            _refuse(post, TryAgain("service_away", "chat does not answer", retry_after_s=1))
            return
        now = self._ports.clock.monotonic()
        alive = (each for each in order if self._dead_until_s.get(each, 0.0) <= now)
        # When all seem dead the best is asked again: it may be back.
        instance = next(alive, order[0])
        lane = self._lanes.get(instance)
        if lane is None:
            lane = self._lanes[instance] = _Lane(self, self._ports, instance)
        lane.put(post)

    async def send(self, instance: str, posts: Sequence[_Waiting]) -> None:
        """Take one batch to its instance and hand out the replies."""
        LANE_BATCH.observe(len(posts))
        try:
            replies = await self._replies(instance, posts)
        except TryAgain:
            # Nothing was sent: the next instance in order may take it.
            self._avoid(instance, DEAD_S)
            LANE_REROUTED.inc(len(posts))
            for post in posts:
                post.passed.add(instance)
                self._put(post)
            return
        except Problem as fault:
            self._avoid(instance, SUSPECT_S)
            for post in posts:
                _refuse(post, fault)
            return
        if all(reply.status == AWAY for reply in replies):
            self._avoid(instance, SUSPECT_S)
        for post, reply in zip(posts, replies, strict=True):
            if not post.reply.done():
                post.reply.set_result(reply)

    def _avoid(self, instance: str, for_s: float) -> None:
        """Others are preferred for a while, if there are any."""
        self._dead_until_s[instance] = self._ports.clock.monotonic() + for_s

    async def _replies(self, instance: str, posts: Sequence[_Waiting]) -> Sequence[PostReply]:
        """Raises `TryAgain` only when nothing was sent."""
        batch = PostBatch(tuple(post.item for post in posts))
        found = await self._ports.calls.hand(
            CHAT, api.POSTS, batch, PostReplies, deadline_s=self._deadline_s, at=instance
        )
        if len(found.replies) != len(posts):
            raise OutcomeUnknown(
                "outcome_unknown", "chat did not answer every post; send it again", retry_after_s=1
            )
        return found.replies

    async def _topic(self, item: PostItem) -> str:
        """The pool of the channel. Without it the channel's own id decides: any instance may serve
        any channel, and refuses what is none."""
        known = self._topics.get(item.channel)
        if known is None:
            known = await self._access.topic(item.user, item.channel)
            if not known:
                return item.channel
            self._topics[item.channel] = known
            if len(self._topics) > TOPICS_MAX:
                self._topics.popitem(last=False)
        return known


class _Lane:
    """Posts that wait for one instance, in order."""

    def __init__(self, lanes: PostLanes, ports: Ports, instance: str) -> None:
        self._lanes = lanes
        self._tasks = ports.tasks
        self._instance = instance
        self._waiting: deque[_Waiting] = deque()
        self._out: set[asyncio.Task[None]] = set()
        self._is_driving = False

    def put(self, post: _Waiting) -> None:
        """Add a post; the next batch takes it along."""
        self._waiting.append(post)
        if not self._is_driving:
            self._is_driving = True
            self._tasks.spawn(self._drive(), name="gateway.lane")

    async def _drive(self) -> None:
        try:
            while self._waiting:
                while len(self._out) >= BATCHES_OUT_MAX:
                    await asyncio.wait(self._out, return_when=asyncio.FIRST_COMPLETED)
                batch = self._take()
                if batch:
                    await self._send(batch)
        finally:
            self._is_driving = False

    async def _send(self, batch: Sequence[_Waiting]) -> None:
        sending = self._tasks.spawn(self._lanes.send(self._instance, batch), name="gateway.posts")
        self._out.add(sending)
        sending.add_done_callback(self._out.discard)
        await asyncio.wait({sending}, timeout=PATIENCE_S)

    def _take(self) -> list[_Waiting]:
        """The next batch, without those whose clients have gone."""
        batch: list[_Waiting] = []
        size = 0
        while self._waiting and len(batch) < api.POSTS_MAX and size < BATCH_BYTES_MAX:
            post = self._waiting.popleft()
            if not post.reply.done():
                batch.append(post)
                size += len(post.item.body)
        return batch


def _refuse(post: _Waiting, fault: Problem) -> None:
    if not post.reply.done():
        post.reply.set_exception(fault)
