"""Slow mode: how long an author waits between two posts in a channel, as this instance saw them."""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from math import ceil
from typing import NamedTuple

from libs.runtime.clock import Clock
from libs.wire.codes import TryAgain

from .model import Post


class _Last(NamedTuple):
    at_s: float
    client_id: str


def _nothing() -> None:
    return None


class Pace:
    """What each author posted last, for at most `most` of them; who fell out may post again."""

    def __init__(self, clock: Clock, *, most: int) -> None:
        self._clock = clock
        self._most = most
        self._last: OrderedDict[tuple[str, str], _Last] = OrderedDict()

    def __len__(self) -> int:
        return len(self._last)

    def take(self, post: Post, slow_mode_s: int) -> Callable[[], None] | None:
        """Count the post; what is returned takes that back. None: it comes too soon. A repetition
        of the last post never does."""
        if not slow_mode_s:
            return _nothing
        key, now = (post.channel, post.author), self._clock.monotonic()
        last = self._last.get(key)
        if last is not None and last.client_id == post.client_id:
            return _nothing
        if last is not None and now - last.at_s < slow_mode_s:
            return None
        taken = self._last[key] = _Last(now, post.client_id)
        self._last.move_to_end(key)
        if len(self._last) > self._most:
            self._last.popitem(last=False)
        return partial(self._undo, key, taken, last)

    def refusal(self, post: Post, slow_mode_s: int) -> TryAgain:
        """The answer to a post that comes too soon."""
        last = self._last.get((post.channel, post.author))
        since_s = 0.0 if last is None else self._clock.monotonic() - last.at_s
        wait_s = max(1, ceil(slow_mode_s - since_s))
        return TryAgain(
            "limit_hit",
            f"this channel takes a post of yours every {slow_mode_s} s; wait {wait_s} s",
            retry_after_s=wait_s,
        )

    def _undo(self, key: tuple[str, str], taken: _Last, before: _Last | None) -> None:
        if self._last.get(key) is not taken:
            return
        if before is None:
            del self._last[key]
        else:
            self._last[key] = before
