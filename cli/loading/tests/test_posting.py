"""Posts at their times: what is answered, what is not, and what is due while too many wait."""

import asyncio
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from cli.loading import posting
from cli.loading.posting import Posts
from cli.loading.words import ACKS_MAX, Acks, Person, Place, Plan, Poster, acks_of
from libs.testing.eventually import eventually
from rostrum import Client, NotPosted, Posted, Refused

SOON_S = 10.0


class Gate:
    """A client whose posts are answered once it is open, with the next id or with a fault."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.is_open = asyncio.Event()
        self.texts: list[str] = []
        self._fault = fault

    async def __aenter__(self) -> "Gate":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def post(self, channel: str, text: str, **_: object) -> Posted:
        self.texts.append(text)
        ident = len(self.texts)
        await self.is_open.wait()
        if self._fault is not None:
            raise self._fault
        return Posted(id=ident, cursor=f"1-{ident}", at=datetime(2026, 11, 21, tzinfo=UTC))


def _posts(gate: Gate, *, per_s: float, seconds: float) -> Posts:
    plan = Plan(
        url="http://here",
        data="var",
        run="run",
        places=(Place("c", 1, 0),),
        followings=(),
        posters=(Poster(Person("u"), (0,)),),
        per_s=per_s,
        seconds=seconds,
        characters=30,
        first=1,
        step=2,
    )
    return Posts(plan, lambda _: cast(Client, cast(Any, gate)))


async def test_posts_do_not_wait_for_each_other_and_have_their_own_numbers() -> None:
    gate = Gate()
    posts = _posts(gate, per_s=1_000.0, seconds=0.01)
    running = asyncio.ensure_future(posts.run())
    await eventually(lambda: len(gate.texts) == 10, within_s=SOON_S, what="all are sent")
    assert (posts.counts().waiting, posts.counts().acknowledged) == (10, 0)
    gate.is_open.set()
    await running
    assert posts.counts().acknowledged == 10
    assert sorted(posts.acks[0]) == [(ident, 2 * ident - 1) for ident in range(1, 11)]
    assert {len(each) for each in gate.texts} == {30}


async def test_what_is_due_while_too_many_wait_is_not_sent_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(posting, "WAITING_MAX", 3)
    gate = Gate()
    posts = _posts(gate, per_s=1_000.0, seconds=0.01)
    running = asyncio.ensure_future(posts.run())
    await eventually(lambda: posts.counts().unsent == 7, within_s=SOON_S, what="the rest is not")
    gate.is_open.set()
    await running
    assert (posts.counts().sent, posts.counts().acknowledged, posts.counts().waiting) == (3, 3, 0)


@pytest.mark.parametrize(
    ("fault", "unknown", "failed", "kind"),
    [
        (NotPosted("k", "no answer", is_unknown=True), 2, 0, "post: NotPosted"),
        (NotPosted("k", "refused", is_unknown=False), 0, 2, "post: NotPosted"),
        (Refused("access_denied", "no"), 0, 2, "post: access_denied"),
    ],
)
async def test_what_is_not_acknowledged_is_told_as_what_it_is(
    fault: Exception, unknown: int, failed: int, kind: str
) -> None:
    gate = Gate(fault)
    gate.is_open.set()
    posts = _posts(gate, per_s=1_000.0, seconds=0.002)
    await posts.run()
    counts = posts.counts()
    assert (counts.unknown, counts.failed, counts.acknowledged) == (unknown, failed, 0)
    assert posts.errors.counts == {kind: 2}


def test_acknowledgements_are_told_so_many_a_line() -> None:
    pairs = [(number, number) for number in range(ACKS_MAX + 1)]
    first, second = acks_of(4, pairs)
    assert (first.place, len(first.pairs), second) == (
        4,
        ACKS_MAX,
        Acks(4, ((ACKS_MAX, ACKS_MAX),)),
    )
    assert list(acks_of(4, [])) == []
