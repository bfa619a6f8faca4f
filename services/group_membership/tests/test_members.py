"""Members, roles and bans over HTTP."""

import asyncio

import pytest

from libs.log.port import Log, Partition
from libs.wire import ids
from services.group_membership.tests.instance import ANNA, BEN, CARL, DORA, Instance, user


def me(channel: str) -> str:
    return f"/v1/channels/{channel}/members/me"


def member(channel: str, who: str) -> str:
    return f"/v1/channels/{channel}/members/{who}"


def ban(channel: str, who: str) -> str:
    return f"/v1/channels/{channel}/bans/{who}"


@pytest.fixture
async def public(service: Instance) -> str:
    """Anna's public group; Ben is admin, Carl a member."""
    made = await service.made(ANNA, visibility="public", members=[BEN, CARL])
    channel = str(made["id"])
    await service.done(ANNA, "PUT", member(channel, BEN), json={"role": "admin"})
    return channel


async def test_joining_twice_gives_the_same_cursor_at_the_end(
    service: Instance, public: str, log: Log
) -> None:
    assert await service.done(DORA, "PUT", me(public)) == {"role": "member", "cursor": "1-0"}
    shown = await service.done(DORA, "GET", f"/v1/channels/{public}")
    assert (shown["role"], shown["cursor"]) == ("member", "1-0")
    # The pool is 64 partitions, of which the channel has one: a record in each is one in its own.
    places = [Partition("channel-log-000", index) for index in range(64)]
    await asyncio.gather(*(log.append(place, b"x") for place in places))
    assert await service.done(DORA, "PUT", me(public)) == {"role": "member", "cursor": "1-1"}


async def test_a_private_channel_is_joined_by_those_who_were_added(service: Instance) -> None:
    channel = (await service.made(ANNA, members=[BEN]))["id"]
    assert (await service.done(BEN, "PUT", me(channel)))["role"] == "member"
    assert await service.code(CARL, "PUT", me(channel)) == "access_denied"
    assert await service.code(CARL, "PUT", me(ids.derived("nothing"))) == "channel_unknown"


async def test_leaving_twice_is_leaving_once_and_the_owner_stays(
    service: Instance, public: str
) -> None:
    for _ in range(2):
        assert (await service.ask(CARL, "DELETE", me(public))).status_code == 204
    assert (await service.may(CARL, public)).role is None
    assert await service.code(ANNA, "DELETE", me(public)) == "owner_stays"
    assert await service.code(ANNA, "DELETE", member(public, ANNA)) == "owner_stays"


async def test_members_are_listed_in_pages_longest_first(service: Instance, public: str) -> None:
    for number in range(10, 15):
        await service.done(user(number), "PUT", me(public))
    await service.done(BEN, "PUT", ban(public, user(12)))
    seen: list[tuple[str, str]] = []
    query = "limit=3"
    while query:
        page = await service.done(CARL, "GET", f"/v1/channels/{public}/members?{query}")
        seen += [(item["user"], item["role"]) for item in page["items"]]
        assert all(item["joined_at"].endswith("Z") for item in page["items"])
        query = f"limit=3&next={page['next']}" if page["next"] else ""
    assert dict(seen[:3]) == {ANNA: "owner", BEN: "admin", CARL: "member"}
    assert [who for who, _ in seen[3:]] == [user(n) for n in (10, 11, 13, 14)]
    assert await service.code(DORA, "GET", f"/v1/channels/{public}/members") == "access_denied"


async def test_a_page_goes_on_behind_one_who_left_meanwhile(service: Instance, public: str) -> None:
    await service.done(DORA, "PUT", me(public))
    path = f"/v1/channels/{public}/members"
    following = (await service.done(ANNA, "GET", f"{path}?limit=3"))["next"]
    last = following.partition("-")[2]
    assert last in {BEN, CARL, ANNA}
    if last != ANNA:
        await service.done(ANNA, "DELETE", member(public, last))
    left = await service.done(ANNA, "GET", f"{path}?limit=9&next={following}")
    assert DORA in [item["user"] for item in left["items"]]


async def test_members_of_a_broadcast_are_listed_for_its_admins(service: Instance) -> None:
    channel = (await service.made(ANNA, kind="broadcast", members=[BEN]))["id"]
    path = f"/v1/channels/{channel}/members"
    assert await service.code(BEN, "GET", path) == "role_too_low"
    assert len((await service.done(ANNA, "GET", path))["items"]) == 2


