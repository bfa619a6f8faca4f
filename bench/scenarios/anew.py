"""Scenarios that measure in a deployment of three gateways that was just started."""

from collections.abc import Callable, Mapping, Sequence

from bench.clustered import Clustered
from bench.failure import Failure
from bench.plan import Plan
from bench.results import OURS, Results
from bench.ways import Way
from deploy.kafka.distribution import CannotStart

GATEWAYS = 3
Turn = Callable[[Plan, Clustered, Way, Results], None]


class Anew:
    """Takes a turn of each way once a round, each in a deployment of its own with `settings`."""

    def __init__(self, scenario: str, settings: Mapping[str, str], turn: Turn) -> None:
        self._scenario = scenario
        self._settings = settings
        self._turn = turn

    def run(self, plan: Plan, ways: Sequence[Way], results: Results) -> None:
        """What cannot be measured is noted, and the others are."""
        for number in range(plan.rounds):
            for way in ways:
                rostrum = Clustered(plan.server_cpu, GATEWAYS, self._settings)
                try:
                    rostrum.start(plan.folder / f"{self._scenario}-{way.value}-{number}")
                    self._turn(plan, rostrum, way, results)
                except (CannotStart, Failure, OSError) as fault:
                    results.note(OURS, f"{self._scenario} {way.value}: {fault}")
                finally:
                    rostrum.stop()
