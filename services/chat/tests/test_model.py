"""The window decides as the fold of the whole log does."""

from hypothesis import given
from hypothesis import strategies as st

from libs.wire.fold import ChannelFold
from libs.wire.records import Message, Record, encode
from services.chat.model import Key, Known, Numbered, Post, Window, digest, earliest

CHANNEL = "c1"
SIZE = 4
AT_MS = 1_795_248_000_000

posts = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), max_size=40)


def _raw(author: str, client_id: str, text: str = "t", channel: str = CHANNEL) -> bytes:
    return encode(Message(channel=channel, author=author, client_id=client_id, text=text))


@given(posts)
def test_a_whole_window_knows_what_the_fold_knows(made: list[tuple[str, str]]) -> None:
    window = Window(CHANNEL, 1, is_whole=True, size=SIZE)
    fold = ChannelFold(CHANNEL, 1, window=SIZE)
    for author, client_id in made:
        window.push(_raw(author, client_id), AT_MS)
        fold.push(_raw(author, client_id), AT_MS)
        for key in [Key(a, c) for a in "ab" for c in "xyz"]:
            known = window.known(key)
            assert (known.id if known else None) == fold.first_of(*key)
            assert known is None or known.is_first
        assert window.held <= SIZE


@given(posts, st.integers(0, 40))
def test_a_window_from_the_middle_says_what_it_cannot_know(
    made: list[tuple[str, str]], skipped: int
) -> None:
    fold = ChannelFold(CHANNEL, 1, window=SIZE)
    start = min(skipped, max(len(made) - SIZE, 0))
    window = Window(CHANNEL, start + 1, is_whole=start == 0, size=SIZE)
    for index, (author, client_id) in enumerate(made):
        fold.push(_raw(author, client_id), AT_MS)
        if index >= start:
            window.push(_raw(author, client_id), AT_MS)
    for key in [Key(a, c) for a in "ab" for c in "xyz"]:
        known = window.known(key)
        assert (known is None) == (fold.first_of(*key) is None)
        assert known is None or not known.is_first or known.id == fold.first_of(*key)


def test_what_is_no_post_of_the_channel_is_not_known() -> None:
    window = Window(CHANNEL, 1, is_whole=True)
    window.push(b"no record", AT_MS)
    window.push(_raw("a", "x", channel="another"), AT_MS)
    window.push(encode(Record(type="news")), AT_MS)
    assert (window.head, window.held) == (3, 0)


def test_a_settled_beginning_stays() -> None:
    window = Window(CHANNEL, 100, is_whole=False, size=SIZE)
    window.push(_raw("a", "x"), AT_MS)
    window.settle(Key("a", "x"), Known(7, "at", b"d", 7, is_first=False))
    window.push(_raw("a", "x"), AT_MS)
    assert window.known(Key("a", "x")) == Known(7, "at", b"d", 101, is_first=True)
    window.settle(Key("b", "x"), Known(1, "at", b"d", 1, is_first=True))
    assert window.known(Key("b", "x")) is None


def test_the_earliest_entry_of_a_post_is_found() -> None:
    key = Key("a", "x")
    raws = [b"no record", _raw("a", "x", channel="another"), _raw("b", "x"), _raw("a", "x", "one")]
    records = [Numbered(ident, AT_MS, raw) for ident, raw in enumerate(raws, start=5)]
    found = earliest(records, CHANNEL, key)
    assert found is not None
    assert (found.id, found.digest) == (8, digest("one", None))
    assert earliest(records[:3], CHANNEL, key) is None


def test_a_digest_stands_for_text_and_reply() -> None:
    bodies = [("a", None), ("a", 1), ("b", None), ("", None)]
    assert len({digest(*body) for body in bodies}) == len(bodies)
    assert Post("c", "a", "x", "t").digest == digest("t", None)
