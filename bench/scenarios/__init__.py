"""The scenarios: each measures all contestants by turns and adds what it found to the results."""

from collections.abc import Callable, Mapping, Sequence

from bench.contestant import Contestant
from bench.plan import Plan
from bench.results import Results
from bench.scenarios.connects import connects
from bench.scenarios.memory import memory
from bench.scenarios.wake import wake

Scenario = Callable[[Plan, Sequence[Contestant], Results], None]

SCENARIOS: Mapping[str, Scenario] = {"wake": wake, "connects": connects, "memory": memory}
