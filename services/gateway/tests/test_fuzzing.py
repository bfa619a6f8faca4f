"""The parsers of hostile input under bytes that nobody thought of; `test_judged_line.py` is for the
target `line`."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.tests.fuzzing import CUT, MARKS, SOCKETS, TARGETS, opened
from services.gateway.tests.guided import ONES
from services.gateway.tests.rawsocket import BINARY, CLOSE, PING, TEXT, frame
from services.gateway.tests.test_http_again import poll
from services.gateway.tests.test_http_poll import REQUESTS

WORDS = {
    "polls": [
        *(data for data, _ in REQUESTS.values()),
        *(poll(who, cursor) for who in (b"ann", b"bob") for cursor in (1, 2)),
        *MARKS,
        CUT,
        b"\r\n",
        b"content-length: 5\r\n",
        b"transfer-encoding: chunked\r\n",
        b"GET /v1/ws HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    ],
    "frames": [
        *(frame(kind, b"hello") for kind in (TEXT, BINARY, PING, CLOSE)),
        frame(TEXT, b"hel", fin=False),
        frame(0, b"lo"),
        CUT,
    ],
}


@pytest.mark.parametrize("name", WORDS)
def test_whatever_comes_the_parsers_hold(name: str) -> None:
    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.sampled_from(WORDS[name]) | st.binary(max_size=20), max_size=12))
    def hold(words: list[bytes]) -> None:
        TARGETS[name](b"".join(words))

    hold()


def test_what_a_guided_run_begins_with_holds() -> None:
    assert set(ONES) == {*TARGETS, SOCKETS}
    for name, ones in ONES.items():
        with opened(name) as target:
            for data in ones:
                target(data)