async def test_admins_add_members_and_restrict_them(service: Instance, public: str) -> None:
    added = await service.done(BEN, "PUT", member(public, DORA), json={"role": "restricted"})
    assert added == {"user": DORA, "role": "restricted", "joined_at": None}
    dora = await service.may(DORA, public)
    assert (dora.role, dora.may_read, dora.may_post) == ("restricted", True, False)
    await service.done(DORA, "DELETE", me(public))
    assert (await service.done(DORA, "PUT", me(public)))["role"] == "restricted"
    await service.done(BEN, "PUT", member(public, DORA), json={})
    assert (await service.may(DORA, public)).may_post


@pytest.mark.parametrize(
    ("asker", "act", "code"),
    [
        (CARL, ("PUT", DORA), "role_too_low"),
        (CARL, ("DELETE", BEN), "role_too_low"),
        (BEN, ("DELETE", ANNA), "owner_stays"),
        (BEN, ("PUT", ANNA), "owner_stays"),
        (ANNA, ("DELETE", DORA), "member_unknown"),
        (DORA, ("PUT", CARL), "role_too_low"),
        (BEN, ("PUT", "nobody"), "field_invalid"),
    ],
)
async def test_who_may_not_change_whom(
    service: Instance, public: str, asker: str, act: tuple[str, str], code: str
) -> None:
    method, target = act
    more = {"json": {"role": "member"}} if method == "PUT" else {}
    assert await service.code(asker, method, member(public, target), **more) == code


async def test_only_the_owner_makes_and_unmakes_admins(service: Instance, public: str) -> None:
    admin, plain = {"role": "admin"}, {"role": "member"}
    assert await service.code(BEN, "PUT", member(public, CARL), json=admin) == "role_too_low"
    await service.done(ANNA, "PUT", member(public, CARL), json=admin)
    for method, more in (("PUT", {"json": plain}), ("DELETE", {})):
        assert await service.code(BEN, method, member(public, CARL), **more) == "role_too_low"
    assert await service.code(BEN, "PUT", ban(public, CARL)) == "role_too_low"
    await service.done(ANNA, "DELETE", member(public, CARL))
    assert (await service.done(CARL, "PUT", me(public)))["role"] == "member"
    assert await service.code(ANNA, "PUT", member(public, CARL), json={"role": "owner"}) == (
        "field_invalid"
    )


async def test_a_ban_beats_every_role_until_it_is_lifted(service: Instance, public: str) -> None:
    for _ in range(2):
        banned = await service.done(ANNA, "PUT", ban(public, BEN))
        assert banned == {"user": BEN, "banned": True}
    ben = await service.may(BEN, public)
    assert (ben.refusal, ben.role, ben.may_read, ben.may_post) == ("banned", None, False, False)
    assert await service.code(BEN, "PUT", me(public)) == "banned"
    assert await service.code(BEN, "GET", f"/v1/channels/{public}") == "banned"
    assert await service.code(ANNA, "PUT", member(public, BEN), json={}) == "banned"
    for _ in range(2):
        assert (await service.ask(ANNA, "DELETE", ban(public, BEN))).status_code == 204
    assert (await service.done(BEN, "PUT", me(public)))["role"] == "member"


async def test_a_role_that_was_refused_to_a_banned_user_is_not_there_after_the_ban(
    service: Instance, public: str
) -> None:
    await service.done(ANNA, "PUT", ban(public, DORA))
    for role in ("admin", "member", "restricted"):
        refused = await service.code(ANNA, "PUT", member(public, DORA), json={"role": role})
        assert refused == "banned"
    await service.ask(ANNA, "DELETE", ban(public, DORA))
    assert (await service.may(DORA, public)).role is None
    assert (await service.done(DORA, "PUT", me(public)))["role"] == "member"


async def test_bans_are_for_admins_and_not_for_the_owner(service: Instance, public: str) -> None:
    assert await service.code(CARL, "PUT", ban(public, DORA)) == "role_too_low"
    assert await service.code(CARL, "DELETE", ban(public, DORA)) == "role_too_low"
    assert await service.code(BEN, "PUT", ban(public, ANNA)) == "owner_stays"
    assert (await service.done(BEN, "PUT", ban(public, DORA)))["banned"]


async def test_the_two_of_a_direct_channel_stay(service: Instance) -> None:
    channel = (await service.made(ANNA, kind="direct", title="", members=[BEN]))["id"]
    for who in (ANNA, BEN):
        assert (await service.may(who, channel)).may_post
        assert (await service.done(who, "GET", "/v1/me/channels"))["items"][0]["id"] == channel
        assert await service.code(who, "DELETE", me(channel)) == "owner_stays"
    assert await service.code(ANNA, "DELETE", member(channel, BEN)) == "owner_stays"
    assert await service.code(ANNA, "PUT", ban(channel, BEN)) == "owner_stays"
    assert await service.code(ANNA, "PUT", member(channel, CARL), json={}) == "owner_stays"
