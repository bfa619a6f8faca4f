"""Channels: created, shown, found, listed."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from libs.log.port import Log
from libs.store import Redis
from libs.wire import ids
from services.catalog import ROUTES
from services.group_membership.channels import Shown
from services.group_membership.members import Joined, Member
from services.group_membership.routes import shapes
from services.group_membership.settings import Settings
from services.group_membership.tests.instance import ANNA, BEN, CARL, Instance, running


async def test_a_channel_is_created_and_shown_to_its_owner(service: Instance) -> None:
    body = {"client_id": "c1", "kind": "broadcast", "title": "News", "visibility": "public"}
    answer = await service.ask(ANNA, "POST", "/v1/channels", json=body)
    assert answer.status_code == 201
    assert answer.json() == {
        "id": ids.derived("channel", ANNA, "c1"),
        "kind": "broadcast",
        "title": "News",
        "visibility": "public",
        "posting": "admins",
        "slow_mode_s": 0,
        "handle": None,
        "role": "owner",
        "epoch": 1,
        "head": 0,
        "cursor": "1-0",
    }
    assert await service.done(ANNA, "GET", f"/v1/channels/{answer.json()['id']}") == answer.json()


async def test_the_same_client_id_gives_the_same_channel(service: Instance) -> None:
    first = await service.made(ANNA, title="First")
    body = {"client_id": "c1", "kind": "group", "title": "Second", "members": [BEN]}
    again = await service.ask(ANNA, "POST", "/v1/channels", json=body)
    assert (again.status_code, again.json()) == (200, first)
    assert (await service.made(BEN))["id"] != first["id"]


async def test_another_kind_with_the_same_client_id_is_refused(service: Instance) -> None:
    await service.made(ANNA)
    body = {"client_id": "c1", "kind": "broadcast", "title": "News"}
    assert await service.code(ANNA, "POST", "/v1/channels", json=body) == "client_id_reused"


async def test_a_retry_does_not_bring_back_a_removed_member(service: Instance) -> None:
    made = await service.made(ANNA, members=[BEN])
    await service.done(ANNA, "DELETE", f"/v1/channels/{made['id']}/members/{BEN}")
    await service.made(ANNA, members=[BEN])
    assert (await service.may(BEN, made["id"])).refusal == "access_denied"


async def test_first_members_and_posting_are_there_at_once(service: Instance) -> None:
    made = await service.made(ANNA, members=[BEN, BEN, ANNA], posting="owner")
    assert made["posting"] == "owner"
    ben, anna = await service.access((BEN, made["id"]), (ANNA, made["id"]))
    assert (ben.role, ben.may_read, ben.may_post) == ("member", True, False)
    assert (anna.role, anna.may_post) == ("owner", True)


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 129}, "title"),
        ({"kind": "cloud"}, "kind"),
        ({"handle": "No Handle"}, "handle"),
        ({"members": ["nobody"]}, "members.0"),
        ({"members": [ids.derived(str(n)) for n in range(51)]}, "members"),
        ({"client_id": ""}, "client_id"),
        ({"unknown": 1}, "unknown"),
        ({"kind": "direct", "members": []}, "members"),
        ({"kind": "direct", "members": [ANNA]}, "members"),
        ({"kind": "direct", "members": [BEN, CARL]}, "members"),
        ({"kind": "direct", "members": [BEN], "visibility": "public"}, "visibility"),
        ({"kind": "direct", "members": [BEN], "handle": "two_of_us"}, "handle"),
        ({"kind": "direct", "members": [BEN], "posting": "owner"}, "posting"),
    ],
)
async def test_a_wish_that_makes_no_sense_names_its_field(
    service: Instance, wish: dict[str, object], field: str
) -> None:
    body = {"client_id": "c1", "kind": "group", "title": "T", **wish}
    answer = await service.ask(ANNA, "POST", "/v1/channels", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_a_handle_belongs_to_the_first_and_finds_the_channel(service: Instance) -> None:
    made = await service.made(ANNA, handle="news", visibility="public")
    assert made["handle"] == "news"
    body = {"client_id": "c2", "kind": "group", "title": "T", "handle": "news"}
    assert await service.code(BEN, "POST", "/v1/channels", json=body) == "handle_taken"
    found = await service.done(BEN, "GET", "/v1/channels?handle=news")
    assert found == {"items": [{**made, "role": None}], "next": None}
    nothing = await service.done(BEN, "GET", "/v1/channels?handle=olds")
    assert nothing == {"items": [], "next": None}


async def test_a_handle_of_a_private_channel_tells_strangers_nothing(service: Instance) -> None:
    made = await service.made(ANNA, handle="secret_plan", members=[BEN])
    path = "/v1/channels?handle=secret_plan"
    assert (await service.done(CARL, "GET", path))["items"] == []
    assert [item["id"] for item in (await service.done(BEN, "GET", path))["items"]] == [made["id"]]


async def test_strangers_and_unknown_channels_are_told_apart(service: Instance) -> None:
    made = await service.made(ANNA)
    assert await service.code(BEN, "GET", f"/v1/channels/{made['id']}") == "access_denied"
    for unknown in (ids.derived("nothing"), "nonsense"):
        assert await service.code(BEN, "GET", f"/v1/channels/{unknown}") == "channel_unknown"


async def test_my_channels_come_in_pages_each_once(service: Instance) -> None:
    made = [(await service.made(ANNA, client_id=f"c{n}", members=[BEN]))["id"] for n in range(5)]
    await service.made(ANNA, client_id="without Ben")
    seen: list[str] = []
    query = "limit=2"
    while query:
        page = await service.done(BEN, "GET", f"/v1/me/channels?{query}")
        assert len(page["items"]) <= 2
        assert all(item["role"] == "member" for item in page["items"])
        seen += [item["id"] for item in page["items"]]
        query = f"limit=2&next={page['next']}" if page["next"] else ""
    assert sorted(seen) == sorted(made)
    for wrong in ("x", "1-x", "-", f"{'9' * 14}-{ANNA}"):
        assert await service.code(BEN, "GET", f"/v1/me/channels?next={wrong}") == "field_invalid"
    assert await service.code(BEN, "GET", "/v1/me/channels?limit=0") == "field_invalid"
    over = f"/v1/me/channels?limit={shapes.LIMIT_MAX + 1}"
    assert await service.code(BEN, "GET", over) == "field_invalid"


async def test_a_user_creates_no_more_channels_than_the_setting_says(
    log: Log, store: Redis, tmp_path: Path
) -> None:
    async with running(log, store, tmp_path, Settings(channels_per_user=2)) as service:
        first = await service.made(ANNA, client_id="c1")
        await service.made(ANNA, client_id="c2")
        body = {"client_id": "c3", "kind": "group", "title": "T"}
        assert await service.code(ANNA, "POST", "/v1/channels", json=body) == "limit_hit"
        assert await service.made(ANNA, client_id="c1") == first
        await service.made(BEN, client_id="c1")


async def test_the_routes_are_those_of_the_catalog(service: Instance) -> None:
    paths = (await service.http.get("/openapi.json")).json()["paths"]
    mine = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    wanted = {(r.method, r.path) for r in ROUTES if r.service == "group-membership"}
    assert mine == wanted


def test_what_handlers_give_is_what_the_document_shows() -> None:
    def names(kind: type[Any]) -> set[str]:
        return {field.name for field in fields(kind)}

    assert names(Shown) == set(shapes.ChannelShape.model_fields)
    assert names(Joined) == set(shapes.JoinedShape.model_fields)
    told = {name.replace("joined_ms", "joined_at") for name in names(Member)}
    assert told == set(shapes.MemberShape.model_fields)


async def test_nobody_asks_without_an_identity(service: Instance) -> None:
    for method, path in (("GET", "/v1/me/channels"), ("POST", "/internal/access")):
        answer = await service.http.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_missing")
