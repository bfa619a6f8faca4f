"""Child processes that die with their parent, however that dies."""

import ctypes
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

PR_SET_PDEATHSIG = 1


class Home(NamedTuple):
    """Where a program is reached, and the words before its command that put it there, such as `ip
    netns exec`: they must end by becoming the program."""

    host: str = "127.0.0.1"
    before: tuple[str, ...] = ()


LOOPBACK = Home()
_LIBC = ctypes.CDLL(None, use_errno=True)


def tied() -> Callable[[], None]:
    """What a child does first (`preexec_fn`) to be killed when this process is gone. Linux only.

    The kernel ties a child to the thread that started it, so only the main thread may: the child
    of a pool's thread would die when the pool shrinks. Raises `RuntimeError` in another thread.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("a child dies with the thread that starts it: start it in the main one")
    parent = os.getpid()

    def tie() -> None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the tie was made
            os._exit(1)

    return tie


def spawn(command: Sequence[str], *, output: Path) -> "subprocess.Popen[bytes]":
    """Start a program that is `tied`; what it prints is added to `output`."""
    tie = tied()
    with output.open("ab") as out:
        return subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            preexec_fn=tie,  # noqa: PLW1509 - one call of the C library, which takes no lock
            start_new_session=True,  # Ctrl-C is for the parent, which then stops its children
        )
