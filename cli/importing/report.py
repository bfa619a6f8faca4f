"""What was taken of a file and what was not, each message counted once."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from cli.importing.plan import Taken

# Kinds and reasons quote the file; more of them than any export has are counted as one.
NAMES_MAX = 100
OTHERS = "others"
# Ids that are named for each reason, so that somebody can look.
EXAMPLES_MAX = 5


@dataclass(slots=True)
class Reason:
    """Messages that were not taken for one reason, with the ids of the first."""

    count: int = 0
    ids: list[int] = field(default_factory=list)


class Report:
    """Counts. `messages` is how many the file has; those taken and not taken are as many in the
    end. What is in `lost` belongs to messages that were taken."""

    def __init__(self, messages: int) -> None:
        self.messages = messages
        self.taken: Counter[str] = Counter()
        self.not_taken: dict[str, Reason] = {}
        self.lost: Counter[str] = Counter()
        self.entries = self.entries_before = self.split = self.replies = 0

    @property
    def seen(self) -> int:
        """How many messages were counted so far."""
        return self.taken.total() + sum(reason.count for reason in self.not_taken.values())

    def take(self, message: Taken, *, before: int) -> None:
        """A message has all its entries, `before` of them from an earlier run."""
        kind = message.kind
        self.taken[kind if kind in self.taken or len(self.taken) < NAMES_MAX else OTHERS] += 1
        self.lost.update(message.lost)
        self.entries += len(message.texts)
        self.entries_before += before
        self.split += len(message.texts) > 1
        self.replies += message.reply_to is not None

    def skip(self, reason: str, ident: int | None) -> None:
        """A message was not taken."""
        known = self.not_taken
        name = reason if reason in known or len(known) < NAMES_MAX else OTHERS
        counted = known.setdefault(name, Reason())
        counted.count += 1
        if ident is not None and len(counted.ids) < EXAMPLES_MAX:
            counted.ids.append(ident)

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "messages": self.messages,
            "taken": self.taken.total(),
            "taken_by_kind": dict(self.taken.most_common()),
            "not_taken": self.seen - self.taken.total(),
            "not_taken_by_reason": {
                reason: {"count": counted.count, "first_ids": counted.ids}
                for reason, counted in sorted(self.not_taken.items(), key=_most_first)
            },
            "entries": self.entries,
            "entries_of_earlier_runs": self.entries_before,
            "split_into_parts": self.split,
            "replies_kept": self.replies,
            "left_away": dict(self.lost.most_common()),
        }


def _most_first(item: tuple[str, Reason]) -> tuple[int, str]:
    return -item[1].count, item[0]
