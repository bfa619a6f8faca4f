"""A stretch of a channel: dense, bounded, dropped at the end that is not read."""

from cli.chat.history import History
from cli.chat.tests.entries import message, messages, void


def ids(history: History) -> list[int]:
    return [one.id for one in history]


def test_it_takes_what_follows_and_nothing_else() -> None:
    history = History(4)
    history.append([message(4), message(5), message(5), message(7), message(6)])
    assert (history.after, history.last, ids(history)) == (4, 6, [5, 6])


def test_what_shows_nothing_counts_as_an_id() -> None:
    history = History()
    history.append([message(1), void(2), message(3)])
    assert (history.last, ids(history)) == (3, [1, 3])


def test_newer_messages_push_out_the_oldest() -> None:
    history = History(size=3)
    history.append(messages(1, 5))
    assert (history.after, history.last, ids(history)) == (2, 5, [3, 4, 5])
    assert history.is_full


def test_older_messages_push_out_the_newest() -> None:
    history = History(10, size=3)
    history.append(messages(11, 13))
    history.prepend(messages(9, 10))
    assert (history.after, history.last, ids(history)) == (8, 11, [9, 10, 11])


def test_what_does_not_end_where_it_begins_is_not_prepended() -> None:
    history = History(10)
    history.prepend(messages(5, 8))
    assert (history.after, ids(history)) == (10, [])


def test_what_is_between_a_dropped_and_a_kept_message_stays_counted() -> None:
    """Dropping at either end leaves no hole: what follows the end can be taken."""
    history = History(10, size=2)
    history.append([message(11), void(12), message(13)])
    history.prepend([message(10)])
    assert (history.last, ids(history)) == (12, [10, 11])
    history.append([message(13)])
    assert (history.after, history.last, ids(history)) == (10, 13, [11, 13])


def test_it_begins_anew_with_a_page_or_with_nothing() -> None:
    history = History()
    history.append(messages(1, 3))
    history.begin(messages(91, 92), 92)
    assert (history.after, history.last, ids(history)) == (90, 92, [91, 92])
    history.begin((), 70)
    assert (history.after, history.last, ids(history)) == (70, 70, [])


def test_a_message_is_found_by_its_id() -> None:
    history = History()
    history.append(messages(1, 3))
    assert history.find(2) == message(2)
    assert history.find(9) is None
