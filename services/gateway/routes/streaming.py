"""What both ways of streaming ask before they let somebody in."""

from starlette.requests import HTTPConnection

from ..limits import Limits
from ..streams.talk import Desk

NOWHERE = "-"
# What is queued when a stream ends is still sent to who takes it.
GOODBYE_S = 1.0


def admit(desk: Desk, limits: Limits) -> None:
    """Somebody connects. Raises `TryAgain`: too many at once, or this gateway goes away."""
    desk.must_stay()
    limits.admit()


def address_of(connection: HTTPConnection) -> str:
    """The address that the connection comes from."""
    client = connection.client
    return NOWHERE if client is None else client.host
