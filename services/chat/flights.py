"""Posts under way: all who send the same one wait for it together, each up to the deadline.

    begun: before its append    a deadline gives it up: certainly not written
    handed to the log           a deadline is `outcome_unknown`, and it is followed to its end
    landed                      answered

`earlier` says that an attempt before this one may have been written, here or elsewhere: then
nothing is answered that sounds as if the post were not.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from libs.runtime.logging import logger
from libs.runtime.tasks import Tasks
from libs.wire.codes import OutcomeUnknown, Problem, Refused, TryAgain
from libs.wire.cursor import Cursor

from .metrics import IN_FLIGHT
from .model import Post
from .settings import Settings
from .turns import Turn, Turns

_log = logger("chat.flights")
_Key = tuple[str, str, str]


class Outcome(NamedTuple):
    """The message that a post is shown as; `is_new` says that this request made it."""

    cursor: Cursor
    at: str
    is_new: bool


class _Tried(NamedTuple):
    """After which entry a post is, and whether it is there at all nobody knows."""

    since: Cursor | None
    is_unknown: bool


_NEVER = _Tried(None, is_unknown=False)


class Flight:
    """One post on its way. `since` is the channel's last entry before the first attempt that may
    have been written, as far as this instance knows."""

    def __init__(
        self, post: Post, turn: Turn, *, earlier: bool, since: Cursor | None = None
    ) -> None:
        self.post = post
        self.earlier = earlier
        self.since = since
        self.landing: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._turn = turn
        self._is_handed = False
        self._is_given_up = False

    async def hand_over(self) -> None:
        """To be called right before the append. Returns when it is this post's turn; raises when
        nobody waits any more, for those who did were told that it is not written."""
        await self._turn.come()
        if self._is_given_up:
            raise away("it was not ready in time")
        self._is_handed = True
        self._turn.end()

    def join(self, post: Post) -> None:
        """Somebody waits (again). Raises `Refused` when the body is another one."""
        if post.digest != self.post.digest:
            raise reused()
        self.earlier |= post.retry
        self._is_given_up = False

    def give_up(self) -> Problem:
        """The answer at the deadline. What is not handed over by now never is."""
        if self._is_handed:
            return unknown()
        self._is_given_up = True
        self._turn.end()
        return self.told(away("what a post needs did not answer in time"))

    def broke(self) -> Problem:
        """The answer when this attempt broke off where nobody knows."""
        if self._is_handed:
            return unknown()
        return self.told(TryAgain("internal", "the fault is ours, nothing was written; try again"))

    def told(self, problem: Problem) -> Problem:
        """What may be said of a problem by which this attempt certainly wrote nothing. A limit is
        reached only after the log was asked for earlier attempts."""
        is_sure = problem.retry != "yes" or problem.code.name == "limit_hit"
        return unknown() if self.earlier and not is_sure else problem

    def end(self) -> None:
        """It is over, whatever came of it."""
        self._turn.end()
        # Everybody may have gone; an error that nobody fetches is no news.
        self.landing.exception()


class Flights:
    """The posts under way at this instance, at most `posts_in_flight`. `write` takes one to its
    end."""

    def __init__(
        self, tasks: Tasks, settings: Settings, write: Callable[[Flight], Awaitable[Outcome]]
    ) -> None:
        self._tasks = tasks
        self._deadline_s = settings.answer_deadline_s
        self._most = settings.posts_in_flight
        self._write = write
        self._turns = Turns()
        self._flying: dict[_Key, Flight] = {}
        # After which entry the newest posts that were handed over here are, or may be. An answer
        # can be lost on its way as well, and Redis may be away: then this leads a repetition back.
        self._tried: OrderedDict[_Key, _Tried] = OrderedDict()
        self._tried_most = settings.posts_remembered

    async def outcome(self, post: Post) -> Outcome:
        """Send the post on its way or find it there, and wait. Raises `Problem`."""
        key = (post.channel, *post.key)
        flight = self._flying.get(key)
        if flight is not None:
            flight.join(post)
            return (await self._wait(flight))._replace(is_new=False)
        tried = self._tried.get(key, _NEVER)
        earlier = post.retry or tried.is_unknown
        flight = Flight(post, self._turns.take(post.channel), earlier=earlier, since=tried.since)
        if len(self._flying) >= self._most:
            flight.give_up()
            raise flight.told(not_written("too many posts are under way"))
        self._flying[key] = flight
        IN_FLIGHT.set(len(self._flying))
        self._tasks.spawn(self._fly(key, flight), name="chat.post")
        return await self._wait(flight)

    async def _wait(self, flight: Flight) -> Outcome:
        try:
            async with asyncio.timeout(self._deadline_s):
                return await asyncio.shield(flight.landing)
        except TimeoutError as fault:
            raise flight.give_up() from fault

    async def _fly(self, key: _Key, flight: Flight) -> None:
        try:
            flight.landing.set_result(await self._write(flight))
            self._remember(key, _Tried(flight.since, is_unknown=False))
        except Problem as refused:
            self._refuse(key, flight, flight.told(refused))
        except asyncio.CancelledError:
            flight.landing.set_exception(flight.broke())
            raise
        except Exception as fault:
            _log.error("post failed", channel=flight.post.channel, exc_info=fault)
            self._refuse(key, flight, flight.broke())
        finally:
            del self._flying[key]
            IN_FLIGHT.set(len(self._flying))
            flight.end()

    def _refuse(self, key: _Key, flight: Flight, problem: Problem) -> None:
        flight.landing.set_exception(problem)
        if problem.retry == "same-key":
            self._remember(key, _Tried(flight.since, is_unknown=True))

    def _remember(self, key: _Key, tried: _Tried) -> None:
        self._tried[key] = tried
        self._tried.move_to_end(key)
        if len(self._tried) > self._tried_most:
            self._tried.popitem(last=False)


def reused() -> Refused:
    """The `client_id` belongs to another post."""
    return Refused("client_id_reused", "send each new post with a new client_id", field="client_id")


def unknown() -> OutcomeUnknown:
    """It may be written."""
    return OutcomeUnknown(
        "outcome_unknown",
        "the log did not answer in time; send the post again with the same client_id",
        retry_after_s=1,
    )


def away(why: str) -> TryAgain:
    """Nothing was attempted."""
    return TryAgain("service_away", f"nothing was written: {why}; try again", retry_after_s=1)


def not_written(why: str) -> TryAgain:
    """The log refused it."""
    return TryAgain("not_written", f"nothing was written: {why}; try again", retry_after_s=1)
