"""Roles and rights, without I/O."""

from itertools import product

import pytest

from libs.wire.codes import Refused
from libs.wire.records import ChannelSettings, Claim, Posting, Role
from services.group_membership.model import (
    Channel,
    Standing,
    Wish,
    check_gives,
    check_rules_over,
    draft,
)
from services.group_membership.tests.instance import ANNA, BEN, CARL

GIVEN: tuple[Role | None, ...] = (None, "admin", "member", "restricted")


def channel_of(claim: Claim, posting: Posting) -> Channel:
    settings = ChannelSettings(channel=claim.channel, title="T", posting=posting)
    return Channel(claim, settings)


def test_a_ban_allows_nothing_whatever_else_the_log_says(claimed: Channel) -> None:
    for joined, given in product((True, False), GIVEN):
        standing = Standing(BEN, claimed, joined=joined, given=given, banned=True)
        assert (standing.role, standing.may_read, standing.may_post) == (None, False, False)
        assert standing.refusal == "banned"


def test_a_given_role_counts_for_members_only(claimed: Channel) -> None:
    for given in GIVEN:
        assert Standing(BEN, claimed, joined=False, given=given, banned=False).role is None
        member = Standing(BEN, claimed, joined=True, given=given, banned=False)
        assert member.role == (given or "member")


@pytest.mark.parametrize(
    ("posting", "posts"),
    [
        ("owner", {"owner"}),
        ("admins", {"owner", "admin"}),
        ("members", {"owner", "admin", "member"}),
        ("everyone", {"owner", "admin", "member", None}),
    ],
)
def test_who_posts_is_the_channels_setting(
    claimed: Channel, posting: Posting, posts: set[Role | None]
) -> None:
    channel = channel_of(claimed.claim, posting)
    standings = [Standing(ANNA, channel, joined=True, given=None, banned=False)]
    standings += [Standing(BEN, channel, joined=True, given=one, banned=False) for one in GIVEN]
    standings.append(Standing(CARL, channel, joined=False, given=None, banned=False))
    for standing in standings:
        assert standing.may_post == (standing.role in posts)
        assert not standing.may_post or standing.may_read


def test_nobody_but_the_owner_touches_an_admin(claimed: Channel) -> None:
    owner = Standing(ANNA, claimed, joined=True, given=None, banned=False)
    admin = Standing(BEN, claimed, joined=True, given="admin", banned=False)
    other = Standing(CARL, claimed, joined=True, given="admin", banned=False)
    check_rules_over(owner, admin)
    check_gives(owner, admin, "restricted")
    with pytest.raises(Refused, match="role_too_low"):
        check_rules_over(admin, other)


def test_a_direct_channel_is_named_by_its_pair_alone() -> None:
    one = draft(ANNA, Wish("x", "direct", members=[BEN]))
    two = draft(BEN, Wish("y", "direct", members=[ANNA]))
    assert one.channel == two.channel
    assert draft(ANNA, Wish("x", "direct", members=[CARL])).channel != one.channel
