"""What is typed and what is meant."""

import pytest

from cli.chat import words
from cli.chat.words import Create, Drop, Help, Join, Leave, Quit, Retry, Say, Wrong, understood


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", None),
        ("  \n ", None),
        ("hello", Say("hello")),
        (" two\nlines ", Say("two\nlines")),
        ("//etc", Say("/etc")),
        ("/join #news", Join("news")),
        ("/join 01KA3Q5V8Z0J6T4M2N7R9X1C3E", Join("01KA3Q5V8Z0J6T4M2N7R9X1C3E")),
        ("/create First light", Create("First light")),
        ("/open news Daily news", Create("Daily news", handle="news")),
        ("/add 01KA3PZ0B0B0000000000000BB", words.Add("01KA3PZ0B0B0000000000000BB")),
        ("/leave", Leave()),
        ("/retry", Retry()),
        ("/drop", Drop()),
        ("/help", Help()),
        ("/me", words.Me()),
        ("/quit", Quit()),
    ],
)
def test_it_is_understood(typed: str, meant: words.Word | None) -> None:
    assert understood(typed) == meant


@pytest.mark.parametrize("typed", ["/join", "/create  ", "/open news", "/nonsense", "/ x"])
def test_what_is_not_understood_says_what_to_do(typed: str) -> None:
    found = understood(typed)
    assert isinstance(found, Wrong)
    assert "/help" in found.why


def test_a_text_may_be_as_long_as_the_server_takes() -> None:
    assert isinstance(understood("x" * words.TEXT_MAX), Say)
    assert isinstance(understood("x" * (words.TEXT_MAX + 1)), Wrong)


def test_the_help_names_every_command() -> None:
    for name in [*words.WITH_ARGUMENT, *words.ALONE]:
        assert f"/{name}" in words.HELP
