"""Who is what in a channel: the rule, and the fold of the records that it reads."""

from collections import Counter
from collections.abc import Iterator

from libs.wire.records import Ban, Claim, Kind, Membership, Posting, Record, Role, RoleGiven

DEFAULT_POSTING: dict[Kind, Posting] = {
    "broadcast": "admins",
    "group": "members",
    "direct": "members",
}


def role_in_force(
    user: str, claim: Claim, *, joined: bool, given: Role | None, banned: bool
) -> Role | None:
    """A ban beats all, the claim names owner and peer, a given role counts while its holder is a
    member. None: no member."""
    if banned:
        return None
    if user == claim.owner:
        return "owner"
    if user == claim.peer:
        return "member"
    return (given or "member") if joined else None


class Members:
    """The members of one channel: records of `members` and `governance` in, roles out. Records of
    other channels are left alone. Within a topic the order of the log counts, between them none."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self._joined: set[str] = set()
        self._given: dict[str, Role] = {}
        self._banned: set[str] = set()

    @property
    def banned(self) -> frozenset[str]:
        """Whom a ban keeps out."""
        return frozenset(self._banned)

    def apply(self, record: Record) -> None:
        """Fold one record; of the same user and kind the last one counts."""
        match record:
            case Membership(channel=self.claim.channel):
                _put(self._joined, record.user, record.joined)
            case RoleGiven(channel=self.claim.channel):
                self._given[record.user] = record.role
            case Ban(channel=self.claim.channel):
                _put(self._banned, record.user, record.banned)

    def role(self, user: str) -> Role | None:
        """The role in force; None of no member."""
        return role_in_force(
            user,
            self.claim,
            joined=user in self._joined,
            given=self._given.get(user),
            banned=user in self._banned,
        )

    def __iter__(self) -> Iterator[tuple[str, Role]]:
        """All members with their roles, in the order of their ids."""
        named = {user for user in (self.claim.owner, self.claim.peer) if user is not None}
        for user in sorted(self._joined | named):
            role = self.role(user)
            if role is not None:
                yield user, role

    def counts(self) -> Counter[Role]:
        """How many there are of each role."""
        return Counter(role for _, role in self)


def _put(users: set[str], user: str, is_in: bool) -> None:
    if is_in:
        users.add(user)
    else:
        users.discard(user)
