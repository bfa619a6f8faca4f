"""Polls of one channel, from what was asked to an answer or a seat. No parser and no sockets.

Who asks for what is remembered is answered or parked within the call. For anybody else one task
asks around first, and comes to the same end.
"""

from abc import abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from starlette.responses import Response

from libs.runtime import trace
from libs.runtime.web import answer, as_problem
from libs.wire.codes import Problem
from libs.wire.cursor import Cursor, parse

from .hub import Poller
from .parking import ParkingLot
from .polls import Parking, Saying
from .tokens import Checked, bearer


class Wish(NamedTuple):
    """The query of a poll: the cursor as it was sent, and how many seconds to wait."""

    after: str | None
    wait_s: float


class Asked(NamedTuple):
    """A poll as it came: the raw query, and of its headers those that count."""

    channel: str
    query: bytes
    authorization: str | None
    trace_id: str | None


class Target(NamedTuple):
    """What a poll wants: to hear for `wait_s` seconds what comes after the cursor."""

    channel: str
    cursor: Cursor | None
    wait_s: float


class Caller(Poller):
    """Who polls. Whoever has a connection subclasses it; it is told or refused once."""

    __slots__ = ("checked", "is_answered", "lane", "session", "trace_id")

    def __init__(self, lane: "PollLane") -> None:
        super().__init__("", 0)
        self.lane = lane
        self.is_answered = False
        # Once that is known.
        self.checked: Checked | None = None
        # By which it is known to end when that ends, once it is parked.
        self.session = ""
        self.trace_id: str | None = None

    def tell(self, body: bytes) -> None:
        self.lane.left(self)
        self._tell(body)

    def wake(self, body: bytes) -> None:
        self._tell(body)

    def _tell(self, body: bytes) -> None:
        if not self.is_answered:
            self.is_answered = True
            self.answer(body, closes=self.lane.lot.hub.is_draining)

    def left(self) -> None:
        self.lane.left(self)

    def refuse(self, problem: Problem) -> None:
        self.lane.left(self)
        if self.is_answered:
            return
        self.is_answered = True
        with trace.kept():
            trace.begin(self.trace_id)
            self.respond(answer(problem))

    def end(self, problem: Problem) -> None:
        """See `Listening`."""
        self.lane.lot.polls.gone(self)
        self.refuse(problem)

    @abstractmethod
    def answer(self, body: bytes, *, closes: bool) -> None:
        """Send JSON; `closes`: the connection ends with it. One that brings entries says nothing of
        a drain, and the next poll has to go elsewhere."""

    @abstractmethod
    def respond(self, response: Response) -> None:
        """Send a response that is not for others to share."""


class PollLane:
    """Takes polls. `wishes` reads a query, and raises `Refused`."""

    def __init__(self, lot: ParkingLot, wishes: Callable[[bytes], Wish]) -> None:
        self.lot = lot
        self._wishes = wishes

    def take(self, caller: Caller, asked: Asked) -> None:
        """Bring a caller to its answer or its seat."""
        caller.trace_id = asked.trace_id
        try:
            wish = self._wishes(asked.query)
            checked = self.lot.tokens.remembered(bearer(asked.authorization))
            if checked is None:
                self._spawn(caller, asked.channel, self._check(caller, asked, wish))
            else:
                self._enter(caller, checked, _target(asked.channel, wish))
        except Exception as fault:
            self._fail(caller, asked.channel, fault)

    def target(self, channel: str, query: bytes) -> Target:
        """What a poll with this path and query wants. Raises `Refused`."""
        return _target(channel, self._wishes(query))

    def take_again(self, caller: Caller, checked: Checked, target: Target) -> bool:
        """The same for one who polled before. False, with nothing done, when its token counts no
        more: then `take` says so."""
        if not self.lot.tokens.holds(checked):
            return False
        try:
            self._enter(caller, checked, target)
        except Exception as fault:
            self._fail(caller, target.channel, fault)
        return True

    def gone(self, caller: Caller) -> None:
        """The client of a caller that was not answered yet went away."""
        self.lot.polls.gone(caller)
        self.left(caller)

    def left(self, caller: Caller) -> None:
        """The caller waits no more. Harmless for one that did not."""
        if caller.session:
            self.lot.sessions.leave(caller.session, caller)
            caller.session = ""

    def _enter(self, caller: Caller, checked: Checked, target: Target) -> None:
        """At once, if all that this needs is remembered; else by a task."""
        pause_s = self.lot.pause_s(checked.person.session, target.channel)
        user = checked.person.user
        found = None if pause_s else self.lot.polls.at_once(user, target.channel, target.cursor)
        if found is None:
            self._spawn(caller, target.channel, self._ask(caller, checked, target, pause_s))
        else:
            self._settle(caller, checked, found, target.wait_s)

    def _settle(
        self, caller: Caller, checked: Checked, found: Saying | Parking, wait_s: float
    ) -> None:
        caller.checked = checked
        caller.user = checked.person.user
        if isinstance(found, Saying):
            found.room.say(caller, found.answer)
            return
        if wait_s > 0:
            caller.session = checked.person.session
            self.lot.sessions.enter(caller.session, caller)
        self.lot.polls.park(found, caller, wait_s)

    def _spawn(self, caller: Caller, channel: str, work: Coroutine[Any, Any, None]) -> None:
        self.lot.tasks.spawn(self._later(caller, channel, work), name="gateway.poll")

    async def _later(self, caller: Caller, channel: str, work: Coroutine[Any, Any, None]) -> None:
        caller.trace_id = trace.begin(caller.trace_id)
        try:
            await work
        except Exception as fault:
            self._fail(caller, channel, fault)

    async def _check(self, caller: Caller, asked: Asked, wish: Wish) -> None:
        checked = await self.lot.tokens.checked(bearer(asked.authorization))
        target = _target(asked.channel, wish)
        pause_s = self.lot.pause_s(checked.person.session, target.channel)
        await self._ask(caller, checked, target, pause_s)

    async def _ask(self, caller: Caller, checked: Checked, target: Target, pause_s: float) -> None:
        if pause_s > 0:
            await self.lot.clock.sleep(pause_s)
        if caller.is_gone:
            return
        found = await self.lot.polls.ask(checked.person.user, target.channel, target.cursor)
        self.lot.must_live(checked)
        if not caller.is_gone:
            self._settle(caller, checked, found, target.wait_s - pause_s)

    def _fail(self, caller: Caller, channel: str, fault: Exception) -> None:
        with trace.kept():
            caller.trace_id = trace.begin(caller.trace_id)
            path = f"/v1/channels/{channel}/poll"
            problem = as_problem(fault, path=path, method="GET")
        if not caller.is_gone:
            caller.refuse(problem)


def _target(channel: str, wish: Wish) -> Target:
    cursor = None if wish.after is None else parse(wish.after)
    # Without a cursor the answer is where the channel is, at once.
    return Target(channel, cursor, 0.0 if cursor is None else wish.wait_s)
