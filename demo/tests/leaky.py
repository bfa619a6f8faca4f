"""All services, of which the gateway loses one message in a thousand, and does not know it.

`python -m demo.tests.leaky`: each follower is given a void entry in its place, so no id is missing
that a client could fetch.
"""

import sys

from libs.wire.entries import VOID, Entry
from services.__main__ import main
from services.gateway.answers import Kept, Writer

EVERY = 1_000


_kept = Writer.kept


def leaky(self: Writer, value: Entry) -> Kept:
    """What is given to everybody for this entry."""
    is_lost = value.id % EVERY == 0
    return _kept(self, Entry(id=value.id, type=VOID, at=value.at) if is_lost else value)


if __name__ == "__main__":
    Writer.kept = leaky  # type: ignore[method-assign]
    sys.exit(main(["all"]))
