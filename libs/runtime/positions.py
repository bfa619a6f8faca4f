"""How far the followers of the log in this process are, as a metric: those that keep their position
in memory alone show it nowhere else."""

from collections.abc import Mapping

from libs.log.port import Partition
from libs.runtime.metrics import Gauge, gauge

METRIC = "log_position"
POSITION = gauge(
    METRIC, "Offset that a follower of the log takes next", ["reader", "topic", "partition"]
)


class Positions:
    """Those of one follower. Without a `reader` (a service's name) nothing is shown."""

    def __init__(self, reader: str) -> None:
        self._reader = reader
        # A look-up of labels costs more than all else that is done here.
        self._shown: dict[Partition, Gauge] = {}

    def note(self, positions: Mapping[Partition, int]) -> None:
        """What is taken next."""
        if not self._reader:
            return
        for partition, position in positions.items():
            shown = self._shown.get(partition)
            if shown is None:
                shown = self._shown[partition] = POSITION.labels(self._reader, *partition)
            shown.set(position)
