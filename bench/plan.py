"""What a run of the bench is to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.contestant import Contestant, processes_for
from bench.ways import Load, Way

# A client that waits for longer than this for anything has found a fault.
DEADLINE_S = 60.0
# 50,000 poll again within half a minute of a core; a deployment that needs more is given up.
DEADLINE_OF_MANY_S = 180.0
MANY = 10_000


@dataclass(frozen=True)
class Plan:
    """So many `connections`, in so many `rounds` in which all have their turn. Servers run on
    `server_cpu`, the load client on `client_cpu` (None: anywhere). Rostrum wakes over
    `spread_ms`."""

    connections: int
    rounds: int
    ways: Sequence[Way]
    folder: Path
    server_cpu: int | None = None
    client_cpu: int | None = None
    connects_per_s: float = 0.0
    spread_ms: int = 0

    def load(self, contestant: Contestant, connections: int | None = None) -> Load:
        """What the client is to bear there, all connections unless said otherwise."""
        count = self.connections if connections is None else connections
        paces = [pace for pace in (self.connects_per_s, contestant.connects_per_s) if pace]
        return Load(
            count,
            processes=processes_for(count),
            cpu=self.client_cpu,
            connects_per_s=min(paces, default=0.0),
            deadline_s=DEADLINE_OF_MANY_S if count >= MANY else DEADLINE_S,
        )

    def turns(self, contestants: Sequence[Contestant]) -> list[Contestant]:
        """Who is measured when: in every round each once, another one first each time."""
        return [
            contestants[(at + of) % len(contestants)]
            for of in range(self.rounds)
            for at in range(len(contestants))
        ]
