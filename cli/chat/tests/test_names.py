"""Handles are learned from mentions."""

from cli.chat.names import Names
from cli.chat.tests.entries import ADA, BOB, message


def test_one_handle_and_one_mention_belong_together() -> None:
    names = Names()
    names.learn(message(1, "hello @Bob, and @bob again", mentions=(BOB.id,)))
    assert names.of(BOB.id) == "bob"


def test_two_handles_and_one_mention_tell_nothing() -> None:
    names = Names()
    names.learn(message(1, "@bob or @nobody", mentions=(BOB.id,)))
    assert names.of(BOB.id) == "…0000BB"


def test_an_address_is_no_mention() -> None:
    names = Names()
    names.learn(message(1, "write to me@bob", mentions=(BOB.id,)))
    assert names.of(BOB.id) == "…0000BB"


def test_of_too_many_the_longest_known_is_forgotten() -> None:
    names = Names(most=1)
    names.know(ADA.id, "ada")
    names.know(BOB.id, "bob")
    assert (names.of(ADA.id), names.of(BOB.id)) == ("…0000AA", "bob")
