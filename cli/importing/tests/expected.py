"""What a channel has to hold after an import, by the plan of each message and nothing else."""

from pathlib import Path
from typing import NamedTuple

from cli.importing.message import Message, read
from cli.importing.plan import Planner, Taken
from cli.importing.reading import messages, survey
from cli.importing.wording import Wording


class Wanted(NamedTuple):
    """A text, and the number of the text among all that it answers."""

    text: str
    answers: int | None


def wanted(file: Path, planner: Planner | None = None, *, chat: int = 0) -> list[Wanted]:
    """The texts of all entries of a file's chat, numbered from 1."""
    planner, entries, found = planner or Planner(Wording()), dict[int, int](), list[Wanted]()
    for raw in messages(file, survey(file).chats[chat]):
        plan = planner.plan(read(raw), entries.get)
        if isinstance(plan, Taken):
            entries[plan.ident] = len(found) + 1
            replies = [plan.reply_to, *[None] * (len(plan.texts) - 1)]
            found += map(Wanted, plan.texts, replies)
    return found


def originals(file: Path) -> list[str]:
    """The texts as they stand in the export, of messages that have one and no media."""
    read_all = map(read, messages(file, survey(file).chats[0]))
    found = [each for each in read_all if isinstance(each, Message)]
    return [each.text for each in found if each.text.strip() and not each.media]
