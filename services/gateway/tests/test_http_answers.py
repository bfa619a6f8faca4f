"""Whole answers: what is shared, and until when."""

from services.gateway.http_answers import WHOLE_MAX, Shared, plain

DATE = [(b"date", b"now")]


def test_all_who_get_the_same_body_get_the_same_bytes() -> None:
    shared = Shared()
    one = shared.of(b"{}", DATE)
    assert one == (
        b"HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 2\r\n"
        b"content-type: application/json\r\n\r\n{}"
    )
    assert shared.of(bytes(bytearray(b"{}")), DATE) is one


def test_with_another_date_it_is_made_anew() -> None:
    shared = Shared()
    shared.of(b"{}", DATE)
    assert b"date: later\r\n" in shared.of(b"{}", [(b"date", b"later")])


def test_only_so_many_are_remembered() -> None:
    shared = Shared()
    first = shared.of(b"0", DATE)
    for number in range(1, WHOLE_MAX):
        shared.of(b"%d" % number, DATE)
    assert shared.of(b"0", DATE) is first
    shared.of(b"more", DATE)
    assert shared.of(b"0", DATE) is not first


def test_the_last_answer_of_a_connection_says_so() -> None:
    assert Shared.closing(b"{}", DATE).endswith(b"connection: close\r\n\r\n{}")
    assert plain(431, DATE, "No.").startswith(
        b"HTTP/1.1 431 Request Header Fields Too Large\r\ndate: now\r\n"
    )
