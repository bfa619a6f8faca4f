"""What commands print."""

import io
import json

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from cli import show
from cli.show import Trouble, plain


def _printed(act: object) -> str:
    assert callable(act)
    answer = CliRunner().invoke(click.command()(act), [])
    assert answer.exit_code == 0, answer.output
    return answer.output


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words", "plain words"),
        ("Zażółć 日本語", "Zażółć 日本語"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("one\ntwo\r", "one\\ntwo\\r"),
        ("a\u202eb", "a\\u202eb"),
        ("\u009b31m", "\\x9b31m"),
        ("\N{WOMAN}\u200d\N{PERSONAL COMPUTER}", "\N{WOMAN}\u200d\N{PERSONAL COMPUTER}"),
    ],
)
def test_text_of_members_does_nothing_to_a_terminal(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_table_has_a_column_for_each_key_and_is_not_cut_in_a_pipe() -> None:
    long = "x" * 300
    output = _printed(
        lambda: show.rows([{"topic": "a", "free_room": 1234}, {"topic": long, "free_room": None}])
    )
    head, _, first, second, *_ = output.splitlines()
    assert head.split() == ["topic", "free", "room"]
    assert first.split() == ["a", "1,234"]
    assert second.split() == [long, "-"]


def test_a_table_shows_the_words_of_members_as_they_are() -> None:
    output = _printed(lambda: show.rows([{"title": "[red]:smile: \x1b[31m"}]))
    assert "[red]:smile: \\x1b[31m" in output


def test_no_rows_are_said_in_words() -> None:
    assert _printed(lambda: show.rows([], empty="There are no channels.")) == (
        "There are no channels.\n"
    )


def test_facts_are_a_line_each() -> None:
    output = _printed(lambda: show.facts({"base_id": 1, "owner": None, "is_void": True}))
    assert output.splitlines() == ["base id  1", "owner    -", "is void  yes"]


def test_json_is_one_document_or_a_line_each_and_harmless_on_a_terminal() -> None:
    output = _printed(lambda: show.document({"text": "\u009b31m\x1b"}))
    assert json.loads(output) == {"text": "\u009b31m\x1b"}
    assert output.isascii()
    assert "\x1b" not in output
    assert _printed(lambda: show.line({"id": 1})) == '{"id": 1}\n'


def test_times_are_utc_with_milliseconds() -> None:
    assert show.time_of(1_795_248_000_123) == "2026-11-21T08:00:00.123Z"


def test_trouble_is_one_line_and_exit_code_1() -> None:
    def act() -> None:
        raise Trouble("the gateway is away: start it")

    answer = CliRunner().invoke(click.command()(act), [])
    assert (answer.exit_code, answer.output) == (1, "Error: the gateway is away: start it\n")


def test_on_a_narrow_terminal_nothing_is_cut() -> None:
    console = Console(width=20, file=io.StringIO())
    console.print(show.table([{"name": "a-name-of-thirty-letters-or-so", "n": 1234567}]))
    shown = console.file
    assert isinstance(shown, io.StringIO)
    words = "".join(shown.getvalue().split())
    assert "…" not in words
    assert "1,234,567" in words


def test_heads_may_be_shorter_than_the_keys() -> None:
    output = _printed(lambda: show.rows([{"a": 1, "b_c": 2}], columns={"b_c": "x", "a": "a"}))
    assert output.splitlines()[0].split() == ["x", "a"]
