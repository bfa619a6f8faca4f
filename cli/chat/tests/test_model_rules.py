"""Whatever comes in whatever order: no holes, no excess, and nothing that was said is lost."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from cli.chat.history import KEPT
from cli.chat.model import Chat
from cli.chat.room import KEPT_UNSHOWN
from cli.chat.tests.entries import ADA, AT, CHANNEL, channel, message
from cli.chat.wants import Load, Send, Want
from rostrum import Message, Page, Posted

OTHER = "01KA3Q6A2B4C6D8E0F1G3H5J7K"
PAGE = 100


class World:
    """A channel that grows, a gateway that answers at its ease, a person who does anything."""

    def __init__(self) -> None:
        self.log: list[Message] = []
        self.sent = 0
        self.loads: list[Load] = []
        self.sends: list[Send] = []
        self.said: set[str] = set()
        self.written: set[str] = set()
        self.numbers = iter(range(1, 1_000_000))
        self.chat = Chat(self.want, lambda: f"c{next(self.numbers)}", me=ADA)
        for ident in (CHANNEL, OTHER):
            self.chat.found(channel(ident=ident))
        self.room = self.chat.rooms[CHANNEL]

    def want(self, want: Want) -> None:
        if isinstance(want, Load):
            self.loads.append(want)
        elif isinstance(want, Send):
            self.sends.append(want)
            self.said.add(want.post.client_id)

    def others_post(self, count: int) -> None:
        self.log += [message(len(self.log) + 1 + at) for at in range(count)]

    def deliver(self, count: int) -> None:
        for entry in self.log[self.sent : self.sent + count]:
            self.sent = entry.id
            self.chat.received(CHANNEL, entry, len(self.log))

    def jump(self, _: int) -> None:
        self.sent = len(self.log)
        self.chat.jumped(CHANNEL, f"1-{self.sent}", head=self.sent, first=1)

    def answer(self, _: int) -> None:
        if not self.loads:
            return
        load = self.loads.pop(0)
        low, high = {
            "older": (load.at - PAGE, load.at - 1),
            "newer": (load.at + 1, load.at + PAGE),
            "latest": (len(self.log) - PAGE + 1, len(self.log)),
        }[load.kind]
        entries = tuple(self.log[max(low, 1) - 1 : max(high, 0)])
        last = entries[-1].id if entries else len(self.log)
        head = len(self.log)
        found = Page(entries=entries, cursor=f"1-{last}", head=head, first=1, more=False)
        self.chat.paged(load, found)

    def refuse(self, _: int) -> None:
        if self.loads:
            self.chat.not_paged(self.loads.pop(0), "away")

    def say(self, count: int) -> None:
        if self.chat.shown is self.room:
            self.chat.say(f"said {count}")

    def acknowledge(self, count: int) -> None:
        if not self.sends:
            return
        post = self.sends.pop(0).post
        if count % 3 == 0:
            self.chat.not_posted(CHANNEL, post.client_id, "refused")
            return
        ident = len(self.log) + 1
        entry = message(ident, post.text, sender=ADA.id, client_id=post.client_id)
        self.log.append(entry)
        self.written.add(post.client_id)
        self.chat.posted(CHANNEL, post.client_id, Posted(id=ident, cursor=f"1-{ident}", at=AT))

    def scroll(self, count: int) -> None:
        self.chat.scrolled(at_top=bool(count & 1), at_end=bool(count & 2))

    def look(self, count: int) -> None:
        self.chat.show(OTHER if count % 2 else CHANNEL)

    def judge(self) -> None:
        history = self.room.history
        held = [one.id for one in history]
        assert held == list(range(history.after + 1, history.last + 1))
        bound = KEPT if self.chat.shown is self.room else KEPT_UNSHOWN
        assert len(held) <= bound
        assert self.room.read <= self.room.head <= len(self.log)
        still = set(self.room.posts)
        in_log = {one.client_id for one in self.log}
        assert self.said - still <= in_log


STEPS: list[Callable[[World, int], None]] = [
    *(World.others_post, World.deliver, World.jump, World.answer, World.refuse, World.say),
    *(World.acknowledge, World.scroll, World.look, lambda world, _: world.chat.jump()),
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 3 * PAGE)), max_size=60))
def test_no_holes_no_excess_nothing_lost(
    steps: list[tuple[Callable[[World, int], None], int]],
) -> None:
    world = World()
    for step, number in steps:
        step(world, number)
        world.judge()
    # In the end everything is answered, and the end of the channel is there.
    world.look(0)
    world.chat.jump()
    world.deliver(len(world.log))
    while world.loads:
        world.answer(0)
        world.judge()
    assert world.room.history.last == len(world.log)
    assert not any(one in world.written for one in world.room.posts)
