"""How entries come, as the person is told. A state is a type."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Connecting:
    """No way was open yet."""


@dataclass(frozen=True)
class Following:
    """What is posted arrives by this way: websocket, events or poll."""

    way: str


@dataclass(frozen=True)
class Reconnecting:
    """The last way broke; what was posted meanwhile comes when the next one is open."""

    last: str


Link = Connecting | Following | Reconnecting


def after(link: Link, way: str | None) -> Link:
    """What follows: entries come by `way`; None: by none."""
    if way is not None:
        return Following(way)
    return Reconnecting(link.way) if isinstance(link, Following) else link


def said(link: Link) -> str:
    """For people."""
    match link:
        case Following(way):
            return f"live by {way}"
        case Reconnecting(last):
            return f"reconnecting (was live by {last}) …"
    return "connecting …"
