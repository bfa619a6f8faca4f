"""Histories of suites that break a law: each alters the story in one way, and must be found by the
rule of that way. What else such a fault breaks is named too, so that nothing is found by chance."""

from collections.abc import Callable
from typing import NamedTuple

from checker.history import Deliver, Failed, Final, Invoke, Jump, Ok, Resume, Unknown
from checker.tests.story import (
    FINALS,
    MS,
    History,
    S,
    changed,
    final,
    given,
    is_of,
    story,
    with_these,
    without,
)

Alter = Callable[[History], History]


class Mutant(NamedTuple):
    """`kind` of `law` must be found, and beside it `also` and nothing else."""

    name: str
    law: str
    kind: str
    alter: Alter
    also: tuple[str, ...] = ()


def _no_outcome(history: History, key: str) -> History:
    """Nobody was told how the post ended."""
    return without(history, is_of(Ok, client_id=key))


def _everywhere(number: int, **fields: object) -> Alter:
    """All readers are given something else under an id."""
    return lambda history: changed(history, is_of(Deliver, id=number), **fields)


def _void(number: int, dup_of: int | None) -> Alter:
    """All readers are given a void under the id of a post without outcome."""
    fields = {"type": "void", "author": "", "client_id": "", "text": None, "dup_of": dup_of}
    return lambda history: _no_outcome(_everywhere(number, **fields)(history), f"k{number}")


def _shown_again(history: History) -> History:
    fields = {"type": "message", "author": "ann", "client_id": "k5", "text": "text k5"}
    return changed(history, is_of(Deliver, id=8), **fields, dup_of=None)


def _early(history: History) -> History:
    """k21 is acknowledged as 21 before k20, which becomes 20, is begun."""
    history = changed(history, is_of(Invoke, client_id="k21"), t_ns=19 * S + 500 * MS)
    return changed(history, is_of(Ok, client_id="k21"), t_ns=19 * S + 504 * MS)


def _failed(history: History) -> History:
    refused = Failed(12 * S + 2 * MS, "p", "c", "ann", "k12", "not_written")
    return with_these(_no_outcome(history, "k12"), refused)


def _posted_late(history: History) -> History:
    history = _no_outcome(history, "k30")
    return changed(history, is_of(Invoke, client_id="k30"), t_ns=40 * S)


def _other_epoch(history: History) -> History:
    return changed(history, lambda event: isinstance(event, Deliver) and event.id > 20, epoch=2)


def _second_ack(history: History) -> History:
    history = without(history, is_of(Unknown, attempt=2))
    return with_these(history, Ok(4 * S + 800 * MS, "p", "c", "ann", "k5", 4, False, 2))


def _back_after_jump(history: History) -> History:
    history = with_these(history, Jump(20 * S + 20 * MS, "r2", "s1", "c", 30, 1))
    return changed(
        history, is_of(Deliver, reader="r2", id=21), id=2, client_id="k2", text="text k2"
    )


