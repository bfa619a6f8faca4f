"""`python -m bench`: measure what this machine serves, beside floors and peers, and report it."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from bench.build import CannotBuild
from bench.clustered import Clustered
from bench.contestant import CONNECTIONS_OF_A_PROCESS, Contestant, processes_for
from bench.embedded import Embedded
from bench.floors import in_c, in_python
from bench.peers import PEERS
from bench.plan import Plan
from bench.report import write_report
from bench.rostrum import SETTINGS, SPREAD
from bench.run import run
from bench.scenarios.table import LISTENING, OTHERS
from bench.ways import Way

HERE = Path(__file__).parent
# Over the 1,000 from which on rooms are woken in another way, and few enough to be waited for.
CONNECTIONS = 2_000
FULL = 50_000
NONE = "none"
ROUNDS, ROUNDS_MAX = 5, 100
FAILED = 1
INTERRUPTED = 130
SCENARIOS = [*LISTENING, *OTHERS]
WAYS = [way.value for way in Way]
# Pushpin lets so few in a second that its turns take longer than those of all others.
QUICK_PEERS = ["nchan", "nats", "socketio"]


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says. Returns the exit code."""
    wanted = _parse(arguments)
    two = (os.cpu_count() or 1) > 1
    with tempfile.TemporaryDirectory(prefix="rostrum-bench-") as folder:
        plan = Plan(
            connections=FULL if wanted.full else wanted.connections,
            rounds=wanted.rounds,
            ways=[Way(name) for name in wanted.ways],
            folder=Path(folder),
            server_cpu=wanted.server_cpu if two else None,
            client_cpu=wanted.client_cpu if two else None,
            connects_per_s=wanted.connects_per_s,
            spread_ms=wanted.spread_ms,
        )
        try:
            results = run(plan, wanted.only, _contestants(plan, wanted.peers), _say)
        except CannotBuild as fault:
            print(fault, file=sys.stderr)
            return FAILED
        except KeyboardInterrupt:
            print("ended before its time: nothing was written", file=sys.stderr)
            return INTERRUPTED
    write_report(plan, results, wanted.out)
    for note in results.told():
        _say(f"not measured: {note}")
    _say(f"written: {wanted.out / 'report.md'}, {wanted.out / 'report.json'}")
    return 0 if results.has_all_of_ours() else FAILED


def _contestants(plan: Plan, peers: Sequence[str]) -> list[Contestant]:
    cpu, connections = plan.server_cpu, plan.connections
    floors = [in_c(cpu, connections), in_python(cpu, connections)]
    fits = connections <= CONNECTIONS_OF_A_PROCESS
    settings = {**SETTINGS, SPREAD: str(plan.spread_ms)}
    ours = Embedded(cpu, settings) if fits else Clustered(cpu, processes_for(connections), settings)
    return [*floors, ours, *(PEERS[name](cpu, connections) for name in peers)]


def _say(line: str) -> None:
    print(line, flush=True)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    add = parser.add_argument
    add("--connections", type=_number(FULL), default=CONNECTIONS, help="at once (%(default)s)")
    add("--full", action="store_true", help=f"{FULL:,}, over several gateways on a real broker")
    add("--rounds", type=_number(ROUNDS_MAX), default=ROUNDS, help="of turns (%(default)s)")
    add("--only", type=_names(SCENARIOS), default=list(LISTENING), help=_listed(SCENARIOS))
    add("--ways", type=_names(WAYS), default=WAYS, help=_listed(WAYS))
    add("--peers", type=_names(PEERS), default=QUICK_PEERS, help=_listed(PEERS) + ", or none")
    add("--connects-per-s", type=float, default=0.0, help="opened a second (0: as it goes)")
    add("--spread-ms", type=int, default=0, help="over which Rostrum wakes; 200 as shipped (0)")
    add("--server-cpu", type=int, default=0, help="where servers run (%(default)s)")
    add("--client-cpu", type=int, default=1, help="where the load client runs (%(default)s)")
    add("--out", type=Path, default=HERE, help="the folder of the report (%(default)s)")
    return parser.parse_args(arguments)


def _listed(known: Iterable[str]) -> str:
    return f"some of {','.join(known)}"


def _number(most: int) -> Callable[[str], int]:
    """A number from 1 to `most`."""

    def number(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {most:,}")
        return int(text)

    return number


def _names(known: Iterable[str]) -> Callable[[str], list[str]]:
    """A list of known names, with commas in between."""

    def names(text: str) -> list[str]:
        found = [name for name in text.split(",") if name != NONE]
        unknown = set(found) - set(known)
        if unknown:
            fault = f"{', '.join(sorted(unknown))}: known are {', '.join(known)}"
            raise argparse.ArgumentTypeError(fault)
        return found

    return names


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
