"""Which chat of an export is meant."""

from cli.importing.outline import Chat
from cli.importing.reading import Survey

# Chats that are named in a message: an account may have thousands.
LISTED_MAX = 20


class Unclear(Exception):
    """Not one chat is meant: which there are, and what to do."""


def chosen(survey: Survey, wanted: str | None) -> Chat:
    """The chat with this id or name; without one that of a file with a single chat. Raises
    `Unclear`."""
    if wanted is None and not survey.is_whole_account:
        return survey.chats[0]
    if wanted is None:
        raise _unclear("the file is a whole account: say with --chat which one", survey.chats)
    found = [chat for chat in survey.chats if wanted in {chat.ident, chat.name}]
    if not found:
        raise _unclear(f"no chat has the id or name {wanted!r}", survey.chats)
    if len(found) > 1:
        raise _unclear(f"{wanted!r} are several: give the id", found)
    return found[0]


def _unclear(why: str, chats: tuple[Chat, ...] | list[Chat]) -> Unclear:
    lines = [f"  {chat}" for chat in chats[:LISTED_MAX]]
    more = len(chats) - LISTED_MAX
    return Unclear(
        "\n".join([f"{why}; there are", *lines, *([f"  and {more:,} more"] if more > 0 else [])])
    )
