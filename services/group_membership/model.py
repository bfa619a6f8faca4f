"""What a channel is, who is what in it, and who may do what to whom."""

from collections.abc import Sequence
from typing import NamedTuple

from libs.wire import ids
from libs.wire.codes import Refused
from libs.wire.records import ChannelSettings, Claim, Kind, Posting, Role, Visibility
from libs.wire.roles import DEFAULT_POSTING, role_in_force

RULERS: frozenset[Role | None] = frozenset({"owner", "admin"})
POSTERS: dict[Posting, frozenset[Role | None]] = {
    "owner": frozenset({"owner"}),
    "admins": RULERS,
    "members": RULERS | {"member"},
    "everyone": RULERS | {"member", None},
}


class Wish(NamedTuple):
    """What somebody asks to be created."""

    client_id: str
    kind: Kind
    visibility: Visibility = "private"
    title: str = ""
    handle: str | None = None
    members: Sequence[str] = ()
    posting: Posting | None = None
    slow_mode_s: int = 0


class Change(NamedTuple):
    """What somebody asks to be changed; None: it stays."""

    title: str | None = None
    posting: Posting | None = None
    slow_mode_s: int | None = None


class Draft(NamedTuple):
    """A channel that has no place yet."""

    channel: str
    kind: Kind
    owner: str
    visibility: Visibility
    title: str
    peer: str | None

    def claim(self, topic: str, partition: int, base_offset: int) -> Claim:
        """The claim of a place; ids begin at 1, in epoch 1."""
        return Claim(
            channel=self.channel,
            epoch=1,
            topic=topic,
            partition=partition,
            base_offset=base_offset,
            base_id=1,
            kind=self.kind,
            owner=self.owner,
            visibility=self.visibility,
            title=self.title,
            peer=self.peer,
        )


class Channel(NamedTuple):
    """A channel as its claim and its settings (None: never set) say."""

    claim: Claim
    settings: ChannelSettings | None

    @property
    def title(self) -> str:
        """The title in force."""
        return self.claim.title if self.settings is None else self.settings.title

    @property
    def posting(self) -> Posting:
        """Who may post."""
        return DEFAULT_POSTING[self.claim.kind] if self.settings is None else self.settings.posting

    @property
    def slow_mode_s(self) -> int:
        """How long a member waits between two posts, in seconds."""
        return 0 if self.settings is None else self.settings.slow_mode_s

    @property
    def handle(self) -> str | None:
        """The name it can be found by."""
        return None if self.settings is None else self.settings.handle


class Standing(NamedTuple):
    """What the log says of `user` in a channel. `given`: the role that the last record gives."""

    user: str
    channel: Channel
    joined: bool
    given: Role | None
    banned: bool

    @property
    def role(self) -> Role | None:
        """The role in force. None: no member."""
        return role_in_force(
            self.user,
            self.channel.claim,
            joined=self.joined,
            given=self.given,
            banned=self.banned,
        )

    @property
    def may_read(self) -> bool:
        """Anyone who is not banned reads a public channel, members read a private one."""
        is_public = self.channel.claim.visibility == "public"
        return not self.banned and (is_public or self.role is not None)

    @property
    def may_post(self) -> bool:
        """By the posting setting; `restricted` is in none of its sets."""
        return self.may_read and self.role in POSTERS[self.channel.posting]

    @property
    def slow_mode_s(self) -> int:
        """How long this user waits between two posts; who rules the channel need not."""
        return 0 if self.role in RULERS else self.channel.slow_mode_s

    @property
    def refusal(self) -> str | None:
        """The code that says why nothing is allowed; None when reading is."""
        if self.may_read:
            return None
        return "banned" if self.banned else "access_denied"


def draft(owner: str, wish: Wish) -> Draft:
    """What `wish` of `owner` asks for. Raises `Refused` when it contradicts itself."""
    if wish.kind == "direct":
        return _direct(owner, wish)
    if not wish.title.strip():
        raise Refused("field_invalid", "give the channel a title", field="title")
    channel = ids.derived("channel", owner, wish.client_id)
    return Draft(channel, wish.kind, owner, wish.visibility, wish.title, None)


def _direct(owner: str, wish: Wish) -> Draft:
    if len(wish.members) != 1 or wish.members[0] == owner:
        raise Refused("field_invalid", "name exactly the one other user", field="members")
    if wish.visibility != "private":
        raise Refused("field_invalid", "a direct channel is private", field="visibility")
    if wish.handle is not None:
        raise Refused("field_invalid", "a direct channel has no handle", field="handle")
    if wish.slow_mode_s:
        raise Refused("field_invalid", "a direct channel has no slow mode", field="slow_mode_s")
    if wish.posting not in {None, "members"}:
        raise Refused("field_invalid", "both of a direct channel post", field="posting")
    peer = wish.members[0]
    # The pair alone names the channel, so that both sides who create it at once create one.
    channel = ids.derived("channel", "direct", *sorted((owner, peer)))
    return Draft(channel, wish.kind, owner, wish.visibility, wish.title, peer)


def changed(asker: Standing, change: Change) -> ChannelSettings:
    """All settings of the asker's channel after the change. Raises `Refused`."""
    check_rules(asker)
    channel = asker.channel
    if channel.claim.kind == "direct":
        raise Refused("field_invalid", "a direct channel has no settings")
    if change.title is not None and not change.title.strip():
        raise Refused("field_invalid", "give the channel a title", field="title")
    return ChannelSettings(
        channel=channel.claim.channel,
        title=channel.title if change.title is None else change.title,
        posting=change.posting or channel.posting,
        handle=channel.handle,
        slow_mode_s=channel.slow_mode_s if change.slow_mode_s is None else change.slow_mode_s,
    )


def check_rules(asker: Standing) -> None:
    """Raises `Refused` unless the asker is owner or admin."""
    if asker.role not in RULERS:
        raise Refused("role_too_low", "ask the owner or an admin of the channel")


def check_rules_over(asker: Standing, target: Standing) -> None:
    """Raises `Refused` unless the asker may change what the target is."""
    check_rules(asker)
    check_may_go(target)
    if asker.role != "owner" and target.role == "admin":
        raise Refused("role_too_low", "only the owner changes what an admin is")


def check_may_go(target: Standing) -> None:
    """Raises `Refused` for those whom the claim names: owner, and both of a direct channel."""
    claim = target.channel.claim
    if claim.kind == "direct":
        raise Refused("owner_stays", "the two of a direct channel stay its members")
    if target.user == claim.owner:
        raise Refused("owner_stays", "the owner stays the owner; transfer is not offered")


def check_gives(asker: Standing, target: Standing, role: Role) -> None:
    """Raises `Refused` unless the asker may give the target that role."""
    check_rules_over(asker, target)
    if role == "admin" and asker.role != "owner":
        raise Refused("role_too_low", "only the owner makes admins")
    if target.banned:
        raise Refused("banned", "this user is banned; lift the ban first")
