"""How long a follower waits for what."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Patience:
    """All in seconds. The first ones are asked of clients by `docs/protocol.md`."""

    # A gateway says something every 25 s; who hears nothing for so long has lost it.
    silence_s: float = 60.0
    # A token is renewed so long before it expires; of a shorter one two thirds are used.
    auth_before_s: float = 60.0
    # Between two attempts: a random part of the first, doubled with each failure, up to the second.
    again_first_s: float = 0.5
    again_most_s: float = 30.0
    # Until a gateway says `welcome`, or a poll's answer after it waited: both come at once.
    open_s: float = 10.0
    # A connection that breaks so soon says something of the way that it took.
    short_life_s: float = 20.0
    # A way that could not be opened is tried again after this, which doubles each time, at most to
    # the second: networks change when their users move, proxies hardly ever.
    better_first_s: float = 300.0
    better_most_s: float = 3_600.0
    # How long a poll waits: under the 60 s at which proxies cut, over what costs much.
    poll_s: float = 25.0
