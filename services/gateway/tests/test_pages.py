"""Pages of history: which ids a question means, and what comes back."""

from typing import Any

import pytest

from libs.wire.codes import Refused
from services.gateway.routes.pages import span
from services.gateway.tests.edge import CHANNEL, edge
from services.gateway.tests.listeners import room

PAGES = f"/v1/channels/{CHANNEL}/messages"


@pytest.mark.parametrize(
    ("place", "limit", "expected"),
    [
        ({}, 100, (401, 100)),
        ({}, 1_000, (50, 451)),
        ({"after": 99}, 20, (100, 20)),
        ({"after": 0}, 20, (50, 20)),
        ({"before": 100}, 20, (80, 20)),
        ({"before": 60}, 20, (50, 10)),
        ({"before": 50}, 20, (50, 0)),
        ({"before": 10_000}, 20, (481, 20)),
        ({"around": 100}, 20, (90, 20)),
        ({"around": 50}, 20, (50, 20)),
    ],
)
def test_a_place_and_a_limit_mean_certain_ids(
    place: dict[str, int], limit: int, expected: tuple[int, int]
) -> None:
    asked: dict[str, Any] = {"after": None, "before": None, "around": None, **place}
    assert span(room(head=500, first=50), limit, **asked) == expected


def test_a_page_is_asked_for_in_one_way() -> None:
    with pytest.raises(Refused, match="not several"):
        span(room(head=5), 10, after=1, before=3, around=None)


def test_an_empty_channel_has_an_empty_page() -> None:
    assert span(room(), 100, after=None, before=None, around=None) == (1, 0)


@pytest.mark.parametrize(
    ("query", "ids", "more"),
    [
        ({}, range(401, 501), True),
        ({"limit": 10}, range(491, 501), True),
        ({"after": 495}, range(496, 501), False),
        ({"after": 300, "limit": 5}, range(301, 306), True),
        ({"before": 31, "limit": 50}, range(1, 31), False),
        ({"before": 31, "limit": 20}, range(11, 31), True),
        ({"around": 250, "limit": 4}, range(248, 252), True),
    ],
)
async def test_a_page_holds_rising_ids_and_says_whether_there_is_more(
    query: dict[str, Any], ids: range, more: bool
) -> None:
    async with edge() as it:
        it.channel(head=500)
        reply = await it.get(PAGES, **query)
        told = reply.json()
        assert [each["id"] for each in told["entries"]] == list(ids)
        assert (told["cursor"], told["head"], told["first"]) == (f"1-{ids[-1]}", 500, 1)
        assert told["more"] is more


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 101}, {"after": -1}, {"before": "x"}, {"after": 1 << 63}]
)
async def test_a_page_that_cannot_be_is_refused(query: dict[str, Any]) -> None:
    async with edge() as it:
        it.channel()
        reply = await it.get(PAGES, **query)
        assert (reply.status_code, reply.json()["code"]) == (422, "field_invalid")
        assert reply.json()["field"] == next(iter(query))


async def test_pages_need_the_same_access_as_polls() -> None:
    async with edge() as it:
        it.channel()
        it.members.refusals["ann", CHANNEL] = "banned"
        assert (await it.get(PAGES)).json()["code"] == "banned"
        assert (await it.client.get(PAGES)).json()["code"] == "token_missing"
