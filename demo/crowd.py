"""Followers as processes: a server forks them with all they need imported already."""

import multiprocessing
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import NamedTuple

from demo.follower import Log, Order, Until, follow
from demo.verdict import Got

# Two hundred processes that all begin at once, on two cores.
OPEN_S = 180.0
# After the last post is acknowledged: two long polls, and a reconnection.
LAST_S = 60.0
# What a follower takes to send its log, once it has ended.
TOLD_S = 30.0
END_S = 5.0


class NotOpen(Exception):
    """Not all followers began in time."""


class _Member(NamedTuple):
    order: Order
    process: BaseProcess
    pipe: Connection


class Crowd:
    """Followers that run."""

    def __init__(self, members: Sequence[_Member]) -> None:
        self._members = members

    def wait_until_open(self) -> None:
        """Return when all are connected. Raises `NotOpen`."""
        closed = {member.pipe for member in self._members}
        deadline = time.monotonic() + OPEN_S
        while closed:
            ready = wait(list(closed), max(deadline - time.monotonic(), 0))
            if not ready:
                raise NotOpen(f"{len(closed)} followers did not connect in {OPEN_S:.0f} s")
            for pipe in ready:
                assert isinstance(pipe, Connection)
                if isinstance(log := _received(pipe), Log):
                    raise NotOpen(f"a follower ended before it began: {log.trouble}")
                closed.discard(pipe)

    def end(self, last: int) -> list[Got]:
        """Have them follow to this id, for a bounded time, and tell what they got."""
        for member in self._members:
            try:
                member.pipe.send(Until(last, LAST_S))
            except OSError:
                # It is gone: what it got is not told, and so it counts as lost.
                continue
        deadline = time.monotonic() + LAST_S + TOLD_S
        return [_told(member, deadline) for member in self._members]


@contextmanager
def crowd_of(orders: Sequence[Order]) -> Iterator[Crowd]:
    """A process for each order, forked from one that has imported the client: two hundred begin in
    2 s on two cores, where the import alone takes 0.3 s of a core each. They are ended at the end.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["demo.follower"])
    members: list[_Member] = []
    try:
        for order in orders:
            ours, theirs = context.Pipe()
            process = context.Process(target=follow, args=(order, theirs), daemon=True)
            process.start()
            theirs.close()
            members.append(_Member(order, process, ours))
        yield Crowd(members)
    finally:
        for member in members:
            member.pipe.close()
        for member in members:
            _end(member.process)


def _received(pipe: Connection) -> Log | None:
    try:
        found: Log | None = pipe.recv()
    except EOFError:
        return Log(b"", b"", 0.0, "its process died")
    return found


def _told(member: _Member, deadline: float) -> Got:
    if member.pipe.poll(max(deadline - time.monotonic(), 0)):
        log = _received(member.pipe) or Log(b"", b"", 0.0, "it connected after the end")
    else:
        log = Log(b"", b"", 0.0, "it did not answer")
    return Got(member.order.way, _numbers(log.ids), _numbers(log.late_ms), log.cpu_s, log.trouble)


def _numbers(raw: bytes) -> Sequence[int]:
    return array("q", raw)


def _end(process: BaseProcess) -> None:
    process.join(END_S)
    if process.is_alive():
        process.kill()
        process.join()
