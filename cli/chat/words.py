"""What somebody typed: a message, or a command after a slash."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

# As the server: longer texts are refused there.
TEXT_MAX = 4_096

HELP = """\
/join <handle or id>      a public channel
/create <title>           a new channel, for those that are added
/open <handle> <title>    a new channel, for everybody who knows its handle
/add <user id>            somebody to this channel
/leave                    this channel
/retry, /drop             send again, or forget, what could not be sent
/me                       show who you are
/help                     show this
/quit                     end; what waits to be sent is sent the next time
//text                    a message that begins with one slash"""


@dataclass(frozen=True)
class Say:
    """Post this."""

    text: str


@dataclass(frozen=True)
class Join:
    """Become a member, by handle or id."""

    channel: str


@dataclass(frozen=True)
class Create:
    """A new channel: with a `handle` everybody may join it, without one nobody by themselves."""

    title: str
    handle: str | None = None


@dataclass(frozen=True)
class Add:
    """Let a user, named by id, into the channel that is shown."""

    user: str


@dataclass(frozen=True)
class Leave:
    """Leave the channel that is shown."""


@dataclass(frozen=True)
class Retry:
    """Send again what could not be sent."""


@dataclass(frozen=True)
class Drop:
    """Forget what could not be sent."""


@dataclass(frozen=True)
class Help:
    """Show the commands."""


@dataclass(frozen=True)
class Me:
    """Show who the person is."""


@dataclass(frozen=True)
class Quit:
    """End the program."""


@dataclass(frozen=True)
class Wrong:
    """It cannot be done as it was typed; `why` says what to do."""

    why: str


Word = Say | Join | Create | Add | Leave | Retry | Drop | Me | Help | Quit | Wrong


def understood(typed: str) -> Word | None:
    """What is meant; None when nothing was typed."""
    text = typed.strip()
    if not text:
        return None
    if text.startswith("//"):
        return _say(text[1:])
    if text.startswith("/"):
        return _command(text)
    return _say(text)


def _say(text: str) -> Say | Wrong:
    if len(text) > TEXT_MAX:
        return Wrong(f"a message has at most {TEXT_MAX:,} characters; this one has {len(text):,}")
    return Say(text)


def _command(text: str) -> Word:
    name, _, rest = text[1:].partition(" ")
    rest = rest.strip()
    if name in WITH_ARGUMENT:
        if not rest:
            return Wrong(f"/{name} needs a word behind it; /help shows how")
        return WITH_ARGUMENT[name](rest)
    if name in ALONE:
        return ALONE[name]
    return Wrong(f"there is no command /{name}; /help shows all, // begins a message with a slash")


def _open(rest: str) -> Create | Wrong:
    handle, _, title = rest.partition(" ")
    if not title.strip():
        return Wrong("/open needs a handle and a title; /help shows how")
    return Create(title.strip(), handle=handle)


WITH_ARGUMENT: Mapping[str, Callable[[str], Word]] = {
    "join": lambda channel: Join(channel.removeprefix("#").removeprefix("@")),
    "create": Create,
    "open": _open,
    "add": Add,
}
ALONE: Mapping[str, Word] = {
    "leave": Leave(),
    "retry": Retry(),
    "drop": Drop(),
    "me": Me(),
    "help": Help(),
    "quit": Quit(),
}
