"""Which entries of a channel are void, and that every reader decides alike."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.wire.codec import pack
from libs.wire.entries import Entry
from libs.wire.fold import WINDOW, ChannelFold
from libs.wire.records import Message, encode
from libs.wire.tests.examples import ANN, BEN, CHANNEL, OTHER_CHANNEL

AT_MS = 1_795_248_000_123
AT = "2026-11-21T08:00:00.123Z"
SMALL = 5


def post(client_id: str, author: str = ANN, channel: str = CHANNEL) -> bytes:
    return encode(Message(channel=channel, author=author, client_id=client_id, text="text"))


def folded(
    raws: Sequence[bytes], *, first: int = 1, window: int = WINDOW
) -> tuple[ChannelFold, list[Entry]]:
    fold = ChannelFold(CHANNEL, first, window=window)
    return fold, [fold.push(raw, AT_MS) for raw in raws]


def dups(raws: Sequence[bytes], window: int = WINDOW) -> list[int | None]:
    return [entry.dup_of for entry in folded(raws, window=window)[1]]


def test_a_message_becomes_an_entry_with_the_next_id() -> None:
    fold = ChannelFold(CHANNEL, 1_000_008)
    assert fold.head == 1_000_007
    raw = encode(Message(channel=CHANNEL, author=ANN, client_id="c", text="hi", reply_to=3))
    assert fold.push(raw, AT_MS) == Entry(
        id=1_000_008, type="message", sender=ANN, client_id="c", at=AT, text="hi", reply_to=3
    )
    assert fold.head == 1_000_008


def test_a_repeated_post_is_void_and_names_the_nearest_earlier_one_void_or_not() -> None:
    _, entries = folded([post("c"), post("d"), post("c"), post("c")])
    assert entries[2:] == [
        Entry(id=3, type="void", at=AT, dup_of=1),
        Entry(id=4, type="void", at=AT, dup_of=3),
    ]


def test_posts_of_different_authors_or_client_ids_are_different() -> None:
    raws = [post("c"), post("c", author=BEN), post("d"), post("d", author=BEN)]
    assert dups(raws) == [None] * 4


@pytest.mark.law("L5")
def test_a_repeat_is_noticed_512_entries_back_and_not_513() -> None:
    between = [post(f"other-{i}") for i in range(WINDOW)]
    assert dups([post("c"), *between[:-1], post("c")])[-1] == 1
    assert dups([post("c"), *between, post("c")])[-1] is None


def test_duplicates_chain_for_as_long_as_each_is_within_the_window() -> None:
    gap = [post(f"{i}") for i in range(SMALL - 1)]
    assert dups([post("c"), *gap, post("c"), *gap, post("c")], SMALL)[-1] == SMALL + 1


@pytest.mark.parametrize(
    "raw", [post("c", channel=OTHER_CHANNEL), b"", b"\xff", pack([1, "message", CHANNEL, ANN, "c"])]
)
def test_foreign_and_malformed_records_are_void_and_register_nothing(raw: bytes) -> None:
    fold, entries = folded([raw, post("c")])
    assert entries[0] == Entry(id=1, type="void", at=AT)
    assert entries[1].type == "message"
    assert fold.first_of(ANN, "c") == 2


def test_a_record_that_calls_itself_void_is_shown_as_nothing() -> None:
    _, entries = folded([pack([1, "void", CHANNEL, ANN, "c"])])
    assert entries == [Entry(id=1, type="void", at=AT)]


def test_unknown_types_are_passed_on_by_their_head_and_register_nothing() -> None:
    pin = pack([1, "pin", CHANNEL, ANN, "c", 7])
    _, entries = folded([pin, pin, post("c")])
    assert entries[1] == Entry(id=2, type="pin", sender=ANN, client_id="c", at=AT)
    assert entries[2].type == "message"


def test_a_message_of_a_newer_version_counts_as_its_post_for_old_readers_too() -> None:
    newer = pack([2, "message", CHANNEL, ANN, "c", {"rich": "text"}])
    _, entries = folded([newer, post("c")])
    assert entries[0] == Entry(id=1, type="message", sender=ANN, client_id="c", at=AT)
    assert entries[1].dup_of == 1


def test_first_of_follows_the_duplicates_to_the_message_that_is_shown() -> None:
    gap = [post(f"{i}") for i in range(3)]
    fold, _ = folded([post("c"), *gap, post("c"), *gap], window=SMALL)
    assert fold.first_of(ANN, "c") == 1
    assert fold.first_of(BEN, "c") is None
    fold.push(post("x"), AT_MS)
    assert fold.first_of(ANN, "c") == 1
    fold.push(post("y"), AT_MS)
    assert fold.first_of(ANN, "c") is None


def test_no_more_keys_are_held_than_the_window_is_long() -> None:
    fold = ChannelFold(CHANNEL, 1)
    for i in range(3 * WINDOW):
        fold.push(post(f"{i}"), AT_MS)
        assert fold.held == min(i + 1, WINDOW)
    for _ in range(WINDOW):
        fold.push(b"", AT_MS)
    assert fold.held == 0


a_record = st.sampled_from(
    [post(c, author) for c in "abc" for author in (ANN, BEN)]
    + [post("a", channel=OTHER_CHANNEL), pack([1, "pin", CHANNEL, ANN, "a"]), b"garbage"]
)
logs = st.lists(a_record, max_size=40)


@given(logs)
def test_the_verdict_is_the_rule_written_plainly(raws: list[bytes]) -> None:
    posts = {post(c, author) for c in "abc" for author in (ANN, BEN)}
    for at, found in enumerate(dups(raws, SMALL)):
        before = range(max(at - SMALL, 0), at)
        earlier = [i + 1 for i in before if raws[at] in posts and raws[i] == raws[at]]
        assert found == (earlier[-1] if earlier else None)


@given(logs, st.integers(0, 40), st.integers(SMALL, 9))
@pytest.mark.law("L2")
def test_a_reader_that_starts_anywhere_with_a_look_back_decides_alike(
    raws: list[bytes], start: int, look_back: int
) -> None:
    begin = max(min(start, len(raws)) - look_back, 0)
    whole, entries = folded(raws, window=SMALL)
    middle, same = folded(raws[begin:], first=begin + 1, window=SMALL)
    assert same[look_back if begin else 0 :] == entries[begin + look_back if begin else 0 :]
    assert middle.head == whole.head


@given(logs, st.integers(0, 35))
def test_first_of_differs_in_the_middle_only_where_the_chain_leaves_the_look_back(
    raws: list[bytes], begin: int
) -> None:
    begin = min(begin, max(len(raws) - SMALL, 0))
    whole, _ = folded(raws, window=SMALL)
    middle, _ = folded(raws[begin:], first=begin + 1, window=SMALL)
    for client_id in "abc":
        exact, seen = whole.first_of(ANN, client_id), middle.first_of(ANN, client_id)
        assert (exact is None) == (seen is None)
        if seen is not None and exact != seen:
            assert seen < begin + 1 + SMALL


@given(logs)
@pytest.mark.law("L2")
def test_two_folds_of_one_log_agree(raws: list[bytes]) -> None:
    assert folded(raws)[1] == folded(raws)[1]


@given(st.lists(st.binary(max_size=60), max_size=8))
@pytest.mark.law("L3")
def test_any_bytes_have_an_entry_and_ids_are_dense(raws: list[bytes]) -> None:
    assert [entry.id for entry in folded(raws)[1]] == list(range(1, len(raws) + 1))
