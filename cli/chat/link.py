"""How entries come, as the person is told. A state is a type."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Connecting:
    """No way was open yet. `why`: what went wrong so far."""

    why: str = ""


@dataclass(frozen=True)
class Following:
    """What is posted arrives by this way: websocket, events or poll."""

    way: str


@dataclass(frozen=True)
class Reconnecting:
    """The last way broke; what was posted meanwhile comes when the next one is open. `why`: what
    was said last of it."""

    last: str
    why: str = ""


Link = Connecting | Following | Reconnecting


def after(link: Link, way: str | None, why: str = "") -> Link:
    """What follows: entries come by `way`; None: by none, and `why` says why."""
    if way is not None:
        return Following(way)
    match link:
        case Following(last) | Reconnecting(last):
            return Reconnecting(last, why)
    return Connecting(why)


def said(link: Link) -> str:
    """For people."""
    match link:
        case Following(way):
            return f"live by {way}"
        case Reconnecting(last, why):
            return f"reconnecting (was live by {last}) {_because(why)}"
        case Connecting(why):
            return f"connecting {_because(why)}"


def _because(why: str) -> str:
    return f"… {why}" if why else "…"
