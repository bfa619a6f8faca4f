"""What the person posted, until it comes back from the channel."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Waiting:
    """It is sent, or will be when a gateway is reached."""


@dataclass(frozen=True)
class Written:
    """It stands in the channel as `id`, and has not come back from there yet."""

    id: int


@dataclass(frozen=True)
class Failed:
    """It was given up. The person says whether it is sent again."""

    why: str


@dataclass(frozen=True)
class Post:
    """`client_id` names it: however often it is sent, it is written once."""

    client_id: str
    text: str
    reply_to: int | None = None
    fate: "Fate" = Waiting()


Fate = Waiting | Written | Failed
