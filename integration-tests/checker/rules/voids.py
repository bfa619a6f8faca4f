"""L5: the rule of duplicates, decided anew from what readers were given."""

from collections.abc import Iterator

from checker.channel import SHOWN, VOID, Channel, Key
from checker.history import Deliver
from checker.limits import Limits
from checker.verdict import Finding, finding


def void_verdict(channel: Channel, limits: Limits) -> Iterator[Finding]:
    """A message whose key occurs in the `window` entries before, void or not, is void, and `dup_of`
    is the nearest of them. Anything else is not void by this rule.

    A void whose `dup_of` nobody was given (not kept, or jumped over) can be judged by its distance
    only. A void without `dup_of` is no duplicate, and is judged as a phantom.
    """
    nearest: dict[Key, Deliver] = {}
    for number, entry in channel.entries.items():
        key = channel.keys.get(number)
        before = nearest.get(key) if key else None
        if before and number - before.id > limits.window:
            before = None
        named = channel.entries.get(entry.dup_of or 0)
        wrong = _wrong(entry, before, limits)
        if not wrong and named and not before and _is_told(named, channel):
            wrong = f"is void because of {named.id}, which is no such post"
        if wrong:
            yield finding(
                "void-verdict", f"{channel.name}/{number} {wrong}", [before, named, entry]
            )
        if key and entry.type in (SHOWN, VOID):
            nearest[key] = entry


def _is_told(named: Deliver, channel: Channel) -> bool:
    """Whether it is known whose post this is, or that it is none."""
    return named.id in channel.keys or named.dup_of is None


def _wrong(entry: Deliver, before: Deliver | None, limits: Limits) -> str | None:
    if entry.type == SHOWN and before:
        return f"is shown, and repeats {before.id}, which is near enough"
    if entry.type != VOID or entry.dup_of is None:
        return None
    if not 0 < entry.id - entry.dup_of <= limits.window:
        return f"is void because of {entry.dup_of}, which is not within the {limits.window} before"
    if before and before.id != entry.dup_of:
        return f"is void because of {entry.dup_of}, and {before.id} is nearer"
    return None
