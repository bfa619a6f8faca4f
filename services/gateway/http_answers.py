"""Whole HTTP answers as bytes."""

from collections.abc import Iterable
from http import HTTPStatus

from starlette.responses import Response

from libs.runtime import trace
from libs.runtime.web import answer, as_problem

Headers = Iterable[tuple[bytes, bytes]]

CLOSE = (b"connection", b"close")
# Those who wait for the same have few cursors; as many as a room remembers answers.
WHOLE_MAX = 16


def whole(status: int, headers: Headers, body: bytes) -> bytes:
    """An answer; the headers name its length."""
    begin = b"HTTP/1.1 %d %b\r\n" % (status, HTTPStatus(status).phrase.encode())
    lines = [b"%b: %b\r\n" % header for header in headers]
    return b"".join((begin, *lines, b"\r\n", body))


def plain(status: int, headers: Headers, text: str) -> bytes:
    """The last answer of a connection whose request could not be read."""
    kind = (b"content-type", b"text/plain; charset=utf-8")
    length = (b"content-length", b"%d" % len(text))
    return whole(status, [*headers, kind, length, CLOSE], text.encode("ascii"))


def responded(response: Response, begin: Headers, *, closes: bool) -> bytes:
    """An answer that is one person's; `closes`: the connection ends with it."""
    headers = [*begin, *response.raw_headers, *((CLOSE,) if closes else ())]
    return whole(response.status_code, headers, bytes(response.body))


def refused(fault: Exception, begin: Headers, *, path: str, trace_id: str | None) -> bytes:
    """Why a GET of this path is not answered, as the last answer of a connection."""
    with trace.kept():
        trace.begin(trace_id)
        return responded(answer(as_problem(fault, path=path, method="GET")), begin, closes=True)


class Shared:
    """Answers of JSON by their bodies: all who get the same body get the same bytes, as long as
    what all answers begin with, the date, is the same."""

    def __init__(self) -> None:
        self._known: dict[bytes, bytes] = {}
        self._begin: Headers = ()

    def of(self, body: bytes, begin: Headers) -> bytes:
        """The answer with this body. `begin`: another object when it says something else."""
        if begin is not self._begin:
            self._begin = begin
            self._known.clear()
        known = self._known.get(body)
        if known is None:
            if len(self._known) >= WHOLE_MAX:
                self._known.clear()
            known = self._known[body] = whole(200, [*begin, *_about(body)], body)
        return known

    @staticmethod
    def closing(body: bytes, begin: Headers) -> bytes:
        """The same as the last answer of a connection."""
        return whole(200, [*begin, *_about(body), CLOSE], body)


def _about(body: bytes) -> Headers:
    return (b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")