MUTANTS = (
    Mutant(
        "a final reader lacks an acknowledged entry",
        "L1",
        "lost",
        lambda all_: without(all_, is_of(Deliver, id=12, reader=FINALS[0])),
        ("vanished", "gap"),
    ),
    Mutant(
        "an acknowledged entry was passed by all, before any final read",
        "L1",
        "lost",
        lambda all_: without(
            all_, is_of(Final), is_of(Deliver, via="final"), is_of(Deliver, id=12)
        ),
        ("no-final", "skipped"),
    ),
    Mutant(
        "an acknowledged entry at the tail is with nobody",
        "L1",
        "unseen",
        lambda all_: changed(without(all_, is_of(Deliver, id=30)), is_of(Final), head=29),
    ),
    Mutant(
        "an acknowledged id is of another post",
        "L1",
        "wrong-id",
        lambda all_: changed(all_, is_of(Ok, client_id="k12"), id=11),
    ),
    Mutant(
        "an acknowledged id is void",
        "L1",
        "wrong-id",
        lambda all_: changed(all_, is_of(Ok, client_id="k5"), id=8),
        ("order",),
    ),
    Mutant(
        "an entry that nobody posted",
        "L2",
        "phantom",
        lambda all_: without(all_, is_of(Invoke, client_id="k12"), is_of(Ok, client_id="k12")),
    ),
    Mutant("what was said not to be written is there", "L2", "phantom", _failed),
    Mutant("a text that nobody sent", "L2", "phantom", _everywhere(12, text="text k13")),
    Mutant("an entry is read before it is posted", "L2", "phantom", _posted_late),
    Mutant("one attempt made two records", "L2", "phantom", _void(20, 17)),
    Mutant("a void of no post", "L2", "phantom", _void(20, None)),
    Mutant(
        "another text for one reader",
        "L2",
        "inconsistent",
        lambda all_: changed(all_, is_of(Deliver, reader="r2", id=12), text="text k13"),
    ),
    Mutant(
        "a void for all but one reader",
        "L2",
        "inconsistent",
        lambda all_: changed(all_, is_of(Deliver, reader="r2", id=15), type="message"),
    ),
    Mutant(
        "one final reader lacks the tail, which nobody acknowledged",
        "L2",
        "vanished",
        lambda all_: changed(
            without(_no_outcome(all_, "k30"), is_of(Deliver, reader=FINALS[1], id=30)),
            is_of(Final, reader=FINALS[1]),
            head=29,
        ),
    ),
    Mutant(
        "an id is used by nothing",
        "L3",
        "gap",
        lambda all_: without(
            all_, is_of(Deliver, id=12), is_of(Invoke, client_id="k12"), is_of(Ok, client_id="k12")
        ),
        ("skipped",),
    ),
    Mutant(
        "a final read ends before the head",
        "L3",
        "gap",
        lambda all_: changed(all_, is_of(Final, reader=FINALS[0]), head=31),
    ),
    Mutant(
        "a final reader has an id twice",
        "L3",
        "gap",
        lambda all_: with_these(all_, final(FINALS[0], 30)),
    ),
    Mutant("ids against the order of the posts", "L4", "order", _early),
    Mutant("a post is shown twice", "L5", "repeated", _shown_again, ("void-verdict",)),
    Mutant("a retry is told another id", "L5", "two-ids", _second_ack, ("wrong-id",)),
    Mutant("a void names not the nearest", "L5", "void-verdict", _everywhere(15, dup_of=5)),
    Mutant("a void names a later one", "L5", "void-verdict", _everywhere(8, dup_of=9)),
    Mutant(
        "one reader is not given an entry",
        "L8",
        "skipped",
        lambda all_: without(all_, is_of(Deliver, reader="r1", id=20)),
    ),
    Mutant(
        "a cursor is ahead of what was given",
        "L8",
        "skipped",
        lambda all_: without(all_, is_of(Deliver, reader="r1", id=10)),
    ),
    Mutant(
        "one reader is given an entry twice",
        "L8",
        "repeat",
        lambda all_: with_these(all_, given("r1", 20, late=11 * MS)),
    ),
    Mutant(
        "one reader is given two entries the wrong way round",
        "L8",
        "reorder",
        lambda all_: changed(all_, is_of(Deliver, reader="r2", id=20), t_ns=21 * S + 13 * MS),
    ),
    Mutant(
        "a resume gives the cursor's own entry again",
        "L8",
        "wrong-resume",
        lambda all_: with_these(all_, given("r1", 10, late=30 * MS)),
    ),
    Mutant(
        "a resume leaves one entry out",
        "L8",
        "wrong-resume",
        lambda all_: without(all_, is_of(Deliver, reader="r1", id=11)),
    ),
    Mutant("a jump goes back", "L8", "wrong-resume", _back_after_jump, ("skipped",)),
    Mutant("another epoch, and nobody was told", "L8", "wrong-epoch", _other_epoch),
    Mutant(
        "a banned reader goes on",
        "L9",
        "after-access-ended",
        lambda all_: with_these(
            all_, given("eve1", 11, late=14 * MS), given("eve1", 12, late=14 * MS)
        ),
    ),
    Mutant(
        "nobody read to the end",
        "history",
        "no-final",
        lambda all_: without(all_, is_of(Final)),
    ),
    Mutant(
        "an outcome of no attempt",
        "history",
        "unmatched",
        lambda all_: with_these(all_, Failed(S, "p9", "c", "ann", "k1", "not_written")),
    ),
    Mutant(
        "a reader without a cursor",
        "history",
        "unmatched",
        lambda all_: without(all_, is_of(Resume, reader="eve1")),
    ),
)


def altered(mutant: Mutant) -> History:
    """The story of a mutant."""
    return mutant.alter(story())
