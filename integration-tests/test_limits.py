"""The gateway's limits, with roles as group-membership really tells them."""

from pathlib import Path

from harness.people import People, Person
from harness.suite import Suite
from libs.testing.eventually import eventually

# So seldom that a slow machine changes nothing: what is refused was over the burst.
SELDOM = {
    "gateway_posts_member_per_s": "0.001",
    "gateway_posts_member_burst": "3",
    "gateway_pages_per_s": "0.001",
    "gateway_pages_burst": "2",
}
PROMOTED_S = 30.0


async def test_members_meet_the_limits_and_whoever_rules_does_not(tmp_path: Path) -> None:
    async with Suite(tmp_path, **SELDOM) as suite, People(suite.url) as people:
        owner, member = await people.person("ada"), await people.person("bob")
        channel = (await owner.create(visibility="public"))["id"]
        await member.join(channel)
        assert await _posted(owner, channel, 10) == [201] * 10
        assert await _posted(member, channel, 5) == [201] * 3 + [429] * 2
        path = f"/v1/channels/{channel}/messages"
        pages = [(await member.ask("GET", path)).status for _ in range(3)]
        assert pages == [200, 200, 429]

        admin = f"/v1/channels/{channel}/members/{member.id}"
        assert (await owner.ask("PUT", admin, {"role": "admin"})).status == 200

        async def taken() -> bool:
            return (await member.post(channel, "as an admin", "promoted")).status in (200, 201)

        await eventually(taken, within_s=PROMOTED_S, what="an admin's post is taken")


async def _posted(person: Person, channel: str, count: int) -> list[int | None]:
    """The statuses of so many posts."""
    return [
        (await person.post(channel, "hello", f"{person.handle}-{number}")).status
        for number in range(count)
    ]
