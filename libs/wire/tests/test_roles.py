"""Who is what: the rule's rows, and the fold over records of a channel."""

from itertools import product

import pytest

from libs.wire.records import Ban, Claim, Membership, Message, Record, Role, RoleGiven
from libs.wire.roles import Members, role_in_force

CLAIM = Claim(
    channel="c",
    epoch=1,
    topic="t",
    partition=0,
    base_offset=0,
    base_id=1,
    kind="group",
    owner="olga",
    visibility="private",
    title="T",
    peer="pia",
)
GIVEN: tuple[Role | None, ...] = (None, "admin", "member", "restricted")


def _joins(user: str, joined: bool = True, channel: str = "c") -> Membership:
    return Membership(channel=channel, user=user, joined=joined, at_ms=1)


def _role(user: str, role: Role) -> RoleGiven:
    return RoleGiven(channel="c", user=user, by="olga", role=role)


def _ban(user: str, banned: bool = True) -> Ban:
    return Ban(channel="c", user=user, by="olga", banned=banned)


def _folded(*records: Record) -> Members:
    members = Members(CLAIM)
    for record in records:
        members.apply(record)
    return members


@pytest.mark.parametrize("user", ["olga", "pia", "max"])
def test_a_ban_beats_every_role(user: str) -> None:
    for joined, given in product((True, False), GIVEN):
        assert role_in_force(user, CLAIM, joined=joined, given=given, banned=True) is None


def test_the_claim_names_owner_and_peer_whatever_was_given() -> None:
    for joined, given in product((True, False), GIVEN):
        assert role_in_force("olga", CLAIM, joined=joined, given=given, banned=False) == "owner"
        assert role_in_force("pia", CLAIM, joined=joined, given=given, banned=False) == "member"


def test_the_last_record_of_a_user_counts() -> None:
    members = _folded(
        *(_joins("ann"), _joins("ben"), _joins("ben", joined=False), _joins("cid")),
        *(_role("ann", "admin"), _role("cid", "admin"), _role("cid", "restricted")),
        *(_joins("dan"), _ban("dan"), _joins("eve"), _ban("eve"), _ban("eve", banned=False)),
    )
    assert dict(members) == {
        "ann": "admin",
        "cid": "restricted",
        "eve": "member",
        "olga": "owner",
        "pia": "member",
    }
    assert members.counts() == {"admin": 1, "restricted": 1, "member": 2, "owner": 1}
    assert members.banned == {"dan"}
    assert members.role("ben") is None


def test_topics_may_be_read_in_any_order() -> None:
    joins, governs = [_joins("ann"), _joins("ben")], [_role("ann", "admin"), _ban("ben")]
    assert dict(_folded(*joins, *governs)) == dict(_folded(*governs, *joins))


def test_records_of_others_are_left_alone() -> None:
    other = Message(channel="c", author="x", client_id="y", text="z")
    assert dict(_folded(_joins("ann", channel="d"), other)) == {"olga": "owner", "pia": "member"}
