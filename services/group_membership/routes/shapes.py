"""Bodies as the OpenAPI document shows them, and the parameters that several routes share."""

from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from libs.wire.codes import Refused
from libs.wire.entries import rfc3339
from libs.wire.ids import ID_PATTERN, is_id
from libs.wire.records import Kind, Posting, Role, Visibility

from ..channels import Shown
from ..members import Member
from ..model import Change, Wish
from ..rows import Place

HANDLE_PATTERN = "^[a-z][a-z0-9_]{2,31}$"
# A page is answered from one small read; more is asked for with `next`.
LIMIT_MAX = 100
LIMIT = 50
# Milliseconds of a time in a `next`: 13 digits reach the year 2286.
TIME_DIGITS_MAX = 13
# Members that one body may name at all; the setting may allow fewer.
MEMBERS_MAX = 1_000
# A day: what is slower is better said by `posting`.
SLOW_MODE_S_MAX = 86_400

Ident = Annotated[str, Field(pattern=ID_PATTERN)]
ChannelPath = Annotated[str, Path(description="Id of the channel")]
UserPath = Annotated[str, Path(pattern=ID_PATTERN, description="Id of a user")]
SLOW_MODE = Field(
    default=0,
    ge=0,
    le=SLOW_MODE_S_MAX,
    description="Seconds that a member waits between two posts; owner and admins need not",
)
Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Items of the page")]
Next = Annotated[str | None, Query(alias="next", description="`next` of the page before")]


class NewChannel(BaseModel):
    """A channel to be created."""

    model_config = ConfigDict(extra="forbid")

    client_id: str = Field(
        min_length=1, max_length=128, description="Chosen by you: the same one, the same channel"
    )
    kind: Kind
    visibility: Visibility = "private"
    title: str = Field(default="", max_length=128, description="Needed unless direct")
    handle: str | None = Field(default=None, pattern=HANDLE_PATTERN)
    members: list[Ident] = Field(
        default=[], max_length=MEMBERS_MAX, description="First members; of a direct the other one"
    )
    posting: Posting | None = Field(
        default=None, description="Who may post; by itself admins in a broadcast, else members"
    )

    slow_mode_s: int = SLOW_MODE

    def wish(self) -> Wish:
        """The same as the handlers take it."""
        return Wish(**dict(self))


class ChannelChange(BaseModel):
    """What shall be other than it is; what is not named stays. Of two changes at once the later one
    counts whole."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = Field(default=None, min_length=1, max_length=128)
    posting: Posting | None = Field(default=None, description="Who may post")
    slow_mode_s: int | None = Field(default=None, ge=0, le=SLOW_MODE_S_MAX)

    def change(self) -> Change:
        """The same as the handlers take it."""
        return Change(**dict(self))


class ChannelShape(BaseModel):
    """A channel as you see it."""

    id: str
    kind: Kind
    title: str
    visibility: Visibility
    posting: Posting
    slow_mode_s: int = Field(description="Seconds between two posts of a member; 0: no wait")
    handle: str | None = None
    role: Role | None = Field(description="Yours; null: not a member")
    epoch: int
    head: int = Field(description="Id of the last entry, 0 when there is none")
    cursor: str = Field(description="Where the channel is now: poll with it for what comes")

    @classmethod
    def of(cls, shown: Shown) -> "ChannelShape":
        """The answer."""
        return cls(**vars(shown))


class ChannelPage(BaseModel):
    """Some channels, and `next` when there are more."""

    items: list[ChannelShape]
    next: str | None


class MemberShape(BaseModel):
    """Somebody in a channel."""

    user: str
    role: Role
    joined_at: str | None = Field(default=None, description="RFC 3339, UTC; in lists only")

    @classmethod
    def of(cls, member: Member) -> "MemberShape":
        """The answer."""
        joined_at = None if member.joined_ms is None else rfc3339(member.joined_ms)
        return cls(user=member.user, role=member.role, joined_at=joined_at)


class MemberPage(BaseModel):
    """Some members, and `next` when there are more."""

    items: list[MemberShape]
    next: str | None


class RoleWish(BaseModel):
    """The role that a member shall have."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["admin", "member", "restricted"] = "member"


class JoinedShape(BaseModel):
    """You are in: poll with `cursor` for what comes."""

    role: Role
    cursor: str


class BanShape(BaseModel):
    """Whether a user is banned."""

    user: str
    banned: bool


def place(text: str | None) -> Place | None:
    """What a `next` says. Raises `Refused` for one that is not ours."""
    if text is None:
        return None
    time, _, item = text.partition("-")
    is_time = time.isascii() and time.isdigit() and len(time) <= TIME_DIGITS_MAX
    if not is_time or not is_id(item):
        raise Refused("field_invalid", "send `next` as it was received", field="next")
    return Place(int(time), item)


def token(after: Place | None) -> str | None:
    """The `next` of a page."""
    return None if after is None else f"{after.at_ms}-{after.item}"
