"""The trace id of the request at hand: it rides along in calls, logs and problems."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from libs.runtime.secrets import entropy

HEADER = "x-rostrum-trace"
_FORM = re.compile(r"[0-9a-f]{32}")

_current: ContextVar[str] = ContextVar("trace_id", default="")


def begin(given: str | None) -> str:
    """Take over the id that a caller sent, or begin a new one (32 hex digits)."""
    trace_id = given if given is not None and _FORM.fullmatch(given) else entropy(16).hex()
    _current.set(trace_id)
    return trace_id


def current() -> str:
    """The id of this request; empty outside of requests."""
    return _current.get()


@contextmanager
def kept() -> Iterator[None]:
    """What is begun inside does not outlive the block."""
    before = _current.get()
    try:
        yield
    finally:
        _current.set(before)
