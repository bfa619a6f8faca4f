"""L2: what readers are given was posted."""

from collections import Counter
from collections.abc import Iterator

from checker.channel import SHOWN, VOID, Attempt, Channel, Key
from checker.history import Deliver
from checker.limits import Limits
from checker.verdict import Finding, finding


def phantom(channel: Channel, limits: Limits) -> Iterator[Finding]:
    """An entry that no attempt can have written, a text that nobody sent, or more records of a post
    than its attempts can have made."""
    records: Counter[Key] = Counter()
    for number, entry in channel.entries.items():
        key = channel.keys.get(number)
        attempts = channel.attempts.get(key, []) if key else []
        wrong = _wrong(entry, key, attempts, limits)
        if key:
            records[key] += 1
            writers = sum(attempt.may_have_written for attempt in attempts)
            if not wrong and records[key] > writers * limits.appends:
                wrong = f"is record {records[key]} of a post that was tried {writers} times"
        if wrong:
            tries = [each for one in attempts for each in (one.invoke, one.outcome)]
            yield finding("phantom", f"{channel.name}/{number} {wrong}", [*tries, entry])


def _wrong(entry: Deliver, key: Key | None, attempts: list[Attempt], limits: Limits) -> str | None:
    if key is None:
        is_foreign = entry.type == VOID and entry.dup_of is None
        return "is void and repeats nothing" if is_foreign and not limits.foreign else None
    if entry.type not in (SHOWN, VOID):
        return None
    if not attempts:
        return f"is {key[1]} of {key[0]}, which nobody posted"
    return _untrue(entry, key, attempts)


def _untrue(entry: Deliver, key: Key, attempts: list[Attempt]) -> str | None:
    if not any(attempt.may_have_written for attempt in attempts):
        return f"is {key[1]} of {key[0]}, all of whose attempts failed"
    if entry.t_ns < attempts[0].invoke.t_ns:
        return f"was read before {key[1]} of {key[0]} was posted"
    if entry.type == SHOWN and all(each.invoke.text != entry.text for each in attempts):
        return f"shows a text that {key[0]} did not send as {key[1]}"
    return None
