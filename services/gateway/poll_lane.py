"""Polls of one channel, from what was asked to an answer or a seat. No parser and no sockets.

Who asks for what is remembered is answered or parked within the call. For anybody else one task
asks around first, and comes to the same end.
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import NamedTuple

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


class Caller(Poller):
    """Who polls. Whoever has a connection subclasses it; it is told or refused once."""

    __slots__ = ("lane", "session", "trace_id")

    def __init__(self, lane: "PollLane") -> None:
        super().__init__("", 0)
        self.lane = lane
        # By which it is known to end when that ends, once it is parked.
        self.session = ""
        self.trace_id: str | None = None

    def tell(self, body: bytes) -> None:
        self.lane.left(self)
        self.answer(body, closes=self.lane.lot.hub.is_draining)

    def refuse(self, problem: Problem) -> None:
        self.lane.left(self)
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


class _Entered(NamedTuple):
    checked: Checked
    channel: str
    cursor: Cursor | None
    pause_s: float
    wait_s: float


class PollLane:
    """Takes polls. `wishes` reads a query, and raises `Refused`."""

    def __init__(self, lot: ParkingLot, wishes: Callable[[bytes], Wish]) -> None:
        self.lot = lot
        self._wishes = wishes

    def take(self, caller: Caller, asked: Asked) -> None:
        """Bring a caller to its answer or its seat."""
        caller.trace_id = asked.trace_id
        try:
            self._take(caller, asked)
        except Exception as fault:
            self._fail(caller, asked, fault)

    def gone(self, caller: Caller) -> None:
        """The client of a caller that was not answered yet went away."""
        self.lot.polls.gone(caller)
        self.left(caller)

    def left(self, caller: Caller) -> None:
        """The caller waits no more. Harmless for one that did not."""
        if caller.session:
            self.lot.sessions.leave(caller.session, caller)
            caller.session = ""

    def _take(self, caller: Caller, asked: Asked) -> None:
        wish = self._wishes(asked.query)
        checked = self.lot.tokens.remembered(bearer(asked.authorization))
        entered = None if checked is None else self._enter(asked.channel, wish, checked)
        if entered is None or entered.pause_s > 0 or not self._is_settled(caller, entered):
            later = self._later(caller, asked, wish, entered=entered)
            self.lot.tasks.spawn(later, name="gateway.poll")

    def _enter(self, channel: str, wish: Wish, checked: Checked) -> _Entered:
        cursor = None if wish.after is None else parse(wish.after)
        pause_s = self.lot.pause_s(checked.person.session, channel)
        # Without a cursor the answer is where the channel is, at once.
        wait_s = 0.0 if cursor is None else wish.wait_s - pause_s
        return _Entered(checked, channel, cursor, pause_s, wait_s)

    def _is_settled(self, caller: Caller, entered: _Entered) -> bool:
        user = entered.checked.person.user
        found = self.lot.polls.at_once(user, entered.channel, entered.cursor)
        if found is not None:
            self._settle(caller, entered, found)
        return found is not None

    def _settle(self, caller: Caller, entered: _Entered, found: Saying | Parking) -> None:
        caller.user = entered.checked.person.user
        if isinstance(found, Saying):
            found.room.say(caller, found.answer)
            return
        if entered.wait_s > 0:
            caller.session = entered.checked.person.session
            self.lot.sessions.enter(caller.session, caller)
        self.lot.polls.park(found, caller, entered.wait_s)

    async def _later(
        self, caller: Caller, asked: Asked, wish: Wish, *, entered: _Entered | None
    ) -> None:
        caller.trace_id = trace.begin(asked.trace_id)
        try:
            if entered is None:
                checked = await self.lot.tokens.checked(bearer(asked.authorization))
                entered = self._enter(asked.channel, wish, checked)
            await self._ask(caller, entered)
        except Exception as fault:
            self._fail(caller, asked, fault)

    async def _ask(self, caller: Caller, entered: _Entered) -> None:
        if entered.pause_s > 0:
            await self.lot.clock.sleep(entered.pause_s)
        if caller.is_gone:
            return
        user = entered.checked.person.user
        found = await self.lot.polls.ask(user, entered.channel, entered.cursor)
        self.lot.must_live(entered.checked)
        if not caller.is_gone:
            self._settle(caller, entered, found)

    def _fail(self, caller: Caller, asked: Asked, fault: Exception) -> None:
        with trace.kept():
            caller.trace_id = trace.begin(caller.trace_id)
            path = f"/v1/channels/{asked.channel}/poll"
            problem = as_problem(fault, path=path, method="GET")
        if not caller.is_gone:
            caller.refuse(problem)
