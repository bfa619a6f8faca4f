"""Why a stream ends, as the client is told."""

from typing import NamedTuple

from libs.wire import streams
from libs.wire.codes import Problem

# What is queued when a stream ends is still given to who takes it.
GOODBYE_S = 1.0
TOKEN_STATUS = 401
DRAINING = "draining"


class Closing(NamedTuple):
    """A close code (`docs/protocol.md`) and a reason for people."""

    code: int
    reason: str


SLOW = Closing(streams.CLOSE_SLOW, "you read nothing for 10 s; come again and resume")
DRAINED = Closing(streams.CLOSE_DRAIN, "this gateway goes away; come again and resume")
EXPIRED = Closing(streams.CLOSE_TOKEN, "the access token has expired; refresh it and come again")
# RFC 6455's own code: nobody is there to be told.
GONE = Closing(1000, "the client left")
NO_HELLO = Closing(streams.CLOSE_NO_HELLO, "no hello came in time")


def closing_of(problem: Problem) -> Closing:
    """How a stream ends that a problem ends. The detail is short enough for a close frame."""
    if problem.code.name == DRAINING:
        return DRAINED
    if problem.code.status == TOKEN_STATUS:
        return Closing(streams.CLOSE_TOKEN, problem.code.title)
    if problem.retry == "no":
        return Closing(streams.CLOSE_MALFORMED, problem.code.title)
    return Closing(streams.CLOSE_INTERNAL, problem.code.title)
