"""The scenarios: each measures by turns and adds what it found to the results."""

from collections.abc import Callable, Mapping, Sequence

from bench.contestant import Contestant
from bench.plan import Plan
from bench.results import Results
from bench.scenarios.connects import connects
from bench.scenarios.crowd import crowd
from bench.scenarios.memory import memory
from bench.scenarios.mix import mix
from bench.scenarios.posts import posts
from bench.scenarios.rest import rest
from bench.scenarios.slow import slow
from bench.scenarios.storm import storm
from bench.scenarios.wake import wake
from bench.scenarios.watches import watches

# Of those who listen, between all contestants.
LISTENING: Mapping[str, Callable[[Plan, Sequence[Contestant], Results], None]] = {
    "wake": wake,
    "connects": connects,
    "memory": memory,
    "mix": mix,
    "rest": rest,
    "slow": slow,
    "watches": watches,
}
# Those that start what they need.
OTHERS: Mapping[str, Callable[[Plan, Results], None]] = {
    "posts": posts,
    "storm": storm,
    "crowd": crowd,
}
