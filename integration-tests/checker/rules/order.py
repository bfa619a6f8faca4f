"""L4: ids follow real time."""

from collections.abc import Iterator

from checker.channel import Channel
from checker.history import Ok
from checker.limits import Limits
from checker.verdict import Finding, finding


def order(channel: Channel, limits: Limits) -> Iterator[Finding]:
    """ack(a) before invoke(b), and yet id(a) > id(b).

    A post is begun with its first attempt: whichever of its attempts wrote, none was earlier. From
    the highest id down, the earliest acknowledgement so far is all that has to be kept.
    """
    earliest: Ok | None = None
    keys = dict(channel.keys)
    for ack in channel.acks:
        keys.setdefault(ack.id, (ack.author, ack.client_id))
    for number in sorted(keys, reverse=True):
        invoke = channel.begun.get(keys[number])
        if invoke and earliest and earliest.t_ns < invoke.t_ns:
            what = (
                f"{channel.name}/{number} was begun after {earliest.id} had been acknowledged, "
                "and has the smaller id"
            )
            yield finding("order", what, [earliest, invoke, channel.entries.get(number)])
        ack_here = channel.acked.get(number)
        if ack_here and (earliest is None or ack_here.t_ns < earliest.t_ns):
            earliest = ack_here
