"""Settings of a channel: who changes them, what stays, and what they do to access."""

import pytest

from services.group_membership.tests.instance import ANNA, BEN, CARL, Instance


async def test_what_is_not_named_stays(service: Instance) -> None:
    channel = (await service.made(ANNA, posting="admins", members=[BEN]))["id"]
    path = f"/v1/channels/{channel}"
    changed = await service.done(ANNA, "PATCH", path, json={"slow_mode_s": 30})
    assert (changed["title"], changed["posting"], changed["slow_mode_s"]) == (
        "A title",
        "admins",
        30,
    )
    changed = await service.done(ANNA, "PATCH", path, json={"title": "Other", "posting": "members"})
    assert (changed["title"], changed["posting"], changed["slow_mode_s"]) == (
        "Other",
        "members",
        30,
    )
    assert await service.done(BEN, "GET", path) == changed | {"role": "member"}
    assert await service.done(ANNA, "PATCH", path, json={}) == changed


async def test_a_change_is_in_force_when_it_is_answered(service: Instance) -> None:
    channel = (await service.made(ANNA, members=[BEN]))["id"]
    assert (await service.may(BEN, channel)).may_post
    await service.done(ANNA, "PATCH", f"/v1/channels/{channel}", json={"posting": "owner"})
    assert not (await service.may(BEN, channel)).may_post


async def test_slow_mode_concerns_members_and_not_who_rules(service: Instance) -> None:
    channel = (await service.made(ANNA, members=[BEN, CARL], slow_mode_s=5))["id"]
    role = {"role": "admin"}
    await service.done(ANNA, "PUT", f"/v1/channels/{channel}/members/{CARL}", json=role)
    asked = await service.access((ANNA, channel), (BEN, channel), (CARL, channel))
    assert [one.slow_mode_s for one in asked] == [0, 5, 0]


async def test_access_names_the_pool_of_the_channel(service: Instance) -> None:
    channel = (await service.made(ANNA))["id"]
    assert (await service.may(ANNA, channel)).topic.startswith("channel-log-")


async def test_only_owner_and_admins_change_settings(service: Instance) -> None:
    channel = (await service.made(ANNA, members=[BEN]))["id"]
    path = f"/v1/channels/{channel}"
    wish = {"json": {"title": "Mine"}}
    assert await service.code(BEN, "PATCH", path, **wish) == "role_too_low"
    assert await service.code(CARL, "PATCH", path, **wish) == "access_denied"
    assert await service.code(ANNA, "PATCH", f"{path[:-1]}_", **wish) == "channel_unknown"
    await service.done(ANNA, "PUT", f"/v1/channels/{channel}/members/{BEN}", json={"role": "admin"})
    assert (await service.done(BEN, "PATCH", path, **wish))["title"] == "Mine"


async def test_a_direct_channel_has_no_settings(service: Instance) -> None:
    wish = {"kind": "direct", "title": "", "members": [BEN]}
    channel = (await service.made(ANNA, **wish))["id"]
    path = f"/v1/channels/{channel}"
    assert await service.code(ANNA, "PATCH", path, json={"slow_mode_s": 3}) == "field_invalid"
    slow = wish | {"client_id": "c2", "members": [CARL], "slow_mode_s": 3}
    assert await service.code(ANNA, "POST", "/v1/channels", json=slow) == "field_invalid"


@pytest.mark.parametrize(
    "wish",
    [
        {"title": ""},
        {"title": "   "},
        {"posting": "nobody"},
        {"slow_mode_s": -1},
        {"slow_mode_s": 86_401},
        {"handle": "news"},
    ],
    ids=str,
)
async def test_what_makes_no_sense_names_its_field(
    service: Instance, wish: dict[str, object]
) -> None:
    channel = (await service.made(ANNA))["id"]
    answer = await service.ask(ANNA, "PATCH", f"/v1/channels/{channel}", json=wish)
    assert (answer.status_code, answer.json()["code"]) == (422, "field_invalid")
    assert answer.json()["field"] == next(iter(wish))
